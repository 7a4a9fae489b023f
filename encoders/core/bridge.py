"""Linear maps from groups of one person's columns to shared components, a token a group."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

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
