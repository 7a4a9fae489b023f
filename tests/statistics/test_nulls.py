from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.stats import kstest, zscore

from neurodecode.statistics import Null, circular_shift_null, permutation_null


def matches(truth, guess):
    return lambda order: float(np.mean(truth == guess[order]))


def test_p_values_are_uniform_under_the_null():
    rng = np.random.default_rng(6)
    p_values = []
    for seed in range(200):
        x, y = rng.normal(size=(2, 25))
        null = permutation_null(
            lambda order, x=x, y=y: float(x @ y[order]), 25, n_permutations=99, seed=seed
        )
        p_values.append(null.p_value(float(x @ y)))
    assert kstest(p_values, "uniform").pvalue > 0.01
    assert np.mean(np.array(p_values) <= 0.05) <= 0.09


def test_a_planted_signal_is_found():
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 4, 60)
    guess = np.where(rng.random(60) < 0.5, truth, rng.integers(0, 4, 60))
    score = matches(truth, guess)
    null = permutation_null(score, 60, n_permutations=199)
    assert null.p_value(score(np.arange(60))) == 1 / 200
    assert null.mean == pytest.approx(0.25, abs=0.03)
    assert null.mean < null.p95 < 0.45


def test_few_arrangements_are_all_made_once():
    x = np.arange(4.0)
    orders = []
    null = permutation_null(lambda order: orders.append(tuple(order)) or x @ x[order], 4)
    assert null.exact
    assert len(set(orders)) == len(orders) == 23
    assert null.p_value(x @ x) == pytest.approx(1 / 24)


def test_items_stay_in_their_groups():
    groups = np.array(list("aabbbbccccccc"))
    for n_permutations in (50, 60):
        null = permutation_null(
            lambda order: float((groups[order] == groups).all()),
            13,
            groups=groups,
            n_permutations=n_permutations,
        )
        assert null.values.tolist() == [1.0] * n_permutations
        assert null.kind == "permutation within groups"


def test_the_order_within_groups_changes():
    groups = np.repeat([0, 1], 2)
    null = permutation_null(lambda order: float(order[0] * 10 + order[2]), 4, groups=groups)
    assert null.exact
    assert sorted(null.values.tolist()) == [3.0, 12.0, 13.0]


def test_lower_can_be_better():
    null = Null(np.array([3.0, 4.0, 5.0]))
    assert null.p_value(3.5, "less") == 0.5
    assert null.p_value(3.5) == 0.75
    with pytest.raises(ValueError, match="alternative must be 'greater' or 'less'; got 'two'"):
        null.p_value(1.0, "two")


def test_equal_scores_that_differ_by_rounding_count_as_equal():
    assert Null(np.array([0.1 + 0.2])).p_value(0.3) == 1.0
    assert Null(np.array([0.3])).p_value(0.1 + 0.2) == 1.0


def smooth(rng):
    return gaussian_filter1d(rng.normal(size=200), 4, mode="wrap")


def test_all_shifts_are_the_fair_null_for_slow_signals():
    rng = np.random.default_rng(8)
    full, far, permuted = [], [], []
    for seed in range(200):
        x, y = (zscore(smooth(rng)) for _ in range(2))
        score = lambda order, x=x, y=y: float(x @ y[order])  # noqa: E731
        observed = score(np.arange(200))
        full.append(circular_shift_null(score, 200).p_value(observed))
        far.append(circular_shift_null(score, 200, min_shift=50).p_value(observed))
        null = permutation_null(score, 200, n_permutations=60, seed=seed)
        permuted.append(null.p_value(observed))
    assert np.mean(np.array(full) <= 0.05) <= 0.08
    assert np.mean(np.array(far) <= 0.05) > np.mean(np.array(full) <= 0.05)
    assert np.mean(np.array(permuted) <= 0.05) >= 0.2


def test_shifts_stay_within_runs_and_above_the_smallest():
    groups = np.repeat([0, 1], [6, 8])
    seen = []
    null = circular_shift_null(
        lambda order: float(seen.append(order.copy()) or 0), 14, min_shift=2, groups=groups
    )
    assert null.exact
    assert len(null.values) == 3 * 5
    for order in seen:
        assert (groups[order] == groups).all()
        for start, n in ((0, 6), (6, 8)):
            shift = (start - order[start]) % n
            assert 2 <= shift <= n - 2
            np.testing.assert_array_equal(
                order[start : start + n], start + np.roll(np.arange(n), shift)
            )


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="None of 3 items can change places"):
        permutation_null(lambda _: 0.0, 3, groups=[0, 1, 2])
    with pytest.raises(ValueError, match="groups has 2 rows but there are 3 items"):
        permutation_null(lambda _: 0.0, 3, groups=[0, 1])
    with pytest.raises(ValueError, match="min_shift must be 1 to 3"):
        circular_shift_null(lambda _: 0.0, 6, min_shift=4)
    with pytest.raises(ValueError, match="n_items must be a whole number of at least 1; got 0"):
        permutation_null(lambda _: 0.0, 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_has_no_p_value(bad):
    with pytest.raises(ValueError) as error:
        Null(np.array([0.1, 0.2])).p_value(bad)
    assert str(error.value) == (
        f"A score of {bad} has no p-value: it is no finite number. Mend what made it."
    )
    with pytest.raises(ValueError) as error:
        Null(np.array([0.1, bad]))
    assert str(error.value) == (
        "1 of 2 null scores are not finite. Mend the score: it must give a number for every "
        "arrangement."
    )
    with pytest.raises(ValueError, match="99 of 99 null scores are not finite"):
        permutation_null(lambda _: bad, 20, n_permutations=99)


def test_widening_keeps_the_mean_and_multiplies_the_variance():
    null = Null(np.array([0.0, 1.0, 2.0, 5.0]))
    wide = null.widened(4.0)
    assert wide.mean == pytest.approx(null.mean)
    assert wide.values.var() == pytest.approx(4.0 * null.values.var())
