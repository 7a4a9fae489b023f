"""How to train, what a step is told, and where it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import torch

from neurodecode.data import whole

Schedule: TypeAlias = Literal["one_cycle", "cosine", "constant"]
SCHEDULES: tuple[Schedule, ...] = ("one_cycle", "cosine", "constant")
SPLIT = "bf16-split"
PRECISIONS = ("32-true", "16-mixed", "bf16-mixed", "bf16-true", "16-true", "64-true", SPLIT)


@dataclass(frozen=True)
class Plan:
    """How to train: length, step size, and what stops it.

    Parameters
    ----------
    max_epochs : int
    learning_rate : float
        The largest of the schedule.
    weight_decay : float
        For matrices and higher; vectors (biases, norms) are not decayed.
    schedule : {'one_cycle', 'cosine', 'constant'}
    gradient_clip : float or None
        Largest L2 norm of the gradient.
    accumulate : int
        Steps whose gradients are averaged before the weights move.
    patience : int or None
        Stop after so many epochs without a better validation loss.
    precision : str
        As Lightning Fabric names it: ``'32-true'``, ``'bf16-mixed'``, ``'16-mixed'``; or
        ``'bf16-split'``: weights in bfloat16 with their lost bits in the optimizer
        (`SplitAdamW`), for modules that take bfloat16 weights; they end in float32.
    device : str
        ``'auto'``, ``'cpu'``, ``'cuda'``, ``'cuda:1'`` or ``'mps'``.
    capture : bool
        On CUDA, replay steps as CUDA graphs where the step allows it (see `train`).

    Raises
    ------
    ValueError
        If a value makes no sense.

    Examples
    --------
    >>> Plan(max_epochs=3).schedule
    'one_cycle'
    """

    max_epochs: int = 50
    learning_rate: float = 3e-4
    weight_decay: float = 1e-2
    schedule: Schedule = "one_cycle"
    gradient_clip: float | None = 1.0
    accumulate: int = 1
    patience: int | None = None
    precision: str = "32-true"
    device: str = "auto"
    capture: bool = True

    def __post_init__(self) -> None:
        for name in ("max_epochs", "accumulate", "patience"):
            value = getattr(self, name)
            if value is not None:
                whole(name, value)
        for name in ("learning_rate", "weight_decay"):
            value = getattr(self, name)
            fits = isinstance(value, Real) and not isinstance(value, bool)
            if not fits or not 0 <= value < float("inf"):
                raise ValueError(f"Plan needs a {name} of 0 or more; got {value!r}.")
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule must be one of {SCHEDULES}; got '{self.schedule}'.")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision must be one of {PRECISIONS}; got '{self.precision}'.")


@dataclass(frozen=True)
class Progress:
    """Where training stands: for losses that change on the way.

    Parameters
    ----------
    epoch, step : int
        The epoch, and the step counted over all epochs, both from 0.
    fraction : float
        Share of all planned training done, in [0, 1).
    done : Tensor, shape (), optional
        The same on the device, for steps that are replayed as graphs: a number of Python's would
        stay what it was when the graph was recorded.

    Examples
    --------
    >>> Progress(epoch=1, step=10, fraction=0.5).done
    tensor(0.5000)
    """

    epoch: int
    step: int
    fraction: float
    done: torch.Tensor = field(default=None, repr=False, compare=False)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.done is None:
            object.__setattr__(self, "done", torch.tensor(self.fraction))


@runtime_checkable
class Batches(Protocol):
    """Batches that depend on the epoch and the seed alone, so that a killed run can go on.

    A class may also give ``shard(rank, world) -> Batches`` for training in several processes;
    without it each process walks over all batches and keeps its share.
    """

    def __len__(self) -> int:
        """Steps an epoch."""

    def epoch(self, epoch: int, seed: int) -> Iterator[Any]:
        """The batches of one epoch, in order."""


Step: TypeAlias = Callable[[Any, Any, Progress], dict[str, torch.Tensor]]
Validate: TypeAlias = Callable[[Any], dict[str, float]]


def pick_device(device: str = "auto") -> torch.device:
    """The device named, or the best there is: CUDA, then MPS, then CPU.

    Raises
    ------
    ValueError
        If the device is not on this machine, or no device has that name.

    Examples
    --------
    >>> pick_device("cpu")
    device(type='cpu')
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise ValueError(
            f"There is no device '{device}'. Use 'auto', 'cpu', 'cuda' or 'mps'."
        ) from error
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(chosen.type, True):
        raise ValueError(
            f"device='{device}' was asked for, but torch finds none on this machine. "
            f"Use device='auto' or 'cpu'."
        )
    return chosen
