"""What can happen to a file by accident: bits, blocks, ends, rows, other content."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable, Mapping

import numpy as np

PAGE = b"<!DOCTYPE html><html><head><title>404</title></head><body>Not found</body></html>\n"
TABLES = (".tsv", ".csv", ".txt")
Generator = np.random.Generator


def _place(rng: Generator, content: bytes) -> int:
    """Half of the time in the first kilobyte, where what is declared stands."""
    end = len(content) if rng.random() < 0.5 else min(len(content), 1024)
    return int(rng.integers(max(end, 1)))


def flip(rng: Generator, content: bytes) -> bytes:
    """One bit."""
    return _flipped(rng, content, 1)


def flips(rng: Generator, content: bytes) -> bytes:
    """Sixteen bits."""
    return _flipped(rng, content, 16)


def _flipped(rng: Generator, content: bytes, n_bits: int) -> bytes:
    changed = bytearray(content)
    for _ in range(n_bits if content else 0):
        changed[_place(rng, content)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def cut(rng: Generator, content: bytes) -> bytes:
    """The end is missing."""
    return content[: int(rng.integers(len(content) + 1))]


def cut_little(rng: Generator, content: bytes) -> bytes:
    """One to sixteen bytes of the end are missing."""
    return content[: -int(rng.integers(1, 17))]


def zeros(rng: Generator, content: bytes) -> bytes:
    """A block was never written."""
    start, size = _place(rng, content), int(rng.choice([8, 64, 512, 4096]))
    return content[:start] + bytes(len(content[start : start + size])) + content[start + size :]


def exchanged(rng: Generator, content: bytes) -> bytes:
    """Two blocks stand in each other's place."""
    size = int(rng.choice([16, 128, 512]))
    first, second = sorted(_place(rng, content) for _ in range(2))
    if second < first + size:
        return content[first:] + content[:first]
    one, two = content[first : first + size], content[second : second + size]
    return content[:first] + two + content[first + size : second] + one + content[second + size :]


def huge(rng: Generator, content: bytes) -> bytes:
    """Somewhere eight bytes say a very large number."""
    place = _place(rng, content) // 4 * 4
    number = (2**31 - 1, 2**40, 2**62, 2**64 - 1)[int(rng.integers(4))]
    return content[:place] + struct.pack("<Q", number) + content[place + 8 :]


def longer(rng: Generator, content: bytes) -> bytes:
    """Something follows the end."""
    return content + rng.bytes(int(rng.integers(1, 600)))


def empty(rng: Generator, content: bytes) -> bytes:
    """Nothing was written."""
    return b""


def page(rng: Generator, content: bytes) -> bytes:
    """A server's answer in place of the file."""
    return PAGE


def noise(rng: Generator, content: bytes) -> bytes:
    """Other bytes after the first."""
    return content[:16] + rng.bytes(max(len(content) - 16, 16))


def packed_flip(rng: Generator, content: bytes) -> bytes:
    """A bit inside what a gzip file holds, packed again with a right checksum."""
    return gzip.compress(_flipped(rng, gzip.decompress(content), 4), 3)


def rows_dropped(rng: Generator, content: bytes) -> bytes:
    """A row of a table is missing."""
    return _rows(content, lambda rows, one, other: rows[:one] + rows[one + 1 :], rng)


def rows_doubled(rng: Generator, content: bytes) -> bytes:
    """A row stands there twice."""
    return _rows(content, lambda rows, one, other: rows[: one + 1] + rows[one:], rng)


def rows_exchanged(rng: Generator, content: bytes) -> bytes:
    """Two rows stand in each other's place."""

    def change(rows: list[bytes], one: int, other: int) -> list[bytes]:
        rows[one], rows[other] = rows[other], rows[one]
        return rows

    return _rows(content, change, rng)


def cell_emptied(rng: Generator, content: bytes) -> bytes:
    """A cell of a table is empty."""

    def change(rows: list[bytes], one: int, other: int) -> list[bytes]:
        mark = next((mark for mark in (b"\t", b",", b" ") if mark in rows[one]), b"\t")
        cells = rows[one].rstrip(b"\n").split(mark)
        cells[other % len(cells)] = b""
        rows[one] = mark.join(cells) + b"\n"
        return rows

    return _rows(content, change, rng)


def _rows(
    content: bytes, change: Callable[[list[bytes], int, int], list[bytes]], rng: Generator
) -> bytes:
    rows = content.splitlines(keepends=True)
    if not rows:
        return content
    one, other = (int(place) for place in rng.integers(len(rows), size=2))
    return b"".join(change(rows, one, other))


ANYWHERE: Mapping[str, Callable[[Generator, bytes], bytes]] = {
    "flip": flip, "flips": flips, "cut": cut, "cut little": cut_little, "zeros": zeros,
    "exchanged": exchanged, "huge": huge, "longer": longer, "empty": empty, "page": page,
    "noise": noise,
}  # fmt: skip
IN_TABLES: Mapping[str, Callable[[Generator, bytes], bytes]] = {
    "rows dropped": rows_dropped, "rows doubled": rows_doubled, "rows exchanged": rows_exchanged,
    "cell emptied": cell_emptied,
}  # fmt: skip


def damages_for(name: str) -> Mapping[str, Callable[[Generator, bytes], bytes]]:
    """The damages that make sense for a file of this name."""
    if name.endswith(TABLES):
        return {**ANYWHERE, **IN_TABLES}
    if name.endswith(".gz"):
        return {**ANYWHERE, "packed flip": packed_flip}
    return ANYWHERE
