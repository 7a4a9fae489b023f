"""One cell: read the people, fit the contender, open the test part, keep everything."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode.contracts import Encoder
from neurodecode.data import Responses, Split
from neurodecode.evidence import Run
from neurodecode.gallery import GalleryItem
from neurodecode.pipeline import Evaluation, Goal, Protocol, evaluate
from neurodecode.study._contender import Contender
from neurodecode.study._looks import study_looks
from neurodecode.study._outcome import Outcome
from neurodecode.study._protocols import Case
from neurodecode.study._source import Material
from neurodecode.study._study import Cell, Study

N_CARDS = 24
COLUMNS = ("stimulus", "subject", "run", "fold", "cluster", "time")


def work(study: Study, cell: Cell, out: Path) -> Outcome:
    """Compute the outcome of a cell."""
    material = _material(study, cell.seed, out)
    contender = study.contender(cell.contender)
    case = cell.protocol.case(material, cell.unit, cell.seed)
    goal = Goal(material.stimuli, material.target)
    with Run(seed=cell.seed, looks=study_looks(out, study.name)) as run:
        with run.step("fit"):
            fitted = [
                _fitted(contender, case, goal, split, cell.seed, out / "training" / cell.name)
                for split in case.splits
            ]
        evaluation = evaluate(
            case.tested,
            goal,
            encoder={"decoded": fitted},
            generator=contender.outputs,
            protocol=Protocol(
                list(case.splits),
                name=cell.unit.protocol,
                measures=study.measures,
                repeats=study.repeats,  # type: ignore[arg-type]
                n_drawn=study.n_drawn,
                seed=cell.seed,
            ),
            run=run,
        )
    return _outcome(evaluation, run, material)


@lru_cache(maxsize=1)
def _material(study: Study, seed: int, out: Path) -> Material:
    """The people of a seed, read once for all cells that follow each other."""
    folder = out / "source" / f"seed-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    return study.source.material(seed, folder)


def _fitted(
    contender: Contender, case: Case, goal: Goal, split: Split, seed: int, folder: Path
) -> Encoder:
    """A fresh copy of the encoder, fitted to what the case lets it see."""
    encoder: Any = copy.deepcopy(contender.encoder)
    parameters = encoder.get_params(deep=False) if hasattr(encoder, "get_params") else {}
    if "seed" in parameters:
        encoder.set_params(seed=seed)
    blind = split.blind()
    known = list(case.tested if contender.alone else case.known)
    if contender.alone and case.new is not None:
        known = [case.new]
    seen = [part for part in (split.seen(person) for person in known) if len(part)]
    encoder.fit(seen[0] if len(seen) == 1 else seen, _targets(goal, seen), blind)
    if case.new is not None and not contender.alone:
        encoder.adapt(case.new, _targets(goal, [case.new]), blind, **contender.adapt)
    fitted: Encoder = encoder
    return fitted


def _targets(goal: Goal, people: Sequence[Responses]) -> Any:
    ids = dict.fromkeys(one for person in people for one in person.stimulus.tolist())
    return goal.for_fit(ids)


def _outcome(evaluation: Evaluation, run: Run, material: Material) -> Outcome:
    items = evaluation.items
    known = {name: getattr(items, name) for name in COLUMNS}
    columns = {name: one for name, one in known.items() if one is not None}
    result = evaluation.result
    cards = [GalleryItem(**vars(view)) for view in evaluation.views(limit=N_CARDS)]
    return Outcome(
        columns,
        dict(evaluation.per_item),
        evaluation.control_items,
        np.asarray(evaluation.drawn),
        {metric: score.as_json() for metric, score in result.scores.items()},
        {"details": dict(result.details), "material": dict(material.facts), "run": run.as_json()},
        {metric: score.null.values for metric, score in result.scores.items()},
        cards,
    )
