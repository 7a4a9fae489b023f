"""From a target back to the shared space, for responses to stimuli that nobody saw."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PENALTIES = tuple(10.0**power for power in range(-6, 4))


def head_features(head: nn.Linear, target: Tensor) -> Tensor:
    """Normalised targets (B, D) as the head's own directions (B, h): target times weights."""
    rows = F.normalize(target.flatten(1).to(head.weight.dtype), dim=1)
    return (rows @ head.weight).float()


class Inverse(nn.Module):
    """A ridge map (B, h) to (B, h) from a head's features to the embedders' output.

    Parameters
    ----------
    n_hidden : int
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, n_hidden: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(n_hidden, n_hidden))
        self.register_buffer("bias", torch.zeros(n_hidden))

    def forward(self, features: Tensor) -> Tensor:
        """(B, h) to (B, h)."""
        return features @ self.weight + self.bias

    def learn(
        self,
        train: Iterator[tuple[Tensor, Tensor]],
        validation: Iterator[tuple[Tensor, Tensor]],
    ) -> Inverse:
        """Fit from (features, hidden) pairs, batch by batch; the penalty by validation error.

        Without validation pairs the penalty is a thousandth of the mean variance.
        """
        covariance, cross, means = _moments(train)
        held_out = list(validation)
        scale = float(covariance.diagonal().mean()) or 1.0
        values, vectors = torch.linalg.eigh(covariance)
        rotated = vectors.T @ cross

        def solve(penalty: float) -> tuple[Tensor, Tensor]:
            shrunk = values.clamp_min(0.0) + penalty * scale
            weight = vectors @ (rotated / shrunk[:, None])
            return weight, means[1] - means[0] @ weight

        def error(penalty: float) -> float:
            weight, bias = solve(penalty)
            return sum(float((x.double() @ weight + bias - y).square().sum()) for x, y in held_out)

        best = min(PENALTIES, key=error) if held_out else 1e-3
        weight, bias = solve(best)
        self.weight.copy_(weight)
        self.bias.copy_(bias)
        return self


def _moments(pairs: Iterator[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Covariances of x with x and with y, and both means, from one walk over the pairs."""
    n_seen = 0
    sums: list[Tensor] = []
    for x, y in pairs:
        x, y = x.double(), y.double()  # noqa: PLW2901
        new = [x.T @ x, x.T @ y, x.sum(0), y.sum(0)]
        sums = new if not sums else [a + b for a, b in zip(sums, new, strict=True)]
        n_seen += len(x)
    means = [sums[2] / n_seen, sums[3] / n_seen]
    covariance = sums[0] / n_seen - torch.outer(means[0], means[0])
    cross = sums[1] / n_seen - torch.outer(means[0], means[1])
    return covariance, cross, means
