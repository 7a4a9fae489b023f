"""From the values of a score and of all that stands beside it to its verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neurodecode.evidence import (
    KNOWS_NO_BRAIN,
    Items,
    Score,
    Suspicion,
    compare,
    suspicious_controls,
)
from neurodecode.pipeline._suspicions import run_confound
from neurodecode.statistics import Interval, permutation_null

RUN_MEAN = "run_mean"
CEILING = "ceiling"


@dataclass(frozen=True, eq=False)
class Beside:
    """What stands beside one score, item by item.

    Parameters
    ----------
    items : Items
    each : array, shape (n,)
        The score of each item.
    controls : mapping of str to array, shape (n,)
        The same of everything beside it, closed forms and ceiling too.
    p_of : mapping of str to float
        One-sided p against chance, items changing places within a person, of those whose tables
        are known; ``'decoded'`` is the score itself.
    closed_forms : sequence of str
        Which of ``controls`` are closed-form decoders.
    """

    items: Items
    each: NDArray[np.float64]
    controls: Mapping[str, NDArray[np.float64]]
    p_of: Mapping[str, float]
    closed_forms: Sequence[str]

    def interval(self, apart: NDArray[np.float64]) -> Interval:
        """Of the mean of paired differences."""
        return self.items.interval(apart)


def judged(score: Score, beside: Beside, suspicions: Sequence[Suspicion]) -> Score:
    """The score with its comparison, and with what makes it suspect.

    Parameters
    ----------
    score : Score
    beside : Beside
    suspicions : sequence of Suspicion
        Those that concern every score of the encoder.
    """
    sign = 1.0 if score.higher_is_better else -1.0
    brainless = {name: one for name, one in beside.controls.items() if name in KNOWS_NO_BRAIN}
    closed = {name: one for name, one in beside.controls.items() if name in beside.closed_forms}
    comparison = compare(
        beside.each,
        brainless,
        beside.interval,
        closed_forms=closed,
        higher_is_better=score.higher_is_better,
    )
    ceiling = beside.controls.get(CEILING)
    apart = None if ceiling is None else sign * (beside.each - ceiling)
    known = {name: p for name, p in beside.p_of.items() if name in brainless}
    found = [*suspicions, *suspicious_controls(known, apart, beside.interval)]
    if RUN_MEAN in known:
        over_run = sign * (beside.each - beside.controls[RUN_MEAN])
        found += run_confound(
            known[RUN_MEAN],
            beside.p_of.get("decoded", score.p),
            lambda: beside.interval(over_run).low > 0,
        )
    return replace(score, comparison=comparison, suspicions=tuple(found))


def p_within_person(
    table: NDArray[np.float64],
    column: NDArray[np.intp],
    items: Items,
    *,
    higher_is_better: bool = True,
    seed: int = 0,
) -> float:
    """One-sided p of a table of answers by truths, items changing places within a person.

    Across runs too: what a run tells is then not taken for chance.
    """
    if np.unique(items.subject, return_counts=True)[1].max() < 2:
        return 1.0
    rows = np.arange(len(column))
    null = permutation_null(
        lambda order: float(table[rows, column[order]].mean()),
        len(column),
        groups=items.subject,
        seed=seed,
    )
    observed = float(table[rows, column].mean())
    return null.p_value(observed, "greater" if higher_is_better else "less")
