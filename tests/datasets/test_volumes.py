from __future__ import annotations

import nibabel
import numpy as np

from neurodecode.datasets._volumes import Volumes, events_of, spans


def test_runs_of_a_file_and_of_one_written_in_its_place(tmp_path):
    file = tmp_path / "bold.nii.gz"
    for offset in (0, 100):
        values = np.arange(offset, offset + 24, dtype=np.int16).reshape(2, 2, 1, 6)
        nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), file)
        for start, stop in ((4, 6), (0, 3), (0, 6)):
            got = np.asarray(Volumes(file, start, stop).load().dataobj)
            np.testing.assert_array_equal(got, values[..., start:stop])


def test_spans_of_labels_and_of_rows():
    assert list(spans([])) == []
    assert list(spans(["a", "a", "b", "a"])) == [(0, 2), (2, 3), (3, 4)]
    assert list(spans(np.array([[0, 1], [0, 1], [1, 1]]))) == [(0, 2), (2, 3)]


def test_rest_is_no_event():
    table = events_of(["rest", "rest"], 2.0)
    assert len(table) == 0
    assert list(table.columns) == ["onset", "duration", "trial_type"]
