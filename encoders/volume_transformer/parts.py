"""The network of Neuro-Vision to Language: patches of the volume to a class token.

Shapes: B trials, (x, y, z) the common grid, P patches kept, p^3 values of a patch, w width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn


@dataclass(frozen=True)
class VolumeSizes:
    """How large the network is; published where the paper says it.

    ``n_heads`` and the width of the transformer's perceptron (four times ``width``) are not stated
    there; these are the usual ones.

    Examples
    --------
    >>> VolumeSizes(patch=10).depth
    16
    """

    grid: tuple[int, int, int] = (81, 104, 83)
    patch: int = 14
    width: int = 768
    depth: int = 16
    n_heads: int = 12
    n_hidden: int = 1024
    dropout: float = 0.0


def to_grid(volumes: Tensor, grid: Sequence[int]) -> Tensor:
    """Volumes of any shape on the common grid, by trilinear interpolation: (B, x, y, z).

    Examples
    --------
    >>> to_grid(torch.ones(1, 2, 3, 4), (4, 4, 4)).shape
    torch.Size([1, 4, 4, 4])
    """
    if tuple(volumes.shape[1:]) == tuple(grid):
        return volumes
    return F.interpolate(volumes[:, None], size=tuple(grid), mode="trilinear")[:, 0]


def to_patches(volumes: Tensor, patch: int) -> Tensor:
    """Cubes of a volume, padded with zeros at the end: (B, x, y, z) to (B, patches, p^3).

    Examples
    --------
    >>> to_patches(torch.zeros(1, 5, 4, 4), 4).shape
    torch.Size([1, 2, 64])
    """
    padding = [(-size) % patch for size in volumes.shape[:0:-1]]
    padded = F.pad(volumes, [one for size in padding for one in (0, size)])
    cubes: Tensor = rearrange(
        padded, "b (i p) (j q) (k r) -> b (i j k) (p q r)", p=patch, q=patch, r=patch
    )
    return cubes


class VolumeNet(nn.Module):
    """A transformer over the patches that the brain mask touches, read out at a class token.

    Parameters
    ----------
    heads : mapping of str to sequence of int
        Shape of a row of each target; each head is a perceptron of two layers.
    n_kept : int
        Number of patches kept; which ones is a buffer, ``kept``.
    sizes : VolumeSizes
    """

    kept: Tensor

    def __init__(self, heads: Mapping[str, Sequence[int]], n_kept: int, sizes: VolumeSizes) -> None:
        super().__init__()
        self.sizes, self.head_names = sizes, list(heads)
        self.register_buffer("kept", torch.zeros(n_kept, dtype=torch.long))
        self.read = nn.Linear(sizes.patch**3, sizes.width)
        self.places = nn.Parameter(torch.randn(n_kept + 1, sizes.width) * 0.02)
        self.token = nn.Parameter(torch.randn(1, 1, sizes.width) * 0.02)
        layer = nn.TransformerEncoderLayer(
            sizes.width,
            sizes.n_heads,
            4 * sizes.width,
            sizes.dropout,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.layers = nn.TransformerEncoder(layer, sizes.depth, enable_nested_tensor=False)
        self.heads = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(sizes.width),
                nn.Linear(sizes.width, sizes.n_hidden),
                nn.GELU(),
                nn.Linear(sizes.n_hidden, math.prod(shape)),
            )
            for shape in heads.values()
        )

    def tokens(self, volumes: Tensor) -> Tensor:
        """Volumes (B, x, y, z) of any shape to tokens (B, 1 + P, w); the class token first."""
        on_grid = to_grid(volumes, self.sizes.grid)
        cubes = to_patches(on_grid, self.sizes.patch)[:, self.kept]
        patches = self.read(cubes.to(self.read.weight.dtype))
        token = self.token.expand(len(patches), -1, -1)
        out: Tensor = self.layers(torch.cat([token, patches], dim=1) + self.places)
        return out

    def forward(self, volumes: Tensor) -> dict[str, Tensor]:
        """Volumes (B, x, y, z) to flattened targets by head."""
        token = self.tokens(volumes)[:, 0]
        return {name: head(token) for name, head in zip(self.head_names, self.heads, strict=True)}
