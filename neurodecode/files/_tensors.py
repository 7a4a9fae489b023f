"""What torch's pickles name: storages by key, and tensors as views that must lie inside."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from neurodecode.files.pickles import (
    DamageError,
    Marker,
    Raw,
    RefusalError,
    check_values,
    items_of,
    plain,
)

# bfloat16 is the upper half of a float32, and becomes one.
BFLOAT = "BFloat16Storage"
KINDS = {
    "DoubleStorage": "f8", "FloatStorage": "f4", "HalfStorage": "f2", BFLOAT: "u2",
    "LongStorage": "i8", "IntStorage": "i4", "ShortStorage": "i2", "CharStorage": "i1",
    "ByteStorage": "u1", "BoolStorage": "b1", "ComplexDoubleStorage": "c16",
    "ComplexFloatStorage": "c8",
}  # fmt: skip
NAMES = frozenset(("torch", name) for name in KINDS)
Record = Callable[[str, int], NDArray[np.uint8]]


class Storage(Raw):
    """The values that tensors are views of."""

    def __init__(self, values: NDArray[Any], raw: NDArray[np.uint8]) -> None:
        self.values, self.raw = values, raw

    def plain(self) -> Any:
        """A storage is no data by itself."""
        raise RefusalError("a storage that is no tensor")


class Storages:
    """Storages by their key, each read once.

    Parameters
    ----------
    record : callable
        The bytes of a key, given how many there must be.
    order : {'<', '>'}
        Byte order.
    is_filled : bool
        False where the bytes come later, and values can't be looked at yet.
    """

    def __init__(self, record: Record, order: str, *, is_filled: bool = True) -> None:
        self._record, self._order, self._is_filled = record, order, is_filled
        self.by_key: dict[str, Storage] = {}
        self._said: dict[str, tuple[str, int]] = {}

    def __call__(self, identity: Any) -> Storage:
        """The storage that a persistent id names."""
        given = items_of(identity)
        if len(given) not in (5, 6) or given[0] != "storage":
            raise RefusalError("a persistent id of anything but a storage")
        kind, key, n_items = given[1], given[2], given[4]
        is_storage = isinstance(kind, Marker) and kind.name in KINDS and kind.module == "torch"
        if not is_storage or type(key) is not str or type(n_items) is not int or n_items < 0:
            raise RefusalError("a persistent id of anything but a storage")
        if len(given) == 6 and given[5] is not None:
            raise RefusalError("a storage that is part of another")
        if self._said.setdefault(key, (kind.name, n_items)) != (kind.name, n_items):
            raise DamageError("a storage is named twice with other sizes")
        if key not in self.by_key:
            self.by_key[key] = self._read(kind.name, key, n_items)
        return self.by_key[key]

    def _read(self, name: str, key: str, n_items: int) -> Storage:
        kind = np.dtype(self._order + KINDS[name])
        raw = self._record(key, n_items * kind.itemsize)
        values = raw.view(kind)
        if not self._is_filled:
            if name == BFLOAT:
                raise RefusalError("bfloat16 in the format before torch 1.6")
            return Storage(values, raw)
        check_values(values)
        if name == BFLOAT:
            values = (values.astype(np.uint32) << 16).view(np.float32)
        return Storage(values if values.dtype.isnative else values.astype(
            values.dtype.newbyteorder("=")), raw)  # fmt: skip


def _tensor(args: tuple[Any, ...], budget: Any) -> NDArray[Any]:
    """``_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)``."""
    if not 6 <= len(args) <= 7 or not isinstance(args[0], Storage):
        raise RefusalError("a tensor with other arguments than torch writes")
    hooks = plain(args[5])
    if type(args[4]) is not bool or type(hooks) is not OrderedDict or hooks:
        raise RefusalError("a tensor with hooks")
    values, offset = args[0].values, args[1]
    shape, strides = (plain(one) for one in args[2:4])
    numbers = (offset, *items_of(shape), *items_of(strides))
    if any(type(one) is not int or not 0 <= one < 2**62 for one in numbers):
        raise DamageError("the shape of a tensor is none")
    if len(shape) != len(strides) or len(shape) > 32:
        raise DamageError("the shape of a tensor is none")
    n_items = int(np.prod(np.array(shape, dtype=object))) if shape else 1
    last = offset + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
    if n_items and (last >= len(values) or n_items > len(values)):
        raise DamageError(f"a tensor reaches to item {last} of a storage of {len(values)}")
    if not n_items:
        return np.empty(shape, values.dtype)
    steps = tuple(step * values.itemsize for step in strides)
    return as_strided(values[offset:], shape, steps)


def _parameter(args: tuple[Any, ...], budget: Any) -> NDArray[Any]:
    """A parameter of a model is its tensor."""
    value = plain(args[0]) if len(args) == 3 else None
    if not isinstance(value, np.ndarray):
        raise RefusalError("a parameter with other arguments than torch writes")
    return value


def _size(args: tuple[Any, ...], budget: Any) -> tuple[int, ...]:
    """A shape by itself."""
    sizes = plain(args[0]) if len(args) == 1 else None
    if type(sizes) is not tuple or any(type(one) is not int for one in sizes):
        raise RefusalError("a torch.Size of anything but numbers")
    return sizes


CALLS = {
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch", "Size"): _size,
}
