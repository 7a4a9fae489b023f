"""Cells of one protocol and contender under one another: scores over people and seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurodecode.evidence import (
    KNOWS_NO_BRAIN,
    Items,
    ProtocolResult,
    Score,
    Suspicion,
    compare,
    is_share,
)
from neurodecode.gallery import GalleryItem
from neurodecode.statistics import Null
from neurodecode.study._outcome import Outcome
from neurodecode.study._record import PlannedCell

N_NULL = 1000


class Pooled(NamedTuple):
    """Which cells stand together."""

    protocol: str
    contender: str


@dataclass(frozen=True, eq=False)
class Pool:
    """The outcomes of all seeds and units of a protocol and contender.

    ``apart``: seeds are worlds of their own (twins), so that neither people nor stimuli of two
    seeds are the same, whatever they are called.
    """

    outcomes: Sequence[Outcome]
    seeds: Sequence[int]
    units: Sequence[str]
    apart: bool

    @classmethod
    def of(cls, cells: Sequence[tuple[PlannedCell, Outcome]], apart: bool) -> Pool:
        """From cells with their outcomes."""
        return cls(
            [outcome for _, outcome in cells],
            [cell.seed for cell, _ in cells],
            [cell.unit for cell, _ in cells],
            apart,
        )

    @property
    def metrics(self) -> list[str]:
        """Metrics that every cell has."""
        first, *rest = self.outcomes
        return [one for one in first.values if all(one in other.values for other in rest)]

    @property
    def runs(self) -> list[Mapping[str, Any]]:
        """What each cell says of its run."""
        return [one.facts["run"] for one in self.outcomes]

    def values(self, metric: str) -> NDArray[np.float64]:
        """A value an item, cell after cell."""
        return np.concatenate([one.values[metric] for one in self.outcomes])

    def control(self, name: str, metric: str) -> NDArray[np.float64]:
        """The same of a control."""
        return np.concatenate([one.controls[name][metric] for one in self.outcomes])

    def controls(self, metric: str) -> list[str]:
        """Controls that every cell has for a metric."""
        first, *rest = self.outcomes
        here = [name for name, one in first.controls.items() if metric in one]
        return [name for name in here if all(metric in one.controls.get(name, ()) for one in rest)]

    def column(self, name: str, metric: str) -> NDArray[np.str_]:
        """A column of the items, under names that differ between worlds."""
        parts = []
        for seed, outcome in zip(self.seeds, self.outcomes, strict=True):
            ids = outcome.columns[name][outcome.rows(metric)]
            parts.append(np.char.add(f"seed {seed}/", ids) if self.apart else ids)
        return np.concatenate(parts)

    def items(self, metric: str) -> Items:
        """Whose each value is."""
        more = {
            name: self.column(name, metric)
            for name in ("run", "fold", "cluster")
            if all(name in one.columns for one in self.outcomes)
        }
        time = None
        if all("time" in one.columns for one in self.outcomes):
            time = np.concatenate([one.columns["time"][one.rows(metric)] for one in self.outcomes])
        stimulus, subject = self.column("stimulus", metric), self.column("subject", metric)
        return Items(stimulus, subject, time=time, **more)

    def keys(self, metric: str) -> list[tuple[str, ...]]:
        """What names an item in every contender: seed, person, stimulus and how often before."""
        seen: dict[tuple[str, ...], int] = {}
        out: list[tuple[str, ...]] = []
        for seed, outcome in zip(self.seeds, self.outcomes, strict=True):
            rows = outcome.rows(metric)
            pairs = zip(
                outcome.columns["subject"][rows], outcome.columns["stimulus"][rows], strict=True
            )
            for subject, stimulus in pairs:
                key = (str(seed), str(subject), str(stimulus))
                seen[key] = seen.get(key, -1) + 1
                out.append((*key, str(seen[key])))
        return out

    def null(self, metric: str) -> Null:
        """The mean over cells of their nulls, each cell permuted by itself."""
        weights = np.array([len(one.values[metric]) for one in self.outcomes], dtype=float)
        rng = np.random.default_rng(0)
        drawn = [
            one.nulls[metric]
            if len(one.nulls[metric]) == N_NULL
            else rng.choice(one.nulls[metric], N_NULL)
            for one in self.outcomes
        ]
        return Null(np.average(drawn, axis=0, weights=weights), kind="permutation within cells")

    def told(self, metric: str) -> list[Mapping[str, Any]]:
        """What each cell's results say of a metric."""
        return [one.scores[metric] for one in self.outcomes]

    def higher_is_better(self, metric: str) -> bool:
        """Which way is up."""
        return bool(self.outcomes[0].scores[metric]["higher_is_better"])

    def cards(self) -> dict[tuple[int, str, str], GalleryItem]:
        """Cards by seed, person and stimulus."""
        return {
            (seed, card.subject, card.stimulus): card
            for seed, outcome in zip(self.seeds, self.outcomes, strict=True)
            for card in outcome.cards
        }


def paired(a: Pool, b: Pool, metric: str) -> tuple[NDArray[np.float64], NDArray[np.float64], Items]:
    """Values of both on the items that both have, and whose they are.

    Raises
    ------
    ValueError
        If they share no item.
    """
    place = {key: row for row, key in enumerate(b.keys(metric))}
    rows = [(row, place[key]) for row, key in enumerate(a.keys(metric)) if key in place]
    if not rows:
        raise ValueError(f"No item of '{metric}' was scored for both; they can't be compared.")
    own, other = np.array(rows).T
    items = a.items(metric)
    return a.values(metric)[own], b.values(metric)[other], items.take(own)


def pooled_result(
    protocol: str, pool: Pool, beside: Mapping[str, Pool], *, closed_forms: Sequence[str]
) -> ProtocolResult:
    """Scores over people and seeds, judged by the controls in the cells and by other contenders.

    Parameters
    ----------
    protocol : str
    pool : Pool
        Of the contender that is scored.
    beside : mapping of str to Pool
        Other contenders of the same protocol.
    closed_forms : sequence of str
        Which of them are closed forms.
    """
    scores: dict[str, Score] = {}
    controls: dict[str, dict[str, float]] = {}
    for metric in pool.metrics:
        others = {
            name: other
            for name, other in ((name, aligned(pool, one, metric)) for name, one in beside.items())
            if other is not None
        }
        scores[metric] = _score(pool, metric, others, closed_forms)
        own = {name: pool.control(name, metric) for name in pool.controls(metric)}
        for name, values in (own | others).items():
            controls.setdefault(name, {})[metric] = float(values.mean())
    first = pool.outcomes[0].facts
    details = {
        **first["details"],
        **first["material"],
        "seeds": sorted(set(pool.seeds)),
        "units": list(dict.fromkeys(pool.units)),
        "n_cells": len(pool.outcomes),
        "closed_forms": [name for name in beside if name in closed_forms],
    }
    return ProtocolResult(protocol, scores, controls, details)


def aligned(pool: Pool, other: Pool, metric: str) -> NDArray[np.float64] | None:
    """The other's values in the order of the pool's items; None unless it has all of them."""
    if metric not in other.metrics:
        return None
    place = {key: row for row, key in enumerate(other.keys(metric))}
    rows = [place.get(key) for key in pool.keys(metric)]
    if any(row is None for row in rows):
        return None
    ordered: NDArray[np.float64] = other.values(metric)[np.array(rows)]
    return ordered


def _score(
    pool: Pool, metric: str, others: Mapping[str, NDArray[Any]], closed_forms: Sequence[str]
) -> Score:
    values, items, null = pool.values(metric), pool.items(metric), pool.null(metric)
    told = pool.told(metric)
    brainless = [name for name in pool.controls(metric) if name in KNOWS_NO_BRAIN]
    higher = pool.higher_is_better(metric)
    comparison = compare(
        values,
        {name: pool.control(name, metric) for name in brainless},
        items.interval,
        closed_forms={name: one for name, one in others.items() if name in closed_forms},
        higher_is_better=higher,
    )
    chance = told[0]["chance"]
    share = is_share(values, chance)
    facts = {key: told[0][key] for key in ("variant", "n_candidates") if key in told[0]}
    return Score(
        float(values.mean()),
        items.interval(values, share=share, null=null),
        chance,
        null,
        len(values),
        higher,
        facts,
        comparison,
        _suspicions(told),
    )


def _suspicions(told: Sequence[Mapping[str, Any]]) -> tuple[Suspicion, ...]:
    """What was suspect in any cell, and in how many."""
    named = Counter(name for one in told for name in one["suspicions"])
    weak = {name for one in told for name in one["weak_suspicions"]}
    return tuple(
        Suspicion(name, f"In {count} of {len(told)} cells.", weak=name in weak)
        for name, count in named.items()
    )
