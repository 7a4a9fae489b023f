"""The subject-specific part: ridge maps from groups of units to the shared space, cross-fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Candidates, in units of the mean squared length of a trial."""
N_FOLDS = 5
CLIP = 4.0
"""Standardised responses beyond this are movement, not signal."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """Mean and spread of each column over training trials.

    Examples
    --------
    >>> scaling = Scaling.learn(np.array([[0.0], [2.0]], dtype=np.float32))
    >>> scaling(np.array([[100.0]], dtype=np.float32)).tolist()
    [[4.0]]
    """

    mean: Tensor
    scale: Tensor

    @classmethod
    def learn(cls, values: NDArray[np.float32]) -> Scaling:
        """From training trials, shape (n_trials, n_columns); not-a-number is left out."""
        there = np.isfinite(values)
        count = np.maximum(there.sum(axis=0), 1)
        mean = np.where(there, values, 0).sum(axis=0) / count
        spread = np.sqrt(np.where(there, (values - mean) ** 2, 0).sum(axis=0) / count)
        spread[spread < 1e-6 * (1 + np.abs(mean))] = 1.0
        return cls(torch.from_numpy(mean).float(), torch.from_numpy(spread).float())

    def __call__(self, values: NDArray[np.float32]) -> Tensor:
        """Standardised and clipped; padded samples become 0."""
        centred = (torch.from_numpy(np.ascontiguousarray(values)) - self.mean) / self.scale
        return centred.clamp(-CLIP, CLIP).nan_to_num(0.0)


@dataclass(frozen=True, eq=False)
class Bridge:
    """From one person's standardised columns to the shared space, token by token.

    Parameters
    ----------
    scaling : Scaling
    columns : list of int arrays
        What each token reads; empty where the person lacks the region.
    weights : list of Tensor, each (n_columns, n_dims)
    """

    scaling: Scaling
    columns: list[NDArray[np.intp]]
    weights: list[Tensor]

    def tokens(self, values: NDArray[np.float32]) -> Tensor:
        """Tokens of trials, shape (n_trials, n_tokens, n_dims); missing ones are 0."""
        x = self.scaling(values)
        read = [x[:, cols] @ one for cols, one in zip(self.columns, self.weights, strict=True)]
        return torch.stack(read, dim=1)

    @property
    def there(self) -> Tensor:
        """Which tokens this person has, shape (n_tokens,)."""
        return torch.tensor([len(one) > 0 for one in self.columns])


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
    x, folds = scaling(values), _folds(stimulus, seed)
    weights, left_out = [], []
    for cols in columns:
        if len(cols) == 0:
            weights.append(torch.zeros(0, targets.shape[1]))
            left_out.append(torch.zeros(len(x), targets.shape[1]))
            continue
        part = x[:, cols]
        penalty, predicted = _cross_fit(part, targets, folds)
        weights.append(_reduce(part, _solve(part, targets, penalty), rank))
        left_out.append(predicted)
    return Bridge(scaling, list(columns), weights), torch.stack(left_out, dim=1)


def _folds(stimulus: NDArray[np.str_], seed: int) -> Tensor:
    ids, code = np.unique(stimulus, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(ids)) % min(N_FOLDS, len(ids))
    return torch.from_numpy(order[code])


def _cross_fit(x: Tensor, y: Tensor, folds: Tensor) -> tuple[float, Tensor]:
    """The penalty whose left-out predictions follow the targets best, and those predictions.

    Correlations are compared, not errors: how far predictions shrink is for the shared part.
    """
    predicted = torch.zeros(len(PENALTIES), *y.shape)
    gram = (x @ x.T).double()
    for fold in folds.unique().tolist():
        out = folds == fold
        inside, across = gram[~out][:, ~out], gram[out][:, ~out]
        values, vectors = torch.linalg.eigh(inside)
        right = vectors.T @ y[~out].double()
        left = across @ vectors
        unit = float(inside.diagonal().mean())
        for i, penalty in enumerate(PENALTIES):
            shrunk = right / (values.clamp_min(0) + penalty * unit)[:, None]
            predicted[i, out] = (left @ shrunk).float()
    best = int(_agreement(predicted, y).argmax())
    return PENALTIES[best], predicted[best]


def _agreement(predicted: Tensor, y: Tensor) -> Tensor:
    """Mean squared correlation over components, by the components' spread."""
    centred = predicted - predicted.mean(dim=1, keepdim=True)
    size = centred.norm(dim=1) * y.norm(dim=0) + 1e-12
    return torch.as_tensor(((centred * y).sum(dim=1) / size).square() @ y.norm(dim=0))


def _solve(x: Tensor, y: Tensor, penalty: float) -> Tensor:
    gram = (x @ x.T).double()
    gram.diagonal().add_(penalty * float(gram.diagonal().mean()))
    return torch.as_tensor(x.T @ torch.linalg.solve(gram, y.double()).float())


def _reduce(x: Tensor, weights: Tensor, rank: int | None) -> Tensor:
    """Reduced-rank ridge: keep the main directions of the fitted values."""
    if rank is None or rank >= weights.shape[1]:
        return weights
    _, _, directions = torch.linalg.svd(x @ weights, full_matrices=False)
    return torch.as_tensor(weights @ directions[:rank].T @ directions[:rank])


def bridge_tensors(bridge: Bridge, prefix: str) -> dict[str, Tensor]:
    """All that a bridge has learned, by name."""
    named = {f"{prefix}.{one.name}": getattr(bridge.scaling, one.name) for one in fields(Scaling)}
    for i, (cols, weights) in enumerate(zip(bridge.columns, bridge.weights, strict=True)):
        named[f"{prefix}.columns.{i}"] = torch.from_numpy(np.asarray(cols))
        named[f"{prefix}.weights.{i}"] = weights
    return named


def bridge_from(tensors: dict[str, Tensor], prefix: str, n_tokens: int) -> Bridge:
    """What `bridge_tensors` named."""
    return Bridge(
        Scaling(tensors[f"{prefix}.mean"], tensors[f"{prefix}.scale"]),
        [tensors[f"{prefix}.columns.{i}"].numpy() for i in range(n_tokens)],
        [tensors[f"{prefix}.weights.{i}"] for i in range(n_tokens)],
    )
