from __future__ import annotations

import numpy as np
import pytest

from neurodecode.evidence import Items, ProtocolResult, Score, score_table
from neurodecode.statistics import Interval, Null, Sampling, mean_interval


def people(n_people=3, n_stimuli=20):
    stimulus = np.tile([f"s{i}" for i in range(n_stimuli)], n_people)
    return Items(stimulus, np.repeat([f"p{i}" for i in range(n_people)], n_stimuli))


def test_a_planted_signal_is_significant():
    items = people()
    column = np.tile(np.arange(20), 3)
    table = np.random.default_rng(0).random((60, 20))
    table[np.arange(60), column] += 0.3
    score = score_table(table, column, items, chance=None)
    assert score.value == pytest.approx(table[np.arange(60), column].mean())
    assert score.p == 1 / 1001
    assert score.null.mean == pytest.approx(table.mean(), abs=0.03)
    assert score.ci95.low < score.value < score.ci95.high


def test_without_signal_p_is_not_small():
    rng = np.random.default_rng(1)
    column = np.tile(np.arange(20), 3)
    p = [
        score_table(rng.random((60, 20)), column, people(), chance=0.5, seed=i).p for i in range(40)
    ]
    assert 0.3 < np.mean(p) < 0.7
    assert np.mean(np.array(p) <= 0.05) <= 0.15


def test_the_null_stays_within_people_and_runs():
    items = Items(list("abab"), ["x"] * 4, ["1", "1", "2", "2"])
    table = np.array([[1.0, 0.2], [0.3, 1.0], [1.0, 0.4], [0.5, 1.0]])
    score = score_table(table, np.array([0, 1, 0, 1]), items, chance=0.5)
    assert score.null.exact
    # turned in run 1, in run 2, in both
    assert sorted(score.null.values.tolist()) == pytest.approx([0.35, 0.625, 0.725])
    assert score.p == 0.25


def test_intervals_know_people_and_stimuli():
    rng = np.random.default_rng(2)
    items = people(4, 30)
    values = np.repeat([0.0, 1.0, 2.0, 3.0], 30) + 0.1 * rng.normal(size=120)
    assert items.interval(values) == mean_interval(values, Sampling(items.subject, items.stimulus))
    assert items.interval(values).method == "t interval over stimuli, people fixed"
    assert "nothing follows for other people" in items.interval(values).scope


def test_lower_is_better_is_tested_on_the_other_side():
    null = Null(np.array([5.0, 6.0, 7.0]))
    low = Score(1.0, Interval(0, 2), None, null, 3, higher_is_better=False)
    assert low.p == 0.25
    assert low.as_json()["higher_is_better"] is False


def test_the_json_of_a_protocol():
    score = Score(0.5, Interval(0.4, 0.6), 0.1, Null(np.array([0.1])), 4, details={"k": 1})
    got = ProtocolResult("within", {"top1": score}, {"noise": {"top1": 0.1}}, {"n_test": 4})
    assert got.as_json() == {
        "n_test": 4,
        "scores": {
            "top1": {
                "k": 1,
                "verdict": "not shown",
                "verdict_reasons": [
                    "No control was set beside it item by item.",
                    "p = 0.5 against its null.",
                ],
                "suspicions": [],
                "weak_suspicions": [],
                "best_control": None,
                "over_best_control": None,
                "best_closed_form": None,
                "over_best_closed_form": None,
                "beside_closed_form": "",
                "value": 0.5,
                "ci95": [0.4, 0.6],
                "chance": 0.1,
                "null": {
                    "mean": 0.1,
                    "p95": 0.1,
                    "p": 0.5,
                    "n": 1,
                    "kind": "permutation",
                    "exact": False,
                },
                "n": 4,
                "higher_is_better": True,
            }
        },
        "controls": {"noise": {"top1": 0.1}},
    }


def test_a_score_is_a_finite_number():
    with pytest.raises(ValueError, match=r"A score must be a finite number; got nan\."):
        Score(np.nan, Interval(0, 1), None, Null(np.array([0.1])), 3)
