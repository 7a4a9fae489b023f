"""Noise as brains and machines make it: correlated over units and coloured in time."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

N_WAVES = 64


def smooth_maps(
    positions_mm: NDArray[np.float64], n_maps: int, width_mm: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Random maps of variance 1 that are alike in neighbouring units.

    Two units r mm apart have a correlation of ``exp(-r^2 / (2 width^2))``, in expectation.

    Returns
    -------
    float32 array, shape (n_maps, n_units)

    Sources
    -------
    Rahimi and Recht (2007), Random features for large-scale kernel machines, algorithm 1.

    Examples
    --------
    >>> smooth_maps(np.zeros((3, 3)), 2, 5.0, np.random.default_rng(0)).shape
    (2, 3)
    """
    waves = rng.normal(0, 1 / width_mm, (3, N_WAVES))
    basis = np.cos(positions_mm @ waves + rng.uniform(0, 2 * np.pi, N_WAVES)) * np.sqrt(2 / N_WAVES)
    # the correlation holds on average over waves; make the variance exactly 1
    basis /= np.sqrt((basis**2).sum(axis=1, keepdims=True))
    return np.asarray(
        rng.standard_normal((n_maps, N_WAVES), dtype=np.float32) @ basis.T.astype(np.float32)
    )


def autoregress(
    values: NDArray[np.float32], memory: float, run: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Give white rows the memory of an AR(1) process within each run; the variance stays.

    Examples
    --------
    >>> white = np.ones((2, 1), dtype=np.float32)
    >>> autoregress(white, 0.0, np.zeros(2, dtype=int)).tolist()
    [[1.0], [1.0]]
    """
    coloured = values.copy()
    fresh = np.sqrt(1 - memory**2)
    for row in range(1, len(values)):
        if run[row] == run[row - 1]:
            coloured[row] = memory * coloured[row - 1] + fresh * values[row]
    return coloured


def pink(
    shape: tuple[int, ...], exponent: float, rng: np.random.Generator, sfreq: float
) -> NDArray[np.float32]:
    """Noise whose power falls as 1/f**exponent above 0.5 Hz, along the last axis.

    The variance is 1 below 50 Hz, whatever the sampling rate.

    Examples
    --------
    >>> pink((2, 64), 1.0, np.random.default_rng(0), 100.0).shape
    (2, 64)
    """
    n_times = shape[-1]
    # a longer stretch is made and cut, so that ends do not meet
    n_long = int(2 ** np.ceil(np.log2(n_times * 1.3)))
    gain = _pink_gain(n_long, exponent, sfreq)
    white = rng.standard_normal((*shape[:-1], len(gain), 2), dtype=np.float32)
    spectrum = (white[..., 0] + 1j * white[..., 1]) * gain
    return np.fft.irfft(spectrum, n_long, axis=-1)[..., :n_times].astype(np.float32)


@lru_cache(maxsize=16)
def _pink_gain(n_long: int, exponent: float, sfreq: float) -> NDArray[np.float32]:
    frequency = np.fft.rfftfreq(n_long, 1 / sfreq)
    gain = np.maximum(frequency, 0.5) ** (-exponent / 2)
    gain[0] = 0.0
    # irfft of unit complex noise has variance 2 * 2 * sum(gain^2) / n^2
    kept = np.sqrt((gain[frequency <= 50.0] ** 2).sum())
    return np.asarray(gain * n_long / (2 * kept), dtype=np.float32)
