from __future__ import annotations

import copy

import numpy as np
import pytest

from neurodecode.evidence import (
    Comparison,
    Items,
    ProtocolResult,
    Run,
    Score,
    Suspicion,
    check_results,
    compare,
    methods_paragraph,
    read_results,
    scores_text,
    suspicious_controls,
    verdict_lines,
    verdict_of,
    write_results,
)
from neurodecode.statistics import Interval, Null

FEW = Null(np.zeros(999))  # p = .001 for anything above 0
MANY = Null(np.ones(999))
ABOVE = Comparison("noise", 0.3, Interval(0.2, 0.4))
BELOW = Comparison("clock", 0.052, Interval(-0.04, 0.143))
CHEAT = Suspicion("reads stimulus ids", "It changes.")
LOOKS = Suspicion("more than one look", "Twice.", weak=True)


def score(null=FEW, comparison=ABOVE, suspicions=()):
    return Score(
        0.5, Interval(0.4, 0.6), 0.1, null, 40, comparison=comparison, suspicions=suspicions
    )


@pytest.mark.parametrize(
    ("p", "comparison", "suspicions", "word"),
    [
        (0.001, ABOVE, (), "shown"),
        (0.049, ABOVE, (), "shown"),
        (0.05, ABOVE, (), "not shown"),
        (0.001, BELOW, (), "not shown"),
        (0.001, Comparison("mean", 0.1, Interval(0.0, 0.2)), (), "not shown"),
        (0.001, None, (), "not shown"),
        (0.001, ABOVE, (CHEAT,), "suspect"),
        (0.9, BELOW, (CHEAT,), "suspect"),
        (0.001, ABOVE, (LOOKS,), "suspect"),
        (0.9, ABOVE, (LOOKS,), "not shown"),
        (0.001, BELOW, (LOOKS,), "not shown"),
    ],
)
def test_the_word(p, comparison, suspicions, word):
    assert verdict_of(p, comparison, suspicions).word == word


def test_reasons_are_sentences_and_the_weightiest_comes_first():
    assert verdict_of(0.001, BELOW, (CHEAT,)).reasons == (
        "reads stimulus ids: It changes.",
        "Not above the control clock: +0.052 [-0.040, 0.143].",
        "p = 0.001 against its null.",
    )
    assert verdict_of(0.3, ABOVE).reasons == (
        "p = 0.3 against its null.",
        "Above every control; over the best, noise: +0.300 [0.200, 0.400].",
    )
    assert verdict_of(0.001, None).reasons[0] == "No control was set beside it item by item."


@pytest.mark.parametrize(
    ("ends", "words", "text"),
    [
        ((-0.01, 0.03), "no better than plain ridge", "shown, but no better than plain ridge"),
        ((-0.05, -0.01), "worse than plain ridge", "shown, but worse than plain ridge"),
        ((0.01, 0.05), "better than plain ridge", "shown, better than plain ridge"),
    ],
)
def test_a_deep_score_says_how_it_stands_to_the_closed_form(ends, words, text):
    beside = Comparison("noise", 0.3, Interval(0.2, 0.4), "plain_ridge", 0.01, Interval(*ends))
    verdict = verdict_of(0.001, beside)
    assert (verdict.word, verdict.closed_form, str(verdict)) == ("shown", words, text)
    assert verdict.reasons[-1].startswith(f"{words[0].upper()}{words[1:]}: +0.010 [")


def marks(n=60):
    return Items([f"s{i}" for i in range(n)], ["p"] * n)


def test_every_control_must_be_exceeded_not_the_best_on_average_alone():
    """A control with a lower mean that can't be told from the score still stands against it."""
    rng = np.random.default_rng(0)
    model = np.full(60, 1.0)
    close = np.full(60, 0.9)
    erratic = 0.85 + 2.0 * rng.normal(size=60)
    erratic += 0.85 - erratic.mean()
    items = marks()
    alone = compare(model, {"mean": close}, items.interval)
    both = compare(model, {"mean": close, "noise": erratic}, items.interval)
    assert alone.over_control.low > 0
    assert both.best_control == "mean"
    assert both.gain == pytest.approx(0.1)
    assert both.over_control.low < 0
    assert both.over_control.high == alone.over_control.high


def test_lower_is_better_turns_the_differences():
    items = marks()
    got = compare(
        np.full(60, 0.2), {"noise": np.full(60, 0.5), "mean": np.full(60, 0.3)}, items.interval,
        closed_forms={"plain_ridge": np.full(60, 0.1)}, higher_is_better=False,
    )  # fmt: skip
    assert (got.best_control, got.best_closed_form) == ("mean", "plain_ridge")
    assert got.gain == pytest.approx(0.1)
    assert got.over_control.low > 0 > got.over_closed_form.high


def test_without_a_control_there_is_no_comparison():
    assert compare(np.ones(4), {}, marks(4).interval, closed_forms={"a": np.ones(4)}) is None


def test_a_control_above_chance_is_named_a_clock_is_a_bar():
    found = suspicious_controls({"shuffled": 0.001, "clock": 0.001, "mean": 0.2}, None, None)
    assert [str(one) for one in found] == [
        "a control that knows no brain is above chance: shuffled (p = 0.001). Something besides "
        "the brain tells the test stimuli apart."
    ]
    assert suspicious_controls({"noise": 0.01}, None, None) == []


def test_a_ceiling_below_the_score_is_named():
    items = marks()
    rng = np.random.default_rng(1)
    apart = 0.2 + 0.1 * rng.normal(size=60)
    [found] = suspicious_controls({}, apart, items.interval)
    assert found.name == "ceiling below the score"
    assert suspicious_controls({}, apart - apart.mean(), items.interval) == []
    assert suspicious_controls({}, -apart, items.interval) == []


@pytest.fixture
def results(tmp_path):
    beside = Comparison(
        "clock", 0.3, Interval(0.2, 0.4), "plain_ridge", 0.01, Interval(-0.01, 0.03)
    )
    scores = {"two_way": score(comparison=beside), "top1": score(suspicions=(CHEAT,))}
    protocol = ProtocolResult("pooled", scores, {"clock": {"two_way": 0.2}})
    with Run() as run:
        pass
    return write_results(tmp_path, "toy", [protocol], run)


def test_results_hold_the_verdict_and_both_intervals(results, tmp_path):
    found = read_results(tmp_path)["protocols"]["pooled"]["scores"]["two_way"]
    assert found["verdict"] == "shown"
    assert found["over_best_control"] == [0.2, 0.4]
    assert found["over_best_closed_form"] == [-0.01, 0.03]
    assert (found["best_control"], found["best_closed_form"]) == ("clock", "plain_ridge")
    other = read_results(tmp_path)["protocols"]["pooled"]["scores"]["top1"]
    assert (other["verdict"], other["suspicions"]) == ("suspect", ["reads stimulus ids"])
    assert other["over_best_closed_form"] is None


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("verdict", "sure",
         "protocols.pooled.scores.two_way.verdict must be 'shown', 'not shown' or 'suspect'; got "
         "'sure'."),
        ("over_best_control", [1.0],
         "protocols.pooled.scores.two_way.over_best_control must be [low, high]; got [1.0]."),
        ("over_best_closed_form", [1.0, 0.0],
         "protocols.pooled.scores.two_way.over_best_closed_form must be [low, high]; got "
         "[1.0, 0.0]."),
    ],
)  # fmt: skip
def test_what_is_no_verdict_is_refused(results, name, value, message):
    broken = copy.deepcopy(results)
    broken["protocols"]["pooled"]["scores"]["two_way"][name] = value
    with pytest.raises(ValueError, match="must be") as caught:
        check_results(broken)
    assert str(caught.value) == message


def test_terminal_and_methods_say_it(results):
    text = scores_text(results, width=140)
    assert "over the best control" in text
    assert "+0.200 to +0.400 (clock)" in text
    assert "-0.010 to +0.030 (plain ridge)" in text
    assert "pooled, two way: shown, but no better than plain ridge." in text
    assert "pooled, top1: suspect. reads stimulus ids: It changes." in " ".join(text.split())
    paragraph = methods_paragraph(results)
    assert "Verdict: shown. Above every control; over the best, clock: +0.300" in paragraph
    assert "Verdict: suspect. reads stimulus ids: It changes." in paragraph


def test_results_of_earlier_versions_can_still_be_read(results):
    old = copy.deepcopy(results)
    for one in old["protocols"]["pooled"]["scores"].values():
        for name in [name for name in one if "verdict" in name or name.startswith("over_")]:
            del one[name]
    check_results(old)
    assert verdict_lines(old) == []
    assert "over the best control" not in scores_text(old)
