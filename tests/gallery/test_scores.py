from __future__ import annotations

import pytest

from neurodecode.gallery._scores import Axis, control_note, judgement, rows

SCORE = {
    "value": 2.0,
    "ci95": [1.5, 2.5],
    "chance": None,
    "null": {"mean": -1.0, "p95": 0.5, "p": 0.01},
    "n": 9,
}


def test_an_axis_holds_all_that_is_drawn():
    [row] = rows({"scores": {"gain": SCORE}, "controls": {"noise": {"gain": -3.0}}})
    places = [row.axis.at(value) for value in (-3.0, -1.0, 1.5, 2.5)]
    assert places == sorted(places) and places[0] > 2 and places[-1] < 98


def test_shares_are_drawn_from_0_to_1():
    score = SCORE | {"value": 0.5, "ci95": [0.4, 0.6], "null": {"mean": 0.1, "p95": 0.2, "p": 0.01}}
    [row] = rows({"scores": {"accuracy": score}, "controls": {}})
    assert row.axis == Axis(0.0, 1.0)


def test_a_control_stands_beside_its_own_metric_only():
    controls = {"noise": {"a": 0.1}, "ceiling": {"a": 0.9, "b": 0.8}}
    first, second = rows({"scores": {"a": SCORE, "b": SCORE}, "controls": controls})
    assert first.controls == {"noise": 0.1, "ceiling": 0.9}
    assert second.controls == {"ceiling": 0.8}


def test_missing_chance_is_missing_and_lower_is_said():
    [row] = rows({"scores": {"rank": SCORE | {"higher_is_better": False}}, "controls": {}})
    assert row.score["chance"] is None and row.lower_is_better
    assert "chance -" in row.summary


@pytest.mark.parametrize(
    "name",
    ["noise", "shuffled", "shuffled_brain", "constant_best", "mean picture", "majority",
     "nearest_training", "ceiling", "ridge", "clock", "shifted", "run_mean", "prior"],
)  # fmt: skip
def test_the_usual_controls_are_explained(name):
    assert control_note(name)


def test_a_verdict_is_read_and_none_is_made_up():
    score = SCORE | {
        "verdict": "not shown",
        "verdict_reasons": ["Not above the control clock: +0.052 [-0.040, 0.143]."],
        "best_control": "run_mean",
        "over_best_control": [-0.04, 0.143],
        "over_best_closed_form": None,
    }
    found = judgement(score)
    assert (found.word, found.style) == ("not shown", "not-shown")
    assert found.over_control == "-0.040 to +0.143 over run mean"
    assert found.over_closed_form == ""
    [row] = rows({"scores": {"gain": score}, "controls": {}})
    assert "verdict not shown" in row.summary
    for other in (SCORE, SCORE | {"verdict": "sure"}, 0.3):
        assert judgement(other) is None
