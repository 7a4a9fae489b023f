"""The network of MindEye2's shared space, with a backbone whose every layer counts.

Shapes: B trials, V voxels of a person, h shared units (4096), T tokens of D dims.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from neurodecode.encoders.mindeye2.prior import DiffusionPrior


@dataclass(frozen=True)
class MindEye2Sizes:
    """How large the network is; the defaults are the published ones.

    Examples
    --------
    >>> MindEye2Sizes(n_shared=64).n_blocks
    4
    """

    n_shared: int = 4096
    n_blocks: int = 4
    dropout: float = 0.15
    prior_depth: int = 6
    prior_heads: int = 32
    prior_width: int = 1664


class PersonLinear(nn.Module):
    """One person's z-scored voxels to the shared space; its weights are decayed, as in ridge."""

    mean: Tensor
    scale: Tensor

    def __init__(self, n_voxels: int, n_shared: int) -> None:
        super().__init__()
        self.n_voxels = n_voxels
        self.register_buffer("mean", torch.zeros(n_voxels))
        self.register_buffer("scale", torch.ones(n_voxels))
        self.linear = nn.Linear(n_voxels, n_shared)

    def forward(self, values: Tensor) -> Tensor:
        """(B, V) to (B, h)."""
        scaled = (values - self.mean) / self.scale
        out: Tensor = self.linear(scaled.to(self.linear.weight.dtype))
        return out


class Block(nn.Module):
    """x + linear(dropout(gelu(linear(norm(x))))): every block's output reaches the next."""

    def __init__(self, n_shared: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(n_shared),
            nn.Linear(n_shared, n_shared),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(n_shared, n_shared),
        )

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, h) to (B, h)."""
        out: Tensor = hidden + self.layers(hidden)
        return out


class LatentDecoder(nn.Module):
    """The shared space to a latent picture (channels, height, width), by two doublings."""

    def __init__(self, n_shared: int, shape: Sequence[int]) -> None:
        super().__init__()
        self.shape = tuple(shape)
        channels, height, width = shape
        self.start = (64, max(1, height // 4), max(1, width // 4))
        self.read = nn.Sequential(
            nn.LayerNorm(n_shared), nn.GELU(), nn.Linear(n_shared, math.prod(self.start))
        )
        self.up = nn.ModuleList(
            nn.Sequential(nn.Conv2d(n_in, n_out, 3, padding=1), nn.GroupNorm(8, n_out), nn.GELU())
            for n_in, n_out in ((64, 64), (64, 32))
        )
        self.write = nn.Conv2d(32, channels, 3, padding=1)

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, h) to (B, channels, height, width)."""
        grid = self.read(hidden).view(-1, *self.start)
        half = (max(1, self.shape[1] // 2), max(1, self.shape[2] // 2))
        for layer, size in zip(self.up, (half, self.shape[1:]), strict=True):
            grid = layer(nn.functional.interpolate(grid, size=size, mode="nearest"))
        out: Tensor = self.write(grid)
        return out


class MindEye2Net(nn.Module):
    """Per-person linears around a shared backbone, a retrieval head, a prior and a latent head.

    Parameters
    ----------
    n_voxels : mapping of str to int
        Voxels by subject.
    shape : sequence of int
        Of a row of the main target: (D,) or (T, D).
    sizes : MindEye2Sizes
    latent : sequence of int, optional
        Shape of a latent picture, where that is a target too.
    """

    def __init__(
        self,
        n_voxels: Mapping[str, int],
        shape: Sequence[int],
        sizes: MindEye2Sizes,
        latent: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.sizes, self.n_voxels = sizes, dict(n_voxels)
        self.n_tokens, self.n_dims = (1, shape[0]) if len(shape) == 1 else tuple(shape)
        self.linears = nn.ModuleList(
            PersonLinear(size, sizes.n_shared) for size in n_voxels.values()
        )
        self.blocks = nn.Sequential(
            *(Block(sizes.n_shared, sizes.dropout) for _ in range(sizes.n_blocks))
        )
        self.tokens = nn.Linear(sizes.n_shared, self.n_tokens * self.n_dims)
        self.projector = nn.Sequential(
            *(
                layer
                for _ in range(3)
                for layer in (
                    nn.LayerNorm(self.n_dims),
                    nn.GELU(),
                    nn.Linear(self.n_dims, self.n_dims),
                )
            )
        )
        self.prior = DiffusionPrior(
            self.n_tokens,
            self.n_dims,
            depth=sizes.prior_depth,
            n_heads=sizes.prior_heads,
            width=sizes.prior_width,
        )
        self.latent = None if latent is None else LatentDecoder(sizes.n_shared, latent)

    def linear_of(self, subject: str) -> PersonLinear:
        """The linear of one person."""
        return cast(PersonLinear, self.linears[list(self.n_voxels).index(subject)])

    def add_subject(self, subject: str, n_voxels: int) -> PersonLinear:
        """A fresh linear for one more person."""
        fresh = PersonLinear(n_voxels, self.sizes.n_shared).to(self.tokens.weight.device)
        self.linears.append(fresh)
        self.n_voxels[subject] = n_voxels
        return fresh

    def shared(self, subject: str, values: Tensor) -> Tensor:
        """A person's responses (B, V) as points of the shared space (B, h)."""
        out: Tensor = self.linear_of(subject)(values)
        return out

    def backbone(self, shared: Tensor) -> tuple[Tensor, Tensor]:
        """Points of the shared space (B, h), after the blocks (B, h) and as tokens (B, T, D)."""
        hidden = self.blocks(shared)
        return hidden, self.tokens(hidden).view(-1, self.n_tokens, self.n_dims)
