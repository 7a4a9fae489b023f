"""Trials of sensors as means over bins of time: seconds from onset, or equal parts of a trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Responses
from neurodecode.encoders.core.base import check_finite
from neurodecode.encoders.core.unit_groups import flat_values, time_length

Values: TypeAlias = NDArray[np.float32]
BLOCK = 256
MOST_FEATURES = 6000
"""Wider windows are no default: their Gram matrix would cost more than it tells."""


@dataclass(frozen=True)
class Bins:
    """Bins of equal width within a window.

    Parameters
    ----------
    start_s, stop_s : float
        From stimulus onset, s; a sample at ``stop_s`` is not in it.
    width_s : float

    Examples
    --------
    >>> Bins(0.05, 0.35, 0.02).name
    '50 to 350 ms by 20'
    """

    start_s: float
    stop_s: float
    width_s: float

    @property
    def n_bins(self) -> int:
        """How many, should there be samples in all."""
        return max(1, round((self.stop_s - self.start_s) / self.width_s))

    @property
    def name(self) -> str:
        """Window and width in ms."""
        numbers = [round(1000 * one) for one in (self.start_s, self.stop_s, self.width_s)]
        return f"{numbers[0]} to {numbers[1]} ms by {numbers[2]}"


@dataclass(frozen=True)
class Parts:
    """Equal parts of each trial's own length, for trials that differ in it.

    Sums, not means, are taken over a part (each word answered to adds its own), and the logarithm
    of the length is a feature of its own.

    Parameters
    ----------
    n_parts : int

    Examples
    --------
    >>> Parts(4).name
    '4 parts'
    """

    n_parts: int

    @property
    def name(self) -> str:
        """How many parts."""
        return f"{self.n_parts} parts"


Windows: TypeAlias = Bins | Parts


def as_windows(facts: Mapping[str, float] | Windows) -> Windows:
    """`Bins` or `Parts` from their fields, as they stand in a saved file.

    Examples
    --------
    >>> as_windows({"n_parts": 4})
    Parts(n_parts=4)
    """
    if isinstance(facts, Bins | Parts):
        return facts
    if "n_parts" in facts:
        return Parts(int(facts["n_parts"]))
    return Bins(facts["start_s"], facts["stop_s"], facts["width_s"])


def default_windows(responses: Responses) -> tuple[Windows, ...]:
    """Candidates that suit the recording: windows after onset, or parts where lengths differ.

    Examples
    --------
    >>> values, times = np.zeros((1, 2, 60)), np.arange(-10, 50) / 100
    >>> one = Responses(values, ["a"], "s", "eeg", dims=("trial", "channel", "time"), times=times)
    >>> [one.name for one in default_windows(one)][:2]
    ['50 to 350 ms by 20', '50 to 350 ms by 40']
    """
    if responses.valid is not None:
        return tuple(Parts(number) for number in (1, 2, 4, 8))
    times = seconds_of(responses)
    step = float(times[1] - times[0]) if len(times) > 1 else 1.0
    first, last = max(0.0, float(times[0])), float(times[-1]) + step
    windows = [(0.05, 0.35), (0.05, 0.6), (first, last)]
    kept = [
        (low, high)
        for low, high in windows
        if high <= last + step / 2 and ((times >= low - 5e-7) & (times < high - 5e-7)).any()
    ]
    widths = [one for one in (0.02, 0.04) if one > step] or [step]
    made = dict.fromkeys(Bins(low, high, width) for low, high in kept for width in widths)
    small = [one for one in made if one.n_bins * responses.n_units <= MOST_FEATURES]
    return tuple(small) or (min(made, key=lambda one: one.n_bins),)


def seconds_of(responses: Responses) -> NDArray[np.float64]:
    """Time of each sample, s from onset; from 0 where the recording does not say."""
    n_times = time_length(responses)
    if responses.times is not None:
        return np.asarray(responses.times, dtype=np.float64)
    return np.arange(n_times) / float(responses.sfreq or 1.0)


def binned(responses: Responses, windows: Windows) -> NDArray[np.float32]:
    """Means (or sums, see `Parts`) of each sensor in each bin, shape (n_trials, n_features).

    Raises
    ------
    ValueError
        If values are not finite, or no sample lies in the window.

    Examples
    --------
    >>> values = np.arange(8.0).reshape(1, 2, 4)
    >>> one = Responses(
    ...     values, ["a"], "s", "eeg", dims=("trial", "channel", "time"), sfreq=10.0
    ... )
    >>> binned(one, Bins(0.0, 0.4, 0.2)).tolist()
    [[0.5, 2.5, 4.5, 6.5]]
    """
    if isinstance(windows, Parts):
        return _parts(responses, windows.n_parts)
    weights = _bin_weights(seconds_of(responses), windows, responses.subject)
    return _in_blocks(responses, lambda values, _: values @ weights)


def _in_blocks(responses: Responses, of: Callable[[Values, NDArray[np.intp]], Values]) -> Values:
    """What a function makes of each block (n, unit, time), flattened; one row a trial."""
    found = []
    for start in range(0, len(responses), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(responses)))
        values = flat_values(responses, rows)
        if responses.valid is None:
            check_finite(values, responses.subject)
        found.append(of(values, rows).reshape(len(rows), -1))
    return np.concatenate(found) if found else np.zeros((0, 1), dtype=np.float32)


def _bin_weights(seconds: NDArray[np.float64], bins: Bins, subject: str) -> NDArray[np.float32]:
    edges = bins.start_s + bins.width_s * np.arange(bins.n_bins)
    # half a microsecond: times that are written in ms are no exact numbers
    place = np.searchsorted(edges - 5e-7, seconds, side="right") - 1
    place[seconds > bins.stop_s - 5e-7] = -1
    weights = (place[:, None] == np.arange(bins.n_bins)).astype(np.float32)
    weights = weights[:, weights.any(axis=0)]
    if weights.shape[1] == 0:
        raise ValueError(
            f"No sample of subject '{subject}' lies in the window {bins.name}: trials go from "
            f"{seconds[0]:.3f} to {seconds[-1]:.3f} s. Give a window within."
        )
    return np.asarray(weights / weights.sum(axis=0), dtype=np.float32)


def _parts(responses: Responses, n_parts: int) -> NDArray[np.float32]:
    n_times = time_length(responses)
    whole = np.ones((len(responses), n_times), dtype=bool)
    valid = whole if responses.valid is None else np.asarray(responses.valid)
    length = valid.sum(axis=1)

    def sums(values: Values, rows: NDArray[np.intp]) -> Values:
        inside = valid[rows]
        filled = np.where(inside[:, None, :], values, np.float32(0))
        check_finite(filled, responses.subject)
        # the part of each valid sample, by its rank among the valid ones
        part = (inside.cumsum(axis=1) - 1) * n_parts // np.maximum(length[rows], 1)[:, None]
        weights = inside[:, :, None] & (part[:, :, None] == np.arange(n_parts))
        summed: Values = np.einsum("nct,ntp->ncp", filled, weights.astype(np.float32))
        return summed

    log_length = np.log(np.maximum(length, 1)).astype(np.float32)
    return np.column_stack([_in_blocks(responses, sums), log_length])
