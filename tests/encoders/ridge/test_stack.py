"""Regions stacked by shared weights: what pooling adds, and what strangers get."""

import numpy as np
import torch
from sklearn.linear_model import Ridge as Reference

from neurodecode.data import Embeddings, Responses, Split
from neurodecode.encoders import CalibratedRidge, RegionStack
from neurodecode.metrics.retrieval import top_k

N = 160
IDS = np.array([f"p{i:03d}" for i in range(N)])
SPLIT = Split(IDS[:110], [], IDS[110:])
REGIONS = ("V1", "V2", "LO", "FFA")


def truth(seed=0):
    return Embeddings(np.random.default_rng(seed).normal(size=(N, 12)), IDS, "toy")


def person(points, name, seed, n_voxels=120, noise=4.0):
    """Each region holds three of the twelve dimensions, the same in everyone, and much noise."""
    rng = np.random.default_rng(seed)
    region = rng.permutation(np.arange(n_voxels) % 4)
    tuned = np.zeros((12, n_voxels))
    for i in range(4):
        tuned[3 * i : 3 * i + 3, region == i] = rng.normal(size=(3, int((region == i).sum())))
    values = points.array() @ tuned + noise * rng.normal(size=(N, n_voxels))
    places = (
        rng.normal(size=(n_voxels, 3)) * 5
        + np.array([[0.0, 60.0 * i, 0] for i in range(4)])[region]
    )
    units = np.array(REGIONS)[region]
    return Responses(
        values.astype(np.float32), IDS, name, "fmri", positions=places, units=units
    )  # fmt: skip


def hits(encoder, people, points):
    tests = [SPLIT.part(one, "test") for one in people]
    return np.mean(
        [top_k(points.rows(one.stimulus), encoder.predict(one).array(), 1).mean() for one in tests]
    )


def test_shared_weights_find_more_than_maps_of_ones_own():
    gains = []
    for seed in range(6):
        points = truth(seed)
        people = [person(points, f"s{i}", 10 * seed + i) for i in range(3)]
        stack = RegionStack(device="cpu").fit(people, points, SPLIT)
        own = CalibratedRidge(device="cpu").fit(people, points, SPLIT)
        gains.append(hits(stack, people, points) - hits(own, people, points))
    assert np.mean(gains) > 2 * np.std(gains, ddof=1) / np.sqrt(6)


def test_the_stack_is_a_ridge_on_left_out_components():
    points = truth()
    people = [person(points, f"s{i}", i) for i in range(2)]
    stack = RegionStack(device="cpu").fit(people, points, SPLIT)
    kept = {}

    class Noted(RegionStack):
        def _join(self, parts, left_out, wanted):
            kept["x"], kept["y"] = torch.cat(left_out).flatten(1).numpy(), wanted.numpy()
            return super()._join(parts, left_out, wanted)

    Noted(device="cpu").fit(people, points, SPLIT)
    unit = (kept["x"] ** 2).sum(1).mean()
    fits = [
        Reference(alpha=one * unit, fit_intercept=False).fit(kept["x"], kept["y"]).coef_.T
        for one in stack.penalties
    ]
    assert min(np.abs(one - stack.stack_.numpy()).max() for one in fits) < 1e-4


def test_strangers_are_decoded_where_means_of_regions_tell():
    """Regions whose mean follows the stimulus: a person never seen is above chance."""
    points = truth()

    def drifting(name, seed):
        one = person(points, name, seed, noise=1.0)
        lift = points.array()[:, :4][:, [REGIONS.index(unit) for unit in one.units]]
        return one.with_values((one.array() + 2 * lift).astype(np.float32))

    people = [drifting(f"s{i}", i) for i in range(3)]
    stack = RegionStack(device="cpu").fit(people, points, SPLIT)
    assert hits(stack, [drifting("new", 77)], points) > 0.2
    noise = person(points, "new", 77).with_values(np.random.default_rng(1).normal(size=(N, 120)))
    assert hits(stack, [noise], points) < 0.12


def test_a_person_who_lacks_a_region_is_taken():
    points = truth()
    one, two = person(points, "s0", 0), person(points, "s1", 1)
    kept = np.flatnonzero(two.units != "FFA")
    partial = Responses(
        two.array()[:, kept], IDS, "s1", "fmri", positions=two.positions[kept],
        units=two.units[kept],
    )  # fmt: skip
    stack = RegionStack(device="cpu").fit([one, partial], points, SPLIT)
    assert hits(stack, [partial], points) > 0.1
