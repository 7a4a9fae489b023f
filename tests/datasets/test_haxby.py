from __future__ import annotations

import os
from pathlib import Path

import nibabel
import numpy as np
import pytest

from neurodecode.datasets import haxby
from neurodecode.errors import CorruptFileError
from neurodecode.preprocessing import fmri

RECORDED = Path(os.environ.get("NEURODECODE_DATA", "../shared/data")) / "fmri_haxby2001_sub1"
LABELS = ["rest", "face", "face", "rest", "house", "rest"]


def _image(path, n_volumes):
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.arange(8 * n_volumes, dtype=np.int16).reshape(2, 2, 2, n_volumes)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), path)
    return path


def _mask(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.ones((2, 2, 2), np.uint8), np.eye(4)), path)
    return path


def _labels(path, head):
    lines = [f"{label} {run}" for run in (0, 1) for label in LABELS]
    path.write_text("\n".join(([head] if head else []) + lines) + "\n")


def _check(recording):
    assert recording.runs == ("0", "1")
    assert recording.tr_s == 2.5
    for run, events in enumerate(recording.events):
        assert events["trial_type"].tolist() == ["face", "house"]
        assert events["onset"].tolist() == [2.5, 10.0]
        assert events["duration"].tolist() == [5.0, 2.5]
        volumes = recording.files[run].load().get_fdata()
        assert volumes[0, 0, 0].tolist() == list(range(6 * run, 6 * run + 6))


def test_pymvpa_layout(tmp_path):
    _image(tmp_path / "bold.nii.gz", 12)
    mask = _mask(tmp_path / "mask.nii.gz")
    _labels(tmp_path / "attributes_literal.txt", "")
    recording = haxby.read(tmp_path)
    _check(recording)
    assert recording.subject == "haxby-1"
    assert recording.mask == mask


def test_nilearn_layout_as_a_folder_and_as_what_the_fetcher_returns(tmp_path):
    folder = tmp_path / "subj3"
    func = _image(folder / "bold.nii.gz", 12)
    mask = _mask(folder / "mask4_vt.nii.gz")
    _labels(folder / "labels.txt", "labels chunks")
    fetched = {
        "func": [str(func)],
        "session_target": [str(folder / "labels.txt")],
        "mask_vt": [str(mask)],
    }
    for recording in (haxby.read(folder), haxby.read(fetched)):
        _check(recording)
        assert recording.subject == "haxby-3"
        assert recording.mask == mask
    with pytest.raises(ValueError, match="Person 2 was not fetched; there are persons 1 to 1"):
        haxby.read(fetched, 2)


@pytest.mark.parametrize("as_table", [True, False])
def test_openfmri_layout(tmp_path, as_table):
    run = tmp_path / "sub002" / "BOLD" / "task001_run001"
    _image(run / "bold.nii.gz", 6)
    _mask(tmp_path / "sub002" / "masks" / "orig" / "vt.nii.gz")
    np.savetxt(run / "bold_moest.txt", np.zeros((6, 6)))
    (tmp_path / "scan_key.txt").write_text("TR 2.0\n")
    if as_table:
        (run / "bold_events.tsv").write_text("onset\tduration\ttrial_type\n2.5\t5\tface\n")
    else:
        model = tmp_path / "models" / "model001"
        model.mkdir(parents=True)
        (model / "condition_key.txt").write_text("task001 cond001 house\ntask001 cond002 face\n")
        onsets = tmp_path / "sub002" / "model" / "model001" / "onsets" / "task001_run001"
        onsets.mkdir(parents=True)
        (onsets / "cond001.txt").write_text("10.0\t2.5\t1\n")
        (onsets / "cond002.txt").write_text("2.5\t5\t1\n")
    recording = haxby.read(tmp_path, 2)
    assert recording.runs == ("task001_run001",)
    assert recording.tr_s == 2.0
    assert recording.confounds[0].shape == (6, 6)
    assert recording.mask.name == "vt.nii.gz"
    if not as_table:
        assert recording.events[0]["trial_type"].tolist() == ["face", "house"]
    with pytest.raises(FileNotFoundError, match=r"'other.nii.gz'. There are: 'bold.nii.gz'"):
        haxby.read(tmp_path, 2, image="other.nii.gz")


def test_labels_and_volumes_must_match(tmp_path):
    _image(tmp_path / "bold.nii.gz", 11)
    _mask(tmp_path / "mask.nii.gz")
    _labels(tmp_path / "attributes_literal.txt", "")
    with pytest.raises(
        CorruptFileError,
        match=r"bold\.nii\.gz has shape \(2, 2, 2, 11\) but attributes_literal\.txt labels 12 vol",
    ):
        haxby.read(tmp_path)


def test_broken_files_are_named(tmp_path):
    _mask(tmp_path / "mask.nii.gz")
    _labels(tmp_path / "attributes_literal.txt", "")
    (tmp_path / "bold.nii.gz").write_bytes(b"no image")
    with pytest.raises(CorruptFileError, match=r"bold\.nii\.gz is not an image that can be read"):
        haxby.read(tmp_path)
    (tmp_path / "attributes_literal.txt").write_text("face 0 1\n")
    with pytest.raises(CorruptFileError, match=r"literal\.txt is not a table of a label and a run"):
        haxby.read(tmp_path)
    with pytest.raises(FileNotFoundError, match="is no Haxby folder for person 1"):
        haxby.read(tmp_path / "..")


def test_everybody_in_a_folder(tmp_path):
    for number in (2, 10):
        folder = tmp_path / "haxby2001" / f"subj{number}"
        _image(folder / "bold.nii.gz", 12)
        _mask(folder / "mask4_vt.nii.gz")
        _labels(folder / "labels.txt", "labels chunks")
    people = haxby.read_people(tmp_path)
    assert {person.subject for person in people} == {"haxby-2", "haxby-10"}
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"Neither .* holds 'attributes_literal\.txt'"):
        haxby.read_people(tmp_path / "empty")


def test_an_image_cut_off_after_its_head_is_named_when_it_is_read(tmp_path):
    file = tmp_path / "bold.nii.gz"
    noise = np.random.default_rng(0).normal(size=(8, 8, 8, 12))
    nibabel.save(nibabel.Nifti1Image(noise, np.eye(4)), file)
    _mask(tmp_path / "mask.nii.gz")
    _labels(tmp_path / "attributes_literal.txt", "")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(CorruptFileError, match=r"bold\.nii\.gz can't be read as an image: EOFErr"):
        fmri.single_trials(haxby.read(tmp_path))


@pytest.mark.recorded
@pytest.mark.skipif(not RECORDED.exists(), reason=f"no recordings at {RECORDED}")
def test_both_layouts_of_the_published_files_agree():
    one = haxby.read(RECORDED)
    other = haxby.read(
        RECORDED / "haxby2001", image="bold_1slice.nii.gz", mask=RECORDED / "mask.nii.gz"
    )
    assert len(one.runs) == len(other.runs) == 12
    for run in (0, 11):
        np.testing.assert_array_equal(
            one.files[run].load().get_fdata(), nibabel.load(other.files[run]).get_fdata()
        )
        table = np.loadtxt(other.events[run], skiprows=1, usecols=(0, 1))
        np.testing.assert_allclose(one.events[run][["onset", "duration"]], table)
    assert set(one.events[0]["trial_type"]) == set(haxby.CATEGORIES)
