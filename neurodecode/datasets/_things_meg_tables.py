"""THINGS-MEG's tables: what was shown in each trial, and which part of the data it belongs to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from neurodecode.data import listing
from neurodecode.datasets._files import existing
from neurodecode.datasets._things import picture_name
from neurodecode.errors import CorruptFileError

COLUMNS = (
    "trial_type", "image_nr", "category_nr", "exemplar_nr", "test_image_nr", "things_category_nr",
    "things_image_nr", "things_exemplar_nr", "image_path", "onset", "image_on", "image_off",
    "responded", "key_id", "key_time", "RT", "session_nr", "run_nr",
)  # fmt: skip
CATCH = 999999


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
    table = pd.read_csv(file)
    missing = [one for one in COLUMNS if one not in table.columns]
    if missing:
        raise CorruptFileError(
            f"{file} lacks the columns {listing(missing)}; it has {len(table.columns)} of 18."
        )
    return table


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


def shown_events(file: Path, known: pd.DataFrame, sfreq: float) -> pd.DataFrame:
    """The pictures of one raw run, with their onset by the optical sensor; no catch trials.

    Raises
    ------
    CorruptFileError
        If a column is missing, or a picture is not in the table of trials.
    """
    table_file = file.with_name(file.name.rsplit("_meg", 1)[0] + "_events.tsv")
    events = pd.read_csv(existing(table_file, "table of events"), sep="\t")
    missing = {"sample", "value"} - set(events.columns)
    if missing:
        raise CorruptFileError(f"{table_file} lacks the columns {listing(sorted(missing))}.")
    number = pd.to_numeric(events["value"], errors="coerce").fillna(CATCH).astype(int)
    events = events.assign(number=number)[number != CATCH]
    unknown = sorted(set(events["number"]) - set(known.index))
    if unknown:
        raise CorruptFileError(
            f"{table_file} names {len(unknown)} pictures that the table of trials lacks (such as "
            f"{unknown[0]})."
        )
    facts = known.loc[events["number"], ["stimulus", "concept", "part"]].reset_index(drop=True)
    onset = events["sample"].to_numpy(dtype=float) / sfreq
    return facts.assign(onset=onset, duration=0.5)
