"""Files that a twin wrote in the layout of real recordings come back as simulated."""

from __future__ import annotations

import json

import numpy as np
import pytest

from neurodecode.data import MARKER, Recording, mark_simulated, recorded_in, twin_name


def test_the_marker_counts_for_all_below_and_names_the_twin(tmp_path):
    file = mark_simulated(tmp_path / "twin", ("NSD", 3))
    assert file.name == MARKER and "nobody was measured" in file.read_text()
    below = recorded_in(tmp_path / "twin" / "a" / "b" / "c.nii", "nsd/subj01")
    assert below.source == "simulated" and below.recording.endswith("/nsd/subj01")
    beside = recorded_in(tmp_path / "c.nii", "nsd/subj01")
    assert (beside.source, beside.recording) == ("recorded", "nsd/subj01")
    other = mark_simulated(tmp_path / "other", ("NSD", 4)).parent
    assert recorded_in(other, "nsd/subj01").recording != below.recording
    text = file.read_text()
    assert mark_simulated(tmp_path / "twin", "again").read_text() == text


def test_a_data_set_in_bids_is_marked_by_its_description(tmp_path):
    description = tmp_path / "dataset_description.json"
    description.write_text('{"GeneratedBy": [{"Name": "fMRIPrep"}]}')
    assert recorded_in(tmp_path / "sub-01", "x").source == "recorded"
    made_by = f"neurodecode.twin ({twin_name(3)})"
    description.write_text(json.dumps({"GeneratedBy": [{"Description": made_by}]}))
    assert recorded_in(tmp_path / "sub-01", "x").recording == f"{twin_name(3)}/x"


def test_an_empty_marker_marks_too(tmp_path):
    (tmp_path / MARKER).touch()
    assert recorded_in(tmp_path, "x").recording == "twin/x"


@pytest.mark.parametrize("simulated", [False, True])
def test_a_recording_of_files_knows_it(tmp_path, simulated):
    if simulated:
        mark_simulated(tmp_path, "toy")
    for name in ("a.nii", "b.nii"):
        (tmp_path / name).touch()
    files = (tmp_path / "a.nii", tmp_path / "b.nii")
    one = Recording("sub-1", "fmri", files, ((), ()), ("1", "2"))
    assert one.provenance.source == ("simulated" if simulated else "recorded")
    assert "sub-1/" in one.provenance.recording
    other = Recording("sub-1", "fmri", files[:1], ((),), ("1",))
    assert other.provenance.recording != one.provenance.recording


def test_arrays_are_of_unknown_source():
    one = Recording("sub-1", "fmri", (np.zeros((3, 2)),), ((),), ("1",))
    assert one.provenance.source == "unknown"
