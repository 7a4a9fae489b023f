"""Trials learned from are known again: taken, averaged, preprocessed or cut out by hand."""

from __future__ import annotations

import numpy as np

from neurodecode.data import LearnedFrom, Provenance, Responses, Rows, Split

RNG = np.random.default_rng(0)
SPLIT = Split(["a", "b"], ["c"], ["d", "e"])


def person(name="sub-1", **more):
    return Responses(RNG.normal(size=(10, 6)), list("abcdeabcde"), name, "fmri", **more)


def test_training_and_validation_trials_are_known_and_no_others():
    one = person()
    learned = LearnedFrom.of([one], SPLIT)
    expected = np.isin(one.stimulus, ["a", "b", "c"])
    assert np.array_equal(learned.holds(one), expected)
    assert not learned.holds(person()).any()
    assert dict(learned.recordings) == {one.provenance.recording: "unknown"}


def test_known_after_averaging_preprocessing_and_by_hand():
    one = person()
    learned = LearnedFrom.of([one], SPLIT)
    changed = one.with_values(one.array() ** 2).average_repeats()
    assert learned.holds(changed).tolist() == [True, True, True, False, False]
    by_hand = Responses(one.array()[[6, 8]], ["x", "y"], "sub-1", "fmri")
    assert learned.holds(by_hand).tolist() == [True, False]
    scaled = one.with_values(one.array() * 5)
    by_hand = Responses(scaled.array()[[6, 8]], ["x", "y"], "sub-1", "fmri")
    assert LearnedFrom.of([scaled], SPLIT).holds(by_hand).tolist() == [True, False]


def test_lazy_trials_are_known_by_recording_and_row():
    values = RNG.normal(size=(10, 6))
    one = Responses(
        Rows(values, np.arange(10)),
        list("abcdeabcde"),
        "sub-1",
        "fmri",
        provenance=Provenance("simulated", "toy/sub-1"),
    )
    learned = LearnedFrom.of([one], SPLIT)
    assert learned.source == "simulated"
    assert learned.holds(one.take([8, 1])).tolist() == [False, True]


def test_two_add_up():
    one, other = person(), person("sub-2")
    both = LearnedFrom.of([one], SPLIT) | LearnedFrom.of([other])
    assert both.holds(other).all() and both.holds(one).sum() == 6
    assert len(both.recordings) == 2 and LearnedFrom().source == "unknown"
