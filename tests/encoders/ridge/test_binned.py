"""Binned ridge: pooling, windows chosen on validation, own maps, strangers, any length."""

import numpy as np
import pytest

from neurodecode.data import Embeddings, Responses, Split
from neurodecode.encoders import BinnedRidge, Bins, Parts
from neurodecode.metrics.retrieval import top_k

N, N_CHANNELS, N_TIMES = 150, 12, 60
IDS = np.array([f"p{i:03d}" for i in range(N)])
SPLIT = Split(IDS[:90], IDS[90:110], IDS[110:])
EARLY, LATE = Bins(0.0, 0.2, 0.04), Bins(0.3, 0.5, 0.04)


def truth():
    return Embeddings(np.random.default_rng(0).normal(size=(N, 6)), IDS, "toy")


def person(points, name, seed, alike=1.0, noise=4.0, scale=1.0):
    """What is seen stands in the field from 300 to 500 ms; people differ by ``1 - alike``."""
    rng, shared = np.random.default_rng(seed), np.random.default_rng(99)
    fields = alike * shared.normal(size=(6, N_CHANNELS))
    fields = fields + (1 - alike) * rng.normal(size=(6, N_CHANNELS))
    course = ((np.arange(N_TIMES) >= 30) & (np.arange(N_TIMES) < 50)).astype(float)
    values = np.einsum("nd,dc,t->nct", points.array(), fields, course)
    values = scale * (values + noise * rng.normal(size=values.shape))
    return Responses(
        values.astype(np.float32), IDS, name, "eeg", dims=("trial", "channel", "time"),
        sfreq=100.0, times=np.arange(N_TIMES) / 100,
    )  # fmt: skip


def hits(encoder, people, points):
    tests = [SPLIT.part(one, "test") for one in people]
    return np.mean(
        [top_k(points.rows(one.stimulus), encoder.predict(one).array(), 1).mean() for one in tests]
    )


def test_the_window_that_tells_is_chosen():
    points = truth()
    people = [person(points, f"s{i}", i) for i in range(2)]
    fitted = BinnedRidge([EARLY, LATE], device="cpu").fit(people, points, SPLIT)
    assert fitted.windows_ == LATE
    assert fitted.merits_[LATE.name] > 2 * fitted.merits_[EARLY.name]
    assert hits(fitted, people, points) > 0.15
    early = BinnedRidge([EARLY], device="cpu").fit(people, points, SPLIT)
    assert hits(early, people, points) < 0.1


def test_pooling_helps_where_people_are_alike():
    points = truth()
    people = [person(points, f"s{i}", i, noise=8.0) for i in range(5)]
    together = BinnedRidge([LATE], device="cpu").fit(people, points, SPLIT)
    alone = [BinnedRidge([LATE], device="cpu").fit(one, points, SPLIT) for one in people]
    single = np.mean([hits(one, [each], points) for one, each in zip(alone, people, strict=True)])
    assert hits(together, people, points) > single + 0.03


def test_own_maps_are_taken_where_people_differ():
    points = truth()
    unlike = [person(points, f"s{i}", i, alike=0.0, noise=1.0) for i in range(3)]
    fitted = BinnedRidge([LATE], device="cpu").fit(unlike, points, SPLIT)
    assert fitted.merits_["own maps"] > fitted.merits_[LATE.name]
    assert hits(fitted, unlike, points) > 0.4
    maps = [fitted.maps_[f"s{i}"].weights for i in range(3)]
    assert not np.allclose(maps[0], maps[1], atol=1e-3)


def test_a_stranger_like_the_others_is_decoded_and_adapting_helps():
    points = truth()
    people = [person(points, f"s{i}", i, noise=3.0) for i in range(3)]
    fitted = BinnedRidge([LATE], device="cpu").fit(people, points, SPLIT)
    assert hits(fitted, [person(points, "new", 50, noise=3.0)], points) > 0.3
    unlike = person(points, "odd", 51, alike=0.0, noise=1.0)
    before = hits(fitted, [unlike], points)
    assert hits(fitted.adapt(unlike, points, SPLIT), [unlike], points) > before + 0.2


def test_each_person_has_a_scale_of_their_own():
    points = truth()
    people = [person(points, "s0", 0), person(points, "s1", 1, scale=1e-6)]
    same = [person(points, "s0", 0), person(points, "s1", 1)]
    one, other = (
        BinnedRidge([LATE], device="cpu").fit(each, points, SPLIT).predict(each[1]).array()
        for each in (people, same)
    )
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_without_validation_left_out_trials_choose():
    points = truth()
    one = person(points, "s0", 0)
    split = Split(IDS[:110], [], IDS[110:])
    fitted = BinnedRidge([EARLY, LATE], device="cpu").fit(one, points, split)
    assert fitted.windows_ == LATE


def test_sentences_of_any_length():
    """Sums over parts of a padded trial: what is seen adds up over the trial's own length."""
    points, rng = truth(), np.random.default_rng(3)
    length = rng.integers(20, N_TIMES, size=N)
    valid = np.arange(N_TIMES) < length[:, None]
    fields = rng.normal(size=(6, N_CHANNELS))
    values = np.einsum("nd,dc,nt->nct", points.array(), fields, valid / length[:, None])
    values = values + 0.1 * rng.normal(size=values.shape)
    one = Responses(
        np.where(valid[:, None], values, 0).astype(np.float32), IDS, "s0", "eeg",
        dims=("trial", "channel", "time"), sfreq=50.0, valid=valid,
    )  # fmt: skip
    fitted = BinnedRidge(device="cpu").fit(one, points, SPLIT)
    assert isinstance(fitted.windows_, Parts)
    assert hits(fitted, [one], points) > 0.2


def test_what_is_refused():
    points = truth()
    one, two = person(points, "s0", 0), person(points, "s1", 1)
    fewer = two.with_values(two.array()[:, :5])
    with pytest.raises(ValueError, match="one map for all people") as error:
        BinnedRidge().fit([one, fewer], points, SPLIT)
    assert str(error.value) == (
        "BinnedRidge learns one map for all people, but rows of subject 's1' have shape (5, 60) "
        "and those of 's0' (12, 60). Give all people the same sensors and samples, or fit one for "
        "each."
    )
    with pytest.raises(ValueError, match="no candidate") as error:
        BinnedRidge([]).fit(one, points, SPLIT)
    assert str(error.value) == "windows holds no candidate. Give Bins or Parts, or None for all."
