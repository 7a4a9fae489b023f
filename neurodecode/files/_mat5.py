"""A look at the structure of a MATLAB 5 file, before SciPy believes what it declares.

SciPy trusts the sizes in these files: a damaged one made it allocate gigabytes, or the process die.
Here every element is walked over: it must lie inside its parent, and an array must have as many
values as its dimensions say.

Source
    MathWorks, "MAT-File Format", version 5.
"""

from __future__ import annotations

import math
import mmap
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from neurodecode.files._bounds import BELIEVED_BYTES, MAX_RATIO, check_expansion
from neurodecode.files._existing import broken

MATRIX, COMPRESSED, UTF8 = 14, 15, 16
ITEM_BYTES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8, 16: 1, 17: 2, 18: 4}
CELL, STRUCT, OBJECT, CHAR, SPARSE, FUNCTION, OPAQUE = 1, 2, 3, 4, 5, 16, 17
HEAD, MAX_DEPTH = 128, 24
WHAT = "MATLAB file"


class _WrongError(Exception):
    """What is wrong with the structure."""


@dataclass
class _Part:
    """An element: its type, and where its bytes are."""

    kind: int
    start: int
    stop: int


def check_mat5(file: Path, names: list[str] | None = None) -> None:
    """Walk over the elements of a MATLAB 5 file.

    Parameters
    ----------
    file : Path
    names : list of str, optional
        Variables that will be read; the others are only checked to lie inside the file.

    Raises
    ------
    CorruptFileError
        If an element reaches beyond its parent, an array has other values than its dimensions say,
        or a packed variable unpacks to far more than is stored.
    """
    content = _mapped(file)
    try:
        order = {b"IM": "<", b"MI": ">"}.get(bytes(content[126:128]))
        if order is None:
            raise _WrongError("its head is none of MATLAB 5")
        walk = _Walk(content, order)
        place = HEAD
        while place < len(content):
            part, place = walk.element(place, len(content))
            if part.kind == COMPRESSED:
                unpacked = memoryview(_unpacked(file, content[part.start : part.stop]))
                inner = _Walk(unpacked, order)
                top, _ = inner.element(0, len(unpacked))
                inner.variable(top, names)
            else:
                walk.variable(part, names)
    except (_WrongError, struct.error) as error:
        raise broken(file, WHAT, error) from None


def _mapped(file: Path) -> memoryview:
    if not file.stat().st_size:
        raise broken(file, WHAT, "it is empty")
    with file.open("rb") as stream:
        return memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))


def _unpacked(file: Path, packed: memoryview) -> bytes:
    """A packed variable, unpacked in steps so that a bomb is found before it is in memory."""
    most = max(BELIEVED_BYTES, MAX_RATIO * len(packed))
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(packed, most)
        if unpacker.unconsumed_tail:
            check_expansion(file, len(packed), most + 1, "a variable")
        content += unpacker.flush()
    except zlib.error as error:
        raise _WrongError(str(error)) from None
    if not unpacker.eof:
        raise _WrongError("a packed variable is cut off")
    return content


class _Walk:
    def __init__(self, content: memoryview, order: str) -> None:
        self._content = content
        self._tag = struct.Struct(f"{order}II")
        self._order = order

    def element(self, place: int, stop: int) -> tuple[_Part, int]:
        """The element at a place, and where the next one starts."""
        if place + 8 > stop:
            raise _WrongError("an element is cut off")
        kind, n_bytes = self._tag.unpack_from(self._content, place)
        if kind >> 16:  # a small element: type and size in four bytes, content in the next four
            kind, n_bytes = kind & 0xFFFF, kind >> 16
            if n_bytes > 4:
                raise _WrongError("a small element is too large")
            return _Part(kind, place + 4, place + 4 + n_bytes), place + 8
        start = place + 8
        if start + n_bytes > stop:
            raise _WrongError("an element is larger than what holds it")
        padding = 0 if kind == COMPRESSED else -n_bytes % 8
        return _Part(kind, start, start + n_bytes), min(start + n_bytes + padding, stop)

    def variable(self, part: _Part, names: list[str] | None) -> None:
        """A variable of the file, looked into if it will be read."""
        if part.kind != MATRIX:
            raise _WrongError("a variable is no array")
        self._array(part, 0, names)

    def _array(self, part: _Part, depth: int, names: list[str] | None = None) -> None:
        if depth > MAX_DEPTH:
            raise _WrongError(f"its cells and structures are nested more than {MAX_DEPTH} deep")
        if part.start == part.stop:  # an empty cell
            return
        kind, is_complex, place = self._flags(part)
        if kind == OPAQUE:
            self._elements(place, part.stop, depth)
            return
        sizes, place = self._numbers(place, part.stop)
        name, place = self.element(place, part.stop)
        text = bytes(self._content[name.start : name.stop]).decode("latin1")
        if names is None or depth or text in names:
            self._inside(kind, is_complex, math.prod(sizes), _Part(0, place, part.stop), depth)

    def _flags(self, part: _Part) -> tuple[int, bool, int]:
        """Class, whether complex, and where the next element starts."""
        flags, place = self.element(part.start, part.stop)
        if flags.kind != 6 or flags.stop - flags.start != 8:
            raise _WrongError("an array has no flags")
        (both,) = struct.unpack_from(f"{self._order}I", self._content, flags.start)
        return both & 0xFF, bool(both & 0x800), place

    def _inside(self, kind: int, is_complex: bool, n_items: int, rest: _Part, depth: int) -> None:
        if kind == CELL:
            self._items(rest.start, rest.stop, n_items, depth)
        elif kind in (STRUCT, OBJECT):
            n_fields, place = self._fields(rest, kind)
            self._items(place, rest.stop, n_items * n_fields, depth)
        elif kind == FUNCTION:
            self._elements(rest.start, rest.stop, depth)
        elif not CHAR <= kind <= 15 or kind == SPARSE:
            raise _WrongError("it holds a sparse array, or one of no known class")
        else:
            place = rest.start
            for _ in range(1 + is_complex):
                values, place = self.element(place, rest.stop)
                self._check_values(values, n_items, is_text=kind == CHAR)

    def _check_values(self, values: _Part, n_items: int, *, is_text: bool) -> None:
        size, n_bytes = ITEM_BYTES.get(values.kind, 0), values.stop - values.start
        if not size:
            raise _WrongError("values are of no known type")
        if n_bytes != n_items * size and not (is_text and values.kind == UTF8):
            raise _WrongError(f"an array of {n_items} values holds {n_bytes} bytes")

    def _numbers(self, place: int, stop: int) -> tuple[tuple[int, ...], int]:
        part, after = self.element(place, stop)
        count = (part.stop - part.start) // 4
        if part.kind != 5 or (part.stop - part.start) % 4 or not 1 <= count <= 32:
            raise _WrongError("an array has no dimensions")
        sizes = struct.unpack_from(f"{self._order}{count}i", self._content, part.start)
        if any(size < 0 for size in sizes):
            raise _WrongError("a dimension is negative")
        return sizes, after

    def _fields(self, rest: _Part, kind: int) -> tuple[int, int]:
        """How many fields a structure has, and where the first one starts."""
        place = rest.start
        if kind == OBJECT:
            _, place = self.element(place, rest.stop)
        (length, *_), place = self._numbers(place, rest.stop)
        names, place = self.element(place, rest.stop)
        n_bytes = names.stop - names.start
        if names.kind not in (1, 2) or length < 1 or n_bytes % length:
            raise _WrongError("a structure has no names of fields")
        return n_bytes // length, place

    def _items(self, place: int, stop: int, n_items: int, depth: int) -> None:
        """So many arrays, one behind the other."""
        if n_items > (stop - place) // 8:
            raise _WrongError(f"{n_items} cells or fields are declared, more than fit")
        for _ in range(n_items):
            part, place = self.element(place, stop)
            if part.kind != MATRIX:
                raise _WrongError("a cell or field is no array")
            self._array(part, depth + 1)

    def _elements(self, place: int, stop: int, depth: int) -> None:
        """Whatever is there, as long as it lies inside."""
        while place < stop:
            part, place = self.element(place, stop)
            if part.kind == MATRIX:
                self._array(part, depth + 1)
