"""Keeps the host no more than a few steps ahead of the device."""

from __future__ import annotations

from collections import deque

import torch

# Enough to keep the device busy; batches of steps not done yet take memory.
AHEAD = 2


class Pace:
    """Waits for the step before the last ones; on the CPU steps are done when they return."""

    def __init__(self, device: torch.device) -> None:
        self.on_cuda = device.type == "cuda"
        self._ends: deque[torch.cuda.Event] = deque()

    def wait(self) -> None:
        """Call it after each step."""
        if not self.on_cuda:
            return
        end = torch.cuda.Event(blocking=True)
        end.record()
        self._ends.append(end)
        if len(self._ends) > AHEAD:
            self._ends.popleft().synchronize()
