from __future__ import annotations

import numpy as np
import pytest

from neurodecode.metrics.identification import top_k, two_way, two_way_table


@pytest.fixture
def noisy():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(30, 50))
    return truth, truth + 3.0 * rng.normal(size=truth.shape)


def published_two_way(real, recon):
    """The published lines, as the method notes describe them."""
    n = len(real)
    r = np.corrcoef(real, recon)[:n, n:]
    return (r < np.diag(r)).sum(axis=0) / (n - 1)


def test_two_way_equals_the_published_code(noisy):
    np.testing.assert_allclose(two_way(*noisy), published_two_way(*noisy))


def test_the_other_direction_is_the_transposed_comparison(noisy):
    truth, recon = noisy
    np.testing.assert_allclose(two_way(truth, recon, "truth"), published_two_way(recon, truth))
    assert two_way(truth, recon, "truth").tolist() != two_way(truth, recon).tolist()


@pytest.mark.parametrize("direction", ["recon", "truth"])
def test_two_way_of_noise_is_at_chance(direction):
    truth, recon = np.random.default_rng(3).normal(size=(2, 400, 20))
    assert abs(two_way(truth, recon, direction).mean() - 0.5) < 0.04


@pytest.mark.parametrize("n_dims", [7, 64, 40_000])
def test_one_answer_for_all_is_a_tie_and_ties_fail(n_dims):
    rng = np.random.default_rng(4)
    truth = rng.normal(size=(11, n_dims))
    same = np.repeat(rng.normal(size=(1, n_dims)), 11, axis=0)
    assert two_way(truth, same, "truth").tolist() == [0.0] * 11
    assert two_way(truth, same, "recon").mean() == pytest.approx(0.5)


def test_constant_predictions_never_win(noisy):
    truth, _ = noisy
    assert two_way(truth, np.ones_like(truth)).tolist() == [0.0] * 30
    assert top_k(truth, np.ones_like(truth)).tolist() == [0.0] * 30


def test_order_of_items_does_not_matter(noisy):
    order = np.random.default_rng(1).permutation(30)
    np.testing.assert_allclose(two_way(noisy[0][order], noisy[1][order]), two_way(*noisy)[order])


def test_trials_of_the_same_picture_do_not_compete(noisy):
    truth, recon = noisy
    twice = two_way(np.repeat(truth, 2, axis=0), np.repeat(recon, 2, axis=0))
    np.testing.assert_allclose(twice[::2], two_way(truth, recon))
    hits = top_k(np.repeat(truth, 2, axis=0), np.repeat(recon, 2, axis=0))
    np.testing.assert_allclose(hits[::2], top_k(truth, recon))


def test_top_k_equals_sorting(noisy):
    truth, recon = noisy
    r = np.corrcoef(truth, recon)[:30, 30:]
    place = (r > np.diag(r)).sum(axis=0)
    for k in (1, 3, 10):
        np.testing.assert_array_equal(top_k(truth, recon, k), place < k)


def test_candidates_beyond_the_test_items_compete(noisy):
    truth, recon = noisy
    single = top_k(truth[:1], recon[:1], candidates=truth)
    assert single.tolist() == top_k(truth, recon)[:1].tolist()
    assert two_way(truth[:1], recon[:1], candidates=truth)[0] == two_way(truth, recon)[0]


def test_removing_the_training_mean_undoes_a_common_picture():
    rng = np.random.default_rng(5)
    common = rng.normal(size=40)
    truth = rng.normal(size=(20, 40)) + common
    shrunk = 0.1 * (truth - common) + common
    assert top_k(truth, shrunk, train_mean=common).mean() == 1.0
    assert top_k(truth, shrunk).mean() < 0.8


def test_nothing_to_compare_with_is_refused():
    same = np.ones((3, 2)) * [1.0, 2.0]
    with pytest.raises(ValueError, match="3 of 3 items have no other to be compared with"):
        two_way(same, same)


def test_bad_arguments_are_refused(noisy):
    truth, recon = noisy
    with pytest.raises(ValueError, match="direction must be 'recon' or 'truth'; got 'both'"):
        two_way(truth, recon, "both")
    with pytest.raises(ValueError, match="candidates go with direction='recon'"):
        two_way(truth, recon, "truth", candidates=truth)
    with pytest.raises(ValueError, match="k must be 1 to 29 with 30 candidates; got 30"):
        top_k(truth, recon, 30)
    with pytest.raises(ValueError, match="train_mean has 3 numbers but a row has 50"):
        top_k(truth, recon, train_mean=np.zeros(3))
    with pytest.raises(ValueError, match="Rows of 50 numbers can't be compared with rows of 49"):
        top_k(truth, recon, candidates=truth[:, 1:])


def test_the_table_of_two_way_holds_the_score(noisy):
    truth, recon = noisy
    table = two_way_table(np.corrcoef(recon, truth)[:30, 30:])
    np.testing.assert_allclose(np.diag(table), two_way(truth, recon))
    np.testing.assert_allclose(table.mean(), 0.5)
    with pytest.raises(ValueError, match="needs two or more candidates; got 1"):
        two_way_table(np.zeros((3, 1)))
