"""Statistics at random inputs against SciPy, or a loop that says what is meant."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from neurodecode.statistics import (
    Null,
    Sampling,
    circular_shift_null,
    linear_share,
    mean_interval,
    permutation_null,
    rank_chance,
    top_k_chance,
)

settings.register_profile("steady", max_examples=30, deadline=None, derandomize=True)
settings.load_profile("steady")

VALUES = hnp.arrays(np.float64, st.integers(3, 30), elements=st.floats(-50, 50, width=32))


def ends(interval):
    return interval.low, interval.high


@given(VALUES)
def test_plain_intervals_are_scipys(values):
    assume(np.ptp(values) > 1e-3)
    want = stats.ttest_1samp(values, 0).confidence_interval()
    assert ends(mean_interval(values)) == pytest.approx((want.low, want.high))


@given(VALUES, st.floats(0.1, 30), st.floats(-30, 30))
def test_intervals_move_and_grow_with_their_values(values, scale, offset):
    assume(np.ptp(values) > 1e-3)
    low, high = ends(mean_interval(values))
    got = ends(mean_interval(scale * values + offset))
    assert got == pytest.approx((scale * low + offset, scale * high + offset), abs=1e-6)


@given(VALUES)
def test_single_precision_gives_the_same_interval(values):
    want = ends(mean_interval(values))
    assert ends(mean_interval(values.astype(np.float32))) == pytest.approx(want)


@given(VALUES, st.integers(2, 4))
def test_people_who_all_answer_alike_count_once(values, n_people):
    assume(np.ptp(values) > 1e-3)
    n = len(values)
    sampling = Sampling(np.repeat(np.arange(n_people), n), np.tile(np.arange(n), n_people))
    got = mean_interval(np.tile(values, n_people), sampling)
    assert ends(got) == pytest.approx(ends(mean_interval(values)), abs=1e-6)


@given(st.integers(2, 300), st.data())
def test_intervals_of_shares_are_inside_and_mirrored(n, data):
    hits = np.arange(n) < data.draw(st.integers(0, n))
    low, high = ends(mean_interval(hits, share=True))
    assert 0 <= low <= hits.mean() <= high <= 1
    assert ends(mean_interval(~hits, share=True)) == pytest.approx((1 - high, 1 - low))


@given(VALUES, st.floats(-60, 60), st.sampled_from(["greater", "less"]))
def test_p_is_a_count(values, observed, alternative):
    assume(np.abs(values - observed).min() > 1e-6)
    as_good = sum(v >= observed if alternative == "greater" else v <= observed for v in values)
    assert Null(values).p_value(observed, alternative) == (1 + as_good) / (1 + len(values))


@given(hnp.arrays(np.float64, (2, 5), elements=st.integers(-9, 9).map(float)))
def test_exact_permutations_are_scipys(both):
    x, y = both
    null = permutation_null(lambda order: float(x @ y[order]), 5)
    want = stats.permutation_test(
        (y,),
        lambda one: x @ one,
        permutation_type="pairings",
        alternative="greater",
        n_resamples=np.inf,
    )
    assert null.exact
    assert null.p_value(float(x @ y)) == pytest.approx(want.pvalue)


@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=6))
def test_permutations_within_groups_are_all_that_keep_them(groups):
    n = len(groups)
    wanted = {
        order
        for order in permutations(range(n))
        if all(groups[order[i]] == groups[i] for i in range(n))
    } - {tuple(range(n))}
    assume(wanted)
    seen = []
    permutation_null(lambda order: float(seen.append(tuple(order.tolist())) or 0), n, groups=groups)
    assert set(seen) == wanted
    assert len(seen) == len(wanted)


@given(VALUES)
def test_shifts_are_rolls(values):
    other = values[::-1].copy()
    null = circular_shift_null(lambda order: float(values @ other[order]), len(values))
    want = [values @ np.roll(other, shift) for shift in range(1, len(values))]
    np.testing.assert_allclose(null.values, want)


@given(VALUES)
def test_linear_share_is_the_squared_correlation_of_a_normal_plot(values):
    assume(np.ptp(values) > 1e-3)
    _, (_, _, r) = stats.probplot(values)
    assert linear_share(values) == pytest.approx(r**2, abs=0.06)
    assert linear_share(3 * values + 1) == pytest.approx(linear_share(values))


@given(st.integers(1, 40), st.data())
def test_chances_are_those_of_a_blind_guess(n, data):
    k = data.draw(st.integers(1, n))
    assert top_k_chance(n, k) == pytest.approx(np.mean(np.arange(n) < k))
    assert rank_chance(n) == np.mean(np.arange(n))


@settings(max_examples=10)
@given(st.integers(0, 10_000))
def test_the_order_of_rows_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    values, mixed = rng.normal(size=84), rng.permutation(84)
    person, stimulus = np.repeat(np.arange(7), 12), np.tile(np.arange(12), 7)
    for sampling in (
        {"person": person, "cluster": stimulus},
        {"person": person % 3, "time": stimulus + 12 * (person // 3), "run": person // 3},
    ):
        want = mean_interval(values, Sampling(**sampling))
        got = mean_interval(
            values[mixed], Sampling(**{name: one[mixed] for name, one in sampling.items()})
        )
        assert ends(got) == pytest.approx(ends(want))
