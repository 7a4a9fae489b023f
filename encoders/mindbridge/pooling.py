"""From any number of voxels to a fixed number of bins, and back."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

Pooling = Literal["max", "mean", "resize", "anatomical"]
POOLINGS: tuple[Pooling, ...] = ("max", "mean", "resize", "anatomical")
# Voxels that share in a bin of anatomical pooling.
NEIGHBOURS = 4


class VoxelPool(nn.Module):
    """One person's voxels, z-scored and pooled to ``n_pooled`` bins.

    Shapes: V voxels, n bins. ``max``, ``mean`` and ``resize`` follow the order of the mask: bin b
    covers voxels floor(bV/n) to ceil((b+1)V/n)-1, which is no anatomical correspondence between
    people. ``anatomical`` weighs the voxels nearest to each of ``centres``, so the order of the
    voxels does not matter.

    Parameters
    ----------
    kind : {'max', 'mean', 'resize', 'anatomical'}
    n_pooled, n_voxels : int
    """

    mean: Tensor
    scale: Tensor
    index: Tensor
    weight: Tensor

    def __init__(self, kind: Pooling, n_pooled: int, n_voxels: int) -> None:
        super().__init__()
        self.kind, self.n_pooled, self.n_voxels = kind, n_pooled, n_voxels
        self.register_buffer("mean", torch.zeros(n_voxels))
        self.register_buffer("scale", torch.ones(n_voxels))
        if kind == "anatomical":
            n_near = min(NEIGHBOURS, n_voxels)
            self.register_buffer("index", torch.zeros(n_pooled, n_near, dtype=torch.long))
            self.register_buffer("weight", torch.full((n_pooled, n_near), 1.0 / n_near))

    def place(self, positions: NDArray[Any], centres: NDArray[Any]) -> VoxelPool:
        """Set who shares in which bin, by distance in mm; Gaussian of the bins' spacing."""
        from scipy.spatial import cKDTree

        distance, index = cKDTree(positions).query(centres, k=self.index.shape[1])
        distance, index = (one.reshape(len(centres), -1) for one in (distance, index))
        nearest, _ = cKDTree(centres).query(centres, k=min(2, len(centres)))
        width = max(float(np.median(nearest.reshape(len(centres), -1)[:, -1])), 1e-6)
        # Relative to the nearest voxel, so that a bin far from all voxels keeps finite weights.
        closeness = np.exp(-0.5 * (distance**2 - distance[:, :1] ** 2) / width**2)
        weight = closeness / closeness.sum(axis=1, keepdims=True)
        self.index.copy_(torch.from_numpy(index.astype(np.int64)))
        self.weight.copy_(torch.from_numpy(weight.astype(np.float32)))
        return self

    def forward(self, values: Tensor) -> Tensor:
        """(B, V) responses to (B, n) bins."""
        scaled = (values - self.mean) / self.scale
        if self.kind == "anatomical":
            return torch.einsum("bnk,nk->bn", scaled[:, self.index], self.weight)
        rows = scaled[:, None]
        if self.kind == "max":
            return F.adaptive_max_pool1d(rows, self.n_pooled)[:, 0]
        if self.kind == "mean":
            return F.adaptive_avg_pool1d(rows, self.n_pooled)[:, 0]
        return F.interpolate(rows, self.n_pooled, mode="linear")[:, 0]

    def spread(self, pooled: Tensor) -> Tensor:
        """(B, n) bins back to (B, V) voxels, in the units of the responses.

        Each voxel gets the mean of the bins that it shares in, weighted alike; what differed
        between the voxels of a bin is lost.
        """
        if self.kind == "resize":
            scaled = F.interpolate(pooled[:, None], self.n_voxels, mode="linear")[:, 0]
            return scaled * self.scale + self.mean
        bin_of, voxel_of, weight = self._shares()
        total = pooled.new_zeros(len(pooled), self.n_voxels)
        total.index_add_(1, voxel_of, pooled[:, bin_of] * weight)
        share = pooled.new_zeros(self.n_voxels).index_add_(0, voxel_of, weight)
        scaled = total / share.clamp_min(torch.finfo(share.dtype).tiny)
        return scaled * self.scale + self.mean

    def _shares(self) -> tuple[Tensor, Tensor, Tensor]:
        """Bin, voxel and weight of every pair that belongs together."""
        device = self.mean.device
        if self.kind == "anatomical":
            bin_of = torch.arange(self.n_pooled, device=device)[:, None].expand_as(self.index)
            return bin_of.reshape(-1), self.index.reshape(-1), self.weight.reshape(-1)
        bins = torch.arange(self.n_pooled, device=device)
        first = bins * self.n_voxels // self.n_pooled
        last = -(-(bins + 1) * self.n_voxels // self.n_pooled)
        size = last - first
        bin_of = torch.repeat_interleave(bins, size)
        offset = torch.arange(len(bin_of), device=device) - torch.repeat_interleave(
            size.cumsum(0) - size, size
        )
        return bin_of, first[bin_of] + offset, torch.ones(len(bin_of), device=device)


def bin_centres(positions: NDArray[Any], n_bins: int) -> NDArray[np.float64]:
    """Centres of boxes that hold equally many points each, by cutting at medians.

    Parameters
    ----------
    positions : float array, shape (n_points, 3)
        In mm; the voxels of all people together.
    n_bins : int
        At most ``n_points``, else boxes repeat.

    Returns
    -------
    float array, shape (n_bins, 3)

    Examples
    --------
    >>> line = np.arange(8.0)[:, None] * [1, 0, 0]
    >>> bin_centres(line, 4)[:, 0].tolist()
    [0.5, 2.5, 4.5, 6.5]
    """
    points = np.asarray(positions, dtype=np.float64)
    centres: list[NDArray[np.float64]] = []
    boxes = [(points, n_bins)]
    while boxes:
        inside, n_wanted = boxes.pop()
        if n_wanted == 1 or len(inside) < 2:
            centres.extend([inside.mean(axis=0)] * n_wanted)
            continue
        axis = int(np.argmax(np.ptp(inside, axis=0)))
        ordered = inside[np.argsort(inside[:, axis], kind="stable")]
        n_left = n_wanted // 2
        cut = min(max(1, len(ordered) * n_left // n_wanted), len(ordered) - 1)
        boxes += [(ordered[cut:], n_wanted - n_left), (ordered[:cut], n_left)]
    return np.stack(centres)
