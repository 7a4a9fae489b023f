"""Splits keep their parts apart."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.data import Responses, Split
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
