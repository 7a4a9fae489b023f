from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neurodecode.data import Embeddings, KFold, RandomSplit, Responses, Split, Stimuli
from neurodecode.encoders import Ridge
from neurodecode.evidence import Items
from neurodecode.pipeline import Goal, Protocol, TwoWay, decode
from neurodecode.pipeline._order import clock_people, run_people, times_of, with_times

N = 120


def film(seed=0, *, drift=1.0, signal=0.0, in_table=False):
    """Scenes whose topics drift, and a person whose brain drifts as slowly, and may follow them."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"scene-{i:03d}" for i in range(N)])
    start = 20.0 * np.arange(N)
    waves = np.stack([np.cos(np.pi * k * np.arange(N) / N) for k in range(1, 5)], axis=1)
    topics = waves @ rng.normal(size=(4, 6)) + 0.7 * rng.normal(size=(N, 6))
    brain = drift * waves @ rng.normal(size=(4, 30)) + signal * topics @ rng.normal(size=(6, 30))
    values = brain + rng.normal(size=brain.shape)
    columns = {} if in_table else {"start": start}
    stimuli = Stimuli.from_texts({one: f"scene {one}" for one in ids.tolist()}, metadata=columns)
    person = Responses(
        values.astype(np.float32), ids, "p1", "fmri",
        run=np.where(np.arange(N) < N // 2, "1", "2"),
        metadata={"onset": start} if in_table else {},
    )  # fmt: skip
    return person, Goal(stimuli, Embeddings(topics.astype(np.float32), ids, "topics"))


def judge(person, goal):
    protocol = Protocol(
        list(KFold(5, validation=0).split(person)), measures=[TwoWay()], closed_forms=False
    )
    return decode(person, goal, encoder=Ridge(), protocol=protocol)


@pytest.mark.parametrize("in_table", [False, True])
def test_a_brain_that_only_drifts_with_the_film_is_not_shown(in_table):
    person, goal = film(in_table=in_table)
    got = judge(person, goal)
    score = got.result.scores["two_way"]
    assert score.value > 0.6  # as a permutation of scenes would believe
    assert got.verdict("two_way").word == "not shown"
    assert {"clock", "shifted"} <= set(got.result.controls)
    assert got.result.controls["clock"]["two_way"] > 0.6
    # both know the time alone: where in the film, or where in its run
    assert score.comparison.best_control in ("clock", "place_in_run")
    assert "shift" in score.null.kind


def test_a_brain_that_follows_each_scene_is_shown():
    got = judge(*film(signal=1.0))
    assert got.verdict("two_way").word == "shown", got.verdict("two_way").reasons
    assert got.result.scores["two_way"].suspicions == ()


def test_times_come_from_stimuli_or_from_a_table_without_repeats():
    stimuli = Stimuli.from_texts({"a": "x", "b": "y"}, metadata={"onset": [5.0, 1.0]})
    bare = Stimuli.from_texts({"a": "x", "b": "y"}, metadata={"onset": ["early", "late"]})
    person = Responses(np.zeros((2, 1)), ["b", "a"], "s", "fmri", metadata={"onset": [2.0, 4.0]})
    assert times_of(person, stimuli).tolist() == [1.0, 5.0]
    assert times_of(person, bare).tolist() == [2.0, 4.0]
    twice = Responses(np.zeros((2, 1)), ["b", "b"], "s", "fmri", metadata={"onset": [2.0, 4.0]})
    assert times_of(twice, bare) is None
    assert times_of(replace(person, metadata={}), bare) is None


def test_runs_that_start_anew_follow_one_another():
    person = Responses(
        np.zeros((4, 1)), list("abcd"), "s", "fmri", run=[1, 1, 2, 2],
        metadata={"onset": [0.0, 10.0, 0.0, 10.0]},
    )  # fmt: skip
    bare = Stimuli.from_texts({one: one for one in "abcd"})
    assert times_of(person, bare).tolist() == [0.0, 10.0, 11.0, 21.0]


def test_short_series_are_joined_and_an_order_that_decides_nothing_is_left_out():
    bare = Stimuli.from_texts({one: one for one in "abcdef"})
    table = {"onset": np.arange(6.0)}
    person = Responses(np.zeros((6, 1)), list("abcdef"), "s", "fmri", metadata=table)
    few = Items(list("abcdef"), ["s"] * 6)
    assert with_times(few, [person], bare).time is None  # five shifts: p is never below .05
    told = Stimuli.from_texts({one: one for one in "abcdef"}, metadata=table)
    assert with_times(few, [person], told).time.tolist() == list(range(6))
    alone = Items(list("abcdef"), ["s"] * 6, run=list("111112"))
    assert with_times(alone, [person], told).run is None


def test_the_clock_knows_the_time_alone():
    person, goal = film()
    [clock] = clock_people([person], goal.stimuli)
    other = replace(person, values=np.random.default_rng(9).normal(size=(N, 3)))
    np.testing.assert_array_equal(clock.array(), clock_people([other], goal.stimuli)[0].array())
    assert clock.stimulus.tolist() == person.stimulus.tolist()
    assert clock_people([replace(person, metadata={})], Goal(
        Stimuli.from_texts({"a": "b"}), goal.target).stimuli) is None  # fmt: skip


def confounded(seed=0, *, signal=0.0):
    """Runs differ in the brain's mean and in what they show; nothing else is in the brain."""
    rng = np.random.default_rng(seed)
    run = np.repeat(np.arange(4), 30)
    kinds = rng.normal(size=(4, 6))
    points = kinds[run] + 0.5 * rng.normal(size=(120, 6))
    offset = rng.normal(size=(4, 30))
    brain = 2 * offset[run] + signal * points @ rng.normal(size=(6, 30))
    ids = np.array([f"s{i:03d}" for i in range(120)])
    person = Responses(
        (brain + rng.normal(size=brain.shape)).astype(np.float32), ids, "p1", "fmri", run=run
    )
    stimuli = Stimuli.from_texts({one: one for one in ids.tolist()})
    return person, Goal(stimuli, Embeddings(points.astype(np.float32), ids, "points"))


def split_of(person):
    return list(RandomSplit(test=40, validation=0).split(person))


def test_a_run_confound_is_called_by_its_name():
    person, goal = confounded()
    protocol = Protocol(split_of(person), measures=[TwoWay()], closed_forms=False)
    got = decode(person, goal, encoder=Ridge(), protocol=protocol)
    score = got.result.scores["two_way"]
    assert score.value > 0.7
    assert [one.name for one in score.suspicions] == ["run confound"]
    assert got.verdict("two_way").word == "suspect"
    assert got.result.controls["run_mean"]["two_way"] > 0.7


def test_signal_beyond_the_run_is_shown():
    person, goal = confounded(signal=2.0)
    protocol = Protocol(split_of(person), measures=[TwoWay()], closed_forms=False)
    got = decode(person, goal, encoder=Ridge(), protocol=protocol)
    assert got.verdict("two_way").word == "shown", got.verdict("two_way").reasons


def test_runs_that_are_kept_apart_need_no_such_control():
    person, _ = confounded()
    apart = Split(["0", "1"], [], ["2", "3"], by="run")
    assert run_people([person], [apart]) is None
    assert run_people([person], split_of(person))[0].array().shape == (120, 3)
    assert run_people([replace(person, run=None)], split_of(person)) is None


@pytest.mark.parametrize("seed", range(3))
def test_a_drift_through_a_recording_without_runs_is_not_shown(seed):
    rng = np.random.default_rng(seed)
    ids = np.array([f"s{i:03d}" for i in range(80)])
    topics, drift = (np.cumsum(rng.normal(size=(80, n)), axis=0) for n in (6, 30))
    person = Responses(drift + rng.normal(size=drift.shape), ids, "p1", "fmri")
    stimuli = Stimuli.from_texts({one: one for one in ids.tolist()})
    got = judge(person, Goal(stimuli, Embeddings(topics, ids, "points")))
    score = got.result.scores["two_way"]
    assert score.value > 0.6
    assert got.verdict("two_way").word == "not shown"
    assert score.comparison.best_control == "place_in_run"
