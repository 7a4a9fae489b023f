"""From decisions to scores of classification, with null, interval and what controls reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neurodecode.evidence import KNOWS_NO_BRAIN, Items, Score, Suspicion, over_folds
from neurodecode.pipeline._class_answers import Tested
from neurodecode.pipeline._class_measures import ClassMeasure, Codes, Decisions, Values
from neurodecode.pipeline._judging import Beside, judged
from neurodecode.statistics import Interval, Null

MAJORITY = "majority"
N_OF_CONTROLS = 499
"""Arrangements of which a control's p is one in 500 at the least."""


@dataclass(frozen=True, eq=False)
class Scored:
    """One measure: its score, the value of each trial, and those of everything beside it."""

    score: Score
    each: Values
    beside: dict[str, Values]
    intervals: dict[str, dict[str, Interval]]


@dataclass(frozen=True, eq=False)
class Decided:
    """All that every measure is judged by.

    Parameters
    ----------
    test : Tested
    real : Decisions
    beside : mapping of str to Decisions
        Controls and closed forms.
    closed_forms : sequence of str
        Which of ``beside`` are closed forms.
    suspicions : sequence of Suspicion
        What the encoder gave away.
    seed : int
        Of the nulls.
    """

    test: Tested
    real: Decisions
    beside: Mapping[str, Decisions]
    closed_forms: Sequence[str] = ()
    suspicions: Sequence[Suspicion] = ()
    seed: int = 0


def score_classes(measure: ClassMeasure, decided: Decided) -> Scored:
    """Score decisions and controls by one measure, and judge the score."""
    test, real = decided.test, decided.real
    each, n_classes = measure.each(real, test.true), len(test.classes)
    chance = measure.chance(n_classes)
    null, kept = _null(measure, real, test, decided.seed)
    score = Score(
        float(each.mean()),
        _interval(each, test, null),
        chance,
        null,
        len(each),
        True,
        {
            "variant": measure.variant,
            "n_classes": n_classes,
            "permuted_within": kept,
            "n_independent": test.n_independent,
        },
    )
    values = {name: measure.each(one, test.true) for name, one in decided.beside.items()}
    intervals = {
        name: {
            "ci95": _interval(one, test, null),
            "above": test.items.interval(each - one),
        }
        for name, one in values.items()
    }
    compared = Beside(test.items, each, values, _chances(measure, decided), decided.closed_forms)
    return Scored(judged(score, compared, decided.suspicions), each, values, intervals)


def _chances(measure: ClassMeasure, decided: Decided) -> dict[str, float]:
    """One-sided p of each control and of the score, labels changing places within a person.

    Across runs too: what a run tells is then not taken for chance. What always says the same has
    no p.
    """
    test = decided.test
    _, first, block = np.unique(test.block, return_index=True, return_inverse=True)
    person = Items(test.items.stimulus[first], test.items.subject[first])
    if person.movable == 0:
        return {}
    label = test.true[first]

    def p(decisions: Decisions) -> float:
        score = measure.scorer(decisions)
        null = person.null(
            lambda order: score(label[order][block]),
            n_permutations=N_OF_CONTROLS,
            seed=decided.seed,
        )
        return null.p_value(score(test.true))

    asked = {name: one for name, one in decided.beside.items() if name in KNOWS_NO_BRAIN}
    asked.pop(MAJORITY, None)
    return {name: p(one) for name, one in (asked | {"decoded": decided.real}).items()}


def _interval(each: Values, test: Tested, null: Null) -> Interval:
    """Of hits, and of what is always right or always wrong, as a share; else of influences."""
    hits = bool(np.isin(each, (0.0, 1.0)).all())
    return within_unit(test.items.interval(each, share=hits, null=null))


def within_unit(interval: Interval) -> Interval:
    """The same interval, cut off at 0 and 1.

    Examples
    --------
    >>> within_unit(Interval(-0.1, 0.4)).low
    0.0
    """
    low, high = float(np.clip(interval.low, 0, 1)), float(np.clip(interval.high, 0, 1))
    return replace(interval, low=low, high=high)


def _null(measure: ClassMeasure, real: Decisions, test: Tested, seed: int) -> tuple[Null, str]:
    """Labels change places within person, run and fold; whole blocks where trials come in blocks.

    The trials of a block keep together, since what is slow in a recording is shared by them. Where
    every run holds one block (a run of one class each), blocks change places within the person.
    """
    _, first, block = np.unique(test.block, return_index=True, return_inverse=True)
    of_blocks, score = test.items.take(first), measure.scorer(real)
    if of_blocks.movable == 0:
        of_blocks = replace(of_blocks, run=None)
    of_blocks = replace(of_blocks, cluster=None)
    label: Codes = test.true[first]
    null = of_blocks.null(lambda order: score(label[order][block]), seed=seed)
    wrong = np.eye(len(test.classes))[real.decided]
    null = over_folds(null, of_blocks, wrong)
    unit = "trials" if len(first) == len(block) else "blocks of trials"
    kept = f"{unit} within {of_blocks.permuted_within}"
    return replace(null, kind=f"{null.kind} of the labels of {unit}"), kept


def by_control(scored: Mapping[str, Scored], what: str) -> dict[str, dict[str, Any]]:
    """Values or intervals of controls, by control and metric."""
    found: dict[str, dict[str, Any]] = {}
    for metric, one in scored.items():
        for name, values in one.beside.items():
            told: Any = float(values.mean())
            if what != "value":
                interval = one.intervals[name][what]
                told = [interval.low, interval.high]
            found.setdefault(name, {})[metric] = told
    return found
