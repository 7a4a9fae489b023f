"""Each layout is recognised, found good as written, and wrong once damaged."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest

from neurodecode import store, twin
from neurodecode.data import Responses
from neurodecode.datasets import check
from neurodecode.twin.layouts import nsd
from neurodecode.twin.layouts.things_eeg2 import EegCounts, write_things_eeg2
from neurodecode.twin.layouts.things_meg import MegCounts, write_things_meg

RECORDED = Path(os.environ.get("NEURODECODE_DATA", "../shared/data"))
DESIGN = nsd.NsdDesign(n_subjects=1, n_shared=3, n_own=5, n_sessions=2, seed=1)
PLAN = twin.Design(n_trials=6, n_test=2, test_repeats=2, n_sessions=1, runs_per_session=1, bad=0.0)


def _nsd(write, **more):
    return lambda root: write(root, DESIGN, DESIGN.people(n_voxels=30), picture_size=16, **more)


def _store(root):
    values = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    store.save(root / "sub-01.h5", Responses(values, list("abcabcabc"), "sub-01", "fmri"))


def _bids(modality):
    return lambda root: twin.write(root / "set", modality, n_subjects=1, design=PLAN)


WRITERS = {
    "NSD, raw": (_nsd(nsd.write_raw, voxel_mm=9), "", "*session01.nii.gz"),
    "NSD, webdataset_avg_split": (_nsd(nsd.write_webdataset, n_validation=1), "", "train*.tar"),
    "NSD, MindEye2": (_nsd(nsd.write_mindeye), "", "betas_all*.hdf5"),
    "THINGS-EEG2": (
        lambda root: write_things_eeg2(root, kind="nice", counts=EegCounts(2, 2, 2, 2, 2)),
        "", "preprocessed_eeg_test.npy",
    ),
    "THINGS-MEG, epochs": (
        lambda root: write_things_meg(root, counts=MegCounts(1, 1, 2, 2, 1)), "", "*-epo.fif",
    ),
    "ZuCo": (
        lambda root: twin.write_reading(root, 1, 4, plan=twin.Reading(n_channels=4)), "", "res*.mat"
    ),
    "BIDS fmri": (_bids("fmri"), "set", "*_bold.nii.gz"),
    "BIDS eeg": (_bids("eeg"), "set", "*_eeg.eeg"),
    "BIDS meg": (_bids("meg"), "set", "*_meg.fif"),
    "files": (_store, "", "*.h5"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITERS)
def test_good_as_written_and_wrong_once_cut_off(tmp_path, name):
    write, inside, pattern = WRITERS[name]
    write(tmp_path)
    root = tmp_path / inside
    report = check(root)
    assert report.layout == name.split(" ")[0] or report.layout == name
    assert report.ok, report.findings
    assert report.rows
    file = sorted(root.rglob(pattern))[0]
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])
    broken = check(root)
    assert not broken.ok
    assert any(file.name in one.text or file.stem in one.text for one in broken.findings)


def test_events_are_compared_with_their_run(tmp_path):
    values = np.random.default_rng(0).normal(size=(2, 2, 2, 10)).astype(np.float32)
    image = nibabel.Nifti1Image(values, np.eye(4))
    image.header.set_zooms((1, 1, 1, 2.0))
    nibabel.save(image, tmp_path / "x_bold.nii.gz")
    file = tmp_path / "x_events.tsv"
    events = pd.DataFrame({"onset": [2.0, 8.0], "duration": 1.0, "trial_type": ["a", "b"]})
    events.to_csv(file, sep="\t", index=False)
    assert check(tmp_path).findings == []
    events.assign(onset=[2000.0, 8000.0]).to_csv(file, sep="\t", index=False)
    [found] = check(tmp_path).findings
    assert found.text == (
        f"{file} has an event at 8000 s, but x_bold.nii.gz lasts 20 s. They belong to different "
        f"runs, or onsets are in another unit than seconds."
    )
    events.assign(trial_type=["a", None]).to_csv(file, sep="\t", index=False, na_rep="n/a")
    assert "1 of 2 events have no 'trial_type'" in check(tmp_path).findings[0].text


def test_one_broken_part_does_not_hide_another(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((3, 2)))
    (tmp_path / "b.npy").write_bytes(b"nothing")
    np.save(tmp_path / "c.npy", np.random.default_rng(0).normal(size=(30, 2)))
    report = check(tmp_path)
    assert [one.part for one in report.findings] == ["a.npy", "b.npy"]
    assert [row[-1] for row in report.rows] == ["WRONG", "WRONG", "good"]


def test_a_single_file_and_a_folder_of_nothing(tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(size=(30, 2)))
    assert check(tmp_path / "a.npy").rows[0][1:4] == ("30 rows", "30 x 2", "")
    (tmp_path / "empty").mkdir()
    [found] = check(tmp_path / "empty").findings
    assert found.text == "nothing in it can be read as data"
    with pytest.raises(FileNotFoundError, match=r"There is no file or folder at .*gone"):
        check(tmp_path / "gone")


@pytest.mark.recorded
@pytest.mark.skipif(not RECORDED.is_dir(), reason="no real recordings are here")
@pytest.mark.parametrize("name", ["fmri_miyawaki_v1", "fmri_sherlock_movie_text", "eeg_ssvep_exo"])
def test_real_recordings_are_not_wrong(name):
    if not (RECORDED / name).is_dir():
        pytest.skip(f"{name} is not here")
    report = check(RECORDED / name)
    assert report.ok, report.findings
    assert report.layout != "files"


def test_a_real_layout_is_known_by_its_files_not_its_name(tmp_path):
    for name in ("a", "b"):
        nsd.write_mindeye(tmp_path / name, DESIGN, DESIGN.people(n_voxels=30), picture_size=16)
    shutil.move(tmp_path / "b" / "wds", tmp_path / "b" / "other")
    assert check(tmp_path / "a").layout == "NSD, MindEye2"
    assert check(tmp_path / "b").layout == "files"
