from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, bootstrap

from neurodecode.statistics import Interval, bootstrap_interval


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


def test_hits_of_few_people_at_shared_stimuli_are_covered():
    rng = np.random.default_rng(9)
    spread = np.sqrt(0.3**2 + 1.0)
    truth = np.mean(1 / (1 + np.exp(2.2 - spread * rng.normal(size=200_000))))
    subject, stimulus = np.repeat(np.arange(4), 100), np.tile(np.arange(100), 4)
    inside = {"crossed": 0, "plain": 0}
    for seed in range(100):
        ease = 0.3 * rng.normal(size=4)[subject] + rng.normal(size=100)[stimulus]
        hits = (rng.random(400) < 1 / (1 + np.exp(2.2 - ease))).astype(float)
        options = {"n_resamples": 200, "seed": seed}
        crossed = bootstrap_interval(hits, clusters=subject, items=stimulus, **options)
        plain = bootstrap_interval(hits, **options)
        inside["crossed"] += crossed.low <= truth <= crossed.high
        inside["plain"] += plain.low <= truth <= plain.high
    assert inside["crossed"] >= 90
    assert inside["plain"] <= 86


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


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="1 of 3 values are not finite"):
        bootstrap_interval([0.1, np.nan, 0.2])
    with pytest.raises(ValueError, match="needs one value an item; got shape"):
        bootstrap_interval([])
    with pytest.raises(ValueError, match="clusters has 2 rows but there are 3 values"):
        bootstrap_interval([1, 2, 3], clusters=[0, 1])


def test_an_interval_has_ends():
    with pytest.raises(ValueError) as error:
        Interval(np.nan, 1.0)
    assert str(error.value) == "The ends of an interval must be finite numbers; got nan and 1.0."
