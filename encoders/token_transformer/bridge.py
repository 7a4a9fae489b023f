"""The subject-specific part: ridge maps from groups of units to the shared space, cross-fitted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurodecode.encoders.core.bridge import Bridge, Scaling
from neurodecode.encoders.core.crossfit import SMALL, TensorRows, cross_fit, stimulus_folds


def fit_bridge(
    values: NDArray[np.float32],
    targets: Tensor,
    stimulus: NDArray[np.str_],
    columns: Sequence[NDArray[np.intp]],
    *,
    rank: int | None,
    seed: int,
) -> tuple[Bridge, Tensor]:
    """Ridge from each token's columns to the shared space; penalties by left-out stimuli.

    Parameters
    ----------
    values : array, shape (n_trials, n_columns)
        Training trials.
    targets : Tensor, shape (n_trials, n_dims)
        Centred.
    stimulus : array of str, shape (n_trials,)
        All trials of a stimulus are left out together.
    columns : sequence of int arrays
    rank : int or None
        Keep so many directions of the fitted values.
    seed : int
        Of the folds.

    Returns
    -------
    bridge : Bridge
        Fitted to all trials.
    left_out : Tensor, shape (n_trials, n_tokens, n_dims)
        Tokens of each trial by a bridge that has not seen its stimulus: what the shared part is
        trained on, so that it meets the same noise as with new trials.
    """
    scaling = Scaling.learn(values)
    x = scaling(values)
    exact = min(x.shape) <= SMALL
    rows = TensorRows(x.double() if exact else x)
    fits = cross_fit(rows, targets, stimulus_folds(stimulus, seed), columns)
    weights = [
        _reduce(x[:, cols], one.weights.float(), rank)
        for cols, one in zip(columns, fits, strict=True)
    ]
    left_out = torch.stack([one.left_out.float() for one in fits], dim=1)
    return Bridge(scaling, list(columns), weights), left_out


def _reduce(x: Tensor, weights: Tensor, rank: int | None) -> Tensor:
    """Reduced-rank ridge: keep the main directions of the fitted values."""
    if rank is None or rank >= min(weights.shape):
        return weights
    _, _, directions = torch.linalg.svd(x @ weights, full_matrices=False)
    return torch.as_tensor(weights @ directions[:rank].T @ directions[:rank])
