"""A saved model says how large its layers are; it is believed as far as weights are stored."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

# One layer of any model here stays below it, those of frozen language models too.
LARGEST_BYTES = 2**30
MAX_RATIO = 4
FACTORIES = ("aten::empty", "aten::zeros", "aten::ones", "aten::full", "aten::randn", "aten::rand")


class BelievedSizes(TorchDispatchMode):
    """Inside, a tensor far larger than what is stored is refused before memory is asked for.

    Parameters
    ----------
    stored : mapping of str to tensor
        The weights in the file.

    Raises
    ------
    ValueError
        Inside: if a tensor would have more than 1 GB and more than four times all stored weights.

    Examples
    --------
    >>> with BelievedSizes({"weight": torch.zeros(3)}):
    ...     torch.empty(10**12)
    Traceback (most recent call last):
    ...
    ValueError: a layer of 1000000000000 numbers is declared, but 12 bytes of weights are stored
    """

    def __init__(self, stored: Mapping[str, torch.Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.n_stored = sum(one.numel() * one.element_size() for one in stored.values())

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Look at the size that a tensor is to be made with."""
        if func.name().split(".")[0] in FACTORIES and args and isinstance(args[0], list | tuple):
            n_items = math.prod(args[0])
            if 4 * n_items > max(LARGEST_BYTES, MAX_RATIO * self.n_stored):
                raise ValueError(
                    f"a layer of {n_items} numbers is declared, but {self.n_stored} bytes of "
                    f"weights are stored"
                )
        return func(*args, **(kwargs or {}))
