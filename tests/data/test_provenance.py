"""Where trials come from stays with them, and changes with nothing that is done to their values."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from neurodecode.data import Provenance, Responses, common_source
from neurodecode.data._provenance import content_keys

RNG = np.random.default_rng(0)


def recorded(n_trials=6, name="toy/sub-1", **more):
    return Responses(
        RNG.normal(size=(n_trials, 3)),
        [f"s{i % 3}" for i in range(n_trials)],
        "sub-1",
        "fmri",
        run=np.arange(n_trials) // 3,
        provenance=Provenance("recorded", name),
        **more,
    )


def keys_of(responses, row):
    keys, rows = responses.provenance.named()
    return set(keys[rows == row].tolist())


def test_arrays_are_of_unknown_source_and_named_by_their_content():
    x = RNG.normal(size=(4, 2))
    first, again = (Responses(x.copy(), list("abcd"), "s", "fmri") for _ in range(2))
    other = Responses(x + 1, list("abcd"), "s", "fmri")
    someone = Responses(x, list("abcd"), "t", "fmri")
    assert first.provenance.source == "unknown"
    assert first.provenance.recording == again.provenance.recording
    names = {one.provenance.recording for one in (first, other, someone)}
    assert len(names) == 3 and first.provenance.recording.endswith("/s")


def test_a_given_name_is_kept_through_all_that_makes_other_responses():
    one = recorded()
    made = [
        one.take([1, 0]),
        one.take(one.run == "1"),
        one.select(["s1"]),
        one.with_values(one.array() * 2),
        dataclasses.replace(one, stimulus=np.full(6, "hidden")),
        one.average_repeats(),
    ]
    for other in made:
        assert (other.provenance.source, other.provenance.recording) == ("recorded", "toy/sub-1")
        assert other.provenance.n_rows == len(other)


def test_taken_trials_keep_their_keys_in_any_order():
    one = recorded()
    assert keys_of(one.take([4, -1, 4]), 0) == keys_of(one, 4) == keys_of(one.take([4, -1, 4]), 2)
    assert keys_of(one.take([4, -1, 4]), 1) == keys_of(one, 5)
    assert len(set().union(*(keys_of(one, row) for row in range(6)))) == 12


def test_a_mean_holds_the_keys_of_all_its_trials():
    one = recorded()
    assert keys_of(one.average_repeats(), 1) == keys_of(one, 1) | keys_of(one, 4)
    hidden = one.with_values(one.array() * 3).average_repeats()
    assert hidden.provenance.holds(one.take([4]).provenance.named()[0]).tolist() == [0, 1, 0]


def test_the_same_trial_of_a_named_recording_is_known_whatever_was_read_of_it():
    whole = recorded(12)
    part = Responses(
        RNG.normal(size=(3, 9)),
        ["s0", "s1", "s2"],
        "sub-1",
        "fmri",
        run=["2"] * 3,
        provenance=Provenance("recorded", "toy/sub-1"),
    )
    assert (
        whole.provenance.holds(part.provenance.named()[0]).tolist() == [0] * 6 + [1] * 3 + [0] * 3
    )
    stranger = recorded(12, "toy/sub-2")
    assert not whole.provenance.holds(stranger.provenance.named()[0]).any()


def test_content_is_told_of_rows_in_memory_that_no_other_row_equals():
    x = np.array([[1, 2], [0, 0], [0, 0], [np.nan, 1e300]])
    assert (content_keys(x, "s") > 0).tolist() == [True, False, False, True]
    x[3, 1] = 1
    assert np.array_equal(content_keys(x, "s"), content_keys(x.astype(np.float32), "s"))
    assert content_keys(x, "s")[0] != content_keys(x, "t")[0]
    assert content_keys(np.array([[0.0, 1.0]]), "s") == content_keys(np.array([[-0.0, 1.0]]), "s")
    many = RNG.integers(0, 3, size=(20000, 40)).astype(float)
    assert len(np.unique(content_keys(many, "s"))) == len(np.unique(many, axis=0))


def test_lazy_values_are_not_read(tmp_path):
    np.save(tmp_path / "x.npy", RNG.normal(size=(4, 2)))

    class Unread:
        shape, dtype = (4, 2), np.dtype("f4")

        def __getitem__(self, index):
            raise AssertionError("read")

    for values in (Unread(), np.load(tmp_path / "x.npy", mmap_mode="r")):
        one = Responses(values, list("abcd"), "s", "fmri")
        assert not content_keys(values, "s").any() and len(one.provenance.named()[0]) == 4


def test_another_number_of_trials_is_refused():
    one = recorded()
    with pytest.raises(ValueError) as caught:
        one.with_values(np.zeros((2, 3)), stimulus=["a", "b"], run=[1, 1])
    assert str(caught.value) == (
        "The provenance of subject 'sub-1' describes 6 trials but the values have 2. Choose trials "
        "with take() or select() before the values are changed, or give provenance=None for trials "
        "of another recording."
    )


def test_unknown_words_for_the_source_are_refused():
    with pytest.raises(ValueError) as caught:
        Provenance("made up", "x")
    assert str(caught.value) == (
        "source must be one of recorded, simulated, unknown; got 'made up'."
    )


def test_joined_is_simulated_if_a_part_is():
    one, other = recorded(3), recorded(3, "toy/sub-2")
    joined = Provenance.join([one.provenance, other.provenance])
    assert (joined.source, joined.recording) == ("recorded", "toy/sub-1 + toy/sub-2")
    assert joined.holds(other.provenance.named()[0]).tolist() == [0, 0, 0, 1, 1, 1]
    assert common_source(["unknown", "simulated"]) == "simulated"
    assert common_source([]) == "unknown"
