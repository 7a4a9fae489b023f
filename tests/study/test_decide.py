"""A claim holds by its interval, never by its mean."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.study import better, not_worse, ratio_at_least
from neurodecode.study._decide import decide
from neurodecode.study._outcome import Outcome
from neurodecode.study._pooled import Pool, Pooled

N = 60


def _pool(values, higher=True, order=None):
    order = np.arange(N) if order is None else order
    columns = {
        "stimulus": np.array([f"s{row:02d}" for row in order]),
        "subject": np.array(["anna"] * N),
    }
    told = {"two_way": {"higher_is_better": higher}}
    outcome = Outcome(columns, {"two_way": np.asarray(values)[order]}, {}, np.arange(N), told, {})
    return Pool([outcome], [0], ["all"], apart=True)


def _decided(claim, a, b, **more):
    pools = {Pooled("pooled", "a"): _pool(a, **more), Pooled("pooled", "b"): _pool(b, **more)}
    return decide(claim, pools)


def test_a_gain_within_its_interval_is_not_shown_and_a_large_one_holds():
    noise = np.random.default_rng(0).normal(size=N)
    base = np.full(N, 0.5)
    small = _decided(better("a", "b", "two_way", "pooled"), base + 0.02 + noise, base)
    assert small.a > small.b
    assert small.verdict == "not shown"
    large = _decided(better("a", "b", "two_way", "pooled"), base + 2 + noise, base)
    assert large.verdict == "holds"
    assert large.interval.low == pytest.approx(large.interval.high, abs=1.2)


def test_margins_and_ratios():
    base = np.linspace(0.4, 0.6, N)
    claim = not_worse("a", "b", "two_way", "pooled", margin=0.02)
    assert _decided(claim, base - 0.01, base).verdict == "holds"
    assert _decided(claim, base - 0.03, base).verdict == "not shown"
    ratio = ratio_at_least("a", "b", "two_way", "pooled", ratio=1.5)
    assert _decided(ratio, 1.6 * base, base).verdict == "holds"
    assert _decided(ratio, 1.4 * base, base).verdict == "not shown"


def test_lower_is_better_turns_the_claim():
    base = np.linspace(0.4, 0.6, N)
    claim = better("a", "b", "two_way", "pooled")
    assert _decided(claim, base - 0.1, base, higher=False).verdict == "holds"
    assert _decided(claim, base + 0.1, base, higher=False).verdict == "not shown"


def test_items_are_paired_by_name_and_not_by_place():
    base = np.random.default_rng(1).normal(size=N)
    mixed = np.random.default_rng(2).permutation(N)
    pools = {
        Pooled("pooled", "a"): _pool(base + 0.1),
        Pooled("pooled", "b"): _pool(base, order=mixed),
    }
    decision = decide(better("a", "b", "two_way", "pooled"), pools)
    assert decision.interval.low == pytest.approx(0.1)
    assert decision.verdict == "holds"
