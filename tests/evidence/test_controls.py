from __future__ import annotations

import numpy as np
import pytest

from neurodecode.data import Embeddings, Responses, Stimuli
from neurodecode.evidence import (
    ceiling,
    constant_best,
    majority,
    mean_embedding,
    mean_picture,
    nearest_training,
    noise_responses,
    shuffled_order,
)


@pytest.fixture
def train():
    rng = np.random.default_rng(0)
    return Embeddings(rng.normal(1.0, 1.0, (40, 6)), [f"t{i}" for i in range(40)], "toy")


def test_noise_has_the_moments_of_training_and_nothing_of_the_test():
    rng = np.random.default_rng(1)
    mean, spread = rng.normal(size=(2, 5)) * [[10], [3]]
    values = mean + np.abs(spread) * rng.normal(size=(3000, 5))
    responses = Responses(values, range(3000), "s", "fmri")
    known, test = responses.take(slice_of(0, 1500)), responses.take(slice_of(1500, 3000))
    noise = noise_responses(test, known, seed=4)
    np.testing.assert_allclose(noise.array().mean(axis=0), mean, atol=0.4)
    np.testing.assert_allclose(noise.array().std(axis=0), np.abs(spread), rtol=0.1)
    assert noise.stimulus.tolist() == test.stimulus.tolist()
    other = noise_responses(test.with_values(test.array() * 100), known, seed=4)
    np.testing.assert_array_equal(other.array(), noise.array())
    assert abs(np.corrcoef(noise.array()[:, 0], test.array()[:, 0])[0, 1]) < 0.1


def slice_of(start, stop):
    return np.arange(start, stop)


def test_noise_needs_the_same_units_and_some_training():
    responses = Responses(np.zeros((2, 3)), ["a", "b"], "s", "fmri")
    with pytest.raises(ValueError, match=r"have shape \(3,\) but training trials \(2,\)"):
        noise_responses(responses, Responses(np.zeros((2, 2)), ["a", "b"], "s", "fmri"))
    with pytest.raises(ValueError, match="Subject 's' has no training trials"):
        noise_responses(responses, responses.take([]))


@pytest.mark.parametrize("seed", range(20))
def test_shuffled_items_get_another_stimulus_of_the_same_person(seed):
    rng = np.random.default_rng(seed)
    stimulus = rng.integers(0, 6, 40).astype(str)
    person = rng.integers(0, 2, 40)
    order = shuffled_order(stimulus, person, seed=seed)
    assert sorted(order.tolist()) == list(range(40))
    assert (person[order] == person).all()
    assert (stimulus[order] != stimulus).all()


def test_shuffles_differ_by_seed():
    ids = [str(i) for i in range(20)]
    assert shuffled_order(ids, seed=1).tolist() != shuffled_order(ids, seed=2).tolist()


def test_the_constant_best_answer_has_the_highest_mean_cosine(train):
    unit = train.array(np.float64)
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    best = int(np.argmax((unit @ unit.T).mean(axis=1)))
    got = constant_best(train, ["x", "y"])
    np.testing.assert_allclose(got.array(), np.repeat(train.array()[[best]], 2, axis=0))
    assert got.stimulus.tolist() == ["x", "y"]
    assert got.space == "toy"


def test_mean_embedding(train):
    got = mean_embedding(train, ["x"])
    np.testing.assert_allclose(got.array()[0], train.array().mean(axis=0), rtol=1e-5)
    counts = np.arange(40) % 3
    weighted = mean_embedding(train, ["x"], counts=counts)
    repeated = np.repeat(train.array(), counts, axis=0)
    np.testing.assert_allclose(weighted.array()[0], repeated.mean(axis=0), rtol=1e-5)


def test_nearest_training_is_the_brute_force_answer(train):
    predicted = Embeddings(np.random.default_rng(2).normal(size=(9, 6)), range(9), "toy")
    x, y = predicted.array(np.float64), train.array(np.float64)
    cosine = x @ y.T / np.linalg.norm(x, axis=1)[:, None] / np.linalg.norm(y, axis=1)
    want = train.stimulus[cosine.argmax(axis=1)]
    assert nearest_training(predicted, train).tolist() == want.tolist()


def test_mean_picture_of_pictures_and_clips():
    rng = np.random.default_rng(3)
    pictures = rng.integers(0, 256, (300, 4, 5, 3), dtype=np.uint8)
    got = mean_picture(Stimuli.from_arrays(range(300), pictures))
    np.testing.assert_array_equal(got, np.rint(pictures.mean(axis=0)))
    clips = rng.integers(0, 256, (4, 2, 4, 5, 3), dtype=np.uint8)
    assert mean_picture(Stimuli.from_arrays(range(4), clips)).shape == (2, 4, 5, 3)


def test_pictures_of_two_sizes_have_no_mean():
    sizes = {"a": 2, "b": 3}
    stimuli = Stimuli(
        np.array(["a", "b"]), "image", lambda one: np.zeros((sizes[one], 2, 3), np.uint8)
    )
    with pytest.raises(ValueError, match="Bring all stimuli to one size first"):
        mean_picture(stimuli)
    with pytest.raises(ValueError, match=r"There is no mean picture of Stimuli\(1 texts\)"):
        mean_picture(Stimuli.from_texts({"a": "x"}))


def test_majority_and_ceiling(train):
    assert majority(["b", "a", "a", "b"]) == "b"
    with pytest.raises(ValueError, match="no most frequent label among none"):
        majority([])
    np.testing.assert_array_equal(ceiling(train, ["t3"]).array(), train.array()[[3]])
