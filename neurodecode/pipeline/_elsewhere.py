"""Does an encoder know the test part from elsewhere? It is fitted to wrong pairs and asked."""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from neurodecode.contracts import Encoder
from neurodecode.data import Embeddings, Responses, Split, take_rows
from neurodecode.evidence import Suspicion
from neurodecode.metrics.identification import two_way_table
from neurodecode.metrics.similarity import correlate_pairs
from neurodecode.pipeline._blind import is_ours
from neurodecode.pipeline._folds import Fold, fit_folds
from neurodecode.pipeline._preprocess import Steps
from neurodecode.pipeline._protocol import Goal, Protocol
from neurodecode.statistics import permutation_null

LOG = logging.getLogger("neurodecode")
ELSEWHERE = "knows the test part from elsewhere"
ENOUGH_ITEMS = 50
N_SHUFFLES = 6
ALPHA = 0.002


def knows_elsewhere(
    encoder: Encoder,
    people: Sequence[Responses],
    goal: Goal,
    protocol: Protocol,
    steps: Sequence[Steps],
) -> list[Suspicion]:
    """Is an unfitted encoder above chance on the test items though it learned wrong pairs?

    It is fitted to the training part with its responses shuffled. A strong signal in few
    dimensions can come out right by luck then (a coin for two classes), so that it is fitted up
    to `N_SHUFFLES` times, until it fails once: an honest one fails at the first or second.

    Parameters
    ----------
    encoder : Encoder
        As it was before `fit`.
    """
    p = 1.0
    for seed in range(N_SHUFFLES):
        p = _Shuffled(encoder, people, goal, protocol, steps).p(seed)
        if p > ALPHA:
            return []
    return [
        Suspicion(
            ELSEWHERE,
            f"{type(encoder).__name__} identifies test items (p = {p:.2g}) after training on "
            f"shuffled pairs, {N_SHUFFLES} times of {N_SHUFFLES}.",
        )
    ]


@dataclass(frozen=True, eq=False)
class _Shuffled:
    """An unfitted encoder and all that it is fitted and tested with."""

    encoder: Encoder
    people: Sequence[Responses]
    goal: Goal
    protocol: Protocol
    steps: Sequence[Steps]

    def p(self, seed: int) -> float:
        """Of identification, items changing places within person, run and fold."""
        tables: list[NDArray[np.float64]] = []
        groups: list[NDArray[np.str_]] = []
        for split, steps in zip(self.protocol.folds, self.steps, strict=True):
            table, group = self._tested(split, steps, seed)
            tables.append(table)
            groups.append(np.char.add(group, f"/{len(groups)}"))
            if sum(map(len, tables)) >= ENOUGH_ITEMS:
                break
        group = np.concatenate(groups)
        if max(np.unique(group, return_counts=True)[1]) < 2:
            return 1.0
        whole = block_diag(*tables)  # items change places within folds alone
        rows = np.arange(len(group), dtype=np.intp)

        def score(order: NDArray[np.intp]) -> float:
            return float(whole[rows, order].mean())

        return permutation_null(score, len(group), groups=group, seed=seed).p_value(score(rows))

    def _tested(
        self, split: Split, steps: Steps, seed: int
    ) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
        """How each item of one fold is identified with the truth of each other one."""
        asked = replace(self.protocol, split=split)
        mixed = [_shuffled(one, split, seed) for one in self.people]
        fresh = copy.deepcopy(self.encoder)
        [fitted] = fit_folds(mixed, self.goal, fresh, asked, [steps])
        fold = Fold(split, fitted, self.people, self.protocol.repeats, steps)
        rows, items = fold.predict(list(self.goal.heads))
        table, column = _identified(rows, items.stimulus.tolist(), self.goal)
        return table[:, column], items.groups


def _identified(
    rows: Mapping[str, Embeddings], ids: list[str], goal: Goal
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Two-way identification of each item against each test stimulus, averaged over heads."""
    distinct = list(dict.fromkeys(ids))
    if len(distinct) < 2:  # a stimulus that is left out alone is told from none
        return np.zeros((len(ids), 1)), np.zeros(len(ids), dtype=np.intp)
    true = goal.points(distinct)
    tables = [
        two_way_table(correlate_pairs(one.array(), true[head].array()))
        for head, one in rows.items()
    ]
    place = {one: column for column, one in enumerate(distinct)}
    return np.mean(tables, axis=0), np.array([place[one] for one in ids], dtype=np.intp)


def _shuffled(person: Responses, split: Split, seed: int) -> Responses:
    """Responses change places within the training and within the validation part."""
    order = np.arange(len(person))
    rng = np.random.default_rng([seed, 917])
    for part in ("train", "validation"):
        rows = np.flatnonzero(split.mask(person, part))
        order[rows] = rng.permutation(rows)
    return person.with_values(take_rows(person.values, order))


def unfitted(encoder: Encoder) -> Encoder | None:
    """A copy of an encoder that is not of this package, to be questioned; None for ours."""
    if is_ours(encoder):
        return None
    try:
        fresh: Any = copy.deepcopy(encoder)
        if getattr(fresh, "folder", None) is not None:
            fresh.folder = None  # a run on shuffled pairs is none to go on with
        return cast(Encoder, fresh)
    except Exception:
        LOG.warning(
            "%s can't be copied before it is fitted: whether it knows the test part from elsewhere "
            "is not checked.",
            type(encoder).__name__,
        )
        return None
