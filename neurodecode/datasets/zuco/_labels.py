"""The task materials: sentiment and relation labels, by text id."""

from __future__ import annotations

import csv
import logging
from collections import Counter
from pathlib import Path

from neurodecode.datasets._door import reading
from neurodecode.datasets.zuco._sentence import text_id
from neurodecode.errors import CorruptFileError

logger = logging.getLogger("neurodecode")

SENTIMENT = {"-1": "negative", "0": "neutral", "1": "positive"}
CONTROL = "CONTROL"
ODD = {"\ufffd", "\0"}
NO_RELATION = "NO-RELATION"


def read_labels(folder: str | Path) -> dict[str, dict[str, str]]:
    """Sentiment and relation of each text, from the folder ``task_materials`` of either data set.

    Parameters
    ----------
    folder : path
        Holds ``sentiment_labels_task1.csv``, ``relations_labels_task2.csv`` and
        ``relations_labels_task3.csv`` (ZuCo 1.0), or ``nr_{1..7}.csv`` and ``tsr_{1..7}.csv``
        (ZuCo 2.0).

    Returns
    -------
    dict of str to dict of str
        ``{text_id: {"text": ..., "sentiment": ..., "relation": ...}}``. Sentences of the control
        condition have no relation.

    Raises
    ------
    FileNotFoundError
        If none of the tables is there.
    CorruptFileError
        If a table has no row that can be read, naming file and line.

    Notes
    -----
    Some published tables lack their header or have a stray row; rows are recognised by what they
    hold, and those that can't be are counted and logged.
    """
    root = Path(folder)
    tables = sorted(root.glob("*labels_task*.csv")) + sorted(
        file for file in root.glob("*.csv") if file.stem.startswith(("nr_", "tsr_"))
        and "control_questions" not in file.stem
    )  # fmt: skip
    if not tables:
        raise FileNotFoundError(f"{root} holds no label table of ZuCo (task_materials).")
    labels: dict[str, dict[str, str]] = {}
    for file in tables:
        for text, found in _rows(file):
            known = labels.get(text_id(text), {})
            other = [key for key, value in found.items() if known.get(key, value) != value]
            if other:
                logger.warning(
                    "%s: '%s' is labelled again, with another %s; the last one counts.", file,
                    text[:60], " and ".join(other),
                )  # fmt: skip
            labels.setdefault(text_id(text), {"text": text}).update(found)
    return labels


def _rows(file: Path) -> list[tuple[str, dict[str, str]]]:
    read = _ROWS["task1" if "task1" in file.stem else "zuco1" if "task" in file.stem else "zuco2"]
    # Published tables are of mixed encodings: a letter that is none in UTF-8 is replaced, and told.
    with file.open(encoding="utf-8", errors="replace", newline="") as opened:
        text = opened.read()
    lines = [line for line in text.splitlines() if line.strip("\0 \t")]
    if lines and not text.endswith(("\n", "\r")):
        logger.warning("%s has no line break at its end: its last row may be cut off.", file)
    odd = [number for number, line in enumerate(lines, start=1) if set(line) & ODD]
    if odd:
        logger.warning(
            "%s: %d rows hold bytes that are no text (first: row %d); their texts may have other "
            "ids than elsewhere.", file, len(odd), odd[0],
        )  # fmt: skip
    separator = "," if "task2" in file.stem else ";"
    with reading(file, "a table of labels"):
        rows = [read(cells) for cells in csv.reader(lines, delimiter=separator)]
    good = [row for row in rows if row is not None]
    if not good:
        raise CorruptFileError(
            f"{file} has no row of labels in {len(lines)} lines (first: {lines[0][:60]!r})."
            if lines
            else f"{file} is empty."
        )
    unread = Counter(row is None for row in rows)[True]
    if unread > 1:  # one is the header
        logger.warning(
            "%s: %d of %d rows hold no label and were left out.", file, unread, len(rows)
        )
    return good


def _sentiment(cells: list[str]) -> tuple[str, dict[str, str]] | None:
    label = cells[-1].strip() if cells else ""
    sentences = [cell for cell in cells[:-1] if len(cell.split()) > 1]
    if label not in SENTIMENT or not sentences:
        return None
    return sentences[0], {"sentiment": SENTIMENT[label]}


def _relation_1(cells: list[str]) -> tuple[str, dict[str, str]] | None:
    sentences = [cell for cell in cells if len(cell.split()) > 3]
    names = [cell.strip() for cell in cells if cell not in sentences and cell.strip()]
    kinds = [name for name in names if any(letter.isalpha() for letter in name)]
    if not sentences or not kinds:
        return None
    return sentences[0], _relation(kinds[-1])


def _relation_2(cells: list[str]) -> tuple[str, dict[str, str]] | None:
    if len(cells) < 4 or not cells[0].strip().isdigit():
        return None
    return cells[2], _relation(cells[3].strip())


def _relation(label: str) -> dict[str, str]:
    first = label.split(";", maxsplit=1)[0].strip().casefold().replace("_", " ")
    absent = (CONTROL.casefold(), NO_RELATION.casefold(), "")
    return {} if first in absent else {"relation": first}


_ROWS = {"task1": _sentiment, "zuco1": _relation_1, "zuco2": _relation_2}
