"""What the scores are when test trials and stimuli do not belong together.

Items change places within person, run and fold. Where the repeats of a stimulus lie in several runs
and no two stimuli share all of theirs, means over repeats can't change places; then the names of
single trials are permuted within each run and predictions averaged anew, which keeps whatever a
run tells. What was generated can't be averaged anew: its p-value is never below that of the points
that it was generated from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Embeddings
from neurodecode.evidence import Items, over_folds
from neurodecode.pipeline._answers import Answers, Shown
from neurodecode.pipeline._controls import Setting
from neurodecode.pipeline._folds import join_heads, join_items
from neurodecode.pipeline._measures import Measure, PairMeasure, TwoWay
from neurodecode.statistics import Null

N_PERMUTATIONS = 1000
ENOUGH = 0.5
"""Share of items that must be able to change places; below it single trials do."""
OPERATIONS = 4e11
"""Multiplications that a null of single trials may cost; it has fewer arrangements beyond."""


@dataclass(frozen=True, eq=False)
class Nulls:
    """The nulls of all measures of one evaluation.

    Parameters
    ----------
    setting : Setting
    shown : Shown
    seed : int
    """

    setting: Setting
    shown: Shown
    seed: int

    @cached_property
    def column(self) -> NDArray[np.intp]:
        """The place of each item's stimulus among those shown."""
        place = {one: i for i, one in enumerate(self.shown.stimuli.ids.tolist())}
        return np.array([place[one] for one in self.setting.items.stimulus.tolist()], dtype=np.intp)

    def rows(self, measure: Measure) -> NDArray[np.intp]:
        """The items that are measured: all, or those for which something was generated."""
        every = np.arange(len(self.setting.items))
        return every if measure.of == "embedding" else self.setting.drawn

    def measured(self, measure: Measure) -> tuple[NDArray[np.float64], Null]:
        """The score of each item, and the null of their mean."""
        rows, real = self.rows(measure), self.setting.real
        if _costly(measure):
            costly = measure  # the type checker forgets it inside the function
            own = costly.pairs(self.shown, real, self.column[rows])
            check_scores(own, measure.name, "the encoder", self.setting.items.take(rows))
            null = self._of_items(
                measure,
                lambda order: costly.pairs(self.shown, real, self.column[order[rows]]),
                own,
            )
            return own, null
        table, place = measure.table(self.shown, real), np.arange(len(rows))
        own = table[place, self.column[rows]]
        check_scores(table.mean(axis=1), measure.name, "the encoder", self.setting.items.take(rows))
        if measure.of == "embedding" and self.by_trial:
            return own, self._of_trials(measure)
        null = self._of_items(measure, lambda order: table[place, self.column[order[rows]]], table)
        return own, null

    @cached_property
    def by_trial(self) -> bool:
        """Must single trials be permuted, and can they be?"""
        items, fold = self.setting.items, self.setting.folds[0]
        averaged = fold.repeats == "predictions" and items.time is None and items.run is not None
        return averaged and items.movable < ENOUGH and self._trials.items.movable > items.movable

    def permuted_within(self, measure: Measure) -> str:
        """What the null keeps, in words."""
        if not self.by_trial:
            return self.setting.items.permuted_within
        kept = f"{self._trials.items.permuted_within}, trial by trial before averaging repeats"
        if measure.of == "embedding":
            return kept
        free = replace(self.setting.items, run=None).permuted_within
        return f"{free}; p not below that of the points it is made from (within {kept})"

    @cached_property
    def _trials(self) -> _Trials:
        heads = self.setting.heads
        parts = [fold.trials(heads) for fold in self.setting.folds]
        items = join_items([one for _, one in parts], folds=True)
        return _Trials(join_heads([rows for rows, _ in parts]), items, self.setting.items)

    def _of_trials(self, measure: Measure) -> Null:
        trials, place = self._trials, np.arange(len(self.setting.items))

        def score(order: NDArray[np.intp]) -> float:
            table = measure.table(self.shown, trials.averaged(order))
            return float(table[place, self.column].mean())

        size = sum(np.prod(one.row_shape) for one in trials.rows.values())
        cost = len(place) * len(self.shown) * float(size)
        count = int(np.clip(OPERATIONS / cost, 99, N_PERMUTATIONS))
        null = trials.items.null(score, n_permutations=count, seed=self.seed)
        table = measure.table(self.shown, self.setting.real)
        null = over_folds(null, trials.items, table)
        return replace(null, kind=f"{null.kind}, trial by trial before averaging repeats")

    def _of_items(
        self,
        measure: Measure,
        scores: Callable[[NDArray[np.intp]], NDArray[np.float64]],
        wrong: NDArray[np.float64],
    ) -> Null:
        """Items change places; where runs forbid it, outputs are no surer than their points."""
        guarded = self.by_trial and measure.of == "output"
        items = replace(self.setting.items, run=None) if guarded else self.setting.items
        null = items.null(
            lambda order: float(scores(order).mean()),
            n_permutations=getattr(measure, "n_permutations", N_PERMUTATIONS),
            seed=self.seed,
        )
        null = over_folds(null, items, wrong)
        if not guarded:
            return null
        name = getattr(measure, "output", None) or next(iter(self.setting.outputs))
        return replace(null, least_p=self._p_of_points[str(self.setting.outputs[name].head)])

    @cached_property
    def _p_of_points(self) -> dict[str, float]:
        """Of each head, how sure its points are within runs."""
        found = {}
        for head in self.setting.heads:
            measure, place = TwoWay(head), np.arange(len(self.setting.items))
            table = measure.table(self.shown, self.setting.real)
            found[head] = self._of_trials(measure).p_value(float(table[place, self.column].mean()))
        return found


@dataclass(frozen=True, eq=False)
class _Trials:
    """Predictions of single test trials, and the items that their means are."""

    rows: Mapping[str, Embeddings]
    items: Items
    means: Items

    @cached_property
    def item(self) -> NDArray[np.intp]:
        """The item of each trial."""
        keys = (_keys(one) for one in (self.means, self.items))
        place = {key: i for i, key in enumerate(next(keys))}
        return np.array([place[key] for key in next(keys)], dtype=np.intp)

    def averaged(self, order: NDArray[np.intp]) -> Answers:
        """Means over repeats when trial i has the prediction of trial ``order[i]``."""
        from scipy.sparse import csr_array

        n = len(self.items)
        share = 1.0 / np.bincount(self.item)[self.item]
        mean = csr_array((share, (self.item, order)), shape=(len(self.means), n))
        averaged = {}
        for head, one in self.rows.items():
            flat = mean @ one.array().reshape(n, -1)
            values = flat.reshape(-1, *one.row_shape).astype(np.float32)
            averaged[head] = Embeddings(values, self.means.stimulus, one.space)
        return Answers(averaged, {})


def _keys(items: Items) -> list[tuple[str, ...]]:
    fold = np.full(len(items), "") if items.fold is None else items.fold
    return list(zip(items.subject.tolist(), fold.tolist(), items.stimulus.tolist(), strict=True))


def check_scores(values: NDArray[np.float64], metric: str, of: str, items: Items) -> None:
    """Refuse scores that are not finite, by name.

    Raises
    ------
    ValueError
        Naming measure, whose answers they are, subject and stimulus.
    """
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise ValueError(
            f"'{metric}' of {of} is not finite for {len(bad)} of {len(values)} items (first: row "
            f"{bad[0]}, subject '{items.subject[bad[0]]}', stimulus '{items.stimulus[bad[0]]}'). "
            f"A measure must give a number for every item."
        )


def _costly(measure: Measure) -> TypeGuard[PairMeasure]:
    return hasattr(measure, "n_permutations")
