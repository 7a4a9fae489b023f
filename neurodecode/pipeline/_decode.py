"""`decode`: fit on what may be seen, open the test part once, and bring back all evidence."""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.contracts import Encoder
from neurodecode.data import Responses
from neurodecode.evidence import Items, ProtocolResult, Run, Score, score_table
from neurodecode.pipeline._answers import Answers, Shown
from neurodecode.pipeline._controls import Setting, controls
from neurodecode.pipeline._evaluation import Evaluation
from neurodecode.pipeline._folds import Fold, fit_folds, join_heads, join_items
from neurodecode.pipeline._measures import Measure, RetrievalTopK, TwoWay
from neurodecode.pipeline._picture_measures import PixelCorrelation
from neurodecode.pipeline._protocol import Goal, Outputs, Protocol, as_outputs

LOG = logging.getLogger("neurodecode")
PLAIN_RIDGE = "plain_ridge"


def decode(
    responses: Responses | Sequence[Responses],
    goal: Goal,
    *,
    encoder: Encoder,
    generator: Outputs,
    protocol: Protocol,
    run: Run | None = None,
) -> Evaluation:
    """Fit an encoder, decode the test part once, and score it beside its controls.

    Parameters
    ----------
    responses : Responses or sequence of Responses
        Whole recordings of one or several people.
    goal : Goal
        What was shown and the target space.
    encoder : Encoder
        Unfitted; it is fitted here to the training and validation part, and never given more.
    generator : Generator or Output, or a mapping of name to either
        Pictures and sentences can be made side by side.
    protocol : Protocol
        Split, measures and the like.
    run : Run, optional
        Counts the look at the test part and is given to `evidence.write_results`; without it the
        look is counted all the same.

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError
        If the split leaves nothing to train or to test on, or an output reads an unknown head.

    Examples
    --------
    >>> from neurodecode.data import RandomSplit, Stimuli
    >>> from neurodecode.encoders import Ridge
    >>> from neurodecode.generators import DirectImage
    >>> from neurodecode.targets import Pixels
    >>> rng = np.random.default_rng(0)
    >>> pictures = Stimuli.from_arrays(range(40), rng.random((40, 2, 2)))
    >>> target = Pixels(2, grey=True)
    >>> seen = target.embed(pictures).array() @ rng.normal(size=(4, 30))
    >>> responses = Responses(seen, pictures.ids, "sub-01", "fmri")
    >>> [split] = RandomSplit(test=10, validation=0).split(responses)
    >>> evaluation = decode(
    ...     responses, Goal(pictures, target), encoder=Ridge(), generator=DirectImage(target),
    ...     protocol=Protocol(split),
    ... )
    >>> evaluation.score("retrieval_top1") > 0.8
    True
    >>> sorted(evaluation.result.controls)
    ['ceiling', 'constant', 'mean', 'nearest_training', 'noise', 'shuffled']
    """
    people = _people(responses)
    as_outputs(generator, goal.heads)  # a wrong head is told before slow work starts
    fitted = fit_folds(people, goal, encoder, protocol)
    baseline = _baseline(encoder, protocol)
    beside = None if baseline is None else fit_folds(people, goal, baseline, protocol)
    return evaluate(
        people,
        goal,
        encoder={"decoded": fitted} if beside is None else {"decoded": fitted, PLAIN_RIDGE: beside},
        generator=generator,
        protocol=protocol,
        run=run,
    )


def evaluate(
    responses: Responses | Sequence[Responses],
    goal: Goal,
    *,
    encoder: Encoder | Mapping[str, Sequence[Encoder]],
    generator: Outputs,
    protocol: Protocol,
    run: Run | None = None,
) -> Evaluation:
    """Open the test part once, with an encoder that is fitted already (or adapted, or loaded).

    Parameters
    ----------
    responses, goal, generator, protocol, run
        As in `decode`.
    encoder : Encoder, or mapping of name to one Encoder a fold
        With a mapping, the first is scored and the others stand among the controls.

    Returns
    -------
    Evaluation
    """
    people = _people(responses)
    outputs = as_outputs(generator, goal.heads)
    named = encoder if isinstance(encoder, Mapping) else {"decoded": [encoder]}
    # counted before anything is computed: a run that fails half-way has looked too
    (run or Run(protocol.seed)).look(protocol.name, people, protocol.folds)
    sets = {
        name: [
            Fold(split, one, people, protocol.repeats)
            for split, one in zip(protocol.folds, fitted, strict=True)
        ]
        for name, fitted in named.items()
    }
    first, *others = sets.values()
    parts = [fold.predict(list(goal.heads)) for fold in first]
    items = join_items([one for _, one in parts])
    drawn = _draw(len(items), protocol)
    sizes = [len(one) for _, one in parts]
    empty = Answers(join_heads([one for one, _ in parts]), {})
    setting = Setting(first, goal, outputs, items, sizes, drawn, empty, protocol.seed)
    real = Answers(empty.embeddings, setting.generate(empty.embeddings))
    setting = Setting(first, goal, outputs, items, sizes, drawn, real, protocol.seed)
    beside = controls(setting)
    for name, folds in zip(list(sets)[1:], others, strict=True):
        rows = join_heads([fold.predict(list(goal.heads))[0] for fold in folds])
        beside[name] = Answers(rows, setting.generate(rows))
    return _scored(setting, beside, protocol)


def _scored(setting: Setting, beside: Mapping[str, Answers], protocol: Protocol) -> Evaluation:
    items = setting.items
    ids = list(dict.fromkeys(items.stimulus.tolist()))
    shown = Shown(setting.goal.stimuli.select(ids), setting.goal.points(ids))
    place = {one: i for i, one in enumerate(ids)}
    column = np.array([place[one] for one in items.stimulus.tolist()])
    scores: dict[str, Score] = {}
    per_item: dict[str, NDArray[np.float64]] = {}
    values: dict[str, dict[str, float]] = {name: {} for name in beside}
    intervals: dict[str, dict[str, list[float]]] = {name: {} for name in beside}
    for measure in _measures(protocol, setting.real):
        rows = np.arange(len(items)) if measure.of == "embedding" else setting.drawn
        some = _take(items, rows)
        table = measure.table(shown, setting.real)
        scores[measure.name] = _score(measure, table, column[rows], some, protocol.seed)
        per_item[measure.name] = table[np.arange(len(rows)), column[rows]]
        for name, answers in beside.items():
            if measure.applies(answers):
                each = measure.table(shown, answers)[np.arange(len(rows)), column[rows]]
                values[name][measure.name] = float(each.mean())
                ends = some.interval(each, seed=protocol.seed)
                intervals[name][measure.name] = [ends.low, ends.high]
    details = _details(setting, protocol) | {"controls_ci95": intervals}
    return Evaluation(
        ProtocolResult(protocol.name, scores, values, details),
        [fold.encoder for fold in setting.folds],
        items,
        shown,
        setting.real,
        beside,
        setting.drawn,
        per_item,
    )


def _score(
    measure: Measure, table: NDArray[Any], column: NDArray[Any], items: Items, seed: int
) -> Score:
    n_truths = table.shape[1]
    score = score_table(
        table,
        column,
        items,
        chance=measure.chance(n_truths),
        higher_is_better=measure.higher_is_better,
        seed=seed,
    )
    facts = {
        "variant": measure.variant,
        "n_candidates": n_truths,
        "permuted_within": "person" if items.run is None else "person and run",
    }
    return Score(**{**vars(score), "details": facts})


def _measures(protocol: Protocol, real: Answers) -> list[Measure]:
    default: Sequence[Measure] = (RetrievalTopK(), TwoWay(), PixelCorrelation())
    if protocol.measures is None:
        return [one for one in default if one.applies(real)]
    for one in protocol.measures:
        if not one.applies(real):
            raise ValueError(
                f"'{one.name}' can't be measured: no generator or target space gives what it "
                f"reads. Outputs: {', '.join(real.outputs)}; heads: {', '.join(real.embeddings)}."
            )
    return list(protocol.measures)


def _details(setting: Setting, protocol: Protocol) -> dict[str, Any]:
    """The columns without which tables of different papers can't be compared."""
    people = setting.folds[0].people
    subjects = list(dict.fromkeys(setting.items.subject.tolist()))
    apart = protocol.folds[0].apart(people)
    sessions = {one.subject: len(set(one.session)) for one in people if one.session is not None}
    repeats = {
        "predictions": "predictions averaged over the repeats of a stimulus",
        "responses": "responses averaged over the repeats of a stimulus",
        "single": "single trials",
    }
    return {
        "subjects": subjects,
        "modality": people[0].modality,
        "sessions": sessions,
        "units": {one.subject: one.n_units for one in people},
        "n_train": {one.subject: int(protocol.folds[0].mask(one, "train").sum()) for one in people},
        "n_test": len(set(setting.items.stimulus.tolist())),
        "n_items": len(setting.items),
        "n_drawn": len(setting.drawn),
        "n_folds": len(setting.folds),
        "encoder": type(setting.folds[0].encoder).__name__,
        "target": {head: one.space for head, one in setting.real.embeddings.items()},
        "generator": {name: one.generator for name, one in setting.real.outputs.items()},
        "n_samples": {name: one.n_samples for name, one in setting.outputs.items()},
        "selection_rule": "none; scores are means over samples",
        "repeats_averaged": repeats[protocol.repeats],
        "kept_apart": [by for by, yes in apart.items() if yes],
        "shared": [by for by, yes in apart.items() if not yes],
    }


def _baseline(encoder: Encoder, protocol: Protocol) -> Encoder | None:
    if not isinstance(protocol.baseline, bool):
        return copy.deepcopy(protocol.baseline)
    from neurodecode.encoders import Ridge

    return Ridge() if protocol.baseline and not isinstance(encoder, Ridge) else None


def _draw(n_items: int, protocol: Protocol) -> NDArray[np.intp]:
    if protocol.n_drawn is None or protocol.n_drawn >= n_items:
        return np.arange(n_items)
    rng = np.random.default_rng(protocol.seed)
    return np.sort(rng.choice(n_items, protocol.n_drawn, replace=False)).astype(np.intp)


def _take(items: Items, rows: NDArray[np.intp]) -> Items:
    """Some of the items; their null stays within runs where each run holds several of them."""
    some = Items(items.stimulus[rows], items.subject[rows])
    if items.run is None:
        return some
    within = replace(some, run=items.run[rows])
    return within if np.unique(within.groups, return_counts=True)[1].min() > 1 else some


def _people(responses: Responses | Sequence[Responses]) -> list[Responses]:
    people = [responses] if isinstance(responses, Responses) else list(responses)
    if not people:
        raise ValueError("decode() got no responses. Give those of one person or of several.")
    return people
