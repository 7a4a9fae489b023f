from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata

from neurodecode.metrics.retrieval import (
    drawn_retrieval,
    rank,
    rank_table,
    relative_median_rank,
    top_k,
)


@pytest.fixture
def noisy():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(40, 30))
    return truth, truth + 2.5 * rng.normal(size=truth.shape)


def cosine(a, b):
    unit = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in (a, b)]
    return unit[0] @ unit[1].T


def test_rank_equals_scipys_mean_rank(noisy):
    similar = np.round(cosine(noisy[1], noisy[0]), 12)
    want = [rankdata(-row, method="average")[i] - 1 for i, row in enumerate(similar)]
    np.testing.assert_allclose(rank(*noisy), want)


def test_ties_share_the_mean_of_strict_and_loose_rank():
    truth = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])
    assert rank(truth, [[1.0, 1, 0], [1.0, 1, 1], [1.0, 0, 0]]).tolist() == [0.5, 1.0, 1.5]


@pytest.mark.parametrize("n_dims", [5, 300])
def test_one_answer_for_all_is_at_chance(n_dims):
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(25, n_dims))
    same = np.repeat(rng.normal(size=(1, n_dims)), 25, axis=0)
    assert sorted(rank(truth, same).tolist()) == list(range(25))
    assert top_k(truth, same).sum() == 1
    assert rank(truth, np.zeros_like(truth)).tolist() == [12.0] * 25
    assert top_k(truth, np.zeros_like(truth)).sum() == 0


def test_scale_of_predictions_does_not_matter(noisy):
    np.testing.assert_allclose(rank(noisy[0], 7 * noisy[1]), rank(*noisy))


def test_repeats_do_not_compete(noisy):
    truth, recon = noisy
    twice = rank(np.tile(truth, (2, 1)), np.tile(recon, (2, 1)))
    np.testing.assert_allclose(twice, np.tile(rank(truth, recon), 2))


def test_tokens_are_flattened(noisy):
    shaped = [one.reshape(40, 5, 6) for one in noisy]
    np.testing.assert_allclose(rank(*shaped), rank(*noisy))


def test_top_k_counts_the_ranks_below_k(noisy):
    for k in (1, 5, 12):
        np.testing.assert_array_equal(top_k(*noisy, k), rank(*noisy) <= k - 1)


def test_relative_median_rank_of_noise_is_a_half():
    truth, recon = np.random.default_rng(2).normal(size=(2, 501, 10))
    assert abs(relative_median_rank(rank(truth, recon), 501) - 0.5) < 0.08


def test_draws_equal_a_loop(noisy):
    truth, recon = noisy
    got = drawn_retrieval(truth, recon, n_candidates=12, n_draws=6, seed=3)
    back = drawn_retrieval(truth, recon, "backward", n_candidates=12, n_draws=6, seed=3)
    rng = np.random.default_rng(3)
    for draw in range(6):
        chosen = rng.choice(40, 12, replace=False)
        similar = cosine(recon[chosen], truth[chosen])
        assert got.per_draw[draw] == np.mean(similar.argmax(axis=1) == np.arange(12))
        assert back.per_draw[draw] == np.mean(similar.argmax(axis=0) == np.arange(12))
    assert got.chance == 1 / 12
    assert got.half_width == pytest.approx(1.96 * got.per_draw.std(ddof=1) / np.sqrt(6))


def test_all_drawn_is_plain_retrieval(noisy):
    got = drawn_retrieval(*noisy, n_candidates=40, n_draws=2)
    np.testing.assert_array_equal(got.per_item, top_k(*noisy))


def test_draws_of_noise_are_at_chance():
    truth, recon = np.random.default_rng(5).normal(size=(2, 300, 40))
    assert abs(drawn_retrieval(truth, recon, n_candidates=10, n_draws=300).value - 0.1) < 0.03


def test_bad_arguments_are_refused(noisy):
    truth, recon = noisy
    with pytest.raises(ValueError, match="300 candidates can't be drawn from 40 items"):
        drawn_retrieval(truth, recon)
    with pytest.raises(ValueError, match="Draws need distinct stimuli: 80 rows show 40"):
        drawn_retrieval(np.tile(truth, (2, 1)), np.tile(recon, (2, 1)), n_candidates=9)
    with pytest.raises(ValueError, match="way must be 'forward' or 'backward'; got 'both'"):
        drawn_retrieval(truth, recon, "both")
    with pytest.raises(ValueError, match="k must be 1 to 39 with 40 candidates; got 40"):
        top_k(truth, recon, 40)
    with pytest.raises(ValueError, match="The median rank of nothing"):
        relative_median_rank([], 4)


def test_the_table_of_ranks_holds_the_rank(noisy):
    truth, recon = noisy
    table = rank_table(cosine(recon, truth))
    np.testing.assert_allclose(np.diag(table), rank(truth, recon))
    assert np.sort(table, axis=1).tolist() == [list(range(40))] * 40
