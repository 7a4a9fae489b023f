"""The numbers of an epoch's steps, read from the device many at a time, and whether finite."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

# Reading a number waits for the device; on the CPU nothing is gained by putting it off.
READ_EVERY = 50
GRADIENT = "gradient norm"


class Ledger:
    """What the steps of one epoch gave.

    Parameters
    ----------
    epoch, n_steps : int
    learning_rate : float
        For the message.
    tell : callable
        ``tell(n_steps, loss)`` when numbers were read.
    """

    def __init__(
        self, epoch: int, n_steps: int, learning_rate: float, tell: Callable[[int, float], None]
    ) -> None:
        self.epoch, self.n_steps, self.learning_rate = epoch, n_steps, learning_rate
        self.tell = tell
        self.rows: list[dict[str, float]] = []
        self._unread: list[dict[str, Tensor]] = []

    def add(self, values: dict[str, Tensor]) -> None:
        """Keep the values of a step; on the CPU, and sometimes elsewhere, they are read at once.

        Raises
        ------
        ValueError
            If a loss or gradient, of this step or of those not read yet, is not finite.
        """
        self._unread.append(values)
        every = 1 if values["loss"].device.type == "cpu" else READ_EVERY
        if len(self._unread) >= every:
            self.read()

    def read(self) -> None:
        """Read all that was not read yet; raises as `add`."""
        steps, self._unread = self._unread, []
        if not steps:
            return
        like = steps[0]["loss"]
        kind = like.dtype if like.dtype == torch.float64 else torch.float32
        flat = [one.to(like.device, kind) for values in steps for one in values.values()]
        numbers = iter(torch.stack(flat).tolist())
        for values in steps:
            self._enter({name: next(numbers) for name in values})
        self.tell(len(steps), self.rows[-1]["loss"])

    def _enter(self, row: dict[str, float]) -> None:
        for name, what in (("loss", "loss"), (GRADIENT, "gradient")):
            if not math.isfinite(row.get(name, 0.0)):
                raise ValueError(
                    f"Training stopped: the {what} is {row[name]} in epoch {self.epoch}, step "
                    f"{len(self.rows)} of {self.n_steps}. Check the input for outliers, or lower "
                    f"the learning rate ({self.learning_rate:g})."
                )
        row.pop(GRADIENT, None)
        self.rows.append(row)
