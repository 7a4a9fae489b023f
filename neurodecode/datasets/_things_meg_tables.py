"""THINGS-MEG's tables: what was shown in each trial, and which part of the data it belongs to."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neurodecode.data import listing
from neurodecode.datasets import _tables as tables
from neurodecode.datasets._door import reading
from neurodecode.datasets._files import existing
from neurodecode.datasets._things import picture_name
from neurodecode.errors import CorruptFileError

COLUMNS = (
    "trial_type", "image_nr", "category_nr", "exemplar_nr", "test_image_nr", "things_category_nr",
    "things_image_nr", "things_exemplar_nr", "image_path", "onset", "image_on", "image_off",
    "responded", "key_id", "key_time", "RT", "session_nr", "run_nr",
)  # fmt: skip
CATCH = 999999
LAST_SAMPLE = 2**31
KINDS = ("exp", "test", "catch")
PLACE = ("session_nr", "run_nr", "onset")
logger = logging.getLogger("neurodecode")


def read_table(root: str | Path, subject: int) -> pd.DataFrame:
    """``sample_attributes_P{n}.csv``, 18 columns.

    Raises
    ------
    CorruptFileError
        If columns are missing.
    """
    names = (f"sourcedata/sample_attributes_P{subject}.csv", f"sample_attributes_P{subject}.csv")
    file = next((Path(root) / one for one in names if (Path(root) / one).exists()), None)
    file = existing(file or Path(root) / names[0], "table of trials")
    table: pd.DataFrame = tables.read_table(file, "a table of trials", COLUMNS)
    with reading(file, "a table of trials"):
        check_trials(table, str(file))
    return table


def check_trials(table: pd.DataFrame, where: str) -> None:
    """Refuse a table that contradicts itself: what was shown is told by more than one column.

    Raises
    ------
    CorruptFileError
        If a trial is of no known kind or without a picture, one number names two pictures, or a
        row stands there twice.

    Examples
    --------
    >>> rows = pd.DataFrame({"trial_type": ["exp", "exp"], "things_image_nr": [1, 1],
    ...                      "image_path": ["cup_01b.jpg", "dog_01b.jpg"]})
    >>> check_trials(rows, "table.csv")
    Traceback (most recent call last):
    ...
    neurodecode.errors.CorruptFileError: table.csv: things_image_nr 1 stands for several pictures \
('cup_01b.jpg', 'dog_01b.jpg'). A row was changed; obtain it again.
    """
    kind = table["trial_type"]
    if not kind.isin(KINDS).all():
        row = int(np.flatnonzero(~kind.isin(KINDS))[0])
        raise CorruptFileError(
            f"{where}, trial {row + 1}, is of the kind '{kind.iloc[row]}'; one of "
            f"{', '.join(KINDS)} was expected."
        )
    shown = table[kind != "catch"]
    tables.shown_ids(shown["image_path"], "image_path", where)
    for number in {"things_image_nr", "image_nr"} & set(shown.columns):
        for (_, value), paths in shown.groupby(["trial_type", number])["image_path"]:
            if paths.nunique() > 1:
                raise CorruptFileError(
                    f"{where}: {number} {value:g} stands for several pictures "
                    f"({listing(sorted(set(paths)))}). A row was changed; obtain it again."
                )
    if set(PLACE) <= set(table.columns):
        _check_order(table, where)


def _check_order(table: pd.DataFrame, where: str) -> None:
    """Rows go by time: trials are matched to epochs by their place."""
    doubled = table.duplicated()
    if doubled.any():
        raise CorruptFileError(
            f"{where}, trial {int(np.flatnonzero(doubled)[0]) + 1}, stands there twice, to the "
            f"millisecond. A row was doubled; obtain the table again."
        )
    place = table[list(PLACE)].apply(pd.to_numeric, errors="coerce")
    ordered = place.sort_values(list(PLACE), kind="stable").index
    wrong = np.flatnonzero(ordered.to_numpy() != place.index.to_numpy())
    if len(wrong):
        logger.warning(
            "%s: %d rows are not in the order of session, run and onset (first: trial %d). Trials "
            "are matched to epochs by their place: rows that were swapped change what was shown.",
            where, len(wrong), wrong[0] + 1,
        )  # fmt: skip


def trial_facts(table: pd.DataFrame) -> pd.DataFrame:
    """The table with ``stimulus``, ``concept`` and ``part`` of each trial.

    Examples
    --------
    >>> paths = ["images_meg/cup/cup_01b.jpg", "images_meg/dog/dog_02s.jpg",
    ...          "images_test_meg/dog_09s.jpg"]
    >>> rows = pd.DataFrame({"trial_type": ["exp", "exp", "test"], "image_path": paths})
    >>> trial_facts(rows)["part"].tolist()
    ['train', 'large', 'small']
    """
    missing = {"trial_type", "image_path"} - set(table.columns)
    if missing:
        raise CorruptFileError(
            f"The table of trials lacks {listing(sorted(missing))}; it has "
            f"{listing(map(str, table.columns), 20)}."
        )
    stimulus = table["image_path"].map(lambda one: picture_name(str(one)))
    concept = stimulus.str.rsplit("_", n=1).str[0]
    kind = table["trial_type"]
    tested = set(concept[kind == "test"])
    part = np.where(kind == "test", "small", np.where(concept.isin(tested), "large", "train"))
    part = np.where(kind == "catch", "catch", part)
    return table.assign(stimulus=stimulus, concept=concept, part=part)


def shown_events(file: Path, trials: pd.DataFrame, sfreq: float) -> pd.DataFrame:
    """The pictures of one raw run, with their onset by the optical sensor; no catch trials.

    Raises
    ------
    CorruptFileError
        If a column is missing, or a picture is not in the table of trials.
    """
    table_file = file.with_name(file.name.rsplit("_meg", 1)[0] + "_events.tsv")
    events: pd.DataFrame = tables.read_table(table_file, "a table of events", ("sample", "value"))
    with reading(table_file, "a table of events") as place:
        place.name = "the column 'value'"
        number = pd.to_numeric(events["value"]).fillna(CATCH).astype(int)
        place.name = "the column 'sample'"
        sample = pd.to_numeric(events["sample"]).astype(float)
        if not sample.between(0, LAST_SAMPLE).all() or sample.duplicated().any():
            raise ValueError("samples are missing, negative, too large or doubled")
    events = events.assign(number=number, sample=sample)[number != CATCH]
    known = trials.drop_duplicates("things_image_nr").set_index("things_image_nr")
    unknown = sorted(set(events["number"]) - set(known.index))
    if unknown or not len(events):
        raise CorruptFileError(
            f"{table_file} names {len(unknown)} pictures that sample_attributes_P*.csv lacks (such "
            f"as {unknown[0]}). One of them is damaged, or of another person."
            if unknown
            else f"{table_file} names no picture. It is cut off; obtain it again."
        )
    _compare_run(table_file, events["number"].to_numpy(), trials)
    facts = known.loc[events["number"], ["stimulus", "concept", "part"]].reset_index(drop=True)
    onset = events["sample"].to_numpy(dtype=float) / sfreq
    return facts.assign(onset=onset, duration=0.5)


def _compare_run(file: Path, shown: NDArray[np.int64], trials: pd.DataFrame) -> None:
    """Warn where a run's events are others, or in another order, than in the table of trials."""
    place = re.search(r"ses-(\d+).*run-(\d+)", file.name)
    if place is None:
        return
    rows = (trials["session_nr"] == int(place[1])) & (trials["run_nr"] == int(place[2]))
    planned = trials["things_image_nr"][rows & (trials["trial_type"] != "catch")].to_numpy()
    if len(planned) and not np.array_equal(planned, shown):
        logger.warning(
            "%s has %d pictures, where sample_attributes_P*.csv has %d for this run, or in another "
            "order. Rows were dropped, doubled or swapped in one of them.",
            file, len(shown), len(planned),
        )  # fmt: skip
