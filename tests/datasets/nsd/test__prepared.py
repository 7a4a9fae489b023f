"""Cluster arrays: a person a job, in any order or at once, ends as one run of all."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from neurodecode import store
from neurodecode.datasets import nsd
from neurodecode.datasets.nsd._prepared import layout_settings
from neurodecode.errors import CorruptFileError

LISTS = ("split.json", "prepared.json")
JOB = """
import sys
from neurodecode.datasets import nsd
nsd.prepare(nsd.RawNsd(sys.argv[1]), sys.argv[2], subjects=[int(sys.argv[3])], part_rows=5)
"""


def read(folder):
    return [json.loads((folder / name).read_text()) for name in LISTS]


@pytest.fixture(scope="module")
def whole(raw, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    nsd.prepare(nsd.RawNsd(raw), folder)
    return folder


@pytest.mark.parametrize("order", [[1, 2], [2, 1], [1, 2, 1]])
def test_one_after_another_is_one_run(raw, whole, tmp_path, order):
    for subject in order:
        nsd.prepare(nsd.RawNsd(raw), tmp_path, subjects=[subject])
    assert read(tmp_path) == read(whole)


def test_at_once_is_one_run(raw, whole, tmp_path):
    """Four jobs, two of them of the same person."""
    jobs = [
        subprocess.Popen([sys.executable, "-c", JOB, raw, tmp_path, str(subject)])
        for subject in (1, 2, 1, 2)
    ]
    assert [job.wait() for job in jobs] == [0, 0, 0, 0]
    assert read(tmp_path) == read(whole)
    for name in ("subj01.h5", "subj02.h5"):
        one, other = store.load(tmp_path / name), store.load(whole / name)
        np.testing.assert_array_equal(one.array(), other.array())
    assert not list(tmp_path.glob(".*part*/*"))


def test_other_options_are_refused_before_anything_is_written(raw, tmp_path):
    nsd.prepare(nsd.RawNsd(raw), tmp_path, subjects=[1])
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ValueError) as told:
        nsd.prepare(nsd.RawNsd(raw), tmp_path, subjects=[2], repeats="averaged")
    assert str(told.value) == (
        f"{tmp_path} holds subj01 with other options (repeats: kept there, averaged now), and one "
        f"split is of one kind of trials. Prepare into another folder, or prepare subj01 again in "
        f"the same run."
    )
    assert sorted(tmp_path.iterdir()) == before
    nsd.prepare(nsd.RawNsd(raw), tmp_path, subjects=[1, 2], repeats="averaged")
    assert sorted(read(tmp_path)[1]["people"]) == ["subj01", "subj02"]


def test_a_person_who_is_not_whole_is_not_in_the_list(raw, whole, tmp_path):
    nsd.prepare(nsd.RawNsd(raw), tmp_path)
    (tmp_path / "subj01.json").unlink()
    nsd.prepare(nsd.RawNsd(raw), tmp_path, subjects=[2])
    assert list(read(tmp_path)[1]["people"]) == ["subj02"]


def test_a_broken_note_is_one_clear_error(raw, tmp_path):
    nsd.prepare(nsd.RawNsd(raw), tmp_path, subjects=[1])
    (tmp_path / "subj01.json").write_text("{")
    with pytest.raises(CorruptFileError, match=r"subj01\.json should hold how subj01 was prepared"):
        nsd.prepare(nsd.RawNsd(raw), tmp_path, subjects=[1])


def test_the_options_of_a_layout_are_among_what_must_be_alike(raw):
    old, new = (nsd.RawNsd(raw, test_set=one) for one in ("old", "new"))
    settings = [layout_settings(one, "kept", None) for one in (old, new)]
    assert settings[0] != settings[1]
    assert settings[0] == layout_settings(nsd.RawNsd(raw, test_set="old"), "kept", None)
