"""The volume transformer: patches against a plain loop, learning, repeats and single trials."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from neurodecode.data import Embeddings, Responses, Split
from neurodecode.encoders import VolumeTransformer
from neurodecode.encoders.volume_transformer.parts import VolumeNet, VolumeSizes, to_patches
from neurodecode.training import Plan
from tests.encoders.contract import CHECKS, Case, voxel_people

SIZES = VolumeSizes(grid=(6, 6, 6), patch=3, width=32, depth=1, n_heads=2, n_hidden=32)
PLAN = Plan(max_epochs=25, learning_rate=3e-3, device="cpu")
SPLIT = Split(range(150), range(150, 165), range(165, 200), rule="by number")
DIMS = ("trial", "x", "y", "z")


def targets() -> Embeddings:
    values = np.random.default_rng(0).normal(size=(200, 4))
    return Embeddings(values.astype(np.float32), range(200), "clip")


def person(name: str, grid: tuple[int, ...], repeats: int = 1, noise: float = 0.4) -> Responses:
    """The same maps for everybody, sampled on another grid; an empty border."""
    rng = np.random.default_rng(7)
    axes = [np.linspace(-1, 1, size) for size in grid]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    waves = rng.normal(size=(4, 3)) * 2
    maps = np.stack([np.sin(a * x + b * y + c * z + i) for i, (a, b, c) in enumerate(waves)])
    ids = np.tile(np.arange(200), repeats)
    own = np.random.default_rng(sum(map(ord, name)))
    values = np.tensordot(targets().array()[ids], maps, 1)
    values += noise * own.normal(size=values.shape)
    values[:, np.maximum(np.maximum(abs(x), abs(y)), abs(z)) > 0.9] = 0
    return Responses(values.astype(np.float32), ids, name, "fmri", DIMS)


def correlation(predicted: Embeddings) -> float:
    test = predicted.select(SPLIT.test).array()
    truth = targets().select(SPLIT.test).array()
    return float(np.mean([np.corrcoef(test[:, d], truth[:, d])[0, 1] for d in range(4)]))


@pytest.fixture(scope="module")
def people() -> list[Responses]:
    return [person("anna", (8, 8, 8)), person("ben", (7, 9, 8))]


@pytest.fixture(scope="module")
def fitted(people: list[Responses]) -> VolumeTransformer:
    latent = Embeddings(targets().array()[:, :2].reshape(200, 1, 1, 2) * 8, range(200), "vae")
    model = VolumeTransformer(SIZES, plan=PLAN, second_weight=1 / 64)
    return model.fit(people, {"clip": targets(), "latent": latent}, SPLIT)


def test_patches_are_the_cubes_of_the_padded_volume() -> None:
    volume = torch.arange(4 * 5 * 3.0).view(1, 4, 5, 3)
    found = to_patches(volume, 3)[0]
    padded = np.zeros((6, 6, 3))
    padded[:4, :5] = volume[0]
    cubes = [padded[i : i + 3, j : j + 3, 0:3].ravel() for i in (0, 3) for j in (0, 3)]
    np.testing.assert_array_equal(found.numpy(), cubes)


def test_the_published_patch_counts_and_size() -> None:
    for patch, expected in ((14, 288), (12, 441), (10, 891)):
        with torch.device("meta"):
            assert to_patches(torch.zeros(1, 81, 104, 83), patch).shape[1:] == (expected, patch**3)
    with torch.device("meta"):
        net = VolumeNet({"clip": (768,)}, 288, VolumeSizes())
    layers = sum(one.numel() for one in net.layers.parameters())
    assert round(layers / 1e6) == 113  # 16 layers of width 768


def test_people_with_other_grids_share_one_model(fitted, people) -> None:
    for one in people:
        assert correlation(fitted.predict(one)) > 0.6
    assert fitted.predict(people[0], "latent").row_shape == (1, 1, 2)
    assert len(fitted.net_.kept) <= 8


def test_shuffled_volumes_give_chance(fitted, people) -> None:
    order = np.random.default_rng(0).permutation(200)
    assert abs(correlation(fitted.predict(people[0].with_values(people[0].array()[order])))) < 0.25


def test_an_unseen_person_needs_only_their_scaling(fitted) -> None:
    from copy import deepcopy

    new = person("carl", (9, 8, 7))
    with pytest.raises(ValueError, match=r"Subject 'carl' is not known; this model was fitted on"):
        fitted.predict(new)
    before = {name: one.clone() for name, one in fitted.net_.state_dict().items()}
    adapted = deepcopy(fitted).adapt(new, targets(), SPLIT)
    assert correlation(adapted.predict(new)) > 0.5
    assert all(torch.equal(adapted.net_.state_dict()[name], one) for name, one in before.items())


def test_patches_outside_the_mask_are_dropped() -> None:
    one = person("anna", (8, 8, 8))
    half = one.array()
    half[:, 4:] = 0
    model = VolumeTransformer(SIZES, plan=replace(PLAN, max_epochs=1))
    model.fit(one.with_values(half), targets(), SPLIT)
    assert len(model.net_.kept) < 8


def test_repeats_are_blended_within_a_picture_and_person() -> None:
    from neurodecode.encoders.core.trials import PooledTrials
    from neurodecode.encoders.volume_transformer.estimator import _VolumeStep
    from neurodecode.training import Progress

    ids = np.repeat(np.arange(5), 3)
    values = np.broadcast_to(ids[:, None, None, None], (15, 2, 2, 2)).astype(np.float32)
    values = values + np.tile([0, 0.1, 0.2], 5)[:, None, None, None].astype(np.float32)
    one = Responses(values, ids, "a", "fmri", DIMS)
    trials = PooledTrials([one], {"clip": targets()}, batch_size=15)
    step = _VolumeStep(VolumeTransformer(SIZES), trials)
    [batch] = next(trials.epoch(0, 0))
    blended = step._blended(batch, Progress(0, 3, 0.0))[:, 0, 0, 0].numpy()
    own = batch.stimulus.astype(float)
    assert ((blended >= own - 1e-5) & (blended <= own + 0.2 + 1e-5)).all()
    assert not np.allclose(blended, batch.values[:, 0, 0, 0])


def test_single_trials_are_worse_than_averages_but_above_chance(fitted) -> None:
    noisy = person("anna", (8, 8, 8), repeats=3, noise=3.0)
    single = correlation(fitted.predict(noisy.take(np.arange(200))))
    before = correlation(fitted.predict(noisy.average_repeats()))
    after = correlation(fitted.predict(noisy).average_repeats())
    assert 0.2 < single < min(before, after)


def test_saved_and_loaded_it_predicts_the_same(fitted, people, tmp_path: Path) -> None:
    again = VolumeTransformer.load(fitted.save(tmp_path))
    np.testing.assert_allclose(
        again.predict(people[1]).array(), fitted.predict(people[1]).array(), rtol=1e-6
    )


def test_responses_that_are_no_volumes_are_refused() -> None:
    flat = Responses(np.zeros((3, 4), np.float32), range(3), "anna", "fmri")
    with pytest.raises(ValueError, match=r"VolumeTransformer needs responses with dims \('trial'"):
        VolumeTransformer(SIZES).fit(flat, targets(), SPLIT)


def tiny():
    sizes = VolumeTransformer().sizes
    small = replace(sizes, grid=(4, 4, 4), patch=2, width=16, depth=1, n_heads=2, n_hidden=16)
    return VolumeTransformer(small, plan=Plan(max_epochs=8, learning_rate=3e-3, device="cpu"))


def box_people():
    """The voxel people, their voxels in a box that differs between them."""
    people = []
    for one in voxel_people((24, 36, 36)):
        box = one.array().reshape(len(one), 3, 4, -1)
        dims = ("trial", "x", "y", "z")
        people.append(one.with_values(box, dims=dims, positions=None))
    return people


CASE = Case("VolumeTransformer", tiny, people=box_people, any_size=True, tolerance=1e-4)
# volumes have no axis of units to shorten
MINE = [one for one in CHECKS if one.__name__ != "check_another_number_of_units_is_refused"]


@pytest.mark.parametrize("check", MINE, ids=lambda one: one.__name__.removeprefix("check_"))
def test_contract(check) -> None:
    check(CASE)
