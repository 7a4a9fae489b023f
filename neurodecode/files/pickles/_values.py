"""What stands on the stack of the machine and is no data yet: names, bytes unread, half arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from neurodecode.files.pickles._errors import DamageError, RefusalError
from neurodecode.files.pickles._limits import MAX_DEPTH, Budget

# From here on a payload stays in the file until it is known what it is, so that it is copied once.
LONG = 4096


class Raw:
    """Not data yet."""

    depth = 0

    def plain(self) -> Any:
        """The data, where it is data by now."""
        raise NotImplementedError


class Marker(Raw):
    """A name that the pickle gives, such as ``numpy.ndarray``; never what it names."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def plain(self) -> Any:
        """A name is no data."""
        raise RefusalError(f"{self.module}.{self.name} as a value")


class Source:
    """The bytes of a pickle, with the position counted and the end known."""

    def __init__(self, stream: BinaryIO, end: int, budget: Budget) -> None:
        self.stream, self.end, self.budget = stream, end, budget
        self.position = stream.tell()

    def left(self) -> int:
        """How many bytes are left."""
        return self.end - self.position

    def read(self, n_bytes: int) -> bytes:
        """The next bytes."""
        if n_bytes > self.left():
            raise DamageError(
                f"it is cut off: {n_bytes} bytes are announced, {self.left()} are left"
            )
        content = self.stream.read(n_bytes)
        if len(content) != n_bytes:
            raise DamageError("it is cut off")
        self.position += n_bytes
        return content

    def line(self) -> bytes:
        """The next line, without its end."""
        content = self.stream.readline(self.left())
        self.position += len(content)
        if not content.endswith(b"\n"):
            raise DamageError("it is cut off in a line")
        return content[:-1]

    def skip(self, n_bytes: int) -> int:
        """Where the next bytes start; they are not read."""
        if n_bytes > self.left():
            raise DamageError(
                f"it is cut off: {n_bytes} bytes are announced, {self.left()} are left"
            )
        start = self.position
        self.position += n_bytes
        self.stream.seek(self.position)
        return start

    def fill(self, start: int, out: NDArray[np.uint8]) -> None:
        """Read bytes from elsewhere in the pickle into ``out``."""
        self.stream.seek(start)
        view, done = out.data, 0
        while done < len(out):
            n_read = self.stream.readinto(view[done:])  # type: ignore[attr-defined]
            if not n_read:
                raise DamageError("it is cut off")
            done += n_read
        self.stream.seek(self.position)


class Span(Raw):
    """A long payload that is still in the file.

    Parameters
    ----------
    kind : {'bytes', 'bytearray', 'latin1', 'utf-8'}
        What it is if no array is made of it.
    """

    def __init__(self, source: Source, start: int, n_bytes: int, kind: str) -> None:
        self.source, self.start, self.n_bytes, self.kind = source, start, n_bytes, kind
        self._value: Any = None

    def array(self) -> NDArray[np.uint8]:
        """The bytes, in an array of their own."""
        self.source.budget.spend_payload(self.n_bytes)
        out = np.empty(self.n_bytes, np.uint8)
        self.source.fill(self.start, out)
        return out

    def plain(self) -> Any:
        """The bytes or text; the same object each time."""
        if self._value is None:
            self._value = decoded(self.array().tobytes(), self.kind)
        return self._value


class RawTuple(Raw):
    """A tuple with something in it that is no data yet, such as the arguments of an array."""

    def __init__(self, items: tuple[Any, ...]) -> None:
        self.items = items
        self.depth = 1 + max(one.depth for one in items if isinstance(one, Raw))
        self._value: tuple[Any, ...] | None = None
        if self.depth > MAX_DEPTH:
            raise DamageError(f"containers are nested more than {MAX_DEPTH} deep")

    def plain(self) -> tuple[Any, ...]:
        """The tuple of data; the same object each time."""
        if self._value is None:
            self._value = tuple(plain(one) for one in self.items)
        return self._value


class DtypeBox(Raw):
    """A dtype whose byte order or fields may still follow; settled once it is used."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.is_used = False

    def plain(self) -> np.dtype[Any]:
        """The dtype; it can't be changed from now on."""
        self.is_used = True
        return self.dtype


class ArrayBox(Raw):
    """An array whose shape, kind and bytes still follow."""

    def __init__(self) -> None:
        self.array: NDArray[Any] | None = None

    def plain(self) -> NDArray[Any]:
        """The array."""
        if self.array is None:
            raise DamageError("an array is used before its content is given")
        return self.array


def plain(value: Any) -> Any:
    """The value as data."""
    return value.plain() if isinstance(value, Raw) else value


def as_tuple(items: Iterable[Any]) -> Any:
    """A tuple, or a `RawTuple` where not all is data yet."""
    given = tuple(items)
    return RawTuple(given) if any(isinstance(one, Raw) for one in given) else given


def items_of(value: Any) -> tuple[Any, ...]:
    """What a tuple holds, data or not.

    Raises
    ------
    DamageError
        If it is no tuple.
    """
    if isinstance(value, RawTuple):
        return value.items
    if type(value) is tuple:
        return value
    raise DamageError("a tuple was expected")


def decoded(content: bytes, kind: str) -> Any:
    """Bytes as what the instruction says they are."""
    if kind == "bytes":
        return content
    if kind == "bytearray":
        return bytearray(content)
    try:
        return content.decode(kind, "surrogatepass" if kind == "utf-8" else "strict")
    except UnicodeDecodeError as error:
        raise DamageError(f"a text is no {kind}") from error
