"""Random numbers from an integer alone: the same on every platform and with every NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
BLOCK = 128
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST = np.uint64(0xBF58476D1CE4E5B9)
SECOND = np.uint64(0x94D049BB133111EB)
STEPS = GOLDEN * np.arange(1, BLOCK + 1, dtype=np.uint64)


class Draws:
    """A stream of uniform numbers in [0, 1) that depends on ``number`` and ``stream`` only.

    The bits are those of SplitMix64; 53 of them make a number. NumPy's generators are not used
    because NumPy does not promise the same numbers from one version to the next.

    Parameters
    ----------
    number : int
        Not negative; 64 bits are used.
    stream : int
        Another stream for the same number.

    Sources
    -------
    Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators, figure 17.

    Examples
    --------
    >>> round(Draws(7).uniform(), 6) == round(Draws(7).uniform(), 6)
    True
    >>> Draws(7).pick("abc") in "abc"
    True
    """

    def __init__(self, number: int, stream: int = 0) -> None:
        mixed = _mix(np.array([number & (2**64 - 1), stream], dtype=np.uint64) + GOLDEN)
        bits = _mix(mixed[0] ^ (mixed[1] << np.uint64(1)) + STEPS) >> np.uint64(11)
        self._numbers: list[float] = (bits * 2.0**-53).tolist()
        self._next = 0

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """The next number, between ``low`` and ``high``.

        Raises
        ------
        RuntimeError
            If more numbers are asked for than a stream has.
        """
        if self._next >= BLOCK:
            raise RuntimeError(f"A stream has {BLOCK} numbers and all are drawn. Use another one.")
        self._next += 1
        return low + (high - low) * self._numbers[self._next - 1]

    def pick(self, items: Sequence[Item]) -> Item:
        """One of the items, all equally likely."""
        return items[int(self.uniform() * len(items))]

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.uniform() < probability

    def many(self, n_numbers: int) -> tuple[float, ...]:
        """The next ``n_numbers`` numbers."""
        return tuple(self.uniform() for _ in range(n_numbers))


def _mix(
    state: np.ndarray[tuple[int, ...], np.dtype[np.uint64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    with np.errstate(over="ignore"):
        one = (state ^ (state >> np.uint64(30))) * FIRST
        two = (one ^ (one >> np.uint64(27))) * SECOND
        return two ^ (two >> np.uint64(31))
