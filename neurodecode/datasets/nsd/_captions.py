"""COCO's captions of NSD's pictures."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from neurodecode.datasets.nsd._trials import stimulus_id
from neurodecode.errors import CorruptFileError

INFO = Path("nsddata/experiments/nsd/nsd_stim_info_merged.csv")
ANNOTATIONS = Path("nsddata_stimuli/stimuli/nsd/annotations")


def captions(root: str | Path, ids: Iterable[str]) -> dict[str, list[str]]:
    """The captions of these pictures, as far as the files are there.

    Parameters
    ----------
    root : path
        The folder that holds ``nsddata`` and ``nsddata_stimuli``.
    ids : sequence of str
        As `stimulus_id` makes them.

    Returns
    -------
    dict of str to list of str
        Without the pictures that no caption is known for; see `captioned`.

    Raises
    ------
    CorruptFileError
        If a file is there but not of the form of NSD's or COCO's.
    """
    table = Path(root) / INFO
    if not table.is_file():
        return {}
    wanted = set(ids)
    coco: dict[int, str] = {}
    with table.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if "nsdId" not in row or "cocoId" not in row:
                raise CorruptFileError(
                    f"{table} lacks the columns cocoId and nsdId. It is another file."
                )
            name = stimulus_id(row["nsdId"])
            if name in wanted:
                coco[int(row["cocoId"])] = name
    said: dict[str, list[str]] = {}
    for path in sorted((Path(root) / ANNOTATIONS).glob("captions_*2017.json")):
        for one in _annotations(path):
            found = coco.get(int(one["image_id"]))
            if found is not None:
                said.setdefault(found, []).append(str(one["caption"]).strip())
    return said


def _annotations(path: Path) -> list[dict[str, Any]]:
    try:
        return list(json.loads(path.read_text(encoding="utf-8"))["annotations"])
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptFileError(
            f"{path} is no COCO caption file ({type(error).__name__}: {error}). Obtain it again."
        ) from error
