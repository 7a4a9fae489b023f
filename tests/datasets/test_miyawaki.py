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


@pytest.mark.parametrize("name", ["train_indices", "test_indices"])
def test_places_that_are_empty_lose_no_trials_without_a_word(tmp_path, name):
    """Empty indices once gave the other part's trials alone: 107 of 119."""
    file, *_ = _write(tmp_path, **{name: np.zeros((0, 0))})
    with pytest.raises(CorruptFileError) as error:
        miyawaki.read(file)
    n_places = 2 if name == "train_indices" else 4
    assert str(error.value) == (
        f"{file}: train_indices and test_indices name {n_places} places for 6 trials; a place of "
        f"its own was expected for each. It is damaged; obtain it again."
    )


def test_a_changed_place_is_found_by_the_runs(tmp_path):
    file, *_ = _write(tmp_path, train_indices=np.array([[2, 9, 5, 1]]))
    with pytest.raises(CorruptFileError) as error:
        miyawaki.read(file)
    assert str(error.value) == (
        f"{file}: in the order of train_indices and test_indices the runs go back, at trial 6. "
        f"Places or labels are damaged; obtain it again."
    )


def test_values_that_are_not_finite_are_refused(tmp_path):
    file, *_ = _write(tmp_path, fmriTest=np.full((2, 3), np.nan))
    with pytest.raises(CorruptFileError, match=r"28x28\.mat holds values that are not finite"):
        miyawaki.read(file)


def _labelled(folder, rows, n_volumes=8):
    image = folder / "data_figure_run01.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 2, 2, n_volumes), np.int16), np.eye(4)), image)
    label = folder / "data_figure_run01_label.csv"
    np.savetxt(label, rows, "%d", delimiter=",")
    return {"func": [str(image)], "label": [str(label)], "mask": str(image)}


def _rows():
    rows = np.zeros((8, 100), int)
    rows[:2], rows[4:6] = -1, 1
    return rows


def test_labels_must_be_one_line_a_volume(tmp_path):
    fetched = _labelled(tmp_path, _rows()[:7])
    with pytest.raises(CorruptFileError) as error:
        miyawaki.from_nilearn(fetched)
    assert str(error.value) == (
        f"{fetched['label'][0]} has 7 lines but data_figure_run01.nii.gz has 8 volumes. A line a "
        f"volume was expected: one of them is cut off."
    )


def test_a_square_that_is_neither_dark_nor_lit_does_not_make_rest_of_a_picture(tmp_path):
    rows = _rows()
    rows[4, 7] = -1
    fetched = _labelled(tmp_path, rows)
    with pytest.raises(CorruptFileError) as error:
        miyawaki.from_nilearn(fetched)
    assert str(error.value) == (
        f"{fetched['label'][0]}, line 5: squares are dark (0) or lit (1), or all -1 for rest; 1 "
        f"lines differ. It is damaged; obtain it again."
    )


def test_swapped_lines_are_told_by_their_length(tmp_path, caplog):
    rows = _rows()
    assert len(miyawaki.from_nilearn(_labelled(tmp_path, rows)).events[0]) == 3
    assert caplog.text == ""
    rows[[3, 5]] = rows[[5, 3]]
    miyawaki.from_nilearn(_labelled(tmp_path, rows))
    assert (
        "pictures are shown for [2.0, 4.0, 6.0] s, where the experiment showed all" in caplog.text
    )
