from __future__ import annotations

import os
from pathlib import Path

import nibabel
import numpy as np
import pytest

from neurodecode.datasets import _haxby_tables, haxby
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
    with pytest.raises(CorruptFileError, match=r"bold\.nii\.gz can't be read as an image"):
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


def _write_labels(folder, lines):
    _image(folder / "bold.nii.gz", 12)
    _mask(folder / "mask.nii.gz")
    (folder / "attributes_literal.txt").write_text("\n".join([*lines, ""]))
    return folder / "attributes_literal.txt"


GOOD = [f"{label} {run}" for run in (0, 1) for label in LABELS]


@pytest.mark.parametrize(
    ("row", "changed", "said"),
    [
        (1, "fac\xe9 0", "has labels that are no category of Haxby's ('fac\xe9'); expected"),
        (1, "face what", ": the volumes of run '0', 'what' do not stand together, or it has no"),
        (1, "face 1", ": the volumes of run '0', '1' do not stand together, or it has no number."),
        (1, "face", "is not a table of a label and a run number a line: got '['face']'."),
        (1, "face\0 0", "holds bytes of zero"),
    ],
)
def test_a_changed_label_is_refused(tmp_path, row, changed, said):
    file = _write_labels(tmp_path, [*GOOD[:row], changed, *GOOD[row + 1 :]])
    with pytest.raises(CorruptFileError) as error:
        haxby.read(tmp_path)
    assert str(error.value).startswith(f"{file}") and said in str(error.value)


def test_a_swapped_row_tears_a_block(tmp_path, caplog):
    file = _write_labels(tmp_path, GOOD)
    haxby.read(tmp_path)
    assert caplog.text == ""
    swapped = [*GOOD]
    swapped[2], swapped[4] = swapped[4], swapped[2]
    swapped[5] = "face 0"
    _write_labels(tmp_path, swapped)
    haxby.read(tmp_path)
    assert f"{file}: run 0 has several blocks of 'face', where the experiment had" in caplog.text


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"<html>", b"TR\n", b"TR -1", b"TR nan"])
def test_a_damaged_scan_key_is_named(tmp_path, content):
    file = tmp_path / "scan_key.txt"
    file.write_bytes(content)
    with pytest.raises(CorruptFileError, match=r"scan_key\.txt"):
        _haxby_tables.read_tr(file)


@pytest.mark.parametrize(
    "content", [b"", b"task001 cond001", b"t c face\nt c house", b"t\xff c f", b"t c tool"]
)
def test_a_damaged_condition_key_is_named(tmp_path, content):
    file = tmp_path / "condition_key.txt"
    file.write_bytes(content)
    with pytest.raises(CorruptFileError, match=r"condition_key\.txt"):
        _haxby_tables.read_conditions(file)


@pytest.mark.parametrize("content", [b"", b"12", b"12 -1 1", b"nan 2 1", b"12 2 1\n14", b"\0\0"])
def test_a_damaged_table_of_onsets_is_named(tmp_path, content):
    file = tmp_path / "cond001.txt"
    file.write_bytes(content)
    with pytest.raises(CorruptFileError, match=r"cond001\.txt"):
        _haxby_tables.read_onsets(file)


def test_motion_has_a_row_a_volume(tmp_path):
    image = _image(tmp_path / "bold.nii.gz", 3)
    file = tmp_path / "bold_moest.txt"
    np.savetxt(file, np.zeros((3, 6)))
    assert _haxby_tables.read_motion(file, image).shape == (3, 6)
    np.savetxt(file, np.zeros((2, 6)))
    with pytest.raises(CorruptFileError) as error:
        _haxby_tables.read_motion(file, image)
    assert str(error.value) == (
        f"{file} has 2 rows but bold.nii.gz has 3 volumes; a row of finite numbers for each was "
        f"expected."
    )
