"""Pooling against torch and against its definition, and back to voxels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode.encoders.mindbridge.pooling import POOLINGS, VoxelPool, bin_centres


def make(kind: str, n_pooled: int, n_voxels: int, seed: int = 0) -> tuple[VoxelPool, np.ndarray]:
    rng = np.random.default_rng(seed)
    positions = rng.uniform(-40, 40, (n_voxels, 3))
    pool = VoxelPool(kind, n_pooled, n_voxels)
    if kind == "anatomical":
        pool.place(positions, bin_centres(positions, n_pooled))
    return pool, positions


@pytest.mark.parametrize("n_voxels", [9, 10, 23])
def test_max_bins_cover_the_published_range_of_voxels(n_voxels: int) -> None:
    n = 10
    values = torch.randn(2, n_voxels)
    pooled = make("max", n, n_voxels)[0](values)
    for b in range(n):
        low, high = b * n_voxels // n, -(-(b + 1) * n_voxels // n)
        torch.testing.assert_close(pooled[:, b], values[:, low:high].amax(1))


@pytest.mark.parametrize("kind", POOLINGS)
def test_a_constant_map_survives_pooling_and_spreading(kind: str) -> None:
    pool, _ = make(kind, 10, 33)
    values = torch.full((2, 33), 1.5)
    pooled = pool(values)
    torch.testing.assert_close(pooled, torch.full((2, 10), 1.5))
    back = pool.spread(pooled)
    seen = back != 0  # anatomical pooling may leave voxels that are near no centre
    assert back.shape == (2, 33) and seen.float().mean() > 0.6
    torch.testing.assert_close(back[seen], values[seen])


@pytest.mark.parametrize("kind", POOLINGS)
def test_spreading_gives_the_units_of_the_responses(kind: str) -> None:
    pool, _ = make(kind, 40, 20)
    pool.mean.copy_(torch.arange(20.0))
    pool.scale.fill_(3.0)
    torch.testing.assert_close(pool.spread(torch.zeros(1, 40))[0], torch.arange(20.0))


def test_only_anatomical_pooling_is_blind_to_the_order_of_the_mask() -> None:
    rng = np.random.default_rng(1)
    order = rng.permutation(50)
    values = torch.randn(3, 50)
    for kind in POOLINGS:
        pool, positions = make(kind, 12, 50)
        shuffled, _ = make(kind, 12, 50)
        if kind == "anatomical":
            shuffled.place(positions[order], bin_centres(positions, 12))
        same = torch.allclose(pool(values), shuffled(values[:, order]), atol=1e-5)
        assert same == (kind == "anatomical")


def test_people_with_other_voxels_at_the_same_places_agree_under_anatomical_pooling() -> None:
    rng = np.random.default_rng(2)
    first, second = (rng.uniform(-40, 40, (n, 3)) for n in (1500, 900))
    centres = bin_centres(np.concatenate([first, second]), 100)

    def field(positions: np.ndarray) -> torch.Tensor:
        return torch.tensor(np.sin(positions / 15).sum(1), dtype=torch.float32)[None]

    pooled = [
        VoxelPool("anatomical", 100, len(one)).place(one, centres)(field(one))[0]
        for one in (first, second)
    ]
    assert np.corrcoef(torch.stack(pooled).numpy())[0, 1] > 0.9
    by_order = [VoxelPool("max", 100, len(one))(field(one))[0] for one in (first, second)]
    assert np.corrcoef(torch.stack(by_order).numpy())[0, 1] < 0.5


def test_centres_are_as_many_as_asked_and_inside() -> None:
    positions = np.random.default_rng(0).normal(size=(101, 3))
    centres = bin_centres(positions, 37)
    assert centres.shape == (37, 3)
    assert (centres >= positions.min(0)).all() and (centres <= positions.max(0)).all()
