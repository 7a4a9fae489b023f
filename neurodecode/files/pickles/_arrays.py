"""Arrays, dtypes and scalars built from checked kind, shape and bytes, as NumPy's pickles say them.

NumPy's own constructors believe what they are told: a pickle may set a dtype's flags so that bytes
are taken for pointers. Here a dtype is made of its name, byte order and fields, and nothing else.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.files.pickles._errors import DamageError, RefusalError, named
from neurodecode.files.pickles._limits import Budget
from neurodecode.files.pickles._values import DtypeBox, Span, items_of, plain

KINDS = re.compile(r"[|<>=]?(b1|[iu][1248]|f(2|4|8|12|16)|c(8|16|24|32)|[SUV]\d{1,9}|[mM]8|O[48]?)")
UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as", "generic")
MAX_UNICODE = 0x10FFFF


def named_dtype(*args: Any) -> DtypeBox:
    """``dtype('f8', False, True)``: kind and size; byte order and fields follow."""
    if not 1 <= len(args) <= 3 or type(args[0]) is not str or not KINDS.fullmatch(args[0]):
        shown = named(str(args[0])) if args and type(args[0]) is str else "something else"
        raise RefusalError(f"numpy.dtype of {shown}")
    if any(type(one) not in (bool, int) for one in args[1:]):
        raise DamageError("a dtype has other arguments than NumPy writes")
    return DtypeBox(_made(args[0]))


def finish_dtype(box: DtypeBox, state: Any) -> None:
    """Give a dtype the byte order, fields or unit of its state; flags are never taken over."""
    given = items_of(state)
    if box.is_used or not 7 <= len(given) <= 9:
        raise RefusalError("another state of a numpy.dtype than NumPy writes")
    values = tuple(plain(one) for one in given)
    version, order, subarray, names, fields, item_bytes, alignment = values[:7]
    numbers = (version, item_bytes, alignment, *values[7:8])
    if any(type(one) is not int for one in numbers) or order not in ("<", ">", "|", "="):
        raise RefusalError("another state of a numpy.dtype than NumPy writes")
    kind = box.dtype
    if kind.kind == "V" and (names is not None or subarray is not None):
        kind = _compound(subarray, names, fields, item_bytes)
    elif names is not None or subarray is not None or fields:
        raise RefusalError("fields of a numpy.dtype that has none")
    if kind.kind in "SUV" and item_bytes != kind.itemsize:
        raise DamageError(f"a dtype of {kind.itemsize} bytes says that it has {item_bytes}")
    if len(values) == 9:
        kind = _with_unit(kind, values[8])
    box.dtype = kind if order in "|=" or kind.kind == "V" else kind.newbyteorder(order)


def _compound(subarray: Any, names: Any, fields: Any, item_bytes: int) -> np.dtype[Any]:
    if subarray is not None:
        base, shape = _pair(subarray)
        return _made((_field_kind(base), shape_of(shape if type(shape) is tuple else (shape,))))
    if type(names) is not tuple or type(fields) is not dict or set(names) != set(fields):
        raise DamageError("the fields of a dtype do not fit its names")
    parts = [_pair(fields[name]) for name in names]
    kinds, starts = [_field_kind(one[0]) for one in parts], [one[1] for one in parts]
    for kind, start in zip(kinds, starts, strict=True):
        if type(start) is not int or not 0 <= start <= item_bytes - kind.itemsize:
            raise DamageError("a field of a dtype lies outside it")
    return _made({"names": list(names), "formats": kinds, "offsets": starts,
                  "itemsize": item_bytes})  # fmt: skip


def _pair(value: Any) -> tuple[Any, Any]:
    if type(value) is not tuple or not 2 <= len(value) <= 3:
        raise DamageError("a field of a dtype is no pair")
    return value[0], value[1]


def _field_kind(kind: Any) -> np.dtype[Any]:
    """The dtype of a field; objects in fields would be pointers over bytes."""
    if not isinstance(kind, np.dtype) or kind.hasobject:
        raise RefusalError("a numpy.dtype with objects in its fields")
    return kind


def _with_unit(kind: np.dtype[Any], extra: Any) -> np.dtype[Any]:
    if kind.kind not in "mM":
        if extra:
            raise RefusalError("a numpy.dtype with metadata")
        return kind
    metadata, unit = _pair(extra)
    if metadata or type(unit) is not tuple or len(unit) != 4:
        raise RefusalError("another unit of time than NumPy writes")
    name = unit[0].decode("latin1") if isinstance(unit[0], bytes) else unit[0]
    if name not in UNITS or type(unit[1]) is not int or not 1 <= unit[1] < 2**31:
        raise RefusalError("another unit of time than NumPy writes")
    return kind if name == "generic" else _made(f"{kind.kind}8[{unit[1]}{name}]")


def _made(description: Any) -> np.dtype[Any]:
    try:
        made: np.dtype[Any] = np.dtype(description)
    except (TypeError, ValueError, OverflowError) as error:
        raise DamageError("a dtype is none that this version of NumPy has") from error
    return made


def shape_of(value: Any) -> tuple[int, ...]:
    """A shape, if it is one."""
    shape = tuple(plain(one) for one in items_of(value))
    if len(shape) > 32 or any(type(one) is not int or not 0 <= one < 2**63 for one in shape):
        raise DamageError("the shape of an array is none")
    return shape


def made_array(kind: Any, shape: Any, fortran: Any, content: Any, budget: Budget) -> NDArray[Any]:
    """An array of this kind and shape whose bytes, or objects, are exactly the content."""
    dtype, sizes = plain(kind), shape_of(shape)
    if not isinstance(dtype, np.dtype) or type(fortran) not in (bool, int):
        raise DamageError("an array has another state than NumPy writes")
    n_items = math.prod(sizes)
    if dtype.hasobject:
        flat = _objects(dtype, content, n_items)
    else:
        flat = _numbers(dtype, content, n_items, budget)
    try:
        return flat.reshape(sizes, order="F" if fortran else "C")
    except ValueError as error:
        raise DamageError("the shape of an array is none") from error


def _objects(dtype: np.dtype[Any], content: Any, n_items: int) -> NDArray[Any]:
    if dtype.kind != "O" or type(content) is not list:
        raise RefusalError("an array of objects over bytes")
    if len(content) != n_items:
        raise DamageError(f"an array of {n_items} objects holds {len(content)}")
    return np.fromiter(content, dtype=object, count=n_items)


def _numbers(dtype: np.dtype[Any], content: Any, n_items: int, budget: Budget) -> NDArray[Any]:
    n_bytes = payload_size(content)
    if n_items * dtype.itemsize != n_bytes:
        raise DamageError(f"an array of {n_items} x {dtype.itemsize} bytes holds {n_bytes}")
    if n_bytes == 0:
        if n_items > 1:
            raise DamageError(f"an array has {n_items} items without bytes")
        return np.zeros(n_items, dtype)
    values = payload(content, budget).view(dtype)
    check_values(values)
    return values


def payload_size(content: Any) -> int:
    """How many bytes a payload has, without reading it."""
    if isinstance(content, Span):
        if content.kind == "utf-8":
            raise DamageError("a text stands where bytes must stand")
        return content.n_bytes
    if isinstance(content, (bytes, bytearray, str)):
        return len(content)
    raise DamageError(f"a {type(content).__name__} stands where bytes must stand")


def payload(content: Any, budget: Budget) -> NDArray[np.uint8]:
    """The bytes of a payload, in an array of their own that may be written to."""
    if isinstance(content, Span):
        return content.array()
    budget.spend_payload(len(content))
    return np.frombuffer(latin1(content) if isinstance(content, str) else content, np.uint8).copy()


def latin1(text: str) -> bytes:
    """Bytes as Python 2 spelled them in a text."""
    try:
        return text.encode("latin1")
    except UnicodeEncodeError as error:
        raise DamageError("a text that should spell bytes does not") from error


def check_values(values: NDArray[Any]) -> None:
    """Refuse truth values that are neither and characters that do not exist.

    Raises
    ------
    DamageError
        NumPy and Python do odd things with such values, long after they were read.
    """
    if values.dtype.names:
        for name in values.dtype.names:
            check_values(values[name])
    elif values.dtype.kind == "b" and values.size and (values.view(np.uint8) > 1).any():
        raise DamageError("an array of truth values holds others than 0 and 1")
    elif values.dtype.kind == "U" and values.size and values.dtype.itemsize:
        letters = np.ascontiguousarray(values).reshape(-1)
        codes = letters.view(np.dtype(np.uint32).newbyteorder(values.dtype.byteorder))
        if codes.max() > MAX_UNICODE:
            raise DamageError("an array of texts holds characters that do not exist")


def swapped(values: NDArray[Any]) -> NDArray[Any]:
    """The values in this machine's byte order, as NumPy gives them; fields stay as they are."""
    if values.dtype.kind == "V":
        return values
    return values.astype(values.dtype.newbyteorder("="))
