"""Trials: who sees what, and when."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode import twin
from neurodecode.scenes import scene_number
from neurodecode.twin import Design

PLAN = Design(n_trials=40, n_test=10, test_repeats=3, shared=0.25, n_sessions=2, runs_per_session=3)


def test_every_training_scene_once_and_every_test_scene_as_often_as_asked():
    trials = PLAN.trials(seed=2, person=1)
    ids, count = np.unique(trials.stimulus, return_counts=True)
    test = np.isin(ids, PLAN.test_ids(2))
    assert (len(trials), len(ids)) == (70, 50)
    assert (count[test] == 3).all()
    assert (count[~test] == 1).all()
    assert (trials.part[np.isin(trials.stimulus, PLAN.test_ids(2))] == "test").all()


def test_repeats_stand_in_different_runs_and_runs_in_their_sessions():
    trials = PLAN.trials(0, 0)
    for one in PLAN.test_ids(0):
        assert len(set(trials.run[trials.stimulus == one].tolist())) == 3
    assert np.array_equal(trials.session, trials.run // 3)
    assert set(trials.run.tolist()) == set(range(6))
    assert (np.diff(trials.run) >= 0).all()


def test_people_share_test_scenes_and_some_training_scenes():
    first, second = set(PLAN.train_ids(0, 0)), set(PLAN.train_ids(0, 1))
    assert len(first & second) == 10
    assert not set(PLAN.test_ids(0)) & (first | second)
    assert not set(PLAN.test_ids(0)) & set(PLAN.test_ids(1))


def test_scenes_below_ten_million_are_never_shown():
    shown = [*PLAN.test_ids(0), *PLAN.train_ids(0, 0), *PLAN.train_ids(0, 7)]
    assert min(scene_number(one) for one in shown) >= 100_000_000


def test_the_split_keeps_test_scenes_apart_and_counts_validation():
    people = twin.fmri(2, 20, n_voxels=12, design=Design(n_test=5, test_repeats=2))
    split = twin.split(people, validation=0.2, seed=1)
    n_scenes = len({one for person in people for one in person.stimulus.tolist()}) - 5
    assert (len(split.train), len(split.validation), len(split.test)) == (
        n_scenes - round(0.2 * n_scenes),
        round(0.2 * n_scenes),
        5,
    )
    assert split.apart(people)["stimulus"]


def test_a_design_that_can_not_be_is_refused():
    with pytest.raises(ValueError, match="n_test must be at least 1; got 0"):
        Design(n_test=0)
    with pytest.raises(ValueError, match="shared is a share from 0 to 1; got 2"):
        Design(shared=2)
    with pytest.raises(ValueError, match="n_trials goes up to 100000 a person; got 100001"):
        Design(n_trials=100_001)
