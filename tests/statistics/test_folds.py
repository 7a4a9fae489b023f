from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neurodecode.statistics import interval_inflation, linear_share, null_inflation


@pytest.mark.parametrize("share", [0.5, 0.1, 0.02])
def test_hits_are_as_linear_as_their_threshold_says(share):
    hits = np.arange(4000) < 4000 * share
    want = stats.norm.pdf(stats.norm.ppf(share)) ** 2 / (share * (1 - share))
    assert linear_share(hits) == pytest.approx(want, abs=0.01)


def test_normal_values_are_all_linear_and_equal_ones_not_at_all():
    assert linear_share(np.random.default_rng(0).normal(size=4000)) > 0.99
    assert linear_share(np.ones(10)) == 0.0
    assert null_inflation(np.ones(10)) == 1.0


def test_a_signal_leaves_less_to_be_added():
    ranks = np.arange(300)
    added = [interval_inflation(ranks, effect) - 1 for effect in (0, 1, 5, 50)]
    assert added[0] == pytest.approx(2 * added[1]) == pytest.approx(linear_share(ranks))
    assert added[2] == added[3] == pytest.approx(linear_share(ranks) / 3)


def ridge_scores(rng, n=40, n_folds=4):
    """Inner products of ridge predictions of pure noise with the truths, fold by fold."""
    x, y = rng.normal(size=(n, 30)), rng.normal(size=(n, 6))
    fold, total, null = np.arange(n) % n_folds, 0.0, np.zeros(60)
    for one in range(n_folds):
        train, test = fold != one, np.flatnonzero(fold == one)
        gram = x[train] @ x[train].T + 100 * np.eye(train.sum())
        made = x[test] @ x[train].T @ np.linalg.solve(gram, y[train])
        total += (made * y[test]).sum()
        null += [(made * y[rng.permutation(test)]).sum() for _ in range(60)]
    return total, null.var()


def test_folds_of_noise_spread_twice_as_wide_as_permutations_within_them():
    rng = np.random.default_rng(1)
    found = [ridge_scores(rng) for _ in range(250)]
    ratio = np.var([one for one, _ in found]) / np.mean([one for _, one in found])
    assert 1.6 < ratio < 2.5


def test_a_null_over_folds_grows_by_the_linear_share():
    ranks = np.arange(200.0)
    assert null_inflation(ranks) == pytest.approx(1.0 + linear_share(ranks))
    assert null_inflation(ranks) > 1.9
