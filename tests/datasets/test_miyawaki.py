from __future__ import annotations

import os
from pathlib import Path

import nibabel
import numpy as np
import pytest
from scipy.io import savemat

from neurodecode.datasets import miyawaki
from neurodecode.errors import CorruptFileError

RECORDED = Path(os.environ.get("NEURODECODE_DATA", "../shared/data")) / "fmri_miyawaki_v1"


def _write(folder, **changes):
    """Two pictures, three runs, in the names and layout of the published file."""
    rng = np.random.default_rng(0)
    squares = (rng.random((2, 10, 10)) > 0.5).astype(float)
    big = squares[:, (np.arange(28) * 10 // 28)][:, :, (np.arange(28) * 10 // 28)]
    row = big.transpose(0, 2, 1).reshape(2, 784)  # column by column
    which = np.array([0, 1, 1, 0, 0, 1])
    order = np.array([2, 0, 5, 1, 3, 4])
    voxels = np.arange(6.0)[:, None] * np.ones(3)
    runs = np.array([21, 21, 22, 22, 23, 23])[:, None]
    train, test = order[:4], order[4:]
    content = {
        "fmriTrn": voxels[train],
        "fmriTest": voxels[test],
        "stimTrn": row[which[train]],
        "stimTest": row[which[test]],
        "labelTrn": runs[train],
        "labelTest": runs[test],
        "train_indices": train[None],
        "test_indices": test[None],
    }
    file = folder / "miyawaki_structured_28x28.mat"
    savemat(file, content | changes)
    return file, squares, which


def test_trials_come_back_in_order_with_ids_from_the_pictures(tmp_path):
    file, squares, which = _write(tmp_path)
    responses, pictures = miyawaki.read(tmp_path), miyawaki.stimuli(file)
    np.testing.assert_array_equal(responses.values[:, 0], np.arange(6))
    assert responses.run.tolist() == ["21", "21", "22", "22", "23", "23"]
    assert responses.metadata["part"].tolist() == [
        *("train", "train", "train", "test", "test", "train")
    ]
    expected = [miyawaki.picture_id(squares[one]) for one in which]
    assert responses.stimulus.tolist() == expected
    assert set(pictures.ids) == set(expected)
    upright = pictures[expected[0]][1::3, 1::3, 0][:9, :9] / 255
    np.testing.assert_array_equal(
        upright, squares[0][np.ix_(*[(np.arange(28) * 10 // 28)[1::3][:9]] * 2)]
    )


def test_arrays_that_do_not_fit_are_refused(tmp_path):
    file, *_ = _write(tmp_path, stimTest=np.zeros((1, 784)))
    with pytest.raises(CorruptFileError, match=r"28x28\.mat is not the Miyawaki file: fmriTest"):
        miyawaki.read(file)


def test_truncated_file_is_named(tmp_path):
    file, *_ = _write(tmp_path)
    file.write_bytes(file.read_bytes()[:900])
    with pytest.raises(CorruptFileError, match=r"28x28\.mat"):
        miyawaki.read(tmp_path)


def _fetched(folder):
    """Two runs as nilearn stores them: NIfTI, and 100 numbers a volume, -1 at rest."""
    squares = (np.random.default_rng(0).random((2, 10, 10)) > 0.5).astype(int)
    rest = np.full((2, 100), -1)
    rows = [squares[i].T.reshape(1, 100).repeat(3, axis=0) for i in range(2)]
    table = np.concatenate([rest, rows[0], rest, rows[1], rows[0], rest])
    fetched = {"func": [], "label": [], "mask": folder / "mask.nii.gz"}
    for kind in ("figure", "random"):
        func = folder / f"data_{kind}_run01.nii.gz"
        nibabel.save(nibabel.Nifti1Image(np.zeros((2, 2, 2, len(table))), np.eye(4)), func)
        label = folder / f"data_{kind}_run01_label.csv"
        np.savetxt(label, table, fmt="%d", delimiter=",")
        fetched["func"].append(str(func))
        fetched["label"].append(str(label))
    return fetched, squares


def test_nilearn_layout(tmp_path):
    fetched, squares = _fetched(tmp_path)
    recording = miyawaki.from_nilearn(fetched)
    assert recording.runs == ("data_figure_run01",)
    assert recording.tr_s == 2.0
    events = recording.events[0]
    assert events["onset"].tolist() == [4.0, 14.0, 20.0]
    assert events["duration"].tolist() == [6.0, 6.0, 6.0]
    ids = [miyawaki.picture_id(one) for one in squares]
    assert events["stimulus"].tolist() == [ids[0], ids[1], ids[0]]
    pictures = miyawaki.stimuli_from_nilearn(fetched, "all")
    for one, pattern in zip(ids, squares, strict=True):
        np.testing.assert_array_equal(pictures[one][..., 0] == 255, pattern == 1)
    assert len(miyawaki.from_nilearn(fetched, "all").runs) == 2


def test_label_file_of_another_width_is_refused(tmp_path):
    fetched, _ = _fetched(tmp_path)
    Path(fetched["label"][0]).write_text("1,2,3\n")
    with pytest.raises(CorruptFileError, match=r"label\.csv has 3 columns; 100 squares"):
        miyawaki.from_nilearn(fetched)
    with pytest.raises(ValueError, match="runs must be 'figure', 'random' or 'all'; got 'x'"):
        miyawaki.from_nilearn(fetched, "x")


@pytest.mark.recorded
@pytest.mark.skipif(not RECORDED.exists(), reason=f"no recordings at {RECORDED}")
def test_the_published_file():
    responses = miyawaki.read(RECORDED)
    assert responses.values.shape == (119, 967)
    assert sorted(set(responses.run)) == [str(run) for run in range(21, 33)]
    pictures = miyawaki.stimuli(RECORDED)
    assert len(pictures) == 20
    assert set(responses.stimulus) == set(pictures.ids)
    part = responses.metadata["part"]
    assert set(responses.stimulus[part == "test"]) <= set(responses.stimulus[part == "train"])
