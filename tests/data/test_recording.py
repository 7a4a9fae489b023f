"""Recordings name one of everything for each run."""

from __future__ import annotations

import pytest

from neurodecode.data import Recording


def test_one_of_each_for_every_run():
    with pytest.raises(ValueError) as error:
        Recording("s", "fmri", ("a.nii", "b.nii"), ("a.tsv",), ("1", "2"))
    assert str(error.value) == (
        "Recording of subject 's' has 2 files but 1 events. Give one of each for every run."
    )
    with pytest.raises(ValueError, match="but 1 confounds"):
        Recording("s", "fmri", ("a", "b"), ("a", "b"), ("1", "2"), confounds=("a",))


def test_runs_are_unique():
    with pytest.raises(ValueError, match="Run ids of subject 's' must be unique"):
        Recording("s", "fmri", ("a", "b"), ("a", "b"), ("1", "1"))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.nii \(subject 's'\) does not exist"):
        Recording("s", "fmri", (tmp_path / "gone.nii",), ("a",), ("1",))


def test_the_modality_is_known():
    with pytest.raises(ValueError, match="modality must be one of"):
        Recording("s", "ecog", ("a",), ("a",), ("1",))
