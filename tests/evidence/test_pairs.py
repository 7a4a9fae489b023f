from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from neurodecode.evidence.pairs import (
    PENALTY,
    PairFolds,
    TwoAgainstTwo,
    pair_interval,
    ridge_weights,
)
from neurodecode.statistics import Sampling, interval_inflation, mean_interval


def _world(n_items=14, signal=1.0, seed=0):
    rng = np.random.default_rng(seed)
    targets = rng.normal(size=(n_items, 6))
    features = signal * targets @ rng.normal(size=(6, 20)) + rng.normal(size=(n_items, 20))
    half = n_items // 2
    run = np.array(["1"] * half + ["2"] * (n_items - half))
    folds = PairFolds(np.arange(n_items).astype(str), run, buffer=1)
    means = np.stack([targets[train].mean(axis=0) for train in folds.training()])
    centred = targets - means[:, None]
    return features, targets, folds, centred @ centred.transpose(0, 2, 1)


def _by_hand(features, targets, folds, order):
    """Pair by pair with scikit-learn's ridge, everything learned anew on wrongly paired targets."""
    paired, hits = targets[order], []
    for pair, train in zip(folds.pairs, folds.training(), strict=True):
        x = features[train] - features[train].mean(axis=0)
        alpha = PENALTY * (x**2).sum() / train.sum()
        model = Ridge(alpha).fit(features[train], paired[train])
        mean = paired[train].mean(axis=0)
        p, t = model.predict(features[pair]) - mean, paired[pair] - mean
        cosine = (p @ t.T) / np.linalg.norm(p, axis=1)[:, None] / np.linalg.norm(t, axis=1)
        hits.append(cosine[0, 0] + cosine[1, 1] > cosine[0, 1] + cosine[1, 0])
    return np.array(hits, dtype=float)


@pytest.mark.parametrize("shifts", [(0, 0), (1, 3), (5, 2)])
def test_equals_ridge_fitted_pair_by_pair_for_any_shift(shifts):
    features, targets, folds, grams = _world()
    model = TwoAgainstTwo(folds, ridge_weights(features, folds), grams)
    order = np.arange(14)
    for run, shift in zip("12", shifts, strict=True):
        inside = np.flatnonzero(folds.run == run)
        order[inside] = np.roll(inside, shift)
    np.testing.assert_array_equal(
        model.hits(order), _by_hand(features, targets, folds, order)
    )  # fmt: skip


def test_neighbours_are_not_learned_from():
    _, _, folds, _ = _world()
    training = folds.training()
    row = folds.pairs.tolist().index([0, 9])
    assert np.flatnonzero(~training[row]).tolist() == [0, 1, 6, 8, 9, 10]
    split = folds.splits()[row]
    assert split.test.tolist() == ["0", "9"]
    assert not set(split.train.tolist()) & {"0", "1", "6", "8", "9", "10"}


def test_signal_is_found_and_noise_is_near_chance():
    for signal, low, high in ((3.0, 0.85, 1.0), (0.0, 0.2, 0.8)):
        features, _, folds, grams = _world(signal=signal)
        model = TwoAgainstTwo(folds, ridge_weights(features, folds), grams)
        assert low <= model.score(np.arange(14)) <= high
        if signal:
            similarity = model.similarity()
            assert (similarity.argmax(axis=1) == np.arange(14)).mean() > 0.5


def test_interval_over_items_is_wider_than_over_pairs():
    features, _, folds, grams = _world(n_items=24, signal=0.3)
    hits = TwoAgainstTwo(folds, ridge_weights(features, folds), grams).hits(np.arange(24))
    interval = pair_interval(hits, folds.pairs)
    assert interval.low < hits.mean() < interval.high
    over_pairs = 2 * 1.96 * hits.std() / np.sqrt(len(hits))
    assert interval.high - interval.low > 1.2 * over_pairs


def test_the_interval_is_that_of_a_jackknife_over_items():
    rng = np.random.default_rng(3)
    pairs = np.array([(i, j) for i in range(9) for j in range(i + 1, 9)])
    hits = (rng.random(len(pairs)) < 0.6).astype(float)
    without = np.array([hits[(pairs != one).all(axis=1)].mean() for one in range(9)])
    pseudo = 9 * hits.mean() - 8 * without
    sampling = Sampling(time=np.arange(9))
    inflation = interval_inflation(pseudo, (hits.mean() - 0.5) / pseudo.std())
    want = mean_interval(pseudo, sampling, inflation=inflation)
    got = pair_interval(hits, pairs)
    assert got.low == pytest.approx(max(want.low, 0.0))
    assert got.high == pytest.approx(min(want.high, 1.0))
    assert pair_interval(np.ones(36), pairs).low < 0.8


def test_too_few_items_are_refused():
    folds = PairFolds(np.arange(4).astype(str), np.array(["1"] * 4), buffer=1)
    with pytest.raises(ValueError, match="4 items with 1 left out around each leave fewer than"):
        ridge_weights(np.eye(4), folds)


def test_differences_of_hits_may_be_below_0():
    pairs = np.array([(i, j) for i in range(30) for j in range(i)])
    rng = np.random.default_rng(0)
    apart = rng.choice([-1.0, 0.0, 1.0], len(pairs), p=[0.5, 0.3, 0.2])
    interval = pair_interval(apart, pairs, share=False)
    assert interval.low < apart.mean() < interval.high < 0
    assert pair_interval(np.zeros(len(pairs)), pairs, share=False).low <= 0
