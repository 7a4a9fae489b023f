"""One pass over an array in bounded memory, and what is suspicious about its numbers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import blocks
from neurodecode.datasets.checking._pieces import Piece

SATURATED_SHARE = 0.01
"""Of a channel's samples at its largest or smallest value; noise has one or two there."""
SAMPLES_TO_JUDGE = 100
SPREADS = {"V": (1e-8, 1e-3), "µV": (1e-2, 1e3), "T": (1e-16, 1e-10), "T/m": (1e-15, 1e-8)}
"""Standard deviations that a recording of this unit can have: amplifiers' noise to artefacts."""
LARGEST_MM = 400.0
SMALLEST_MM = 2.0
LONGEST_TR_S = 30.0


@dataclass(frozen=True)
class Facts:
    """What an array holds.

    Parameters
    ----------
    shape : tuple of int
    low, high : float
        Smallest and largest finite value; not-a-number if there is none.
    spread : float
        Median over units of the standard deviation.
    n_missing : int
        Values that are not finite.
    n_constant, n_saturated : int
        Units that never change; that often stand at one largest or smallest value.
    doubled : tuple of pairs of int
        Rows that hold exactly the same values.

    Examples
    --------
    >>> measure(Piece("a", np.array([[1.0, 2.0], [3.0, 2.0]]), "trial", 2)).n_constant
    1
    """

    shape: tuple[int, ...]
    low: float
    high: float
    spread: float
    n_missing: int
    n_constant: int
    n_saturated: int
    doubled: tuple[tuple[int, int], ...]


@dataclass
class _Extremes:
    """Smallest or largest value of each unit, and how often it is reached."""

    sign: int
    value: NDArray[np.float64]
    count: NDArray[np.int64]

    @classmethod
    def start(cls, sign: int, width: int) -> _Extremes:
        return cls(sign, np.full(width, -np.inf), np.zeros(width, np.int64))

    def add(self, values: NDArray[np.float64]) -> None:
        signed = self.sign * values
        top = np.max(signed, axis=0, initial=-np.inf, where=np.isfinite(signed))
        hits = (signed == top).sum(axis=0)
        self.count = np.where(top > self.value, hits, self.count + hits * (top == self.value))
        self.value = np.maximum(self.value, top)


@dataclass
class _Sums:
    """Count, sum and sum of squares of each unit around its first value."""

    first: NDArray[np.float64]
    n: NDArray[np.int64]
    total: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def start(cls, first: NDArray[np.float64]) -> _Sums:
        nothing = np.zeros(len(first))
        origin = np.where(np.isfinite(first), first, 0.0)
        return cls(origin, np.zeros(len(first), np.int64), nothing, nothing.copy())

    def add(self, values: NDArray[np.float64]) -> None:
        finite = np.isfinite(values)
        moved = np.where(finite, values - self.first, 0.0)
        self.n += finite.sum(axis=0)
        self.total += moved.sum(axis=0)
        self.squares += (moved**2).sum(axis=0)

    def spread(self) -> NDArray[np.float64]:
        n = np.maximum(self.n, 1)
        return np.sqrt(np.maximum(self.squares / n - (self.total / n) ** 2, 0.0))


@dataclass
class _Rows:
    """Rows seen before, by a hash of their bytes."""

    seen: dict[bytes, int] = field(default_factory=dict)
    doubled: list[tuple[int, int]] = field(default_factory=list)

    def add(self, start: int, block: NDArray[Any]) -> None:
        for place, row in enumerate(block, start=start):
            if row.size and (row != row.flat[0]).any():  # constant rows are told otherwise
                key = hashlib.blake2b(np.ascontiguousarray(row).tobytes(), digest_size=16).digest()
                first = self.seen.setdefault(key, place)
                if first != place:
                    self.doubled.append((first, place))


def measure(piece: Piece) -> Facts:
    """Read a piece once, block by block.

    Parameters
    ----------
    piece : Piece

    Returns
    -------
    Facts
    """
    shape = tuple(int(size) for size in piece.values.shape)
    if 0 in shape:
        return Facts(shape, np.nan, np.nan, np.nan, 0, 0, 0, ())
    rows, n_missing = _Rows(), 0
    low = high = sums = None
    for part, values in blocks(piece.values):
        if piece.rows != "sample":
            rows.add(part.start, values)
        table = _by_unit(values.astype(np.float64), piece.n_units)
        if low is None or high is None or sums is None:
            width = table.shape[1]
            low, high = _Extremes.start(-1, width), _Extremes.start(1, width)
            sums = _Sums.start(table[0])
        n_missing += int((~np.isfinite(table)).sum())
        for one in (low, high, sums):
            one.add(table)
    assert low is not None and high is not None and sums is not None  # there is a block
    return _summary(shape, piece, low, high, sums, n_missing, rows)


def _summary(
    shape: tuple[int, ...], piece: Piece, low: _Extremes, high: _Extremes, sums: _Sums,
    n_missing: int, rows: _Rows,
) -> Facts:  # fmt: skip
    least, most = -low.value, high.value
    known = np.isfinite(least)
    constant = known & (least == most)
    often = (low.count * (least != 0) > SATURATED_SHARE * sums.n) | (
        high.count * (most != 0) > SATURATED_SHARE * sums.n
    )
    saturated = known & ~constant & often & (sums.n >= SAMPLES_TO_JUDGE)
    spread = sums.spread()[known & ~constant]
    return Facts(
        shape,
        float(least[known].min()) if known.any() else np.nan,
        float(most[known].max()) if known.any() else np.nan,
        float(np.median(spread)) if len(spread) else 0.0,
        n_missing,
        int(constant.sum()),
        int(saturated.sum()) if piece.rows in ("sample", "trial") else 0,
        tuple(rows.doubled),
    )


def _by_unit(values: NDArray[np.float64], n_units: int) -> NDArray[np.float64]:
    """(n_rows, n_units, ...) as (n_values, n_units); all values as one unit where that can't be."""
    if values.ndim < 2 or values.shape[1] != n_units:
        return values.reshape(-1, 1)
    return np.moveaxis(values, 1, -1).reshape(-1, n_units)


def wrongs(piece: Piece, facts: Facts) -> list[str]:
    """What is wrong with these numbers, a sentence each.

    Examples
    --------
    >>> piece = Piece("a", np.array([[1.0, np.nan], [3.0, 2.0]]), "trial", 2)
    >>> wrongs(piece, measure(piece))
    ['1 values are not finite (NaN or infinite)']
    """
    said: list[str] = []
    if 0 in facts.shape:
        return [f"it is empty (shape {facts.shape})"]
    if facts.n_missing and not piece.background:
        said.append(f"{facts.n_missing} values are not finite (NaN or infinite)")
    if not np.isfinite(facts.low):
        said.append("it holds no finite value at all")
    elif facts.low == facts.high and (facts.low == 0 or not piece.background):
        said.append(f"all values are {facts.low:g}")
    if facts.doubled and piece.rows in ("trial", "picture"):
        said.append(_doubled(piece, facts))
    return said + _places(piece) + _rate(piece)


def suspects(piece: Piece, facts: Facts) -> list[str]:
    """What may be meant so, a sentence each."""
    said = _scale(piece, facts)
    if facts.n_missing and piece.background and np.isfinite(facts.low):
        said.append(f"{facts.n_missing} values are not finite (outside the brain?)")
    if facts.n_constant and facts.low != facts.high and not piece.background:
        said.append(f"{facts.n_constant} of {piece.n_units} units never change")
    if facts.n_saturated:
        said.append(
            f"{facts.n_saturated} of {piece.n_units} units stand at their largest or smallest "
            f"value in over {SATURATED_SHARE:.0%} of samples (saturated or clipped)"
        )
    if facts.doubled and piece.rows == "volume":
        said.append(f"{len(facts.doubled)} volumes repeat another (first: {facts.doubled[0][1]})")
    return said


def _doubled(piece: Piece, facts: Facts) -> str:
    first, second = facts.doubled[0]
    shown = piece.stimulus
    names = "" if shown is None else f", '{shown[first]}' and '{shown[second]}'"
    return (
        f"{len(facts.doubled)} {piece.rows}s hold exactly the values of another (first: rows "
        f"{first} and {second}{names})"
    )


def _scale(piece: Piece, facts: Facts) -> list[str]:
    low, high = SPREADS.get(piece.unit, (0.0, np.inf))
    if not facts.spread or low <= facts.spread <= high:
        return []
    return [
        f"values vary by {facts.spread:.2g} {piece.unit}, where {low:g} to {high:g} is usual: "
        f"another unit was written or read (volts against microvolts?)"
    ]


def _places(piece: Piece) -> list[str]:
    if piece.positions is None or not len(piece.positions):
        return []
    reach = float(np.nanmax(np.abs(piece.positions)))
    if SMALLEST_MM <= reach <= LARGEST_MM:
        return []
    return [f"positions reach to {reach:g} mm from the origin: another unit than mm was written"]


def _rate(piece: Piece) -> list[str]:
    tr_s = float(piece.rate.split()[1]) if piece.rate.startswith("TR ") else 1.0
    if 0 < tr_s <= LONGEST_TR_S:
        return []
    return [f"the repetition time is {tr_s:g} s: milliseconds were written as seconds?"]
