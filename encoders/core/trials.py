"""Batches of trials of many people, read from the store while the model works."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurodecode.data import ArrayLike, Embeddings, Responses, find_rows
from neurodecode.encoders.core.transfer import rows_on
from neurodecode.training import prefetch


@dataclass(frozen=True, eq=False)
class TrialBatch:
    """Some trials of one person.

    Parameters
    ----------
    person : int
        Place of the person among those of `PooledTrials`.
    subject : str
    values : Tensor, shape (n, ...)
        Responses, float32.
    targets : dict of str to Tensor, shape (n, ...)
        For each head the target of each trial, float32.
    stimulus : str array, shape (n,)
    valid : Tensor of bool, shape (n, n_times), or None
        False where a trial was padded.
    rows : int array, shape (n,)
        Rows of the person's responses.

    Examples
    --------
    >>> batch = TrialBatch(0, "s", torch.ones(2, 3), {}, np.array(["a", "b"]), None, np.arange(2))
    >>> len(batch)
    2
    """

    person: int
    subject: str
    values: Tensor
    targets: dict[str, Tensor]
    stimulus: NDArray[np.str_]
    valid: Tensor | None
    rows: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.values)


class PooledTrials:
    """Shuffled batches of one or many people; each step is a list of `TrialBatch`.

    The order depends on the seed and the epoch alone. Values and targets are read in a thread, so
    neither need be in memory.

    Parameters
    ----------
    people : sequence of Responses
        The trials to train on, one recording a person; numbers of trials may differ.
    targets : mapping of str to Embeddings
        By head; all stimuli of the people must be there.
    batch_size : int
        The most trials of one person in a batch. A person's last batches are not smaller than the
        others by more than one.
    together : bool
        True: a step is one batch of every person; who has fewer trials starts again with a new
        order until the one with most is through. False: a step is one batch of one person.
    device : str or torch.device

    Raises
    ------
    ValueError
        If there are no people, a person has no trials, or a stimulus has no target.

    Examples
    --------
    >>> people = [Responses(np.zeros((n, 2)), range(n), f"s{n}", "fmri") for n in (3, 5)]
    >>> targets = {"target": Embeddings(np.eye(5), range(5), "toy")}
    >>> trials = PooledTrials(people, targets, batch_size=2, together=True)
    >>> [[len(batch) for batch in step] for step in trials.epoch(0, seed=0)]
    [[2, 2], [1, 2], [2, 1]]
    """

    def __init__(
        self,
        people: Sequence[Responses],
        targets: Mapping[str, Embeddings],
        *,
        batch_size: int,
        together: bool = False,
        device: str | torch.device = "cpu",
    ) -> None:
        _check(people, batch_size)
        self.people = list(people)
        self.targets = dict(targets)
        self.batch_size = batch_size
        self.together = together
        self.device = torch.device(device)
        self._rows = [
            {
                head: find_rows(one.stimulus, person.stimulus, what=f"targets of '{head}'")
                for head, one in self.targets.items()
            }
            for person in self.people
        ]
        self._share = (0, 1)

    @property
    def _n_batches(self) -> list[int]:
        return [-(-len(person) // self.batch_size) for person in self.people]

    @property
    def _n_steps(self) -> int:
        return max(self._n_batches) if self.together else sum(self._n_batches)

    def __len__(self) -> int:
        return self._n_steps // self._share[1]

    def shard(self, rank: int, world: int) -> PooledTrials:
        """The steps of one process of several; no trial is read by two."""
        part = object.__new__(type(self))
        part.__dict__ = {**self.__dict__, "_share": (rank, world)}
        return part

    def epoch(self, epoch: int, seed: int) -> Iterator[list[TrialBatch]]:
        """The steps of one epoch, each a list of batches."""
        steps = ([self.batch(*one) for one in step] for step in self.plan(epoch, seed))
        return prefetch(steps, device=self.device)

    def plan(self, epoch: int, seed: int) -> list[list[tuple[int, NDArray[np.intp]]]]:
        """Which rows of which people make the steps of one epoch."""
        rank, world = self._share
        plan = self._together(epoch, seed) if self.together else self._apart(epoch, seed)
        return plan[rank : len(self) * world : world]

    def batch(self, person: int, rows: NDArray[np.intp]) -> TrialBatch:
        """These rows of one person, on the device."""
        one = self.people[person]
        return TrialBatch(
            person,
            one.subject,
            self._tensor(one.values, rows),
            {
                head: self._tensor(target.values, self._rows[person][head][rows])
                for head, target in self.targets.items()
            },
            one.stimulus[rows],
            None if one.valid is None else torch.from_numpy(one.valid[rows]).to(self.device),
            rows,
        )

    def in_order(self) -> Iterator[TrialBatch]:
        """All trials once, person by person in the order of the recording: for validation."""
        cuts = (
            (person, rows)
            for person, n_batches in enumerate(self._n_batches)
            for rows in np.array_split(np.arange(len(self.people[person])), n_batches)
        )
        batches = (self.batch(person, rows) for person, rows in cuts)
        return prefetch(batches, device=self.device)

    def _tensor(self, values: ArrayLike, rows: NDArray[np.intp]) -> Tensor:
        return rows_on(values, rows, self.device)

    def _order(self, person: int, epoch: int, seed: int, turn: int = 0) -> list[NDArray[np.intp]]:
        draw = np.random.default_rng([seed, epoch, person, turn])
        order = draw.permutation(len(self.people[person]))
        return np.array_split(order, self._n_batches[person])

    def _apart(self, epoch: int, seed: int) -> list[list[tuple[int, NDArray[np.intp]]]]:
        steps = [
            [(person, rows)]
            for person in range(len(self.people))
            for rows in self._order(person, epoch, seed)
        ]
        draw = np.random.default_rng([seed, epoch])
        return [steps[place] for place in draw.permutation(len(steps))]

    def _together(self, epoch: int, seed: int) -> list[list[tuple[int, NDArray[np.intp]]]]:
        columns = []
        for person, n_batches in enumerate(self._n_batches):
            turns = -(-self._n_steps // n_batches)
            column = [
                rows for turn in range(turns) for rows in self._order(person, epoch, seed, turn)
            ]
            columns.append([(person, rows) for rows in column[: self._n_steps]])
        return [list(step) for step in zip(*columns, strict=True)]


def _check(people: Sequence[Any], batch_size: int) -> None:
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1; got {batch_size}.")
    if not people:
        raise ValueError("PooledTrials got no people. Give the responses of one or more.")
    for one in people:
        if len(one) == 0:
            raise ValueError(
                f"Subject '{one.subject}' has no trials to train on. Leave this person out, or "
                f"check that the split names stimuli that were shown."
            )
