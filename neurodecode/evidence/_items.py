"""Whose each value is: what intervals and nulls must respect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.statistics import (
    Interval,
    Null,
    Sampling,
    circular_shift_null,
    interval_inflation,
    mean_interval,
    permutation_null,
)

ENOUGH = 0.5
"""Share of items that must be able to change places for folds to be kept in a null."""


@dataclass(frozen=True, eq=False)
class Items:
    """Whose each value is: what intervals and nulls must respect.

    Parameters
    ----------
    stimulus : array, shape (n,)
    subject : array, shape (n,)
    run : array, shape (n,), optional
        Permutations stay within runs where this is given. An item that is the mean over several
        runs names all of them (``'1+4+4'``): items with the same ones may change places.
    fold : array, shape (n,), optional
        The fold of cross-validation that tested it. Permutations stay within folds, and spreads
        grow for training sets that overlap.
    cluster : array, shape (n,), optional
        What an interval takes as independent. Default: the stimulus; the trial (or the block of
        trials) where classes are told apart.
    time : float array, shape (n,), optional
        Place in the film or text, where stimuli have an order in time: nulls shift, and intervals
        know that neighbours are alike.

    Examples
    --------
    >>> items = Items(["a", "b", "a", "b"], ["s1", "s1", "s2", "s2"], run=["1", "1", "1", "2"])
    >>> items.groups.tolist(), items.movable
    (['s1/1', 's1/1', 's2/1', 's2/2'], 0.5)
    """

    stimulus: NDArray[np.str_]
    subject: NDArray[np.str_]
    run: NDArray[np.str_] | None = None
    fold: NDArray[np.str_] | None = None
    cluster: NDArray[np.str_] | None = None
    time: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        for name in ("stimulus", "subject", "run", "fold", "cluster", "time"):
            column = getattr(self, name)
            if column is None:
                continue
            plain = np.asarray(column).astype(np.float64 if name == "time" else np.str_)
            if len(plain) != len(self.stimulus):
                raise ValueError(
                    f"{name} has {len(plain)} rows but there are {len(self.stimulus)} items."
                )
            object.__setattr__(self, name, plain)

    def __len__(self) -> int:
        return len(self.stimulus)

    def take(self, rows: NDArray[Any]) -> Items:
        """Some of the items, by place or mask."""

        def cut(column: NDArray[Any] | None) -> Any:
            return None if column is None else column[rows]

        return Items(
            cut(self.stimulus),
            cut(self.subject),
            cut(self.run),
            cut(self.fold),
            cut(self.cluster),
            cut(self.time),
        )

    @property
    def n_folds(self) -> int:
        """Number of folds, 1 if there is one test part."""
        return 1 if self.fold is None else len(np.unique(self.fold))

    @property
    def _kept(self) -> tuple[str, ...]:
        """Columns within which items may change places."""
        known = tuple(one for one in ("subject", "run") if getattr(self, one) is not None)
        if self.n_folds > 1 and _movable(_joined(self, (*known, "fold")), self.stimulus) >= ENOUGH:
            return (*known, "fold")
        return known

    @property
    def keeps_folds(self) -> bool:
        """Do permutations stay within folds of which there are several?"""
        return self.time is None and "fold" in self._kept

    @property
    def groups(self) -> NDArray[np.str_]:
        """Items that may change places under the null: those of one person, run and fold."""
        return _joined(self, self._kept)

    @property
    def movable(self) -> float:
        """Share of items that can change places with one of another stimulus."""
        return _movable(self.groups, self.stimulus)

    @property
    def permuted_within(self) -> str:
        """What the null keeps, in words."""
        if self.time is not None:
            return (
                "person and run, shifted in time"
                if self.run is not None
                else ("person, shifted in time")
            )
        words = {"subject": "person", "run": "run", "fold": "fold"}
        kept = [words[one] for one in self._kept]
        told = " and ".join([", ".join(kept[:-1]), kept[-1]] if len(kept) > 1 else kept)
        if self.n_folds > 1 and "fold" not in self._kept:
            told += "; not within folds, which hold too few items of a run"
        share = self.movable
        if share == 0:
            return f"{told}; no two items can change places"
        return told if share == 1 else f"{told}; {1 - share:.0%} of items can't change places"

    def null(
        self,
        score: Callable[[NDArray[np.intp]], float],
        *,
        n_permutations: int = 1000,
        seed: int = 0,
    ) -> Null:
        """The score of other arrangements: permuted within `groups`, or shifted in time.

        Parameters
        ----------
        score : callable
            As in `neurodecode.statistics.permutation_null`.
        n_permutations, seed : int

        Returns
        -------
        Null
            Where no two items can change places, the observed score alone, whose p is 1.
        """
        if self.time is not None:
            return self._shifted(score, n_permutations, seed)
        if self.movable == 0:
            observed = score(np.arange(len(self), dtype=np.intp))
            return Null(np.array([observed]), True, f"none: {self.permuted_within}")
        null = permutation_null(
            score, len(self), groups=self.groups, n_permutations=n_permutations, seed=seed
        )
        return replace(null, kind=f"permutation within {self.permuted_within}")

    def _shifted(
        self, score: Callable[[NDArray[np.intp]], float], n_shifts: int, seed: int
    ) -> Null:
        known = tuple(one for one in ("subject", "run") if getattr(self, one) is not None)
        groups, time = _joined(self, known), np.asarray(self.time)
        first = np.lexsort((time, groups))  # each series in its order of time

        def reordered(order: NDArray[np.intp]) -> float:
            whole = np.empty(len(self), dtype=np.intp)
            whole[first] = first[order]
            return score(whole)

        run = np.full(len(self), "") if self.run is None else self.run
        sizes = {int(n) for n in np.unique(groups, return_counts=True)[1]}
        null = circular_shift_null(
            reordered,
            len(self),
            groups=groups[first],
            together=run[first] if len(sizes) <= len(np.unique(run)) else None,
            n_shifts=n_shifts,
            seed=seed,
        )
        return null.of_few(self.sampling.n_waves)

    @property
    def sampling(self) -> Sampling:
        """What values have in common, for intervals."""
        cluster = self.stimulus if self.cluster is None else self.cluster
        return Sampling(self.subject, cluster, self.time, self.run)

    def interval(
        self,
        per_item: Any,
        *,
        share: bool = False,
        null: Null | None = None,
    ) -> Interval:
        """95 % interval of the mean, see `neurodecode.statistics.mean_interval`.

        Parameters
        ----------
        per_item : array, shape (n,)
        share : bool
            Hits or shares of pairs, which lie in 0 to 1; not for differences.
        null : Null, optional
            Of the same score: says how strong a signal is, which tells how much folds that learn
            from one another add. For differences leave it out.
        """
        inflation = 1.0
        if self.n_folds > 1:
            values = np.asarray(per_item, dtype=np.float64)
            inflation = interval_inflation(values, self._effect(values, null))
        return mean_interval(per_item, self.sampling, share=share, inflation=inflation)

    def _effect(self, values: NDArray[np.float64], null: Null | None) -> float:
        """Distance from the null (from 0 for differences) in standard deviations of an item."""
        centre = 0.0 if null is None else null.mean
        spread = values.std() if null is None else null.values.std() * np.sqrt(len(values))
        return float(abs(values.mean() - centre) / spread) if spread > 0 else 0.0


def _joined(items: Items, names: tuple[str, ...]) -> NDArray[np.str_]:
    joined = getattr(items, names[0])
    for name in names[1:]:
        joined = np.char.add(np.char.add(joined, "/"), getattr(items, name))
    return np.asarray(joined)


def _movable(groups: NDArray[np.str_], stimulus: NDArray[np.str_]) -> float:
    """Share of items whose group holds several stimuli: the same one is no other place."""
    _, code = np.unique(groups, return_inverse=True)
    pairs = np.unique(np.stack([code, np.unique(stimulus, return_inverse=True)[1]]), axis=1)
    return float((np.bincount(pairs[0])[code] > 1).mean())
