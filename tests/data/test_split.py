"""Splits keep their parts apart."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.data import LeaveOneOut, RandomSplit, Responses, Split
from neurodecode.errors import LeakageError


def responses(subject="sub-01"):
    return Responses(
        np.arange(8.0).reshape(8, 1), list("aabbccdd"), subject, "fmri", run=[1, 2] * 4
    )


def test_an_id_in_two_parts_is_an_error_that_names_it():
    with pytest.raises(LeakageError) as error:
        Split(["a", "b"], ["c"], ["b", "d"])
    assert str(error.value) == (
        "The split by stimulus is not one: 1 stimulus ids are in both train and test ('b'). "
        "Take them out of one part."
    )
    with pytest.raises(LeakageError, match="both validation and test"):
        Split(["a"], ["c"], ["c"])


def test_parts_are_disjoint_and_keep_the_order():
    split = Split(["c", "a"], ["b"], ["d"])
    assert split.part(responses(), "train").stimulus.tolist() == ["a", "a", "c", "c"]
    assert split.seen(responses()).stimulus.tolist() == list("aabbcc")
    masks = [split.mask(responses(), part) for part in ("train", "validation", "test")]
    assert np.array_equal(np.sum(masks, axis=0), np.ones(8))


def test_a_blind_split_has_no_test_part():
    split = Split(["a"], ["b"], ["c"])
    assert len(split.blind().test) == 0 and split.blind().train.tolist() == ["a"]


def test_what_is_kept_apart_is_told():
    by_run = Split(["1"], [], ["2"], by="run")
    assert by_run.apart([responses()]) == {"stimulus": False, "run": True, "subject": False}
    by_stimulus = Split(["a", "b"], [], ["c", "d"])
    assert by_stimulus.apart([responses()]) == {"stimulus": True, "run": False, "subject": False}
    by_person = Split(["sub-01"], [], ["sub-02"], by="subject")
    apart = by_person.apart([responses(), responses("sub-02")])
    assert apart == {"stimulus": False, "run": True, "subject": True}


def test_leave_one_out_tests_every_group_once():
    splits = list(LeaveOneOut("stimulus").split(responses()))
    assert [split.test.tolist() for split in splits] == [["a"], ["b"], ["c"], ["d"]]
    assert all(len(split.train) == 3 for split in splits)
    with pytest.raises(ValueError, match="Leave-one-subject-out needs two or more subject ids"):
        list(LeaveOneOut("subject").split(responses()))


def test_random_splits_repeat_with_the_seed():
    many = Responses(np.zeros((50, 1)), range(50), "s", "fmri")
    [one] = RandomSplit(seed=1).split(many)
    [same] = RandomSplit(seed=1).split(many)
    [other] = RandomSplit(seed=2).split(many)
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert (len(one.train), len(one.validation), len(one.test)) == (40, 5, 5)
    with pytest.raises(ValueError, match="leave nothing of 50 stimulus ids to train on"):
        list(RandomSplit(test=45, validation=5).split(many))
    with pytest.raises(ValueError, match="A part can't have -1 ids"):
        list(RandomSplit(test=-1).split(many))
