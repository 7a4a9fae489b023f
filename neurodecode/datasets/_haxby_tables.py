"""The tables of Haxby's experiment: labels, conditions, onsets, motion, repetition time."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode.data import listing
from neurodecode.datasets._door import reading
from neurodecode.datasets._images import open_image
from neurodecode.datasets._tables import read_lines, read_text
from neurodecode.datasets._volumes import spans
from neurodecode.errors import CorruptFileError

CATEGORIES = ("bottle", "cat", "chair", "face", "house", "scissors", "scrambledpix", "shoe")
REST = "rest"
LONGEST_TR_S = 100
MOTION = ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")
log = logging.getLogger("neurodecode")


def read_tr(path: Path) -> float:
    """The repetition time in seconds, from ``scan_key.txt``."""
    words = read_text(path, "a scan key").split()
    with reading(path, "a scan key"):
        tr_s = float(words[words.index("TR") + 1])
        if not 0 < tr_s < LONGEST_TR_S:
            raise ValueError(f"a TR of {tr_s:g} s")
    return tr_s


def read_conditions(path: Path) -> dict[tuple[str, str], str]:
    """Names of conditions by task and number, from ``condition_key.txt``."""
    lines = read_lines(path, "a condition key")
    names: dict[tuple[str, str], str] = {}
    with reading(path, "a condition key") as place:
        for number, line in enumerate(lines, start=1):
            place.name = f"line {number}"
            task, condition, *words = line.split()
            if " ".join(words) not in CATEGORIES:
                raise ValueError(f"'{line}' names no category (one of {', '.join(CATEGORIES)})")
            if (task, condition) in names or " ".join(words) in names.values():
                raise ValueError(f"'{line}' names a condition or category for a second time")
            names[task, condition] = " ".join(words)
    return names


def read_onsets(path: Path) -> list[tuple[float, float]]:
    """Onset and duration (s) of each event of a condition."""
    lines = read_lines(path, "a table of onsets")
    with reading(path, "a table of onsets"):
        table = np.loadtxt(lines, ndmin=2)
        onset, duration, _ = table.T
        if not np.isfinite(table).all() or (onset < 0).any() or (duration < 0).any():
            raise ValueError("an onset or duration is negative or no number")
    return list(zip(onset.tolist(), duration.tolist(), strict=True))


def read_labels(path: Path) -> tuple[list[str], list[str]]:
    """Label and run of each volume.

    Raises
    ------
    CorruptFileError
        If a line is no label and run, a label is no category, or runs do not stand together.
    """
    rows = [line.split() for line in read_lines(path, "a table of labels")]
    if rows[0] == ["labels", "chunks"]:
        rows = rows[1:]
    wrong = next((row for row in rows if len(row) != 2), None)
    if wrong is not None or not rows:
        raise CorruptFileError(
            f"{path} is not a table of a label and a run number a line: got '{wrong}'."
        )
    labels, chunks = [label for label, _ in rows], [chunk for _, chunk in rows]
    unknown = sorted(set(labels) - {*CATEGORIES, REST})
    if unknown:
        raise CorruptFileError(
            f"{path} has labels that are no category of Haxby's ({listing(unknown)}); expected "
            f"{', '.join((*CATEGORIES, REST))}."
        )
    _check_runs(path, labels, chunks)
    return labels, chunks


def _check_runs(path: Path, labels: list[str], chunks: list[str]) -> None:
    """Runs are numbered and stand together; a category has one block in each."""
    cuts = list(spans(chunks))
    names = [chunks[start] for start, _ in cuts]
    again = sorted({name for name in names if names.count(name) > 1 or not name.isdigit()})
    if again:
        raise CorruptFileError(
            f"{path}: the volumes of run {listing(again)} do not stand together, or it has no "
            f"number. Rows were swapped or changed; obtain it again."
        )
    for start, stop in cuts:
        blocks = [labels[start + first] for first, _ in spans(labels[start:stop])]
        torn = sorted({one for one in blocks if one != REST and blocks.count(one) > 1})
        if torn:
            log.warning(
                "%s: run %s has several blocks of %s, where the experiment had one of each "
                "category. Rows may have been swapped or changed.",
                path, chunks[start], listing(torn),
            )  # fmt: skip


def read_motion(path: Path, image: Path) -> Any:
    """Six parameters of motion for each volume of an image."""
    import pandas

    lines = read_lines(path, "a table of motion")
    with reading(path, "a table of motion"):
        table = np.loadtxt(lines, ndmin=2)
    if table.shape[1] != len(MOTION):
        raise CorruptFileError(f"{path} has {table.shape[1]} columns; 6 of motion were expected.")
    n_volumes = open_image(image, whole=False).shape[-1]
    if len(table) != n_volumes or not np.isfinite(table).all():
        raise CorruptFileError(
            f"{path} has {len(table)} rows but {image.name} has {n_volumes} volumes; a row of "
            f"finite numbers for each was expected."
        )
    return pandas.DataFrame(table, columns=list(MOTION))
