"""The network of MindBridge.

Shapes: B trials, n bins (8192), h hidden units (2048), r adapter units (128).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class BridgeSizes:
    """How large the network is; the defaults are the published ones.

    Examples
    --------
    >>> BridgeSizes(n_pooled=64, n_hidden=32).n_blocks
    4
    """

    n_pooled: int = 8192
    n_hidden: int = 2048
    n_blocks: int = 4
    n_bottleneck: int = 128
    dropout_in: float = 0.5
    dropout: float = 0.15


class Adapter(nn.Module):
    """A residual bottleneck that starts as the identity: x + up(relu(down(x)))."""

    def __init__(self, n_units: int, n_bottleneck: int) -> None:
        super().__init__()
        self.down = nn.Linear(n_units, n_bottleneck)
        self.up = nn.Linear(n_bottleneck, n_units)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, values: Tensor) -> Tensor:
        """(B, n) to (B, n)."""
        out: Tensor = values + self.up(torch.relu(self.down(values)))
        return out


class Block(nn.Module):
    """A residual block of the translator."""

    def __init__(self, n_hidden: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_hidden, n_hidden), nn.LayerNorm(n_hidden), nn.GELU(), nn.Dropout(dropout)
        )

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, h) to (B, h)."""
        out: Tensor = hidden + self.layers(hidden)
        return out


def embedder(sizes: BridgeSizes) -> nn.Sequential:
    """One person's bins to the shared space, (B, n) to (B, h)."""
    return nn.Sequential(
        Adapter(sizes.n_pooled, sizes.n_bottleneck),
        nn.Linear(sizes.n_pooled, sizes.n_hidden),
        nn.LayerNorm(sizes.n_hidden),
        nn.GELU(),
        nn.Dropout(sizes.dropout_in),
    )


def builder(sizes: BridgeSizes) -> nn.Sequential:
    """The shared space to one person's bins, (B, h) to (B, n)."""
    return nn.Sequential(
        nn.Linear(sizes.n_hidden, sizes.n_pooled),
        nn.LayerNorm(sizes.n_pooled),
        nn.GELU(),
        Adapter(sizes.n_pooled, sizes.n_bottleneck),
    )


class MindBridgeNet(nn.Module):
    """Per-person embedders and builders around a shared translator and heads.

    Parameters
    ----------
    n_subjects : int
    heads : mapping of str to tuple of int
        Shape of one row of each target, such as ``{'image': (257, 768), 'text': (77, 768)}``.
    sizes : BridgeSizes

    Sources
    -------
    Wang et al., MindBridge (CVPR 2024), section 3 and the published settings. The builder reads
    the embedder's output, before the translator.

    Examples
    --------
    >>> net = MindBridgeNet(2, {"image": (3, 4)}, BridgeSizes(n_pooled=8, n_hidden=6))
    >>> hidden = net.embed(1, torch.zeros(5, 8))
    >>> hidden.shape, net.predict(hidden)["image"].shape, net.build(0, hidden).shape
    (torch.Size([5, 6]), torch.Size([5, 12]), torch.Size([5, 8]))
    """

    def __init__(
        self, n_subjects: int, heads: Mapping[str, Sequence[int]], sizes: BridgeSizes
    ) -> None:
        super().__init__()
        self.sizes = sizes
        self.embedders = nn.ModuleList(embedder(sizes) for _ in range(n_subjects))
        self.builders = nn.ModuleList(builder(sizes) for _ in range(n_subjects))
        self.translator = nn.Sequential(
            *(Block(sizes.n_hidden, sizes.dropout) for _ in range(sizes.n_blocks))
        )
        self.head_names = list(heads)
        self.heads = nn.ModuleList(
            nn.Linear(sizes.n_hidden, math.prod(shape)) for shape in heads.values()
        )

    def add_subject(self) -> int:
        """A fresh embedder and builder for one more person; gives their number."""
        like = next(self.parameters())
        self.embedders.append(embedder(self.sizes).to(like.device))
        self.builders.append(builder(self.sizes).to(like.device))
        return len(self.embedders) - 1

    def embed(self, person: int, pooled: Tensor) -> Tensor:
        """A person's bins (B, n) as points of the shared space (B, h)."""
        out: Tensor = self.embedders[person](pooled)
        return out

    def build(self, person: int, hidden: Tensor) -> Tensor:
        """Points of the shared space (B, h) as a person's bins (B, n)."""
        out: Tensor = self.builders[person](hidden)
        return out

    def predict(self, hidden: Tensor) -> dict[str, Tensor]:
        """Points of the shared space (B, h) as flattened targets (B, tokens * dims) by head."""
        shared = self.translator(hidden)
        return {name: head(shared) for name, head in zip(self.head_names, self.heads, strict=True)}
