"""THINGS-MEG: published epochs, raw runs, other projects' files, test sets, broken files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from neurodecode.datasets import things_meg
from neurodecode.errors import CorruptFileError
from neurodecode.preprocessing import meg
from neurodecode.preprocessing.meg import Cleaning, Window
from neurodecode.twin.layouts.things_meg import (
    write_meg_derivative,
    write_raw_things_meg,
    write_things_meg,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("ds004212")
    write_things_meg(root)
    return root


def test_epochs_as_published(folder):
    found = things_meg.read_epochs(folder, 1)
    assert found.values.shape == (12 + 24, 271, 281) and found.values.dtype == "f4"
    assert found.sfreq == 200.0 and found.times[[0, -1]].tolist() == [-0.1, 1.3]
    assert found.positions.shape == (271, 3)
    part = found.groups("part")
    assert [(part == one).sum() for one in ("train", "large", "small")] == [8, 4, 24]
    small = found.take(part == "small")
    assert set(np.unique(small.stimulus, return_counts=True)[1]) == {12}


def test_part_of_the_trial_only(folder):
    found = things_meg.read_epochs(folder, 1, window_s=(0.0, 1.0))
    assert found.values.shape[2] == 201 and found.times[0] == 0.0


def test_test_concepts_are_never_in_training(folder):
    found = things_meg.read_epochs(folder, 1)
    split = things_meg.split(found, validation=0.25)
    assert (len(split.train), len(split.validation), len(split.test)) == (3, 1, 2)
    for test, n_trials in (("small", 24), ("large", 4)):
        chosen = things_meg.of_part(found, test)
        assert len(split.part(chosen, "test")) == n_trials
        trained = set(split.part(chosen, "train").groups("concept").tolist())
        assert not trained & set(split.test.tolist())


def test_table_has_the_18_columns(folder):
    table = things_meg.read_table(folder, 1)
    assert tuple(table.columns) == things_meg.COLUMNS


def test_missing_columns_are_named(folder, tmp_path):
    table = things_meg.read_table(folder, 1).drop(columns=["image_path"])
    table.to_csv(tmp_path / "sample_attributes_P1.csv", index=False)
    with pytest.raises(CorruptFileError, match=r"lacks the columns image_path|'image_path'"):
        things_meg.read_table(tmp_path, 1)


def _changed(folder, tmp_path, change):
    table = things_meg.read_table(folder, 1)
    table = change(table)
    file = tmp_path / "sample_attributes_P1.csv"
    table.to_csv(file, index=False)
    return file


def _said(tmp_path):
    with pytest.raises(CorruptFileError) as error:
        things_meg.read_table(tmp_path, 1)
    return str(error.value)


def test_a_table_that_contradicts_itself_is_refused(folder, tmp_path):
    kept = things_meg.read_table(folder, 1)
    row = int(np.flatnonzero(kept["trial_type"] == "test")[0])

    def other_path(table):
        table.loc[row, "image_path"] = "images_test_meg/zebra_01s.jpg"
        return table

    file = _changed(folder, tmp_path, other_path)
    number = kept.loc[row, "things_image_nr"]
    assert f"{file}: " in _said(tmp_path)
    assert f"nr {number} stands for several pictures (" in _said(tmp_path)
    _changed(folder, tmp_path, lambda table: table.assign(trial_type="what"))
    assert _said(tmp_path) == (
        f"{file}, trial 1, is of the kind 'what'; one of exp, test, catch was expected."
    )
    _changed(folder, tmp_path, lambda table: table.assign(image_path=None))
    assert "events have no 'image_path' (first: row 1), so what was shown" in _said(tmp_path)
    _changed(folder, tmp_path, lambda table: pd.concat([table, table.iloc[-1:]]))
    assert _said(tmp_path) == (
        f"{file}, trial {len(kept) + 1}, stands there twice, to the millisecond. A row was "
        f"doubled; obtain the table again."
    )


def test_swapped_rows_are_told_by_the_order_of_onsets(folder, tmp_path, caplog):
    things_meg.read_table(folder, 1)
    assert caplog.text == ""
    order = [3, 1, 2, 0]
    file = _changed(folder, tmp_path, lambda t: t.iloc[order + list(range(4, len(t)))])
    things_meg.read_table(tmp_path, 1)
    said = f"{file}: 2 rows are not in the order of session, run and onset (first: trial 1)"
    assert said in caplog.text


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"<html></html>", b"trial_type\n1,2", b"\0"])
def test_a_table_that_is_none_is_one_sentence_with_its_name(tmp_path, content):
    (tmp_path / "sample_attributes_P1.csv").write_bytes(content)
    assert "sample_attributes_P1.csv" in _said(tmp_path)


@pytest.mark.parametrize("cell", ["what", "1e300"])
@pytest.mark.parametrize("column", ["sample", "value"])
def test_a_damaged_cell_of_the_events_drops_no_trial_without_a_word(tmp_path, cell, column):
    write_raw_things_meg(tmp_path)
    [file] = tmp_path.rglob("*_events.tsv")
    events = pd.read_csv(file, sep="\t", dtype=str)
    events.loc[1, column] = cell
    events.to_csv(file, sep="\t", index=False, na_rep="n/a")
    with pytest.raises(
        CorruptFileError, match=rf"_events\.tsv .*(at the column '{column}'|names 1)"
    ):
        things_meg.recording(tmp_path, 1)


def test_truncated_epochs_are_named(folder, tmp_path):
    source = folder / "derivatives" / "preprocessed" / "preprocessed_P1-epo.fif"
    broken = tmp_path / source.name
    content = source.read_bytes()
    broken.write_bytes(content[: len(content) // 2])
    with pytest.raises(CorruptFileError, match=source.name):
        things_meg.read_epochs(tmp_path, 1)


def test_raw_runs_become_trials_at_the_sensor_s_onset(tmp_path):
    write_raw_things_meg(tmp_path)
    recording = things_meg.recording(tmp_path, 1)
    assert recording.runs == ("ses-01_run-01",)
    [events] = recording.events
    assert set(events["part"]) == {"train", "large", "small"} and len(events) == 8
    assert (events["onset"] % 2 == 0).all()  # the software's onsets lie 0.15 s before
    trials = meg.single_trials(
        recording, cleaning=Cleaning(picks="meg", resample_hz=120.0), window=Window(-0.5, 1.0)
    )
    assert trials.values.shape == (8, 274, 181)


def test_events_without_samples_are_refused(tmp_path):
    file = write_raw_things_meg(tmp_path)
    table = file.with_name(file.name.replace("_meg.fif", "_events.tsv"))
    pd.read_csv(table, sep="\t").drop(columns=["sample"]).to_csv(table, sep="\t", index=False)
    with pytest.raises(CorruptFileError, match=r"events.tsv lacks the columns"):
        things_meg.recording(tmp_path, 1)


def test_truncated_run_is_named(tmp_path):
    file = write_raw_things_meg(tmp_path)
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(CorruptFileError, match=file.name):
        things_meg.recording(tmp_path, 1)


def test_broken_ctf_folder_is_one_clear_error(tmp_path):
    folder = tmp_path / "sub-BIGMEG1_ses-01_task-main_run-01_meg.ds"
    folder.mkdir()
    (folder / "sub-BIGMEG1_ses-01_task-main_run-01_meg.res4").write_bytes(b"MEG41RS\0")
    with pytest.raises(CorruptFileError, match=folder.name):
        meg.read_raw(folder)


@pytest.mark.parametrize(("kind", "n_times"), [("atm", 201), ("ubp", 201), ("neurobridge", 200)])
def test_other_projects_files(kind, n_times, tmp_path):
    found = things_meg.read_derivative(*write_meg_derivative(tmp_path, kind), subject=1)
    assert found.values.shape == (6 + 2 * 4, 271, n_times)
    assert len(set(found.groups("concept").tolist())) == 5
    assert things_meg.split(found).by == "concept"
    if kind == "atm":
        assert found.positions.shape == (271, 3) and len(found.times) == 201


@pytest.mark.parametrize("change", ["drop", "swap"])
def test_events_that_are_not_those_of_the_table_are_told(tmp_path, caplog, change):
    write_raw_things_meg(tmp_path)
    things_meg.recording(tmp_path, 1)
    assert caplog.text == ""
    [file] = tmp_path.rglob("*_events.tsv")
    head, *lines = file.read_text().splitlines()
    shown = [row for row, line in enumerate(lines) if "n/a" not in line]
    if change == "drop":
        del lines[shown[0]]
    else:
        first, last = shown[0], shown[-1]
        lines[first], lines[last] = lines[last], lines[first]
    file.write_text("\n".join([head, *lines]))
    things_meg.recording(tmp_path, 1)
    assert (
        f"{file} has {len(shown) - (change == 'drop')} pictures, where sample_attr" in caplog.text
    )


def test_events_without_a_picture_are_refused(tmp_path):
    write_raw_things_meg(tmp_path)
    [file] = tmp_path.rglob("*_events.tsv")
    file.write_text(file.read_text().splitlines()[0] + "\n")
    with pytest.raises(CorruptFileError) as error:
        things_meg.recording(tmp_path, 1)
    assert str(error.value) == f"{file} names no picture. It is cut off; obtain it again."
