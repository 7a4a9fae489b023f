"""What each instruction of a pickle does to the stack: plain data, and names that stay names."""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from neurodecode.files.pickles._errors import DamageError, RefusalError, named
from neurodecode.files.pickles._limits import MAX_INT_BYTES
from neurodecode.files.pickles._values import (
    LONG,
    Marker,
    Span,
    as_tuple,
    decoded,
    items_of,
    plain,
)

if TYPE_CHECKING:
    from neurodecode.files.pickles._machine import Machine

Instruction = Callable[["Machine"], None]


def _constant(value: Any) -> Instruction:
    return lambda machine: machine.push(value)


def _number(form: str) -> Instruction:
    size = struct.calcsize(form)
    return lambda machine: machine.push(struct.unpack(form, machine.source.read(size))[0])


def _counted(form: str, kind: str) -> Instruction:
    """A payload with its length before it."""
    size = struct.calcsize(form)

    def run(machine: Machine) -> None:
        source = machine.source
        n_bytes = struct.unpack(form, source.read(size))[0]
        if n_bytes < 0:
            raise DamageError("a length is negative")
        if n_bytes >= LONG:
            machine.push(Span(source, source.skip(n_bytes), n_bytes, kind))
        else:
            machine.push(decoded(source.read(n_bytes), kind))

    return run


def _long_integer(form: str) -> Instruction:
    size = struct.calcsize(form)

    def run(machine: Machine) -> None:
        n_bytes = struct.unpack(form, machine.source.read(size))[0]
        if not 0 <= n_bytes <= MAX_INT_BYTES:
            raise DamageError(f"an integer of {n_bytes} bytes")
        machine.push(int.from_bytes(machine.source.read(n_bytes), "little", signed=True))

    return run


def _text_integer(machine: Machine) -> None:
    line = machine.source.line()
    if line in (b"00", b"01"):
        machine.push(line == b"01")
        return
    machine.push(_integer(line.removesuffix(b"L")))


def _integer(line: bytes) -> int:
    if len(line) > 2 * MAX_INT_BYTES:
        raise DamageError(f"an integer of {len(line)} digits")
    try:
        return int(line)
    except ValueError as error:
        raise DamageError("a number is none") from error


def _text_float(machine: Machine) -> None:
    try:
        machine.push(float(machine.source.line()))
    except ValueError as error:
        raise DamageError("a number is none") from error


def _quoted(machine: Machine) -> None:
    """A byte string of Python 2, as its source code would write it."""
    line = machine.source.line().strip()
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
        raise DamageError("a text has no quotes")
    try:
        content, _ = codecs.escape_decode(line[1:-1])
    except ValueError as error:
        raise DamageError("a text is none") from error
    machine.push(content.decode("latin1"))


def _unicode(machine: Machine) -> None:
    try:
        machine.push(machine.source.line().decode("raw-unicode-escape"))
    except UnicodeDecodeError as error:
        raise DamageError("a text is none") from error


def _tuple_of(n_items: int) -> Instruction:
    return lambda machine: machine.push(as_tuple(machine.pop_many(n_items)))


def _tuple(machine: Machine) -> None:
    machine.push(as_tuple(machine.pop_to_mark()))


def _list(machine: Machine) -> None:
    machine.push([plain(one) for one in machine.pop_to_mark()])


def _dict(machine: Machine) -> None:
    items, made = machine.pop_to_mark(), {}  # type: list[Any], dict[Any, Any]
    machine.put_items(made, items)
    machine.push(made)


def _frozenset(machine: Machine) -> None:
    check = machine.budget.check_key
    machine.push(frozenset(check(plain(one)) for one in machine.pop_to_mark()))


def _append(machine: Machine) -> None:
    item = machine.pop()
    machine.top(list).append(plain(item))


def _appends(machine: Machine) -> None:
    items = machine.pop_to_mark()
    machine.top(list).extend(plain(one) for one in items)


def _set_item(machine: Machine) -> None:
    items = machine.pop_many(2)
    machine.put_items(machine.top(dict), items)


def _set_items(machine: Machine) -> None:
    items = machine.pop_to_mark()
    machine.put_items(machine.top(dict), items)


def _add_items(machine: Machine) -> None:
    items = machine.pop_to_mark()
    check = machine.budget.check_key
    machine.budget.spend_objects(32 * len(items))
    machine.top(set).update(check(plain(one)) for one in items)


def _put(form: str) -> Instruction:
    size = struct.calcsize(form)

    def run(machine: Machine) -> None:
        machine.memo[struct.unpack(form, machine.source.read(size))[0]] = machine.top()

    return run


def _get(form: str) -> Instruction:
    size = struct.calcsize(form)
    return lambda machine: machine.recall(struct.unpack(form, machine.source.read(size))[0])


def _text_put(machine: Machine) -> None:
    machine.memo[_integer(machine.source.line())] = machine.top()


def _text_get(machine: Machine) -> None:
    machine.recall(_integer(machine.source.line()))


def _memoize(machine: Machine) -> None:
    machine.memo[len(machine.memo)] = machine.top()


def _name(machine: Machine) -> None:
    module, name = (decoded(machine.source.line(), "utf-8") for _ in range(2))
    machine.push_name(module, name)


def _stack_name(machine: Machine) -> None:
    module, name = (plain(one) for one in machine.pop_many(2))
    if type(module) is not str or type(name) is not str:
        raise DamageError("a name is no text")
    machine.push_name(module, name)


def _reduce(machine: Machine) -> None:
    called, args = machine.pop_many(2)
    if not isinstance(called, Marker):
        raise RefusalError("a call of something that has no name")
    machine.push(machine.call(called, items_of(args)))


def _build(machine: Machine) -> None:
    state = machine.pop()
    machine.finish(machine.top(), state)


def _persistent(machine: Machine) -> None:
    machine.push(machine.persistent(machine.pop()))


def _duplicate(machine: Machine) -> None:
    machine.push(machine.top())


def _frame(machine: Machine) -> None:
    n_bytes = struct.unpack("<Q", machine.source.read(8))[0]
    if n_bytes > machine.source.left():
        raise DamageError(f"it is cut off: {n_bytes} bytes announced, {machine.source.left()} left")


def _protocol(machine: Machine) -> None:
    if (version := machine.source.read(1)[0]) > 5:
        raise DamageError(f"it is of protocol {version}, which does not exist")


def _refuse(what: str) -> Instruction:
    def run(machine: Machine) -> None:
        raise RefusalError(what)

    return run


def _make_object(machine: Machine) -> None:
    """An object of a class, made without its constructor; none of the data needs it."""
    args = machine.pop_many(2)
    kind = args[0]
    name = f"{kind.module}.{kind.name}" if isinstance(kind, Marker) else "something"
    raise RefusalError(f"an object of class {named(name)}")


INSTRUCTIONS: dict[bytes, Instruction] = {
    b"(": lambda machine: machine.mark(),
    b"0": lambda machine: machine.drop(),
    b"1": lambda machine: machine.drop_to_mark(),
    b"2": _duplicate,
    b"N": _constant(None),
    b"\x88": _constant(True),
    b"\x89": _constant(False),
    b"I": _text_integer, b"L": _text_integer, b"F": _text_float,
    b"J": _number("<i"), b"K": _number("<B"), b"M": _number("<H"), b"G": _number(">d"),
    b"\x8a": _long_integer("<B"), b"\x8b": _long_integer("<i"),
    b"S": _quoted, b"V": _unicode,
    b"T": _counted("<i", "latin1"), b"U": _counted("<B", "latin1"),
    b"X": _counted("<I", "utf-8"), b"\x8c": _counted("<B", "utf-8"),
    b"\x8d": _counted("<Q", "utf-8"),
    b"B": _counted("<I", "bytes"), b"C": _counted("<B", "bytes"), b"\x8e": _counted("<Q", "bytes"),
    b"\x96": _counted("<Q", "bytearray"),
    b")": _constant(()), b"\x85": _tuple_of(1), b"\x86": _tuple_of(2), b"\x87": _tuple_of(3),
    b"t": _tuple,
    b"]": lambda machine: machine.push([]), b"l": _list, b"a": _append, b"e": _appends,
    b"}": lambda machine: machine.push({}), b"d": _dict, b"s": _set_item, b"u": _set_items,
    b"\x8f": lambda machine: machine.push(set()), b"\x90": _add_items, b"\x91": _frozenset,
    b"q": _put("<B"), b"r": _put("<I"), b"p": _text_put, b"\x94": _memoize,
    b"h": _get("<B"), b"j": _get("<I"),
    b"g": _text_get,
    b"c": _name, b"\x93": _stack_name, b"R": _reduce, b"b": _build,
    b"\x81": _make_object, b"\x92": _refuse("an object with named arguments"),
    b"i": _refuse("an object of a class"), b"o": _refuse("an object of a class"),
    b"Q": _persistent, b"P": _refuse("a persistent id"),
    b"\x82": _refuse("a registered extension"), b"\x83": _refuse("a registered extension"),
    b"\x84": _refuse("a registered extension"),
    b"\x97": _refuse("a buffer from elsewhere"), b"\x98": _refuse("a buffer from elsewhere"),
    b"\x80": _protocol, b"\x95": _frame,
}  # fmt: skip

# What an instruction leaves in memory, as CPython counts it; 48 for those that are not named.
COSTS = {b"]": 88, b"}": 72, b"\x8f": 224, b"\x91": 224, b"(": 88, b"q": 100, b"r": 100, b"p": 100,
         b"\x94": 100, b"s": 100, b"\x8b": 300, b"\x8a": 300, b"R": 128}  # fmt: skip
