"""One person's cross-fitted maps, within the memory given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurodecode.data import Responses, left_out_together
from neurodecode.encoders.core.bridge import CLIP, Bridge, Scaling
from neurodecode.encoders.core.crossfit import SMALL, cross_fit, stimulus_folds
from neurodecode.encoders.core.rows import StandardRows
from neurodecode.training import pick_device

MAX_BLOCK_BYTES = 192 * 2**20


@dataclass(frozen=True)
class FitOptions:
    """How maps are fitted; see `CalibratedRidge`."""

    penalties: tuple[float, ...]
    n_folds: int
    dtype: str
    device: str
    max_memory: int
    seed: int

    def check(self) -> None:
        """Refuse what can't be fitted with.

        Raises
        ------
        ValueError
            If a penalty is not positive, there is but one fold, or the dtype is unknown.
        """
        if not self.penalties or not all(math.isfinite(one) and one > 0 for one in self.penalties):
            raise ValueError(f"penalties must be positive numbers; got {list(self.penalties)}.")
        if self.n_folds < 2:
            raise ValueError(f"n_folds must be 2 or more; got {self.n_folds}.")
        if self.dtype not in ("auto", "float32", "float64"):
            raise ValueError(f"dtype must be 'auto', 'float32' or 'float64'; got '{self.dtype}'.")

    def pick(self, size: int) -> tuple[torch.device, torch.dtype]:
        """Device and dtype for Gram matrices of so many rows."""
        device = pick_device(self.device)
        if device.type == "mps":  # has no float64, and no Cholesky solver of its own
            device = torch.device("cpu")
        exact = size <= SMALL if self.dtype == "auto" else self.dtype == "float64"
        return device, torch.float64 if exact else torch.float32


def fit_person(
    train: Responses, wanted: Tensor, columns: Sequence[NDArray[np.intp]], options: FitOptions
) -> tuple[Bridge, Tensor]:
    """Fit one person's tokens.

    Parameters
    ----------
    train : Responses
        Training trials; may be lazy.
    wanted : Tensor, shape (n_trials, n_components)
    columns : sequence of int arrays
        Of each token, ascending.
    options : FitOptions

    Returns
    -------
    bridge : Bridge
    left_out : Tensor, shape (n_trials, n_tokens, n_components)
        Float32, on the CPU.
    """
    options.check()
    n_dims = math.prod(train.values.shape[1:])
    device, dtype = options.pick(min(len(train), n_dims))
    keep, block = _memory((len(train), n_dims), dtype.itemsize, options, train.subject)
    rows = StandardRows(
        train.values, device=device, dtype=dtype, keep_bytes=keep, block_bytes=block, clip=CLIP
    ).learn(standardise=True, subject=train.subject)
    folds = stimulus_folds(left_out_together(train), options.seed, options.n_folds)
    fits = cross_fit(rows, wanted, folds, columns, options.penalties)
    weights = [one.weights.cpu().float() for one in fits]
    left_out = torch.stack([one.left_out.cpu().float() for one in fits], dim=1)
    scaling = Scaling(rows.mean.cpu().float(), rows.scale.cpu().float())
    return Bridge(scaling, list(columns), weights), left_out


def _memory(
    shape: tuple[int, int], itemsize: int, options: FitOptions, subject: str
) -> tuple[int, int]:
    """Bytes for kept rows and for a block of rows; the rest is for Gram matrices."""
    n_rows, n_dims = shape
    primal = n_dims <= n_rows
    share = options.n_folds / 2 + 1 if primal else 4
    matrices = int(share * min(n_rows, n_dims) ** 2 * itemsize)
    spare = options.max_memory - matrices
    if spare < 64 * n_dims * itemsize:
        needed = (matrices + 64 * n_dims * itemsize) / 2**20
        raise ValueError(
            f"Ridge of subject '{subject}' on {n_rows} trials x {n_dims} features needs about "
            f"{needed:.1f} MB and max_memory allows {options.max_memory / 2**20:.1f} MB. Raise "
            f"max_memory, use dtype='float32', or select fewer voxels or trials."
        )
    rows = n_rows * n_dims * itemsize
    keep = rows if rows <= spare // 2 else 0
    return keep, min(MAX_BLOCK_BYTES, (spare - keep) // 4)
