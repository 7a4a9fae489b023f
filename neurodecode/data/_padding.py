"""Trials of different lengths in one array, with a mask of what was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def pad_trials(
    signals: Sequence[NDArray[Any]], n_times: int | None = None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Signals of different lengths side by side, zeros after their ends.

    Parameters
    ----------
    signals : sequence of array, shape (n_channels, n_times_of_the_trial)
        All with the same channels.
    n_times : int, optional
        Length to pad to; default that of the longest.

    Returns
    -------
    values : float32 array, shape (n_trials, n_channels, n_times)
    valid : bool array, shape (n_trials, n_times)
        False where zeros were put; for `Responses.valid`.

    Raises
    ------
    ValueError
        If there is no signal, one is longer than ``n_times``, or channels differ.

    Examples
    --------
    >>> values, valid = pad_trials([np.ones((1, 2)), np.ones((1, 3))])
    >>> values[:, 0].tolist(), valid.sum(axis=1).tolist()
    ([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]], [2, 3])
    """
    if not signals:
        raise ValueError("There are no trials to pad.")
    lengths = np.array([signal.shape[1] for signal in signals])
    longest = int(lengths.max()) if n_times is None else n_times
    if lengths.max() > longest:
        raise ValueError(
            f"{int((lengths > longest).sum())} of {len(signals)} trials are longer than {longest} "
            f"samples (longest: {lengths.max()}). Cut them, leave them out, or give a larger "
            f"n_times."
        )
    n_channels = sorted({len(signal) for signal in signals})
    if len(n_channels) > 1:
        raise ValueError(
            f"Trials have {n_channels} channels; to stand in one array they need the same."
        )
    values = np.zeros((len(signals), n_channels[0], longest), dtype=np.float32)
    for row, signal in enumerate(signals):
        values[row, :, : signal.shape[1]] = signal
    return values, np.arange(longest) < lengths[:, None]
