"""A score with what one needs to believe it, and the named protocol it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.evidence._items import Items
from neurodecode.evidence._verdict import Comparison, Suspicion, Verdict, verdict_of
from neurodecode.statistics import Interval, Null, null_inflation


@dataclass(frozen=True)
class Score:
    """A value, its interval, its chance level and its null.

    Parameters
    ----------
    value : float
    ci95 : Interval
        95 % interval; it knows how it was made and for whom it holds.
    chance : float or None
        Analytic chance; None where there is none (a correlation, a distance).
    null : Null
    n : int
        Number of values averaged.
    higher_is_better : bool
    details : mapping
        Exact variant, number of candidates and the like; stands beside the value in the JSON.
    comparison : Comparison, optional
        With the controls and closed forms, item by item; without it nothing is *shown*.
    suspicions : tuple of Suspicion

    Examples
    --------
    >>> score = Score(0.5, Interval(0.4, 0.6), 0.1, Null(np.array([0.1, 0.2])), 40)
    >>> score.as_json()["null"]["p"]
    0.3333333333333333
    """

    value: float
    ci95: Interval
    chance: float | None
    null: Null
    n: int
    higher_is_better: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)
    comparison: Comparison | None = None
    suspicions: tuple[Suspicion, ...] = ()

    def __post_init__(self) -> None:
        if not np.isfinite(self.value):
            raise ValueError(f"A score must be a finite number; got {self.value}.")

    @property
    def p(self) -> float:
        """One-sided p-value against the null."""
        return self.null.p_value(self.value, "greater" if self.higher_is_better else "less")

    @property
    def verdict(self) -> Verdict:
        """Is it shown, not shown or suspect, and why?"""
        return verdict_of(self.p, self.comparison, self.suspicions)

    @property
    def over_best_control(self) -> Interval | None:
        """Paired interval over the best control that knows no brain; above 0 is better."""
        return None if self.comparison is None else self.comparison.over_control

    @property
    def over_best_closed_form(self) -> Interval | None:
        """Paired interval over the best closed-form decoder; above 0 is better."""
        return None if self.comparison is None else self.comparison.over_closed_form

    def as_json(self) -> dict[str, Any]:
        """As in ``results.json``."""
        return {
            **self.details,
            **self._judgement(),
            "value": float(self.value),
            "ci95": [self.ci95.low, self.ci95.high],
            "chance": self.chance,
            "null": {
                "mean": self.null.mean,
                "p95": self.null.p95,
                "p": self.p,
                "n": len(self.null.values),
                "kind": self.null.kind,
                "exact": self.null.exact,
            },
            "n": int(self.n),
            "higher_is_better": self.higher_is_better,
            **self._interval_told(),
        }

    def _interval_told(self) -> dict[str, str]:
        told = {"ci_method": self.ci95.method, "scope": self.ci95.scope}
        return {name: text for name, text in told.items() if text}

    def _judgement(self) -> dict[str, Any]:
        verdict, beside = self.verdict, self.comparison
        return {
            "verdict": verdict.word,
            "verdict_reasons": list(verdict.reasons),
            "suspicions": [one.name for one in self.suspicions],
            "weak_suspicions": [one.name for one in self.suspicions if one.weak],
            "best_control": beside.best_control if beside else None,
            "over_best_control": _ends(self.over_best_control),
            "best_closed_form": (beside.best_closed_form or None) if beside else None,
            "over_best_closed_form": _ends(self.over_best_closed_form),
            "beside_closed_form": verdict.closed_form,
        }


def _ends(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]


def score_table(
    table: NDArray[np.floating[Any]],
    column: NDArray[np.integer[Any]],
    items: Items,
    *,
    chance: float | None,
    higher_is_better: bool = True,
    n_permutations: int = 1000,
    seed: int = 0,
) -> Score:
    """A score from the table of every decoded item against every true one.

    Parameters
    ----------
    table : array, shape (n, n_truths)
        Score of decoded item i if truth j were its own.
    column : int array, shape (n,)
        The truth of each item.
    items : Items
    chance : float or None
    higher_is_better : bool
    n_permutations, seed : int

    Examples
    --------
    >>> score = score_table(np.eye(4), np.arange(4), Items(list("abcd"), ["s"] * 4), chance=0.25)
    >>> score.value, round(score.p, 3)
    (1.0, 0.042)
    """
    rows = np.arange(len(column))
    per_item = np.asarray(table[rows, column], dtype=np.float64)
    null = items.null(
        lambda order: float(table[rows, column[order]].mean()),
        n_permutations=n_permutations,
        seed=seed,
    )
    null = over_folds(null, items, table)
    return Score(
        float(per_item.mean()),
        items.interval(per_item, share=is_share(per_item, chance), null=null),
        chance,
        null,
        len(items),
        higher_is_better,
        {"permuted_within": items.permuted_within},
    )


def is_share(per_item: NDArray[np.float64], chance: float | None) -> bool:
    """Is it a share of hits or of pairs: in 0 to 1, with a chance level?

    Examples
    --------
    >>> is_share(np.array([0.0, 1.0]), 0.5), is_share(np.array([0.3]), None)
    (True, False)
    """
    inside = per_item.min() >= 0 and per_item.max() <= 1
    return bool(inside and chance is not None and 0 < chance < 1)


def over_folds(null: Null, items: Items, wrong: NDArray[np.floating[Any]]) -> Null:
    """The null as wide as folds that learn from one another's test items make it.

    Parameters
    ----------
    null : Null
    items : Items
    wrong : array
        Scores of items with wrong truths (a few right ones among them change little).
    """
    return null.widened(null_inflation(wrong)) if items.keeps_folds else null


@dataclass(frozen=True)
class ProtocolResult:
    """All scores of one protocol, with the same scores of the controls.

    Parameters
    ----------
    name : str
        Such as ``'within_subject'``, ``'pooled'``, ``'new_subject'``.
    scores : mapping of str to Score
    controls : mapping of str to (mapping of str to float)
        Control name, then metric name.
    details : mapping
        The columns that tables of published systems mix up: ``n_test``, ``subjects``,
        ``sessions``, ``selection_rule``, ``n_samples``, ``repeats_averaged``, ``kept_apart``, ...

    Examples
    --------
    >>> ProtocolResult("pooled", {}).as_json()
    {'scores': {}, 'controls': {}}
    """

    name: str
    scores: Mapping[str, Score]
    controls: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As in ``results.json``."""
        return {
            **self.details,
            "scores": {name: score.as_json() for name, score in self.scores.items()},
            "controls": {
                control: {metric: float(value) for metric, value in values.items()}
                for control, values in self.controls.items()
            },
        }
