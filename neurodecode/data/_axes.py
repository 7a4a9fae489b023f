"""What the axes of responses may be called by: rates, times, places."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray


def check_axes(
    who: str,
    sfreq: Any,
    times: NDArray[Any] | None,
    positions: NDArray[Any] | None,
    valid: NDArray[Any] | None,
) -> None:
    """Refuse a rate that is none, times that don't run on, places that are nowhere.

    Parameters
    ----------
    who : str
        Whose they are, for the messages.
    sfreq : float, optional
    times : array, shape (n_times,), optional
    positions : array, shape (n_units, 3), optional
    valid : bool array, shape (n_trials, n_times), optional

    Raises
    ------
    TypeError
        If one is no number, or ``valid`` no mask.
    ValueError
        If a number can't be right.

    Examples
    --------
    >>> check_axes("subject 's'", -100.0, None, None, None)
    Traceback (most recent call last):
    ValueError: sfreq of subject 's' must be a number of samples a second above 0; got -100.0.
    """
    if sfreq is not None:
        _check_rate(who, sfreq)
    if times is not None:
        _check_numbers(who, "times", times)
        if not (np.diff(times) > 0).all():
            row = int(np.argmin(np.diff(times) > 0))
            raise ValueError(
                f"times of {who} must increase; {times[row]:g} s is followed by "
                f"{times[row + 1]:g} s (place {row + 1})."
            )
    if positions is not None:
        _check_numbers(who, "positions", positions)
    if valid is not None and valid.dtype != bool:
        raise TypeError(
            f"valid of {who} must be a mask of True and False; got {valid.dtype}. Give "
            f"valid.astype(bool) if 1 says recorded."
        )


def _check_rate(who: str, sfreq: Any) -> None:
    number = isinstance(sfreq, Real | np.number) and not isinstance(sfreq, bool | np.bool_)
    if not number or not (np.isfinite(sfreq) and sfreq > 0):
        raise ValueError(
            f"sfreq of {who} must be a number of samples a second above 0; got {sfreq!r}."
        )


def _check_numbers(who: str, name: str, values: NDArray[Any]) -> None:
    if values.dtype.kind not in "fiu":
        raise TypeError(f"{name} of {who} must be real numbers; got {values.dtype}.")
    bad = ~np.isfinite(values)
    if bad.any():
        n_bad = int(bad.reshape(len(values), -1).any(axis=1).sum())
        raise ValueError(
            f"{name} of {who} have {n_bad} of {len(values)} rows that are not finite. Leave those "
            f"rows out, or give none at all where they are not known."
        )
