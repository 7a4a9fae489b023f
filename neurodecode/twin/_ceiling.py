"""How much of the variance can be explained at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Responses


def ceiling_of(snr: NDArray[np.floating], n_repeats: int = 1) -> NDArray[np.float64]:
    """Share of explainable variance when ``n_repeats`` responses are averaged.

    ``snr**2 / (snr**2 + 1 / n_repeats)``, with ``snr`` the standard deviation of the signal over
    that of one trial's noise.

    Sources
    -------
    Allen et al. (2022), A massive 7T fMRI dataset, Methods, "Noise ceiling": there called ncsnr.

    Examples
    --------
    >>> ceiling_of(np.array([0.0, 1.0]), 3).tolist()
    [0.0, 0.75]
    """
    square = np.asarray(snr, dtype=np.float64) ** 2
    return np.asarray(square / (square + 1 / n_repeats))


def measured_noise_ceiling(responses: Responses, n_repeats: int = 1) -> NDArray[np.float64]:
    """Estimate the noise ceiling of each unit (and time) from repeated stimuli.

    The noise variance is the mean variance over repeats of one stimulus; the signal variance is
    what remains of the variance of the means, not below 0.

    Parameters
    ----------
    responses : Responses
        Stimuli shown once are left out.
    n_repeats : int
        The ceiling for averages of so many trials.

    Returns
    -------
    float array, the shape of one trial
        From 0 to 1.

    Raises
    ------
    ValueError
        If fewer than two stimuli are repeated.

    Sources
    -------
    Allen et al. (2022), Methods, "Noise ceiling"; the correction for the noise left in the means
    of few repeats is the usual one of an analysis of variance.

    Examples
    --------
    >>> values = np.array([[1.0], [1.0], [3.0], [3.0]])
    >>> measured_noise_ceiling(Responses(values, list("aabb"), "s", "fmri")).tolist()
    [1.0]
    """
    ids, row, count = np.unique(responses.stimulus, return_inverse=True, return_counts=True)
    if (count > 1).sum() < 2:
        raise ValueError(
            f"The noise ceiling of subject '{responses.subject}' needs two or more stimuli shown "
            f"repeatedly; got {int((count > 1).sum())} of {len(ids)}."
        )
    kept = np.flatnonzero(count[row] > 1)
    values = np.asarray(responses.take(kept).array(np.float64))
    _, row, count = np.unique(row[kept], return_inverse=True, return_counts=True)
    shape = (-1,) + (1,) * (values.ndim - 1)
    mean = np.zeros((len(count), *values.shape[1:]))
    np.add.at(mean, row, values)
    mean /= count.reshape(shape)
    noise = ((values - mean[row]) ** 2).sum(axis=0) / (len(values) - len(count))
    signal = np.maximum(mean.var(axis=0, ddof=1) - noise * np.mean(1 / count), 0)
    total = signal + noise / n_repeats
    share = np.divide(signal, total, out=np.zeros_like(total), where=total > 0)
    return np.asarray(share)
