"""Values in a narrower dtype, without losing more than that dtype says.

float16 keeps 11 bits of numbers between 6e-5 and 65504, fewer below and none above: MEG in tesla
(1e-13) would be zeros. Where a unit's values lie outside, they are stored divided by a power of two
of the unit's own, which loses no bit, and multiplied again when they are read.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALLEST_PEAK = 2.0**-6
"""A unit whose largest value is smaller is scaled: near zero, steps of float16 are 6e-8 wide."""
PEAK_EXPONENT = 14
"""Scaled values lie below 2^14, so that what is a billionth of the largest still has 11 bits."""
SMALLEST_KEPT = 2.0**-100
"""Smaller largest values than this don't fit float32, in which scaled values are read."""


def check_kind(name: str, dtype: Any) -> np.dtype[Any]:
    """The dtype of responses or embeddings that is meant.

    Raises
    ------
    TypeError
        If it is none, or holds neither real numbers nor integers.
    """
    try:
        kind: np.dtype[Any] | None = np.dtype(dtype)
    except TypeError:
        kind = None
    if kind is None or kind.kind not in "fiub":
        given = dtype if kind is None else kind
        raise TypeError(
            f"{name} can't be stored as {given}: values are real numbers or integers. Use "
            f"'float32' or 'float16'."
        )
    return kind


def narrowed(name: str, block: NDArray[Any], kind: np.dtype[Any]) -> NDArray[Any]:
    """A block in a file's dtype.

    Raises
    ------
    ValueError
        If the dtype is of integers and a value is not the same in it.

    Examples
    --------
    >>> narrowed("r.h5", np.array([1.0, 2.0]), np.dtype("int8")).tolist()
    [1, 2]
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # told below, in words
        after = block.astype(kind, copy=False)
    if kind.kind not in "f" and block.dtype != kind:
        lost = np.flatnonzero(np.ravel(block) != np.ravel(after))
        if len(lost):
            raise ValueError(
                f"{name} can't be stored as {kind}: {np.ravel(block)[lost[0]]:.6g} would become "
                f"{np.ravel(after)[lost[0]]}. Store it as float16, which keeps 11 bits at any "
                f"scale, or round it first."
            )
    return after


def peaks(block: NDArray[Any], axis: int | None) -> NDArray[np.float64]:
    """The largest size of a finite value of each unit, in a shape that goes with a row.

    Examples
    --------
    >>> peaks(np.array([[1.0, -3.0], [np.nan, np.inf]]), axis=1).tolist()
    [1.0, 3.0]
    """
    others = tuple(one for one in range(block.ndim) if one != axis)
    if block.dtype.kind == "f" and np.isinf(block).any():
        block = np.where(np.isinf(block), 0, block)
    high = np.fmax.reduce(block, axis=others, keepdims=True)[0].astype(np.float64)
    low = np.fmin.reduce(block, axis=others, keepdims=True)[0].astype(np.float64)
    return np.asarray(np.nan_to_num(np.maximum(high, -low)))


def scale_for(
    name: str, peak: NDArray[np.float64], kind: np.dtype[Any]
) -> NDArray[np.float32] | None:
    """A power of two for each unit; None where the dtype holds the values as they are.

    Raises
    ------
    ValueError
        If they don't fit float32 either.

    Examples
    --------
    >>> scale_for("r.h5", np.array([0.5, 3.0]), np.dtype("float16"))
    >>> scale_for("r.h5", np.array([3e-13, 0.0]), np.dtype("float16")).tolist()
    [2.7755575615628914e-17, 1.0]
    """
    small = (peak > 0) & (peak < SMALLEST_KEPT)
    if small.any() or (peak > np.finfo(np.float32).max).any():
        worst = peak[small].min() if small.any() else peak.max()
        raise ValueError(
            f"{name} can't be stored as {kind}: a unit's largest value is {worst:.3g}, which "
            f"float32 does not hold well. Scale the values first, or store them as float64."
        )
    if kind.itemsize > 2:
        return None
    held = (peak == 0) | ((peak >= SMALLEST_PEAK) & (peak <= np.finfo(kind).max))
    if held.all():
        return None
    exponent = np.frexp(peak)[1] - PEAK_EXPONENT
    return np.where(peak > 0, np.ldexp(1.0, exponent), 1.0).astype(np.float32)
