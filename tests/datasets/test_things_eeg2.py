"""THINGS-EEG2: every container, the quirk of the time axis, the warning, hostile files."""

from __future__ import annotations

import logging
import os
import pickle

import numpy as np
import pytest
import torch

from neurodecode.datasets import things_eeg2
from neurodecode.datasets._things import read_container
from neurodecode.errors import CorruptFileError, LeakageError, UnsafeFileError
from neurodecode.preprocessing import eeg
from neurodecode.preprocessing.eeg import Cleaning, Window
from neurodecode.twin.layouts.things_eeg2 import write_raw_things_eeg2, write_things_eeg2

SHAPES = {"official": (17, 100), "nice": (63, 250), "ubp": (63, 250), "neurobridge": (63, 250)}


class Evil:
    def __reduce__(self):
        return (os.mkdir, ("ran-the-code",))


@pytest.mark.parametrize("kind", SHAPES)
def test_every_container_gives_the_same_trials_by_name(kind, tmp_path):
    write_things_eeg2(tmp_path, kind=kind)
    found = things_eeg2.read(tmp_path, 1)
    assert found.values.shape == (30 * 2 + 4 * 3, *SHAPES[kind]) and found.values.dtype == "f4"
    assert (found.groups("part") == "train").sum() == 60
    assert found.stimulus[:3].tolist() == ["scenes1_01b", "scenes1_01b", "scenes1_02b"]
    assert len(set(found.groups("concept").tolist())) == 3 + 4
    if kind != "neurobridge":  # it names no channels
        assert found.positions.shape == (SHAPES[kind][0], 3)
        assert found.sfreq == (100.0 if kind == "official" else 250.0)


def test_time_axis_that_is_too_long_loses_its_start(tmp_path):
    write_things_eeg2(tmp_path, kind="nice")
    found = things_eeg2.read(tmp_path, 1)
    assert len(found.times) == 250
    assert found.times[0] == 0.0 and found.times[-1] == pytest.approx(0.996)


def test_official_files_warn_of_their_whitening_and_others_do_not(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, logger="neurodecode"):
        write_things_eeg2(tmp_path / "a", kind="official")
        things_eeg2.read(tmp_path / "a", 1)
        assert "whitened with noise covariances of training and test trials" in caplog.text
        caplog.clear()
        write_things_eeg2(tmp_path / "b", kind="nice")
        things_eeg2.read(tmp_path / "b", 1)
        assert caplog.text == ""


def test_flat_files_need_to_be_told_what_was_shown(tmp_path):
    write_things_eeg2(tmp_path, kind="flat")
    with pytest.raises(ValueError, match="Flat files do not say what was shown"):
        things_eeg2.read(tmp_path, 1)
    ids = {"train": [f"cup_{i}" for i in range(60)], "test": [f"dog_{i}" for i in range(12)]}
    found = things_eeg2.read(tmp_path, 1, stimulus=ids)
    assert found.values.shape == (72, 32, 250) and found.stimulus[-1] == "dog_11"


def test_averages_are_means_of_repeats(tmp_path):
    write_things_eeg2(tmp_path, kind="nice")
    single, mean = (things_eeg2.read(tmp_path, 1, average=one) for one in (False, True))
    assert len(mean) == 34
    np.testing.assert_allclose(mean.values[0], single.values[:2].mean(axis=0), rtol=1e-4)


def test_concepts_are_kept_apart(tmp_path):
    write_things_eeg2(tmp_path, kind="nice")
    found = things_eeg2.read(tmp_path, 1)
    split = things_eeg2.split(found, validation=0.34)
    assert (len(split.train), len(split.validation), len(split.test)) == (2, 1, 4)
    assert split.by == "concept" and split.apart([found])["stimulus"]
    facts = {**found.metadata, "concept": np.full(len(found), "cup")}
    leaky = found.with_values(found.values, metadata=facts)
    with pytest.raises(LeakageError, match="1 test concepts also have training trials"):
        things_eeg2.split(leaky)


@pytest.mark.parametrize("name", ["preprocessed_eeg_training.npy", "train.pt"])
def test_hostile_file_is_refused_and_not_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / name
    content = {"preprocessed_eeg_data": Evil(), "ch_names": [], "times": []}
    if file.suffix == ".pt":
        torch.save(content, file)
    else:
        file.write_bytes(pickle.dumps(content))
    with pytest.raises(UnsafeFileError, match="Nothing was run"):
        read_container(file)
    assert not (tmp_path / "ran-the-code").exists()
    pickle.loads(pickle.dumps(Evil()))  # the file would have run code
    assert (tmp_path / "ran-the-code").exists()


@pytest.mark.parametrize("kind", ["official", "nice", "ubp", "neurobridge"])
def test_truncated_file_is_named(kind, tmp_path):
    folder = write_things_eeg2(tmp_path, kind=kind)
    file = next(one for one in folder.iterdir() if "train" in one.name)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(CorruptFileError, match=file.name):
        things_eeg2.read(tmp_path, 1)


def test_absent_person_is_said(tmp_path):
    write_things_eeg2(tmp_path)
    with pytest.raises(FileNotFoundError, match="holds no sub-02 with ready trials"):
        things_eeg2.read(tmp_path, 2)


def test_raw_files_become_trials(tmp_path):
    write_raw_things_eeg2(tmp_path)
    recording = things_eeg2.recording(tmp_path, 1)
    assert recording.runs == ("ses-01_training", "ses-01_test")
    assert recording.events[0]["onset"].tolist()[:2] == [1.0, 1.2]
    assert len(recording.events[1]) == 4  # the target of the task is left out
    trials = eeg.single_trials(recording, cleaning=Cleaning(picks="eeg"), window=Window(-0.1, 0.3))
    assert trials.values.shape == (34, 63, 401) and trials.positions.shape == (63, 3)
    assert trials.stimulus[-1] == "scenes7_01b"


def test_raw_file_without_triggers_is_refused(tmp_path):
    folder = write_raw_things_eeg2(tmp_path)
    content = np.load(folder / "raw_eeg_test.npy", allow_pickle=True).item()
    content["ch_names"][-1] = "Iz"
    np.save(folder / "raw_eeg_test.npy", content, allow_pickle=True)
    with pytest.raises(CorruptFileError, match="has no trigger channel 'stim'"):
        things_eeg2.recording(tmp_path, 1)


def _metadata(root, change):
    write_things_eeg2(root, kind="official")
    [file] = root.rglob("image_metadata.npy")
    content = np.load(file, allow_pickle=True).item()
    np.save(file, change(content), allow_pickle=True)
    return file


def test_pictures_named_twice_or_not_at_all_are_refused(tmp_path):
    def twice(content):
        names = list(content["train_img_files"])
        return content | {"train_img_files": [names[0], names[0], *names[2:]]}

    file = _metadata(tmp_path / "a", twice)
    with pytest.raises(CorruptFileError) as error:
        things_eeg2.read(tmp_path / "a", 1)
    assert str(error.value) == (
        f"{file} names 1 pictures twice ('scenes1_01b'). A name was changed or doubled; obtain it "
        f"again."
    )
    _metadata(tmp_path / "b", lambda content: content | {"test_img_files": ["x.jpg"]})
    with pytest.raises(CorruptFileError, match=r"image_metadata\.npy can't be read as a table of"):
        things_eeg2.read(tmp_path / "b", 1)


@pytest.mark.parametrize("values", [np.zeros(3), np.zeros((2, 2), "U3"), np.zeros((0, 2, 3, 4))])
def test_trials_of_no_known_shape_are_refused(tmp_path, values):
    file = tmp_path / "train.npy"
    np.save(file, values)
    with pytest.raises(CorruptFileError) as error:
        read_container(file)
    assert str(error.value) == (
        f"{file} holds {values.dtype} of shape {values.shape}; numbers with the axes (..., "
        f"channel, time) were expected."
    )


@pytest.mark.parametrize("code", [0.5, -3.0, 1e9, np.nan])
def test_triggers_that_are_no_codes_are_refused(tmp_path, code):
    write_raw_things_eeg2(tmp_path)
    file = next(tmp_path.rglob("raw_eeg_training.npy"))
    content = np.load(file, allow_pickle=True).item()
    values = np.array(content["raw_eeg_data"])
    values[list(content["ch_names"]).index("stim"), 7] = code
    np.save(file, content | {"raw_eeg_data": values}, allow_pickle=True)
    with pytest.raises(CorruptFileError, match=r"eeg_training\.npy: the trigger channel 'stim'"):
        things_eeg2.recording(tmp_path, 1)


def test_a_picture_of_another_concept_than_its_name_is_told(tmp_path, caplog):
    def renamed(content):
        names = list(content["train_img_files"])
        return content | {"train_img_files": ["zebra_01b.jpg", *names[1:]]}

    file = _metadata(tmp_path, renamed)
    things_eeg2.read(tmp_path, 1)
    assert f"{file}: 1 pictures are of another concept than their name says (first: 'zebra" in (
        caplog.text
    )
