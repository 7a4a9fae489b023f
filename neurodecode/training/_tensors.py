"""The tensors in a batch, whatever it is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable
from typing import Any, cast

from torch import Tensor


def with_tensors(batch: Any, change: Callable[[Tensor], Any]) -> Any:
    """The same batch with each tensor changed; lists, tuples, dicts and dataclasses are entered.

    Examples
    --------
    >>> import torch
    >>> with_tensors({"x": [torch.ones(2), "name"]}, lambda one: one.shape)
    {'x': [torch.Size([2]), 'name']}
    """
    if isinstance(batch, Tensor):
        return change(batch)
    if isinstance(batch, dict):
        return {key: with_tensors(one, change) for key, one in batch.items()}
    if isinstance(batch, list | tuple):
        return type(batch)(with_tensors(one, change) for one in batch)
    if dataclasses.is_dataclass(batch) and not isinstance(batch, type):
        new = {name: with_tensors(one, change) for name, one in _fields(batch).items()}
        return dataclasses.replace(batch, **new)
    return batch


def tensors_of(batch: Any) -> list[Tensor]:
    """All tensors, in the order of `with_tensors`.

    Examples
    --------
    >>> import torch
    >>> len(tensors_of(([torch.ones(1)], {"y": torch.ones(2)})))
    2
    """
    found: list[Tensor] = []
    with_tensors(batch, found.append)
    return found


def form_of(batch: Any) -> Hashable:
    """What two batches must share to run the same kernels: structure, shapes, names and numbers.

    Values of tensors and NumPy arrays don't count.

    Examples
    --------
    >>> import torch
    >>> form_of([torch.ones(2), 1]) == form_of([torch.zeros(2), 1])
    True
    >>> form_of([torch.ones(2), 1]) == form_of([torch.ones(3), 1])
    False
    """
    if isinstance(batch, Tensor):
        return (tuple(batch.shape), batch.stride(), batch.dtype, batch.device)
    if isinstance(batch, dict):
        return tuple((key, form_of(one)) for key, one in batch.items())
    if isinstance(batch, list | tuple):
        return (type(batch), *(form_of(one) for one in batch))
    if dataclasses.is_dataclass(batch) and not isinstance(batch, type):
        return (type(batch), form_of(_fields(batch)))
    return cast(Hashable, batch if isinstance(batch, str | int | float | None) else type(batch))


def _fields(batch: Any) -> dict[str, Any]:
    return {one.name: getattr(batch, one.name) for one in dataclasses.fields(batch) if one.init}
