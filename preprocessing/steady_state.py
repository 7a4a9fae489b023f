"""Canonical correlations of EEG with flicker frequencies, for steady-state responses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def reference_signals(
    frequency_hz: float, n_times: int, sfreq: float, n_harmonics: int = 3
) -> NDArray[np.float64]:
    """Sines and cosines of a frequency and its harmonics, shape (n_times, 2 * n_harmonics).

    Examples
    --------
    >>> reference_signals(10.0, 100, 100.0, n_harmonics=2).shape
    (100, 4)
    """
    phase = 2 * np.pi * frequency_hz * np.arange(n_times)[:, None] / sfreq
    phase = phase * np.arange(1, n_harmonics + 1)
    return np.concatenate([np.sin(phase), np.cos(phase)], axis=1)


def canonical_correlations(
    values: NDArray[Any],
    frequencies_hz: Sequence[float],
    sfreq: float,
    *,
    n_harmonics: int = 3,
    n_components: int = 2,
) -> NDArray[np.float64]:
    """How well each flicker frequency explains each trial.

    The canonical correlations between a trial's channels and the sines and cosines of a frequency
    are the singular values of Q_x' Q_y, with Q the orthonormal bases of the centred signals.

    Parameters
    ----------
    values : array, shape (n_trials, n_channels, n_times)
    frequencies_hz : sequence of float
    sfreq : float
        Hz.
    n_harmonics, n_components : int
        Harmonics in the reference, and correlations kept for each frequency.

    Returns
    -------
    array, shape (n_trials, n_frequencies, n_components)
        Between 0 and 1, the largest first.

    Sources
    -------
    Lin, Zhang, Wu, Gao 2006, "Frequency recognition based on canonical correlation analysis for
    SSVEP-based BCIs", IEEE TBME 53(12), section II; there only the first correlation is kept.

    Examples
    --------
    >>> seconds = np.arange(256) / 256
    >>> trial = np.stack([np.sin(2 * np.pi * 13 * seconds), np.cos(2 * np.pi * 7 * seconds)])
    >>> canonical_correlations(trial[None], [13, 17], 256.0).round(2)[0, :, 0].tolist()
    [1.0, 0.0]
    """
    signal = np.asarray(values, dtype=np.float64).transpose(0, 2, 1)
    signal = signal - signal.mean(axis=1, keepdims=True)
    basis = np.linalg.qr(signal)[0]
    found = []
    for frequency in frequencies_hz:
        wave = reference_signals(frequency, signal.shape[1], sfreq, n_harmonics)
        wave_basis = np.linalg.qr(wave - wave.mean(axis=0))[0]
        singular = np.linalg.svd(basis.transpose(0, 2, 1) @ wave_basis, compute_uv=False)
        found.append(singular[:, :n_components])
    return np.stack(found, axis=1)
