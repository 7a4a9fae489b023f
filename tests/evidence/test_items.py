from __future__ import annotations

import numpy as np
import pytest

from neurodecode.evidence import Items, score_table
from neurodecode.statistics import Null


def test_columns_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match="subject has 1 rows but there are 2 items"):
        Items(["a", "b"], ["x"])


def test_some_items_keep_all_columns():
    items = Items(list("abc"), list("xyz"), list("123"), list("001"), list("ttu"), [3, 2, 1])
    some = items.take(np.array([2, 0]))
    assert (some.stimulus.tolist(), some.cluster.tolist()) == (["c", "a"], ["u", "t"])
    assert (some.run.tolist(), some.fold.tolist(), some.time.tolist()) == (
        ["3", "1"],
        ["1", "0"],
        [1.0, 3.0],
    )


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({}, "person"),
        ({"run": list("112222")}, "person and run"),
        ({"run": list("112222"), "fold": list("001100")}, "person, run and fold"),
        ({"fold": list("000111")}, "person and fold"),
        (
            {"fold": list("012345")},
            "person; not within folds, which hold too few items of a run",
        ),
        ({"run": list("112223")}, "person and run; 17% of items can't change places"),
        ({"run": list("123456")}, "person and run; no two items can change places"),
        ({"time": range(6)}, "person, shifted in time"),
        ({"time": range(6), "run": list("111222")}, "person and run, shifted in time"),
    ],
)
def test_what_a_null_keeps_is_told(columns, told):
    items = Items(list("abcdef"), ["p"] * 6, **columns)
    assert items.permuted_within == told
    kept = [items.subject] + [
        np.array(columns[one]) for one in ("run", "fold") if one in columns and one in told
    ]
    seen = []
    items.null(lambda order: float(seen.append(order.copy()) or 0), n_permutations=40)
    for order in seen:
        assert sorted(order.tolist()) == list(range(6))
        if "not within" not in told:
            assert all((one[order] == one).all() for one in kept)


def test_items_that_can_not_change_places_prove_nothing():
    items = Items(list("abcd"), ["p"] * 4, run=list("1234"))
    score = score_table(np.eye(4), np.arange(4), items, chance=0.25)
    assert score.p == 1.0
    assert score.null.kind == "none: person and run; no two items can change places"
    assert score.as_json()["permuted_within"] == "person and run; no two items can change places"


def test_people_of_one_film_are_shifted_together_whatever_the_order_of_rows():
    rng = np.random.default_rng(0)
    scene, person = np.tile(np.arange(8), 3), np.repeat(np.arange(3), 8)
    mixed = rng.permutation(24)
    items = Items(scene[mixed], person[mixed], time=scene[mixed])
    shifts = []

    def noted(order):
        by = (scene[mixed][order] - scene[mixed]) % 8
        assert (person[mixed][order] == person[mixed]).all()
        assert len(set(by.tolist())) == 1
        shifts.append(int(by[0]))
        return 0.0

    null = items.null(noted)
    assert null.exact
    assert sorted(shifts) == list(range(1, 8))


def test_folds_make_null_and_interval_wider():
    rng = np.random.default_rng(1)
    table, column = rng.random((60, 60)), np.arange(60)
    names = [f"s{i}" for i in range(60)]
    plain = score_table(table, column, Items(names, ["p"] * 60), chance=0.5)
    folds = score_table(table, column, Items(names, ["p"] * 60, fold=np.arange(60) % 4), chance=0.5)
    assert np.std(folds.null.values) == pytest.approx(1.39 * np.std(plain.null.values), rel=0.1)
    ratio = (folds.ci95.high - folds.ci95.low) / (plain.ci95.high - plain.ci95.low)
    assert 1.2 < ratio < 1.42
    assert "for training sets that overlap" in folds.ci95.method
    assert "for training sets that overlap" in folds.null.kind


def test_a_trial_of_a_class_counts_as_one_of_many():
    hits = np.random.default_rng(2).random(200) < 0.7
    classes = np.tile(["face", "house"], 100)
    with_trials = Items(classes, ["p"] * 200, cluster=np.arange(200))
    interval = with_trials.interval(hits, share=True)
    assert 0.11 < interval.high - interval.low < 0.15


def test_the_null_says_how_strong_a_signal_is():
    values = np.random.default_rng(3).random(60)
    items = Items([f"s{i}" for i in range(60)], ["p"] * 60, fold=np.arange(60) % 4)
    near, far = (Null(np.array([-0.04, 0.04]) + middle) for middle in (values.mean(), 0.0))
    widths = [
        one.high - one.low for one in (items.interval(values, null=null) for null in (near, far))
    ]
    assert widths[0] > 1.1 * widths[1]


def test_trials_of_one_stimulus_are_no_other_place():
    items = Items(list("aabb"), ["p"] * 4, fold=list("0011"))
    assert items.permuted_within == "person; not within folds, which hold too few items of a run"
    assert Items(list("aabb"), ["p"] * 4, run=list("0011")).movable == 0
