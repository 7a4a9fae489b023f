"""Batches from trials that stay on the accelerator, where they fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurodecode.data import Embeddings, Responses, blocks
from neurodecode.encoders.core.trials import PooledTrials, TrialBatch

SHARE_OF_FREE = 0.5


class ResidentTrials(PooledTrials):
    """`PooledTrials` that copies all values to the device once; batches are the same.

    A step then waits neither for the disk nor for the bus, which for MEG (25 MB a batch of 128
    trials) takes longer than the arithmetic of a step.

    Examples
    --------
    >>> people = [Responses(np.eye(5), range(5), "s", "fmri")]
    >>> trials = ResidentTrials(people, {"t": Embeddings(np.eye(5), range(5), "toy")}, batch_size=3)
    >>> [len(step[0]) for step in trials.epoch(0, seed=0)]
    [3, 2]
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
        super().__init__(people, targets, batch_size=batch_size, together=together, device=device)
        self._values = [_whole(one.values, self.device) for one in self.people]
        self._targets = {head: _whole(one.values, self.device) for head, one in targets.items()}

    def epoch(self, epoch: int, seed: int) -> Iterator[list[TrialBatch]]:
        """The steps of one epoch; nothing is read, so no thread is needed."""
        for step in self.plan(epoch, seed):
            yield [self.batch(*one) for one in step]

    def batch(self, person: int, rows: NDArray[np.intp]) -> TrialBatch:
        """These rows of one person."""
        one = self.people[person]
        return TrialBatch(
            person,
            one.subject,
            self._values[person].index_select(0, self._index(rows)),
            {
                head: values.index_select(0, self._index(self._rows[person][head][rows]))
                for head, values in self._targets.items()
            },
            one.stimulus[rows],
            None if one.valid is None else torch.from_numpy(one.valid[rows]).to(self.device),
            rows,
        )

    def _index(self, rows: NDArray[np.intp]) -> Tensor:
        index = torch.from_numpy(rows.astype(np.int64))
        if self.device.type == "cuda":
            return index.pin_memory().to(self.device, non_blocking=True)
        return index.to(self.device)


def pooled_trials(
    people: Sequence[Responses],
    targets: Mapping[str, Embeddings],
    *,
    batch_size: int,
    together: bool = False,
    device: torch.device,
) -> PooledTrials:
    """Trials that stay on a CUDA device if they take at most half of what is free there.

    Examples
    --------
    >>> people = [Responses(np.eye(5), range(5), "s", "fmri")]
    >>> targets = {"t": Embeddings(np.eye(5), range(5), "toy")}
    >>> type(pooled_trials(people, targets, batch_size=3, device=torch.device("cpu"))).__name__
    'PooledTrials'
    """
    kind = PooledTrials
    if device.type == "cuda":
        arrays = [*(one.values for one in people), *(one.values for one in targets.values())]
        needed = 4 * sum(int(np.prod(one.shape)) for one in arrays)
        if needed <= SHARE_OF_FREE * torch.cuda.mem_get_info(device)[0]:
            kind = ResidentTrials
    return kind(people, targets, batch_size=batch_size, together=together, device=device)


def _whole(values: Any, device: torch.device) -> Tensor:
    whole = torch.empty(tuple(values.shape), dtype=torch.float32, device=device)
    for place, block in blocks(values):
        whole[place] = torch.from_numpy(np.ascontiguousarray(block, dtype=np.float32)).to(device)
    return whole
