from __future__ import annotations

import json

import nibabel
import numpy as np
import pandas
import pytest

from neurodecode.preprocessing.fmri import Cleaning, read_bids, single_trials

SPACE = "space-MNI152NLin2009cAsym"


def _image(path, shape):
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32) + 10
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), path)


def _events(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pandas.DataFrame({"onset": [2.0], "duration": [2.0], "trial_type": ["a"]})
    table.to_csv(path, sep="\t", index=False)


@pytest.fixture
def raw(tmp_path):
    """Two sessions of one run, raw, and fMRIPrep's outputs for them."""
    for session in ("01", "02"):
        stem = f"sub-01_ses-{session}_task-film_run-1"
        raw = tmp_path / "sub-01" / f"ses-{session}" / "func"
        _image(raw / f"{stem}_bold.nii.gz", (2, 2, 2, 12))
        _events(raw / f"{stem}_events.tsv")
        made = tmp_path / "derivatives/fmriprep/sub-01" / f"ses-{session}" / "func"
        _image(made / f"{stem}_{SPACE}_desc-preproc_bold.nii.gz", (3, 2, 2, 12))
        (made / f"{stem}_{SPACE}_desc-preproc_bold.json").write_text(
            json.dumps({"RepetitionTime": 2.0})
        )
        _image(made / f"{stem}_{SPACE}_desc-brain_mask.nii.gz", (3, 2, 2))
        pandas.DataFrame({"trans_x": np.arange(12.0)}).to_csv(
            made / f"{stem}_desc-confounds_timeseries.tsv", sep="\t", index=False
        )
    return tmp_path


def test_derivatives_find_their_events_mask_and_confounds(raw):
    recording = read_bids(raw / "derivatives" / "fmriprep", "01")
    assert recording.subject == "sub-01"
    assert recording.runs == ("ses-01_run-1", "ses-02_run-1")
    assert recording.sessions == ("01", "02")
    assert recording.tr_s == 2.0
    assert recording.mask.name.endswith(f"{SPACE}_desc-brain_mask.nii.gz")
    responses = single_trials(recording, cleaning=Cleaning(confounds=("trans_x",)))
    assert responses.values.shape == (2, 12)
    assert responses.session.tolist() == ["01", "02"]


def test_raw_folder(raw):
    recording = read_bids(raw, "sub-01", task="film")
    assert recording.files[0].name == "sub-01_ses-01_task-film_run-1_bold.nii.gz"
    assert recording.mask is None
    assert recording.tr_s is None


def test_choices_that_are_open_are_asked_for(raw):
    made = raw / "derivatives/fmriprep/sub-01/ses-01/func"
    _image(made / "sub-01_ses-01_task-film_run-1_space-T1w_desc-preproc_bold.nii.gz", (2, 2, 2, 12))
    with pytest.raises(ValueError, match="several values of 'space': 'MNI152NLin2009cAsym', 'T1w'"):
        read_bids(raw / "derivatives/fmriprep", "01")
    recording = read_bids(raw / "derivatives/fmriprep", "01", space="T1w")
    assert recording.runs == ("ses-01_run-1",)


def test_what_is_missing_is_named(raw):
    with pytest.raises(FileNotFoundError, match="No run of sub-02 with task None and space None"):
        read_bids(raw, "02")
    table = raw / "sub-01/ses-02/func/sub-01_ses-02_task-film_run-1_events.tsv"
    table.unlink()
    with pytest.raises(FileNotFoundError, match=r"_events\.tsv does not exist\. Give the raw BIDS"):
        read_bids(raw, "01")
