"""Responses are checked when made, and their copies keep what belongs to a trial."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode import store
from neurodecode.data import Responses

RNG = np.random.default_rng(0)


def meg(n_trials=6):
    return Responses(
        RNG.normal(size=(n_trials, 3, 4)).astype(np.float32),
        [f"s{i % 3}" for i in range(n_trials)],
        "sub-01",
        "meg",
        dims=("trial", "channel", "time"),
        run=np.arange(n_trials) // 3,
        session=["a"] * n_trials,
        sfreq=100.0,
        times=np.arange(4) / 100,
        positions=np.zeros((3, 3)),
        units=["MEG1", "MEG2", "MEG3"],
        valid=np.arange(4) < np.arange(n_trials)[:, None] + 1,
        metadata={"concept": [f"c{i % 2}" for i in range(n_trials)]},
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stimulus": ["a"]}, "stimulus names 1 rows but the values have 6. Give one stimulus id"),
        ({"run": [1, 2]}, "run names 2 rows but the values have 6"),
        ({"units": ["x"]}, "units names 1 rows but the values have 3"),
        ({"dims": ("channel", "trial", "time")}, "dims must start with 'trial'"),
        ({"dims": ("trial", "sensor", "time")}, "dims must start with 'trial' and use the names"),
        ({"dims": ("trial", "voxel")}, r"have 3 axes \(shape \(6, 3, 4\)\) but dims names 2"),
        ({"modality": "ecog"}, "modality must be one of"),
        ({"positions": np.zeros((4, 3))}, r"positions of subject 'sub-01' has shape \(4, 3\)"),
        ({"times": np.zeros(3)}, r"times of subject 'sub-01' has shape \(3,\), expected \(4,\)"),
        ({"valid": np.ones((6, 3), bool)}, r"valid of subject 'sub-01' has shape \(6, 3\)"),
        ({"metadata": {"concept": [1]}}, "column 'concept' has 1 rows but there are 6 trials"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    good = meg()
    with pytest.raises(ValueError, match=message):
        good.with_values(good.values, **change)


def test_taking_trials_takes_all_their_columns():
    taken = meg().take([4, 1])
    assert taken.stimulus.tolist() == ["s1", "s1"]
    assert taken.run.tolist() == ["1", "0"]
    assert taken.valid.sum(axis=1).tolist() == [4, 2]
    assert taken.metadata["concept"].tolist() == ["c0", "c1"]
    assert taken.units.tolist() == ["MEG1", "MEG2", "MEG3"]
    mask = np.array([True] + [False] * 5)
    assert np.array_equal(meg().take(mask).stimulus, ["s0"])


def test_selecting_keeps_the_order_of_the_recording():
    assert meg().select(["s2", "s0"]).stimulus.tolist() == ["s0", "s2", "s0", "s2"]
    with pytest.raises(ValueError) as error:
        meg().select(["s9", "s0"])
    assert str(error.value) == "Subject 'sub-01' never saw 1 of 2 stimuli ('s9')."


def test_repeats_are_averaged_and_what_differs_is_dropped():
    responses = meg()
    mean = responses.average_repeats()
    assert mean.stimulus.tolist() == ["s0", "s1", "s2"]
    values = responses.array()
    assert np.allclose(mean.array()[1], (values[1] + values[4]) / 2)
    assert mean.run is None and mean.session.tolist() == ["a"] * 3
    assert "concept" not in mean.metadata
    assert mean.metadata["n_repeats"].tolist() == [2, 2, 2]


def test_averaging_lazy_values_equals_averaging_in_memory(tmp_path):
    responses = meg(30)
    lazy = store.load(store.save(tmp_path / "r.h5", responses))
    assert np.allclose(lazy.average_repeats().array(), responses.average_repeats().array())


def test_groups_name_what_a_trial_belongs_to():
    assert meg().groups("concept").tolist() == ["c0", "c1"] * 3
    assert meg().groups("subject").tolist() == ["sub-01"] * 6
    with pytest.raises(ValueError) as error:
        meg().groups("block")
    assert str(error.value) == (
        "Responses of subject 'sub-01' do not say the block of a trial. They know: stimulus, "
        "subject, run, session, concept."
    )


def test_volumes_count_their_grid_points():
    volumes = Responses(
        np.zeros((2, 3, 4, 5)), ["a", "b"], "s", "fmri", dims=("trial", "x", "y", "z")
    )
    assert volumes.n_units == 60 and volumes.unit_axis is None


def test_a_column_joins_the_trial_table():
    bare = Responses(np.zeros((3, 2)), ["a", "b", "a"], "sub-01", "fmri")
    named = bare.with_column("label", {"a": "face", "b": "house", "c": "cup"})
    assert named.groups("label").tolist() == ["face", "house", "face"]
    assert named.take([1, 2]).groups("label").tolist() == ["house", "face"]
    assert dict(bare.metadata) == {}
    assert bare.with_column("session", range(3)).session.tolist() == ["0", "1", "2"]
    changed = named.with_column("label", ["x", "y", "z"])
    assert changed.metadata["label"].tolist() == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("name", "column", "message"),
    [
        ("label", {"a": 1}, "with_column('label') got no value for 1 stimuli of subject "
         "'sub-01' ('b')."),
        ("label", [1, 2], "metadata column 'label' has 2 rows but there are 3 trials."),
        ("stimulus", "xyz", "with_column() can't change the stimulus of a trial; give "
         "with_values(responses.values, stimulus=...)."),
    ],
)  # fmt: skip
def test_columns_that_do_not_fit_are_refused(name, column, message):
    bare = Responses(np.zeros((3, 2)), ["a", "b", "a"], "sub-01", "fmri")
    with pytest.raises(ValueError) as error:
        bare.with_column(name, column)
    assert str(error.value) == message
