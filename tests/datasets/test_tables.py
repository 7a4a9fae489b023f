"""Tables: whole rows, no web pages, no stimulus without a name, no event twice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from neurodecode.datasets._tables import (
    check_names,
    check_samples,
    check_table,
    read_table,
    read_text,
    refuse_doubles,
    shown_ids,
)
from neurodecode.errors import CorruptFileError

WHAT = "a table of events"


def _refused(file, content, needs=()):
    file.write_bytes(content)
    with pytest.raises(CorruptFileError) as error:
        read_table(file, WHAT, needs)
    return str(error.value)


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\0\0\0"])
def test_an_empty_table_is_refused(tmp_path, content):
    file = tmp_path / "events.tsv"
    assert _refused(file, content) == (
        f"{file} is empty; a table of events was expected. Obtain it again."
    )


@pytest.mark.parametrize("content", [b"<!DOCTYPE html><html>", b"\n<HTML><body>404</body>"])
def test_a_web_page_is_no_table(tmp_path, content):
    file = tmp_path / "events.tsv"
    assert _refused(file, content) == (
        f"{file} is a web page, not a table of events: its download failed or asked for a login. "
        f"Obtain it again."
    )


def test_rows_that_are_cut_off_or_joined_are_refused(tmp_path):
    file = tmp_path / "events.tsv"
    assert _refused(file, b"onset\tname\n1\ta\n2") == (
        f"{file}, line 3, has 1 cells but the header 2. The row is cut off or joined with another; "
        f"obtain the file again."
    )
    # pandas would take the first column for row names here, and shift all others
    assert "line 2, has 3 cells but the header 2" in _refused(file, b"onset\tname\n1\ta\tb\n")


def test_a_damaged_head_is_refused(tmp_path):
    file = tmp_path / "events.tsv"
    assert _refused(file, b"onset\tname\n1\ta\n", ["onset", "duration"]) == (
        f"{file} lacks the columns 'duration'; it has 'onset', 'name'. It is another file, or its "
        f"head is damaged."
    )
    assert "has several columns 'onset'" in _refused(file, b"onset\tonset\n1\t2\n")


@pytest.mark.parametrize("content", [b"onset\tname\n\xff\xfe\ta\n", b"onset\tname\n1\t\0\n"])
def test_bytes_that_are_no_text_are_refused(tmp_path, content):
    assert "events.tsv" in _refused(tmp_path / "events.tsv", content)


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    file = tmp_path / "events.csv"
    file.write_bytes(b"\xef\xbb\xbfonset,name\n1,a\n")
    assert list(read_table(file, WHAT).columns) == ["onset", "name"]
    assert read_text(file, WHAT).startswith("onset")


@pytest.mark.parametrize("absent", [None, float("nan"), "", " ", "n/a"])
def test_no_stimulus_is_called_nan(absent):
    with pytest.raises(CorruptFileError) as error:
        shown_ids(["face", absent, absent], "trial_type", "events.tsv")
    assert str(error.value) == (
        "events.tsv: 2 of 3 events have no 'trial_type' (first: row 2), so what was shown is not "
        "known. Name it, or leave these rows out."
    )


def test_the_same_event_twice_is_refused():
    stimulus = np.array(["a", "a", "b", "a"])
    with pytest.raises(CorruptFileError) as error:
        refuse_doubles(np.array([0, 2, 2, 2.0]), stimulus, np.ones(4), "events.tsv")
    assert str(error.value) == (
        "events.tsv has the event 'a' at 2 s twice (rows 2 and 4). A row was doubled; take one out."
    )


def test_a_stimulus_and_its_file_belong_together():
    names = np.array(["a", "b", "c", "d", "e", "f"])
    frame = pd.DataFrame({"stim_file": [f"pictures/{one}.png" for one in names]})
    check_names(frame, names, "events.tsv")
    changed = names.copy()
    changed[3] = "x"
    with pytest.raises(CorruptFileError) as error:
        check_names(frame, changed, "events.tsv")
    assert str(error.value) == (
        "events.tsv, row 4: stimulus 'x' and stim_file 'pictures/d.png' do not belong together, as "
        "those of 5 other rows do. One of them was changed; obtain the table again."
    )
    check_names(frame, np.array(list("uvwxyz")), "events.tsv")  # files that are named otherwise


@pytest.mark.parametrize("shift", [0.0, 37.0])
def test_an_onset_and_its_sample_belong_together(shift):
    onset = np.array([1.0, 1.5, 2.0, 3.0, 4.0, 5.0])
    frame = pd.DataFrame({"sample": onset * 250 + shift})
    check_samples(frame, onset, "events.tsv")
    with pytest.raises(CorruptFileError, match=r"^events\.tsv, row 3: onset 20 s and sample"):
        check_samples(frame, np.where(onset == 2, 20.0, onset), "events.tsv")
    rng = np.random.default_rng(0)
    check_samples(frame, onset + rng.normal(0, 0.2, 6), "events.tsv")  # two clocks


def test_a_table_of_numbers_alone_has_no_head(tmp_path):
    file = tmp_path / "labels.csv"
    file.write_text("-1,-1\n0,1\n")
    check_table(file)
    file.write_text("a,a\n0,1\n")
    with pytest.raises(CorruptFileError, match=r"labels\.csv has several columns 'a'"):
        check_table(file)
    file.write_text("-1,-1\n0\n")
    with pytest.raises(CorruptFileError, match=r"labels\.csv, line 2, has 1 cells but the header"):
        check_table(file)


def test_a_last_row_that_may_be_cut_off_is_told(tmp_path, caplog):
    """A cut inside the last cell leaves a table of whole rows."""
    file = tmp_path / "events.tsv"
    file.write_bytes(b"onset\tname\n1\thouse\n")
    read_table(file, WHAT)
    assert caplog.text == ""
    file.write_bytes(b"onset\tname\n1\thou")
    assert read_table(file, WHAT)["name"].tolist() == ["hou"]
    assert f"{file} has no line break at its end: its last row may be cut off ('1\\thou')" in (
        caplog.text
    )


@pytest.mark.parametrize("read", [check_table, lambda path: read_table(path, "a table")])
def test_a_million_columns_are_refused_in_no_time(tmp_path, read):
    file = tmp_path / "x.tsv"
    file.write_text("\t".join(map(str, range(10**6))) + "\n")
    with pytest.raises(CorruptFileError, match=r"x\.tsv has 1000000 columns; a table has at most "):
        read(file)


def test_a_form_feed_is_no_table(tmp_path):
    file = tmp_path / "x.tsv"
    file.write_text("\x0c\n")
    with pytest.raises(
        CorruptFileError, match=r"x\.tsv has no line with text; a table was expected"
    ):
        check_table(file)


def test_a_cell_may_hold_what_is_a_line_break_elsewhere(tmp_path):
    file = tmp_path / "x.tsv"
    file.write_text("onset\ttext\n1.0\ta\u2028b\x0cc\n", encoding="utf-8")
    assert read_table(file, "a table")["text"].tolist() == ["a\u2028b\x0cc"]
