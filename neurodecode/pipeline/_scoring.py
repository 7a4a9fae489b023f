"""From answers to scores: of the encoder with interval and null, of the controls beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode import evidence
from neurodecode.evidence import KNOWS_NO_BRAIN, ProtocolResult, Score, Suspicion, is_share
from neurodecode.pipeline._answers import Answers, Shown
from neurodecode.pipeline._controls import Setting
from neurodecode.pipeline._evaluation import Evaluation
from neurodecode.pipeline._judging import RUN_MEAN, Beside, judged, p_within_person
from neurodecode.pipeline._measures import Measure, RetrievalTopK, TwoWay, n_candidates
from neurodecode.pipeline._nulls import Nulls, check_scores
from neurodecode.pipeline._picture_measures import PixelCorrelation
from neurodecode.pipeline._preprocess import step_names
from neurodecode.pipeline._protocol import Protocol


def scored(
    setting: Setting,
    beside: Mapping[str, Answers],
    protocol: Protocol,
    *,
    closed_forms: Sequence[str] = (),
    suspicions: Sequence[Suspicion] = (),
) -> Evaluation:
    """All measures of the answers, of the controls beside them, and their verdicts.

    Parameters
    ----------
    setting : Setting
    beside : mapping of str to Answers
    protocol : Protocol
    closed_forms : sequence of str
        Which of ``beside`` are closed-form decoders.
    suspicions : sequence of Suspicion
        What the encoder or a generator gave away.
    """
    ids = list(dict.fromkeys(setting.items.stimulus.tolist()))
    chosen = _measures(protocol, setting.real)
    means = _train_means(setting) if any(getattr(one, "centred", False) for one in chosen) else {}
    shown = Shown(
        setting.goal.stimuli.select(ids),
        setting.goal.points(ids),
        means,
        setting.fold_of,
        setting.items.subject,
    )
    judge = _Judge(Nulls(setting, shown, protocol.seed), beside, closed_forms, suspicions)
    measured = {one.name: _measure(one, judge) for one in chosen}
    controls = _by_control(measured, "value")
    told = details(setting, protocol) | {
        "controls_ci95": _by_control(measured, "ci95"),
        "above_controls_ci95": _by_control(measured, "above"),
    }
    scores = {metric: one.score for metric, one in measured.items()}
    return Evaluation(
        ProtocolResult(protocol.name, scores, controls, told),
        [fold.encoder for fold in setting.folds],
        setting.items,
        shown,
        setting.real,
        beside,
        setting.drawn,
        {metric: one.per_item for metric, one in measured.items()},
        control_items=_of_controls(measured),
    )


@dataclass(frozen=True, eq=False)
class _Measured:
    """One measure: its score, the value of each item, and what each control reaches.

    Of a control: its ``value``, its interval ``ci95``, and the interval of how much the score lies
    ``above`` it, item by item.
    """

    score: Score
    per_item: NDArray[np.float64]
    controls: dict[str, dict[str, Any]]
    beside: dict[str, NDArray[np.float64]]


def _of_controls(
    measured: Mapping[str, _Measured],
) -> dict[str, dict[str, NDArray[np.float64]]]:
    """A value an item of each control, by metric."""
    found: dict[str, dict[str, NDArray[np.float64]]] = {}
    for metric, one in measured.items():
        for name, values in one.beside.items():
            found.setdefault(name, {})[metric] = values
    return found


def _by_control(measured: Mapping[str, _Measured], what: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for metric, one in measured.items():
        for name, facts in one.controls.items():
            found.setdefault(name, {})[metric] = facts[what]
    return found


@dataclass(frozen=True, eq=False)
class _Judge:
    """All that every measure is judged by."""

    nulls: Nulls
    beside: Mapping[str, Answers]
    closed_forms: Sequence[str]
    suspicions: Sequence[Suspicion]


def _measure(measure: Measure, judge: _Judge) -> _Measured:
    nulls = judge.nulls
    rows, shown = nulls.rows(measure), nulls.shown
    items = nulls.setting.items.take(rows)
    each, null = nulls.measured(measure)
    n_truths = n_candidates(measure, shown)
    chance = measure.chance(n_truths)
    share = is_share(each, chance)
    facts = {
        "variant": measure.variant,
        "n_candidates": n_truths,
        "permuted_within": nulls.permuted_within(measure),
    }
    score = Score(
        float(each.mean()),
        items.interval(each, share=share, null=null),
        chance,
        null,
        len(items),
        measure.higher_is_better,
        facts,
    )
    values, p_of = _others(measure, judge)
    controls = {}
    for name, one in values.items():
        own = items.interval(one, share=share, null=null)
        above = items.interval(each - one)
        controls[name] = {
            "value": float(one.mean()),
            "ci95": [own.low, own.high],
            "above": [above.low, above.high],
        }
    compared = Beside(items, each, values, p_of, judge.closed_forms)
    return _Measured(judged(score, compared, judge.suspicions), each, controls, values)


def _others(
    measure: Measure, judge: _Judge
) -> tuple[dict[str, NDArray[np.float64]], dict[str, float]]:
    """Values of every control that has this measure, and the p of those whose table is known."""
    nulls = judge.nulls
    rows, shown = nulls.rows(measure), nulls.shown
    items, column = nulls.setting.items.take(rows), nulls.column[rows]
    values, p_of = {}, {}

    def p(answers: Answers) -> float:
        table = measure.table(shown, answers)
        return p_within_person(
            table, column, items, higher_is_better=measure.higher_is_better, seed=nulls.seed
        )

    for name, answers in judge.beside.items():
        if not measure.applies(answers):
            continue
        values[name] = _each(measure, answers, shown, column)
        check_scores(values[name], measure.name, f"the control '{name}'", items)
        if name in KNOWS_NO_BRAIN and not hasattr(measure, "pairs"):
            p_of[name] = p(answers)
    if RUN_MEAN in p_of:
        p_of["decoded"] = p(nulls.setting.real)
    return values, p_of


def _each(
    measure: Measure, answers: Answers, shown: Shown, column: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The score of each item with its own truth."""
    if hasattr(measure, "pairs"):
        return np.asarray(measure.pairs(shown, answers, column))
    return measure.table(shown, answers)[np.arange(len(column)), column]


def _train_means(setting: Setting) -> dict[str, NDArray[Any]]:
    """The mean over training trials, which is where a linear map shrinks to."""
    means: dict[str, list[NDArray[Any]]] = {head: [] for head in setting.heads}
    for fold in setting.folds:
        shown = fold.train_counts()
        counts = np.array(list(shown.values()))
        for head, train in setting.goal.points(shown).items():
            mean = evidence.mean_embedding(train, ["mean"], counts=counts)
            means[head].append(mean.array()[0])
    return {head: np.stack(one) for head, one in means.items()}


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


def details(setting: Setting, protocol: Protocol) -> dict[str, Any]:
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
        "preprocess": step_names(setting.folds[0].steps),
        "target": {head: one.space for head, one in setting.real.embeddings.items()},
        "generator": {name: one.generator for name, one in setting.real.outputs.items()},
        "n_samples": {name: one.n_samples for name, one in setting.outputs.items()},
        "restandardised": [name for name, one in setting.outputs.items() if one.restandardise],
        "selection_rule": _selections(setting.outputs),
        "repeats_averaged": repeats[protocol.repeats],
        "kept_apart": [by for by, yes in apart.items() if yes],
        "shared": [by for by, yes in apart.items() if not yes],
    }


def _selections(outputs: Mapping[str, Any]) -> str:
    if not outputs:
        return "none; nothing is generated"
    rules = {name: _selection(one) for name, one in outputs.items()}
    if len(set(rules.values())) == 1:
        return next(iter(rules.values()))
    return "; ".join(f"{name}: {rule}" for name, rule in rules.items())


def _selection(output: Any) -> str:
    """How one of several candidates was chosen: by the brain's embedding, or not at all."""
    if getattr(output.generator, "judge", None) is None:
        return "none; scores are means over samples"
    n_candidates = output.generator.n_candidates
    return f"of {n_candidates} drawn, the one nearest to the embedding predicted from the brain"
