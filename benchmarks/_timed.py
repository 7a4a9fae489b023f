"""When epochs begin, for benchmarks of training."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import torch

from neurodecode.training import Batches


def now(device: torch.device) -> float:
    """Seconds, read when the device is done with what it was given before."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


class Timed:
    """Batches that note when each epoch begins."""

    def __init__(self, batches: Batches, device: torch.device) -> None:
        self.batches, self.device, self.starts = batches, device, list[float]()

    def __len__(self) -> int:
        return len(self.batches)

    def epoch(self, epoch: int, seed: int) -> Iterator[Any]:
        """As those of the batches, timed."""
        self.starts.append(now(self.device))
        yield from self.batches.epoch(epoch, seed)
