"""Tables of other people (``.tsv``, ``.csv``): whole rows only, and no stimulus without a name."""

from __future__ import annotations

import csv
import logging
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import listing
from neurodecode.datasets._door import reading
from neurodecode.datasets._files import existing
from neurodecode.errors import CorruptFileError

logger = logging.getLogger("neurodecode")
ROWS_TO_JUDGE = 5
# Tables of confounds have hundreds, tables of numbers thousands.
MAX_COLUMNS = 20_000
SAMPLES_APART = 2.0
SHARE_DAMAGED = 0.2
LINE_BREAK = re.compile(r"\r\n|\r|\n")
PAGE = ("<!doctype", "<html", "<?xml", "<head", "<body")


def read_lines(path: str | Path, what: str) -> list[str]:
    """The lines of a table that are not blank, as `read_text` reads it.

    A last line without a line break may be cut off inside its last cell, which nothing else tells:
    a warning says so.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "labels.txt"
    >>> _ = file.write_bytes(b"face 0" + bytes([10]))
    >>> read_lines(file, "a table of labels")
    ['face 0']
    """
    text = read_text(path, what)
    if not text.endswith(("\n", "\r")):
        logger.warning(
            "%s has no line break at its end: its last row may be cut off (%r).",
            path, LINE_BREAK.split(text)[-1][-40:],
        )  # fmt: skip
    # at line breaks alone: str.splitlines takes form feeds and U+2028 inside a cell for breaks
    return [line for line in LINE_BREAK.split(text) if line.strip()]


def read_text(path: str | Path, what: str) -> str:
    """The text of a file that should be a table or JSON, and not a web page.

    Parameters
    ----------
    path : path
    what : str
        With its article, for messages: ``'a table of events'``.

    Raises
    ------
    CorruptFileError
        If it is empty, no text in UTF-8, or a web page that was stored in its place.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "labels.txt"
    >>> _ = file.write_text("face 0")
    >>> read_text(file, "a table of labels")
    'face 0'
    """
    file = existing(path, what.split(" ", 1)[-1])
    with reading(file, what):
        text = file.read_text(encoding="utf-8-sig")
    if not text.strip("\0 \t\r\n"):
        raise CorruptFileError(f"{file} is empty; {what} was expected. Obtain it again.")
    if text.lstrip()[:20].lower().startswith(PAGE):
        raise CorruptFileError(
            f"{file} is a web page, not {what}: its download failed or asked for a login. Obtain "
            f"it again."
        )
    if "\0" in text:
        raise CorruptFileError(
            f"{file} holds bytes of zero, which {what} does not: a part of it was never written. "
            f"Obtain it again."
        )
    return text


def read_table(path: str | Path, what: str, needs: Sequence[str] = ()) -> Any:
    r"""A table as a DataFrame; every row must have as many cells as the header.

    Parameters
    ----------
    path : path
        Commas separate cells in ``.csv``, tabs in any other.
    what : str
        As in `read_text`.
    needs : sequence of str
        Columns that must be there.

    Raises
    ------
    CorruptFileError
        If it is no such table, a row is cut off, or a column is missing.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "events.tsv"
    >>> _ = file.write_text("onset\ttrial_type\n2.0\tface\n")
    >>> read_table(file, "a table of events", ["onset"]).to_dict("records")
    [{'onset': 2.0, 'trial_type': 'face'}]
    """
    import pandas

    file = Path(path)
    rows = _cells(file, what)
    _check_rows(file, rows)
    _check_head(file, rows[0])
    with reading(file, what):
        frame = pandas.read_csv(file, sep=_separator(file), encoding="utf-8-sig", low_memory=False)
    missing = [name for name in needs if name not in frame.columns]
    if missing:
        raise CorruptFileError(
            f"{file} lacks the columns {listing(missing)}; it has "
            f"{listing(map(str, frame.columns), 20)}. It is another file, or its head is damaged."
        )
    return frame


def check_table(path: str | Path) -> None:
    r"""Refuse a file that is no table: rows of different length, a head with a name twice.

    A table of numbers alone has no head.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "labels.csv"
    >>> _ = file.write_text("-1,-1\n0,1\n")
    >>> check_table(file)
    """
    file = Path(path)
    rows = _cells(file, "a table")
    _check_rows(file, rows)
    if not any(cell.lstrip("-").replace(".", "", 1).isdigit() for cell in rows[0]):
        _check_head(file, rows[0])


def _separator(file: Path) -> str:
    return "," if file.suffix == ".csv" else "\t"


def _cells(file: Path, what: str) -> list[list[str]]:
    lines = read_lines(file, what)
    if not lines:
        raise CorruptFileError(f"{file} has no line with text; {what} was expected.")
    with reading(file, what):
        rows = list(csv.reader(lines, delimiter=_separator(file)))
    if len(rows[0]) > MAX_COLUMNS:
        raise CorruptFileError(
            f"{file} has {len(rows[0])} columns; {what} has at most {MAX_COLUMNS}. It is another "
            f"file, or its head is damaged."
        )
    return rows


def _check_rows(file: Path, rows: list[list[str]]) -> None:
    width = len(rows[0])
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != width:
            raise CorruptFileError(
                f"{file}, line {number}, has {len(row)} cells but the header {width}. The row is "
                f"cut off or joined with another; obtain the file again."
            )


def _check_head(file: Path, head: list[str]) -> None:
    counts = Counter(head)
    twice = sorted(name for name, number in counts.items() if name and number > 1)
    if twice:
        raise CorruptFileError(
            f"{file} has several columns {listing(twice)}. Its head is damaged; obtain it again."
        )


def shown_ids(column: Any, what: str, where: str) -> NDArray[np.str_]:
    """The stimulus ids of a column; an empty cell is refused, for it would become a stimulus 'nan'.

    Raises
    ------
    CorruptFileError
        Naming the first row without an id.

    Examples
    --------
    >>> shown_ids(["face", "house"], "trial_type", "events.tsv").tolist()
    ['face', 'house']
    """
    import pandas

    values = pandas.Series(column).reset_index(drop=True)
    text = values.astype(str).str.strip()
    absent = (values.isna() | text.isin(["", "n/a", "nan"])).to_numpy(dtype=bool)
    if absent.any():
        first = int(np.flatnonzero(absent)[0])
        raise CorruptFileError(
            f"{where}: {int(absent.sum())} of {len(values)} events have no '{what}' (first: row "
            f"{first + 1}), so what was shown is not known. Name it, or leave these rows out."
        )
    return values.astype(str).to_numpy(dtype=np.str_)


def refuse_doubles(
    onset: NDArray[Any], stimulus: NDArray[Any], duration: NDArray[Any], where: str
) -> None:
    """Refuse the same event twice: one stimulus that starts and lasts exactly as in another row.

    Raises
    ------
    CorruptFileError
        Naming both rows.

    Examples
    --------
    >>> refuse_doubles(np.array([0.0, 2.0]), np.array(["a", "a"]), np.ones(2), "events.tsv")
    """
    seen: dict[tuple[float, str, float], int] = {}
    events = zip(onset.tolist(), stimulus.tolist(), duration.tolist(), strict=True)
    for row, event in enumerate(events):
        first = seen.setdefault(event, row)
        if first != row:
            raise CorruptFileError(
                f"{where} has the event '{event[1]}' at {event[0]:g} s twice (rows {first + 1} and "
                f"{row + 1}). A row was doubled; take one out."
            )


def check_names(frame: Any, stimulus: NDArray[np.str_], where: str) -> None:
    """Compare stimuli with the column ``stim_file``, where a table has it: BIDS states both.

    Where the files are named as the stimuli in nearly all rows, the few that differ are damaged.

    Raises
    ------
    CorruptFileError
        Naming the first row in which they disagree.

    Examples
    --------
    >>> import pandas
    >>> frame = pandas.DataFrame({"stim_file": ["cup_01.png", "dog_02.png"]})
    >>> check_names(frame, np.array(["cup_01", "dog_02"]), "events.tsv")
    """
    if "stim_file" not in frame.columns or len(frame) < ROWS_TO_JUDGE:
        return
    files = frame["stim_file"].astype(str)
    stems = np.array([PurePosixPath(one).stem for one in files])
    other = stems != stimulus
    if 0 < other.sum() <= len(frame) * SHARE_DAMAGED:
        row = int(np.flatnonzero(other)[0])
        raise CorruptFileError(
            f"{where}, row {row + 1}: stimulus '{stimulus[row]}' and stim_file '{files.iloc[row]}' "
            f"do not belong together, as those of {int((~other).sum())} other rows do. One of them "
            f"was changed; obtain the table again."
        )


def check_samples(frame: Any, onset: NDArray[np.float64], where: str) -> None:
    """Compare onsets (s) with the column ``sample``, where a table has it: BIDS states both.

    Some tables count their samples from another event, so the distance need only be the same in
    nearly all rows; the few that differ are damaged.

    Raises
    ------
    CorruptFileError
        Naming the first row in which they disagree.

    Examples
    --------
    >>> import pandas
    >>> onset = np.array([1.0, 2.0, 3.0])
    >>> check_samples(pandas.DataFrame({"sample": [250, 500, 750]}), onset, "events.tsv")
    """
    import pandas

    if "sample" not in frame.columns or len(frame) < ROWS_TO_JUDGE:
        return
    sample = pandas.to_numeric(frame["sample"], errors="coerce").to_numpy(dtype=np.float64)
    steps = [np.diff(one[np.isfinite(sample)]) for one in (sample, onset)]
    if not (steps[1] > 0).any():
        return
    rate = np.median(steps[0][steps[1] > 0] / steps[1][steps[1] > 0])
    shift = sample - onset * rate
    apart = ~(np.abs(shift - np.nanmedian(shift)) <= SAMPLES_APART)
    if 0 < apart.sum() <= len(frame) * SHARE_DAMAGED:
        row = int(np.flatnonzero(apart)[0])
        raise CorruptFileError(
            f"{where}, row {row + 1}: onset {onset[row]:g} s and sample {sample[row]:g} do not "
            f"belong together, as those of {int((~apart).sum())} other rows do at {rate:g} samples "
            f"a second. One of them was changed; obtain the table again."
        )
