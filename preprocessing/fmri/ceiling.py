"""How much of a voxel's response repeats when the stimulus does.

Sources
-------
E. J. Allen et al., A massive 7T fMRI dataset to bridge cognitive neuroscience and artificial
intelligence, Nature Neuroscience 25 (2022), Methods, "Noise ceiling estimation". We deviate in
taking any number of repeats a stimulus (theirs is three or fewer): the variance over repeats is
averaged over stimuli by their degrees of freedom when numbers differ.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import ArrayLike, blocks


def ncsnr(
    values: ArrayLike, stimulus: NDArray[Any], session: NDArray[Any] | None = None
) -> NDArray[np.float64]:
    """Noise-ceiling signal-to-noise ratio of each voxel: ``sd(signal) / sd(noise)``.

    Responses are z-scored within each session. The noise variance is the variance over the repeats
    of a stimulus (n - 1), averaged over stimuli; the signal variance is what is left of 1, at
    least 0.

    Parameters
    ----------
    values : array-like, shape (n_trials, n_voxels)
        Read in blocks: may be lazy.
    stimulus : array, shape (n_trials,)
        Which stimulus a trial showed; those shown once only count for the z-scores.
    session : array, shape (n_trials,), optional
        All trials are one session when None.

    Returns
    -------
    float array, shape (n_voxels,)
        0 for voxels that do not vary.

    Raises
    ------
    ValueError
        If no stimulus was repeated.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> signal = rng.normal(size=(200, 1)).repeat(3, axis=0)
    >>> noisy = signal * [2.0, 0.0] + rng.normal(size=(600, 2))
    >>> ncsnr(noisy, np.repeat(np.arange(200), 3)).round(1).tolist()
    [1.9, 0.1]
    """
    _, code, count = np.unique(np.asarray(stimulus), return_inverse=True, return_counts=True)
    if not (count > 1).any():
        raise ValueError(
            f"The noise ceiling needs repeated stimuli; each of the {len(count)} stimuli was shown "
            f"once."
        )
    mean, scale = _session_moments(values, session)
    sums = np.zeros((len(count), values.shape[1]))
    squares = np.zeros((len(count), values.shape[1]))
    for rows, block in blocks(values):
        z = (block - mean[rows]) / scale[rows]
        np.add.at(sums, code[rows], z)
        np.add.at(squares, code[rows], z**2)
    repeated = count > 1
    n = count[repeated, None]
    within = squares[repeated] - sums[repeated] ** 2 / n
    noise = np.maximum(within.sum(axis=0) / (n - 1).sum(), 0.0)
    signal = np.sqrt(np.maximum(1.0 - noise, 0.0))
    varies = (squares.sum(axis=0) > 0) & (noise > 0)
    return np.where(varies, signal / np.sqrt(np.where(noise > 0, noise, 1.0)), 0.0)


def noise_ceiling(
    ncsnr: NDArray[Any], n_averaged: int | NDArray[np.integer[Any]] = 1
) -> NDArray[np.float64]:
    """The share of variance, in percent, that a perfect model could explain.

    ``100 q / (q + mean(1 / n))`` with ``q = ncsnr ** 2`` and n the number of trials that were
    averaged for a stimulus.

    Parameters
    ----------
    ncsnr : float array, shape (n_voxels,)
    n_averaged : int, or int array, shape (n_stimuli,)
        Trials averaged for each stimulus.

    Examples
    --------
    >>> noise_ceiling(np.array([0.0, 1.0]), 3).tolist()
    [0.0, 75.0]
    """
    n = np.atleast_1d(np.asarray(n_averaged, dtype=np.float64))
    if (n < 1).any():
        raise ValueError(f"n_averaged counts trials, from 1 on; got {n.min():g}.")
    power = np.asarray(ncsnr, dtype=np.float64) ** 2
    return np.asarray(100.0 * power / (power + np.mean(1.0 / n)))


class _PerRow:
    """One row of a small table for each trial, looked up in slices."""

    def __init__(self, table: NDArray[Any], code: NDArray[np.intp]) -> None:
        self._table, self._code = table, code

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        return np.asarray(self._table[self._code[rows]])


def _session_moments(values: ArrayLike, session: NDArray[Any] | None) -> tuple[_PerRow, _PerRow]:
    groups = np.zeros(values.shape[0]) if session is None else np.asarray(session)
    _, code, count = np.unique(groups, return_inverse=True, return_counts=True)
    total = np.zeros((len(count), values.shape[1]))
    for rows, block in blocks(values):
        np.add.at(total, code[rows], block)
    mean = total / count[:, None]
    squares = np.zeros_like(mean)
    for rows, block in blocks(values):
        np.add.at(squares, code[rows], (block - mean[code[rows]]) ** 2)
    spread = np.sqrt(squares / count[:, None])
    return _PerRow(mean, code), _PerRow(np.where(spread > 0, spread, 1.0), code)
