"""The calls that a pickle of data may spell, each recognised by its name and exact arguments.

Nothing here looks a name up and calls it: each entry builds plain data from data.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from neurodecode.files.pickles._arrays import (
    finish_dtype,
    latin1,
    made_array,
    named_dtype,
    swapped,
)
from neurodecode.files.pickles._errors import DamageError, RefusalError, named
from neurodecode.files.pickles._limits import Budget
from neurodecode.files.pickles._values import ArrayBox, DtypeBox, Marker, items_of, plain

Name = tuple[str, str]
Call = Callable[[tuple[Any, ...], Budget], Any]


def _reconstruct(args: tuple[Any, ...], budget: Budget) -> ArrayBox:
    kind, shape, code = args if len(args) == 3 else (None, None, None)
    is_array = isinstance(kind, Marker) and (kind.module, kind.name) in ARRAY_CLASSES
    if not is_array or shape != (0,) or code not in ("b", b"b"):
        raise RefusalError("numpy's _reconstruct of anything but an array")
    return ArrayBox()


def _scalar(args: tuple[Any, ...], budget: Budget) -> Any:
    if len(args) != 2 or not isinstance(args[0], DtypeBox) or args[0].dtype.hasobject:
        raise RefusalError("a numpy scalar of anything but bytes")
    return made_array(args[0], (1,), False, args[1], budget)[0]


def _frombuffer(args: tuple[Any, ...], budget: Budget) -> Any:
    if len(args) != 4 or args[3] not in ("C", "F", "A", "K"):
        raise RefusalError("numpy's _frombuffer with other arguments than NumPy writes")
    return made_array(args[1], args[2], args[3] == "F", args[0], budget)


def _dtype(args: tuple[Any, ...], budget: Budget) -> DtypeBox:
    return named_dtype(*args)


def _encode(args: tuple[Any, ...], budget: Budget) -> bytes:
    given = [plain(one) for one in args]
    if len(given) != 2 or type(given[0]) is not str or given[1] not in ("latin1", "latin-1"):
        codec = named(str(given[1])) if len(given) > 1 and type(given[1]) is str else "?"
        raise RefusalError(f"the codec '{codec}'")
    budget.spend_payload(len(given[0]))
    return latin1(given[0])


def _bytes(args: tuple[Any, ...], budget: Budget) -> bytes:
    if args:
        raise RefusalError("bytes of anything but nothing")
    return b""


def _bytearray(args: tuple[Any, ...], budget: Budget) -> bytearray:
    given = [plain(one) for one in args]
    content = given[0] if given else b""
    if len(given) == 2 and type(content) is str and given[1] in ("latin1", "latin-1"):
        content = latin1(content)
    elif len(given) > 1 or type(content) not in (bytes, bytearray):
        raise RefusalError("a bytearray of anything but bytes")
    budget.spend_payload(len(content))
    return bytearray(content)


def _complex(args: tuple[Any, ...], budget: Budget) -> complex:
    if len(args) != 2 or any(type(one) is not float for one in args):
        raise RefusalError("complex of anything but two numbers")
    return complex(*args)


def _slice(args: tuple[Any, ...], budget: Budget) -> slice:
    if len(args) != 3 or any(one is not None and type(one) is not int for one in args):
        raise RefusalError("a slice of anything but numbers")
    return slice(*args)


def _range(args: tuple[Any, ...], budget: Budget) -> range:
    if len(args) != 3 or any(type(one) is not int or abs(one) > 2**62 for one in args):
        raise RefusalError("a range of anything but numbers")
    if args[2] == 0:
        raise DamageError("a range has steps of 0")
    return range(*args)


def _members(args: tuple[Any, ...], budget: Budget) -> list[Any]:
    if not args:
        return []
    content = plain(args[0])
    if len(args) != 1 or type(content) not in (list, tuple):
        raise RefusalError("a container of anything but a list")
    budget.spend_objects(64 * len(content))
    return [budget.check_key(one) for one in content]


def _set(args: tuple[Any, ...], budget: Budget) -> set[Any]:
    return set(_members(args, budget))


def _frozenset(args: tuple[Any, ...], budget: Budget) -> frozenset[Any]:
    return frozenset(_members(args, budget))


def _ordered(args: tuple[Any, ...], budget: Budget) -> OrderedDict[Any, Any]:
    pairs = plain(args[0]) if args else []
    if len(args) > 1 or type(pairs) not in (list, tuple):
        raise RefusalError("an OrderedDict of anything but pairs")
    made: OrderedDict[Any, Any] = OrderedDict()
    budget.spend_objects(400 + 100 * len(pairs))
    for pair in pairs:
        if type(pair) not in (list, tuple) or len(pair) != 2:
            raise RefusalError("an OrderedDict of anything but pairs")
        made[budget.check_key(pair[0])] = pair[1]
    return made


# A memory map is pickled as an array of its own class, with the values.
ARRAY_CLASSES = {
    ("numpy", "ndarray"),
    ("numpy", "memmap"),
    ("numpy.core.memmap", "memmap"),
    ("numpy._core.memmap", "memmap"),
}


def data_calls() -> dict[Name, Call]:
    """The calls by module and name, under the old and new names of modules."""
    arrays: dict[Name, Call] = {
        ("multiarray", "_reconstruct"): _reconstruct,
        ("multiarray", "scalar"): _scalar,
        ("numeric", "_frombuffer"): _frombuffer,
    }
    calls = {
        (f"numpy.{core}.{module}", name): call
        for (module, name), call in arrays.items()
        for core in ("core", "_core")
    }
    calls |= {("numpy", "dtype"): _dtype, ("_codecs", "encode"): _encode}
    calls |= {("collections", "OrderedDict"): _ordered}
    builtin: dict[str, Call] = {
        "set": _set, "frozenset": _frozenset, "complex": _complex, "bytes": _bytes,
        "bytearray": _bytearray, "slice": _slice, "range": _range, "xrange": _range,
    }  # fmt: skip
    for name, call in builtin.items():
        calls |= {(module, name): call for module in ("builtins", "__builtin__")}
    return calls


def finish(value: Any, state: Any, budget: Budget) -> None:
    """BUILD: what follows for a dtype or an array; nothing else has a state."""
    if isinstance(value, DtypeBox):
        finish_dtype(value, state)
    elif isinstance(value, ArrayBox) and value.array is None:
        given = items_of(state)
        if len(given) != 5 or given[0] not in (0, 1):
            raise RefusalError("another state of an array than NumPy writes")
        made = made_array(given[2], given[1], given[3], given[4], budget)
        value.array = made if made.dtype.isnative else swapped(made)
    else:
        raise RefusalError(f"a state for a {type(plain(value)).__name__}")
