"""Mean and spread of each voxel over the training trials, read once in bounded memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurodecode.data import Responses, blocks
from neurodecode.encoders.core.base import check_finite


def voxel_moments(responses: Responses) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and standard deviation of each unit; those that never change get scale 1.

    Parameters
    ----------
    responses : Responses
        Training trials only, any axes after the first.

    Returns
    -------
    mean, scale : float32 arrays of one trial's shape

    Raises
    ------
    ValueError
        If there is no trial or a value is not finite.

    Examples
    --------
    >>> trials = Responses(np.array([[1.0, 5.0], [3.0, 5.0]]), ["a", "b"], "s", "fmri")
    >>> [one.tolist() for one in voxel_moments(trials)]
    [[2.0, 5.0], [1.0, 1.0]]
    """
    if not len(responses):
        raise ValueError(
            f"Subject '{responses.subject}' has no trial in the training part of the split. "
            f"Check the split's ids against responses.stimulus."
        )
    n_seen, shape = 0, tuple(responses.values.shape[1:])
    mean, spread = np.zeros(shape), np.zeros(shape)
    for _, block in blocks(responses.values):
        check_finite(block, responses.subject)
        values = block.astype(np.float64)
        shift = values.mean(axis=0) - mean
        n_new = len(values)
        # Chan, Golub & LeVeque's update: stable, and the blocks need not fit in memory together.
        spread += ((values - values.mean(axis=0)) ** 2).sum(axis=0)
        spread += shift**2 * n_seen * n_new / (n_seen + n_new)
        mean += shift * n_new / (n_seen + n_new)
        n_seen += n_new
    scale = np.sqrt(spread / n_seen)
    scale[scale < 1e-6 * (1.0 + np.abs(mean))] = 1.0
    return mean.astype(np.float32), scale.astype(np.float32)


def set_moments(module: Any, responses: Responses) -> None:
    """Put the moments of the training trials into a module's buffers ``mean`` and ``scale``."""
    mean, scale = (torch.from_numpy(one) for one in voxel_moments(responses))
    module.mean.copy_(_fit(mean, module.mean))
    module.scale.copy_(_fit(scale, module.scale))


def _fit(values: Tensor, buffer: Tensor) -> Tensor:
    return values.reshape(buffer.shape)
