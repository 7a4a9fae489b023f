"""Where a network runs, and progress while it does."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TypeVar

import torch

T = TypeVar("T")


def pick_device(device: str = "auto") -> torch.device:
    """CUDA, else Apple's MPS, else the CPU; or the device named.

    Examples
    --------
    >>> pick_device("cpu")
    device(type='cpu')
    """
    if device != "auto":
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def track(steps: Iterable[T], description: str, total: int) -> Iterable[T]:
    """The same steps, with a progress bar if someone watches a terminal."""
    from rich.console import Console
    from rich.progress import track as bar

    watched = sys.stderr.isatty() and total > 1
    return bar(steps, description, total, disable=not watched, console=Console(stderr=True))
