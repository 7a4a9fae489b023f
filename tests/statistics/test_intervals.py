from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neurodecode.statistics import FEW_PEOPLE, Interval, Sampling, mean_interval


def holds(interval, truth):
    return interval.low <= truth <= interval.high


def test_values_that_share_nothing_have_students_interval():
    values = np.random.default_rng(0).exponential(size=60)
    want = stats.ttest_1samp(values, 0).confidence_interval()
    got = mean_interval(values)
    assert (got.low, got.high) == pytest.approx((want.low, want.high))
    wide = mean_interval(values, level=0.99)
    want = stats.ttest_1samp(values, 0).confidence_interval(0.99)
    assert (wide.low, wide.high) == pytest.approx((want.low, want.high))


def test_clusters_are_one_value_each_where_they_are_of_one_size():
    values = np.random.default_rng(1).normal(size=(12, 5)) + np.arange(12)[:, None]
    want = stats.ttest_1samp(values.mean(axis=1), 0).confidence_interval()
    got = mean_interval(values.ravel(), Sampling(cluster=np.repeat(np.arange(12), 5)))
    assert (got.low, got.high) == pytest.approx((want.low, want.high))


def test_few_people_are_fixed_and_nothing_is_said_about_others():
    rng = np.random.default_rng(2)
    values = rng.normal(size=(4, 30))
    person, stimulus = np.repeat(np.arange(4), 30), np.tile(np.arange(30), 4)
    want = stats.ttest_1samp(values.mean(axis=0), 0).confidence_interval()
    got = mean_interval(values.ravel(), Sampling(person, stimulus))
    assert (got.low, got.high) == pytest.approx((want.low, want.high))
    apart = mean_interval(
        (values + 10.0 * np.arange(4)[:, None]).ravel(), Sampling(person, stimulus)
    )
    assert apart.high - apart.low == pytest.approx(got.high - got.low)
    assert got.method == "t interval over stimuli, people fixed"
    assert got.scope == (
        "other stimuli of the same kind in these 4 people; nothing follows for other people"
    )


def test_six_people_are_drawn_anew():
    values = np.random.default_rng(3).normal(size=(6, 20))
    shifted = values + 5.0 * np.arange(6)[:, None]
    person, stimulus = np.repeat(np.arange(6), 20), np.tile(np.arange(20), 6)
    want = stats.ttest_1samp(shifted.mean(axis=1), 0).confidence_interval()
    got = mean_interval(shifted.ravel(), Sampling(person, stimulus))
    assert (got.low, got.high) == pytest.approx((want.low, want.high), rel=0.02)
    assert got.method == "t interval over people and stimuli"
    assert got.scope == "people and stimuli like these 6 people and their stimuli"
    assert FEW_PEOPLE == 6


@pytest.mark.parametrize(("n_hits", "n"), [(3, 400), (200, 400), (399, 400)])
def test_shares_have_wilsons_interval(n_hits, n):
    got = mean_interval(np.arange(n) < n_hits, share=True)
    want = stats.binomtest(n_hits, n).proportion_ci(method="wilson")
    assert (got.low, got.high) == pytest.approx((want.low, want.high), abs=0.002)
    assert got.method == "Wilson interval over items"


@pytest.mark.parametrize("value", [0, 1])
def test_hits_that_are_all_alike_leave_room_for_others(value):
    got = mean_interval(np.full(20, value), share=True)
    want = stats.binomtest(20 * value, 20).proportion_ci(method="wilson")
    assert (got.low, got.high) == pytest.approx((want.low, want.high), abs=0.03)
    twice = mean_interval(
        np.full(40, value), Sampling(np.repeat([0, 1], 20), np.tile(np.arange(20), 2)), share=True
    )
    assert twice == got  # two people at the same stimuli are not twice as many stimuli


def test_differences_that_are_all_zero_are_zero():
    got = mean_interval(np.zeros(30))
    assert (got.low, got.high, got.method) == (0.0, 0.0, "all values are equal")


def test_a_film_is_not_a_bag_of_scenes():
    rng = np.random.default_rng(4)
    inside = {"film": 0, "bag": 0}
    for _ in range(300):
        noise = rng.normal(size=130)
        values = np.empty(130)
        values[0] = noise[0] / np.sqrt(1 - 0.6**2)
        for i in range(1, 130):
            values[i] = 0.6 * values[i - 1] + noise[i]
        inside["film"] += holds(mean_interval(values, Sampling(time=np.arange(130))), 0)
        inside["bag"] += holds(mean_interval(values), 0)
    assert inside["film"] / 300 >= 0.91
    assert inside["bag"] / 300 <= 0.75


def test_the_order_of_rows_does_not_matter():
    rng = np.random.default_rng(5)
    values, time = rng.normal(size=40).cumsum(), np.arange(40.0)
    mixed = rng.permutation(40)
    one = mean_interval(values, Sampling(time=time))
    other = mean_interval(values[mixed], Sampling(time=time[mixed]))
    assert (one.low, one.high) == pytest.approx((other.low, other.high))


def test_intervals_know_whether_they_meet():
    assert Interval(0, 1).overlaps(Interval(1, 2))
    assert not Interval(0, 1).overlaps(Interval(1.1, 2))


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="1 of 3 values are not finite"):
        mean_interval([0.1, np.nan, 0.2])
    with pytest.raises(ValueError, match="needs one value an item; got shape"):
        mean_interval([])
    with pytest.raises(ValueError, match="person has 2 rows but there are 3 values"):
        mean_interval([1, 2, 3], Sampling([0, 1]))
    with pytest.raises(ValueError) as error:
        mean_interval([0.5, 2.0], share=True)
    assert str(error.value) == (
        "Shares lie in 0 to 1; got 0.5 to 2. Leave out share=True for other scores and for "
        "differences."
    )
    with pytest.raises(ValueError) as error:
        mean_interval([1.0, 2.0], Sampling(cluster=["a", "a"]))
    assert str(error.value) == (
        "An interval needs two or more stimuli (or moments) that could be drawn anew; got 1 for 2 "
        "values. Give more, or name what else is independent as cluster."
    )


def test_an_interval_has_ends():
    with pytest.raises(ValueError) as error:
        Interval(np.nan, 1.0)
    assert str(error.value) == "The ends of an interval must be finite numbers; got nan and 1.0."
