from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.stats import binomtest, bootstrap, kstest

from neurodecode.statistics import (
    Interval,
    Null,
    bootstrap_interval,
    circular_shift_null,
    permutation_null,
    rank_chance,
    top_k_chance,
)


def test_the_interval_is_scipys_percentile_interval():
    values = np.random.default_rng(0).exponential(size=60)
    want = bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, random_state=1
    ).confidence_interval
    got = bootstrap_interval(values, n_resamples=20_000)
    assert got.low == pytest.approx(want.low, abs=0.01)
    assert got.high == pytest.approx(want.high, abs=0.01)


def test_the_interval_covers_the_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    inside = 0
    for seed in range(300):
        interval = bootstrap_interval(rng.normal(2.0, 1.0, 40), n_resamples=400, seed=seed)
        inside += interval.low <= 2.0 <= interval.high
    assert 0.90 <= inside / 300 <= 0.98


def clustered(rng, n_clusters, n_each):
    means = np.repeat(rng.normal(size=n_clusters), n_each)
    return means + rng.normal(size=n_clusters * n_each), np.repeat(np.arange(n_clusters), n_each)


def test_clusters_widen_the_interval_and_keep_its_coverage():
    rng = np.random.default_rng(2)
    inside, naive = 0, 0
    for seed in range(150):
        values, subject = clustered(rng, 15, 10)
        wide = bootstrap_interval(values, clusters=subject, n_resamples=300, seed=seed)
        narrow = bootstrap_interval(values, n_resamples=300, seed=seed)
        inside += wide.low <= 0 <= wide.high
        naive += narrow.low <= 0 <= narrow.high
    assert inside / 150 >= 0.88
    assert naive / 150 <= 0.75


def test_stimuli_seen_by_all_are_not_independent_evidence():
    rng = np.random.default_rng(3)
    inside, nested = 0, 0
    for seed in range(100):
        stimulus = np.tile(np.arange(20), 6)
        values = rng.normal(size=20)[stimulus] + 0.3 * rng.normal(size=120)
        subject = np.repeat(np.arange(6), 20)
        crossed = bootstrap_interval(
            values, clusters=subject, items=stimulus, n_resamples=300, seed=seed
        )
        apart = bootstrap_interval(values, clusters=subject, n_resamples=300, seed=seed)
        inside += crossed.low <= 0 <= crossed.high
        nested += apart.low <= 0 <= apart.high
    assert inside >= 88
    assert nested <= 75


def test_one_cluster_is_the_plain_bootstrap():
    values = np.random.default_rng(4).normal(size=30)
    assert bootstrap_interval(values, clusters=["a"] * 30) == bootstrap_interval(values)


@pytest.mark.parametrize("value", [0, 1])
def test_scores_without_variation_get_the_exact_binomial_interval(value):
    got = bootstrap_interval(np.full(20, value))
    want = binomtest(20 * value, 20).proportion_ci(method="exact")
    assert (got.low, got.high) == pytest.approx((want.low, want.high))


def test_the_interval_is_the_same_for_the_same_seed():
    values = np.random.default_rng(5).normal(size=30)
    assert bootstrap_interval(values, seed=1) == bootstrap_interval(values, seed=1)
    assert bootstrap_interval(values, seed=1) != bootstrap_interval(values, seed=2)


def test_intervals_know_whether_they_meet():
    assert Interval(0, 1).overlaps(Interval(1, 2))
    assert not Interval(0, 1).overlaps(Interval(1.1, 2))


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
        x, y = smooth(rng), smooth(rng)
        score = lambda order, x=x, y=y: float(np.corrcoef(x, y[order])[0, 1])  # noqa: E731
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


def test_chance_levels():
    assert top_k_chance(20) == 0.05
    assert rank_chance(5) == 2.0
    with pytest.raises(ValueError, match="k must be 1 to 4 with 4 candidates; got 5"):
        top_k_chance(4, 5)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="1 of 3 values are not finite"):
        bootstrap_interval([0.1, np.nan, 0.2])
    with pytest.raises(ValueError, match="needs one value an item; got shape"):
        bootstrap_interval([])
    with pytest.raises(ValueError, match="clusters has 2 rows but there are 3 values"):
        bootstrap_interval([1, 2, 3], clusters=[0, 1])
    with pytest.raises(ValueError, match="None of 3 items can change places"):
        permutation_null(lambda _: 0.0, 3, groups=[0, 1, 2])
    with pytest.raises(ValueError, match="groups has 2 rows but there are 3 items"):
        permutation_null(lambda _: 0.0, 3, groups=[0, 1])
    with pytest.raises(ValueError, match="min_shift must be 1 to 3"):
        circular_shift_null(lambda _: 0.0, 6, min_shift=4)
    with pytest.raises(ValueError, match="of no items"):
        permutation_null(lambda _: 0.0, 0)
