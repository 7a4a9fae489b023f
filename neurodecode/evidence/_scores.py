"""A score with what one needs to believe it, and the named protocol it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.statistics import Interval, Null, bootstrap_interval, permutation_null


@dataclass(frozen=True)
class Score:
    """A value, its interval, its chance level and its null.

    Parameters
    ----------
    value : float
    ci95 : Interval
        95 % bootstrap interval over items.
    chance : float or None
        Analytic chance; None where there is none (a correlation, a distance).
    null : Null
    n : int
        Number of values averaged.
    higher_is_better : bool
    details : mapping
        Exact variant, number of candidates and the like; stands beside the value in the JSON.

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

    def __post_init__(self) -> None:
        if not np.isfinite(self.value):
            raise ValueError(f"A score must be a finite number; got {self.value}.")

    @property
    def p(self) -> float:
        """One-sided p-value against the null."""
        return self.null.p_value(self.value, "greater" if self.higher_is_better else "less")

    def as_json(self) -> dict[str, Any]:
        """As in ``results.json``."""
        return {
            **self.details,
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
        }


@dataclass(frozen=True, eq=False)
class Items:
    """Whose each value is: what intervals and nulls must respect.

    Parameters
    ----------
    stimulus : array, shape (n,)
    subject : array, shape (n,)
    run : array, shape (n,), optional
        Permutations stay within runs where this is given.

    Examples
    --------
    >>> Items(["a", "b", "a", "b"], ["s1", "s1", "s2", "s2"]).groups.tolist()
    ['s1', 's1', 's2', 's2']
    """

    stimulus: NDArray[np.str_]
    subject: NDArray[np.str_]
    run: NDArray[np.str_] | None = None

    def __post_init__(self) -> None:
        for name in ("stimulus", "subject", "run"):
            column = getattr(self, name)
            if column is None:
                continue
            plain = np.asarray(column).astype(np.str_)
            if len(plain) != len(self.stimulus):
                raise ValueError(
                    f"{name} has {len(plain)} rows but there are {len(self.stimulus)} items."
                )
            object.__setattr__(self, name, plain)

    def __len__(self) -> int:
        return len(self.stimulus)

    @property
    def groups(self) -> NDArray[np.str_]:
        """Items that may change places under the null: those of one person (and one run)."""
        if self.run is None:
            return self.subject
        return np.char.add(np.char.add(self.subject, "/"), self.run)

    def interval(self, per_item: Any, *, n_resamples: int = 2000, seed: int = 0) -> Interval:
        """95 % bootstrap over people and stimuli, or over stimuli where there is one person."""
        several = len(np.unique(self.subject)) > 1
        return bootstrap_interval(
            per_item,
            clusters=self.subject if several else None,
            items=self.stimulus,
            n_resamples=n_resamples,
            seed=seed,
        )


def score_table(
    table: NDArray[np.floating[Any]],
    column: NDArray[np.integer[Any]],
    items: Items,
    *,
    chance: float | None,
    higher_is_better: bool = True,
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
    seed : int

    Examples
    --------
    >>> score = score_table(np.eye(4), np.arange(4), Items(list("abcd"), ["s"] * 4), chance=0.25)
    >>> score.value, round(score.p, 3)
    (1.0, 0.042)
    """
    per_item = np.asarray(table[np.arange(len(column)), column], dtype=np.float64)

    def permuted(order: NDArray[np.intp]) -> float:
        return float(table[order, column].mean())

    return Score(
        float(per_item.mean()),
        items.interval(per_item, seed=seed),
        chance,
        permutation_null(permuted, len(items), groups=items.groups, seed=seed),
        len(items),
        higher_is_better,
    )


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
