"""How much a pickle may cost: objects, bytes, keys, depth, and what it unfolds to.

A pickle of one kilobyte can name objects that fill the memory, containers that hold each other a
billion times, or keys that all collide. What the writers of data produce is far below these bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from neurodecode.files.pickles._errors import DamageError

MAX_DEPTH = 64
MAX_INT_BYTES = 256
# Python objects all together, as CPython counts them; arrays and long texts are counted apart.
MAX_OBJECT_BYTES = 2**30
# Numbers as keys: their hashes can be chosen to collide, which makes a dictionary quadratic.
MAX_NUMBER_KEYS = 100_000
MAX_TUPLE_KEYS = 10_000
MAX_TUPLE_KEY_PARTS = 100_000
SLACK_BYTES = 2**26


class Budget:
    """What is left to spend while a pickle of ``n_bytes`` is read."""

    def __init__(self, n_bytes: int) -> None:
        self.n_bytes = n_bytes
        self.object_bytes = MAX_OBJECT_BYTES
        # A payload becomes at most a text, the bytes it spells and an array.
        self.payload_bytes = 4 * n_bytes + SLACK_BYTES
        self.number_keys = MAX_NUMBER_KEYS
        self.tuple_keys = MAX_TUPLE_KEYS
        self.tuple_key_parts = MAX_TUPLE_KEY_PARTS

    def spend_objects(self, n_bytes: int) -> None:
        """Count Python objects of this size."""
        self.object_bytes -= n_bytes
        if self.object_bytes < 0:
            raise DamageError(f"it makes objects of more than {MAX_OBJECT_BYTES} bytes")

    def spend_payload(self, n_bytes: int) -> None:
        """Count an array or a long text of this size."""
        self.payload_bytes -= n_bytes
        if self.payload_bytes < 0:
            raise DamageError(f"its arrays and texts are far larger than its {self.n_bytes} bytes")

    def check_key(self, key: Any) -> Any:
        """The key, if it can stand in a dictionary or set at a bounded cost."""
        if isinstance(key, (str, bytes)):
            return key
        if _is_number(key):
            self.number_keys -= 1
        elif type(key) in (tuple, frozenset, complex):
            self.tuple_keys -= 1
            self._check_parts(key)
        else:
            raise DamageError(f"a {type(key).__name__} stands where a key must stand")
        if min(self.number_keys, self.tuple_keys) < 0:
            raise DamageError(f"it has more than {MAX_NUMBER_KEYS} keys that are no text")
        return key

    def _check_parts(self, key: Any) -> None:
        """Hashing walks over a tuple each time, and over what it shares as often as it is named."""
        left = [key]
        while left:
            part = left.pop()
            self.tuple_key_parts -= 1
            if self.tuple_key_parts < 0:
                raise DamageError(f"its tuple keys have more than {MAX_TUPLE_KEY_PARTS} parts")
            if type(part) in (tuple, frozenset):
                if len(part) > self.tuple_key_parts:
                    raise DamageError(f"its tuple keys have more than {MAX_TUPLE_KEY_PARTS} parts")
                left.extend(part)
            elif not isinstance(part, (str, bytes, complex)) and not _is_number(part):
                raise DamageError(f"a {type(part).__name__} stands in a key")


def _is_number(value: Any) -> bool:
    if isinstance(value, np.generic):
        return value.dtype.kind in "biufmM"
    return value is None or type(value) in (bool, int, float)


def check_unfolded(value: Any, budget: Budget) -> None:
    """Refuse what no one can walk over: circles, towers, and a little that unfolds to very much."""
    _Walk(budget.payload_bytes + 4 * budget.n_bytes + 4 * SLACK_BYTES).over(value)


@dataclass
class _Frame:
    number: int
    parts: Iterator[Any]
    n_bytes: int = 8


class _Walk:
    """Sizes of containers with all that they name, each container counted as often as named."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[int, int] = {}
        self._frames: list[_Frame] = []
        self._opened: set[int] = set()

    def over(self, value: Any) -> None:
        self._see(_Frame(0, iter(())), value)
        while self._frames:
            frame = self._frames[-1]
            for part in frame.parts:
                if self._see(frame, part):
                    break
            else:
                self._close(frame)

    def _see(self, frame: _Frame, part: Any) -> bool:
        """Count a part; True where it has to be walked over first."""
        parts, number = _parts(part), id(part)
        if parts is not None and number not in self._known:
            self._open(number, parts)
            return True
        self._add(frame, _leaf_bytes(part) if parts is None else self._known[number])
        return False

    def _open(self, number: int, parts: Iterator[Any]) -> None:
        if number in self._opened:
            raise DamageError("a container holds itself")
        if len(self._frames) >= MAX_DEPTH:
            raise DamageError(f"containers are nested more than {MAX_DEPTH} deep")
        self._opened.add(number)
        self._frames.append(_Frame(number, parts))

    def _close(self, frame: _Frame) -> None:
        self._frames.pop()
        self._opened.discard(frame.number)
        self._known[frame.number] = frame.n_bytes
        if self._frames:
            self._add(self._frames[-1], frame.n_bytes)

    def _add(self, frame: _Frame, n_bytes: int) -> None:
        frame.n_bytes += n_bytes
        if frame.n_bytes > self._most:
            raise DamageError("it names the same content over and over and unfolds beyond bounds")


def _parts(value: Any) -> Iterator[Any] | None:
    if isinstance(value, (list, tuple, set, frozenset)):
        return iter(value)
    if isinstance(value, dict):
        return chain(value.keys(), value.values())
    if isinstance(value, np.ndarray) and value.dtype.hasobject:
        return iter(value.flat)
    return None


def _leaf_bytes(value: Any) -> int:
    if isinstance(value, np.ndarray):
        return int(value.nbytes)
    return len(value) if isinstance(value, (str, bytes, bytearray, range)) else 8
