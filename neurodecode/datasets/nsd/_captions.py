"""COCO's captions of NSD's pictures."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from pathlib import Path

from neurodecode.datasets._door import reading
from neurodecode.datasets._tables import read_table, read_text
from neurodecode.datasets.nsd._trials import stimulus_id
from neurodecode.errors import CorruptFileError

WHAT = "a table of pictures"
log = logging.getLogger("neurodecode")
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
    coco = _coco_ids(table, set(ids))
    said: dict[str, list[str]] = {}
    for path in sorted((Path(root) / ANNOTATIONS).glob("captions_*2017.json")):
        for number, text in _annotations(path):
            if number in coco:
                said.setdefault(coco[number], []).append(text)
    return said


def _coco_ids(table: Path, wanted: set[str]) -> dict[int, str]:
    """Our ids by COCO's, of the pictures wanted; each of both stands in one row."""
    rows = read_table(table, WHAT, ("cocoId", "nsdId"))
    with reading(table, WHAT):
        nsd, coco = (rows[name].astype("int64") for name in ("nsdId", "cocoId"))
        for column in (nsd, coco):
            if column.duplicated().any() or (column < 0).any():
                row = int((column.duplicated() | (column < 0)).to_numpy().argmax())
                raise CorruptFileError(
                    f"{table}, row {row + 1}: {column.name} {column.iloc[row]} stands there twice "
                    f"or is negative. A row was doubled or changed; obtain it again."
                )
        # The table goes by nsdId without a gap: what lies between its first and last row is there.
        if len(nsd) and nsd.max() - nsd.min() + 1 != len(nsd):
            log.warning(
                "%s has %d rows for pictures %d to %d: rows are missing, and their captions with "
                "them.", table, len(nsd), nsd.min(), nsd.max(),
            )  # fmt: skip
    pairs = zip(coco.tolist(), map(stimulus_id, nsd.tolist()), strict=True)
    return {number: name for number, name in pairs if name in wanted}


def _annotations(path: Path) -> list[tuple[int, str]]:
    """Picture and caption, in the file's order."""
    text = read_text(path, "a file of COCO's captions")
    with reading(path, "a file of COCO's captions") as place:
        found = []
        for row, one in enumerate(json.loads(text)["annotations"]):
            place.name = f"annotation {row}"
            found.append((int(one["image_id"]), str(one["caption"]).strip()))
    empty = sum(not caption for _, caption in found)
    if empty:
        log.warning("%s: %d captions are empty and left out.", path, empty)
    return [pair for pair in found if pair[1]]
