from __future__ import annotations

import logging
import os
from pathlib import Path

import numpy as np
import pandas
import pytest
from scipy.io import savemat

from neurodecode.datasets import sherlock
from neurodecode.errors import CorruptFileError

RECORDED = Path(os.environ.get("NEURODECODE_DATA", "../shared/data")) / "fmri_sherlock_movie_text"
COLUMNS = [
    "Segment Number",
    "Start Time (TRs, 1.5s)",
    "End Time (TRs, 1.5s)",
    "Scene Segments",
    "Scene Details - A Level ",  # the published table has this blank
]
SEGMENTS = [
    (1, 1.0, 3.0, "1. Cartoon", "People dance. "),
    (2, 4.0, 6.0, None, "Popcorn."),
    (3, 7.0, 12.0, " ", "A cut."),
    (4, 13.0, 14.0, "2. War", "Gunfire."),
    (5, None, None, None, "Black screen."),
    (6, 947.0, 960.0, "3. Back", "After the break."),
]


def _person(folder, number, n_volumes=960, tail=0):
    values = np.random.default_rng(number).normal(size=(4, n_volumes)).astype(np.float32)
    if tail:
        values[:, -tail:] = values[:, [-tail - 1]]
    path = folder / "subjects" / f"s{number}" / f"pmc_nn_sherlock_movie_s{number}.mat"
    path.parent.mkdir(parents=True)
    savemat(path, {"rdata": values, "keptvox": np.ones((4, 1), np.uint8)})
    return values.T


@pytest.fixture
def folder(tmp_path):
    table = pandas.DataFrame(SEGMENTS, columns=COLUMNS)
    table.to_excel(tmp_path / "Sherlock_Segments_1000_NN_2017.xlsx", index=False)
    return tmp_path


def test_scenes_and_unnamed_cuts(folder):
    shown = sherlock.scenes(folder, min_duration_s=0)
    assert shown.ids.tolist() == ["scene-01", "scene-01.1", "scene-02", "scene-03"]
    assert shown["scene-01"] == "People dance. Popcorn."
    assert shown.metadata["start"].tolist() == [0, 6, 12, 946]
    assert shown.metadata["stop"].tolist() == [6, 12, 14, 960]
    assert shown.metadata["run"].tolist() == ["1", "1", "1", "2"]
    assert shown.metadata["title"].tolist() == ["Cartoon", "Cartoon", "War", "Back"]
    assert sherlock.scenes(folder).ids.tolist() == ["scene-01", "scene-01.1", "scene-03"]


def test_people_in_order_with_means_over_scenes(folder):
    values = {number: _person(folder, number) for number in (10, 2)}
    people = sherlock.read(folder)
    assert [person.subject for person in people] == ["sherlock-2", "sherlock-10"]
    np.testing.assert_allclose(people[0].values[1], values[2][6:12].mean(axis=0), rtol=1e-5)
    assert people[0].run.tolist() == ["1", "1", "2"]
    film = sherlock.read_film(folder)[0]
    assert film.stimulus[[0, 959]].tolist() == ["tr-0001", "tr-0960"]
    assert film.run[[945, 946]].tolist() == ["1", "2"]


def test_constant_tail_is_found_in_anybody_and_its_scenes_left_out(folder, caplog):
    _person(folder, 7, tail=5)
    with caplog.at_level(logging.WARNING, "neurodecode"):
        [film] = sherlock.read_film(folder)
    assert film.n_trials == 955
    assert "movie_s7.mat: the last 5 volumes are constant and left out." in caplog.text
    assert sherlock.read(folder)[0].stimulus.tolist() == ["scene-01", "scene-01.1"]


@pytest.mark.parametrize(("rows", "expected"), [(1, 0), (3, 0)])
def test_no_tail(rows, expected):
    assert sherlock.constant_tail(np.arange(rows)[:, None]) == expected


def test_regions_and_the_file_without_time_courses(folder, caplog):
    root = folder / "roi_timecourses"
    root.mkdir()
    course = np.random.default_rng(0).normal(size=(950, 3))
    for name in ("v1", "a1"):
        savemat(root / f"{name}_sherlock_movie_roicorr.mat", {"roitc": course})
    savemat(root / "a1_rev_sherlock_movie_roicorr.mat", {"roitc": np.full((1, 3), np.nan)})
    with caplog.at_level(logging.WARNING, "neurodecode"):
        people = sherlock.read_roi_timecourses(folder)
    assert "a1_rev_sherlock_movie_roicorr.mat holds no time courses" in caplog.text
    assert [person.subject for person in people] == [f"sherlock-{i}" for i in (1, 2, 3)]
    assert people[2].units.tolist() == ["a1", "v1"]
    np.testing.assert_allclose(people[2].values[:, 1], course[:, 2], rtol=1e-6)


def test_broken_files_are_named(folder):
    with pytest.raises(FileNotFoundError, match=r"No recording under .*subjects; expected files n"):
        sherlock.read(folder)
    _person(folder, 1)
    file = folder / "subjects/s1/pmc_nn_sherlock_movie_s1.mat"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptFileError, match=r"movie_s1\.mat"):
        sherlock.read_film(folder)
    savemat(file, {"rdata": np.full((2, 4), np.nan)})
    with pytest.raises(CorruptFileError, match=r"s1\.mat: rdata has shape \(2, 4\).*finite"):
        sherlock.read_film(folder)
    table = folder / "Sherlock_Segments_1000_NN_2017.xlsx"
    table.write_bytes(table.read_bytes()[:500])
    with pytest.raises(CorruptFileError, match=r"2017\.xlsx can't be read as a table"):
        sherlock.scenes(folder)
    pandas.DataFrame({"a": [1]}).to_excel(table, index=False)
    with pytest.raises(CorruptFileError, match=r"2017\.xlsx has no column \['Start Time"):
        sherlock.scenes(folder)


@pytest.mark.recorded
@pytest.mark.skipif(not RECORDED.exists(), reason=f"no recordings at {RECORDED}")
def test_the_published_files():
    people = sherlock.read(RECORDED)
    assert [len(person) for person in people] == [66, 66, 66, 66, 63, 66, 66, 66]
    assert {person.n_units for person in people} == {481}
    regions = sherlock.read_roi_timecourses(RECORDED)
    assert len(regions) == 17
    assert regions[0].values.shape == (1976, 6)


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ([0, 1, 3, 4, 5], "row 3, is segment 4; segments are numbered without a gap. Rows were"),
        ([0, 1, 1, 2, 3, 4, 5], "row 3, is segment 2; segments are numbered without a gap."),
        ([0, 2, 1, 3, 4, 5], "row 2, is segment 3; segments are numbered without a gap."),
    ],
    ids=["dropped", "doubled", "swapped"],
)
def test_rows_that_were_moved_are_refused(folder, order, said):
    file = folder / "Sherlock_Segments_1000_NN_2017.xlsx"
    table = pandas.DataFrame([SEGMENTS[row] for row in order], columns=COLUMNS)
    table.to_excel(file, index=False)
    with pytest.raises(CorruptFileError) as error:
        sherlock.scenes(folder)
    assert str(error.value).startswith(f"{file}, {said}")


@pytest.mark.parametrize("times", [(4.0, 2.0), (1.0, 6.0), ("x", 6.0)])
def test_times_that_go_back_are_refused(folder, times):
    file = folder / "Sherlock_Segments_1000_NN_2017.xlsx"
    rows = [*SEGMENTS]
    rows[1] = (2, *times, None, "Popcorn.")
    pandas.DataFrame(rows, columns=COLUMNS).to_excel(file, index=False)
    with pytest.raises(CorruptFileError, match=r"Segments_1000_NN_2017\.xlsx"):
        sherlock.scenes(folder)
