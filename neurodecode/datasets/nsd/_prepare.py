"""From a layout to the store: in bounded memory, going on where a killed run stopped."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode import store
from neurodecode.data import Responses
from neurodecode.datasets.nsd._lazy import Pieces
from neurodecode.datasets.nsd._prepared import check_alike, finish, layout_settings, note_of
from neurodecode.datasets.nsd._trials import NsdLayout, Repeats, subject_name
from neurodecode.errors import CorruptFileError

PART_ROWS = 750
CHECKED_ROWS = 5
log = logging.getLogger("neurodecode")


def prepare(
    layout: NsdLayout,
    out: str | Path,
    *,
    subjects: Sequence[int] | None = None,
    repeats: Repeats = "kept",
    dtype: str | None = None,
    part_rows: int = PART_ROWS,
) -> dict[str, Path]:
    """Write one store file a person, ``split.json`` and ``prepared.json``.

    Both are of everybody in the folder: runs of a person each, one after another or at once (an
    array of cluster jobs), end as one run of all.

    Each person is written in parts of ``part_rows`` trials (a session). A killed run leaves whole
    parts behind and goes on after them; when a person is whole, the parts are joined, the file is
    read back, its fingerprint is compared and some rows are compared with the source.

    Parameters
    ----------
    layout : NsdLayout
    out : path
        Folder of the store.
    subjects : sequence of int, optional
        Default: all that are there.
    repeats : {'kept', 'averaged'}
    dtype : str, optional
        ``'float16'`` halves the files.
    part_rows : int

    Returns
    -------
    dict of subject to path

    Raises
    ------
    ValueError
        If the folder holds somebody who is not prepared again, with other options.
    CorruptFileError
        If what was written is not what was read.
    """
    folder = Path(out)
    chosen = layout.subjects() if subjects is None else list(subjects)
    names = [subject_name(one) for one in chosen]
    check_alike(folder, layout_settings(layout, repeats, dtype), names)
    written: dict[str, Path] = {}
    for name, subject in zip(names, chosen, strict=True):
        responses = layout.responses(subject, repeats=repeats)
        file = folder / f"{name}.h5"
        settings = _settings(layout, responses, repeats, dtype)
        with store.one_writer(folder, name):
            if not _is_whole(file, settings, responses):
                note_of(file).unlink(missing_ok=True)  # nobody is to count what is half replaced
                _write(file, responses, settings, dtype, part_rows)
                _compare(file, responses)
                store.write_json(note_of(file), settings)
        log.info("%s is stored: %d trials.", file, len(responses))
        written[name] = file
    finish(folder, layout_settings(layout, repeats, dtype))
    return written


def _settings(
    layout: NsdLayout, responses: Responses, repeats: str, dtype: str | None
) -> dict[str, Any]:
    """What must be the same for a run to go on."""
    table = hashlib.blake2b("\n".join(responses.stimulus.tolist()).encode(), digest_size=8)
    return layout_settings(layout, repeats, dtype) | {
        "shape": [int(size) for size in responses.values.shape],
        "trials": table.hexdigest(),
    }


def _is_whole(file: Path, settings: dict[str, Any], responses: Responses) -> bool:
    note = note_of(file)
    if not (file.is_file() and note.is_file()):
        return False
    if json.loads(note.read_text(encoding="utf-8")) != settings:
        return False
    try:
        return len(store.load(file)) == len(responses)
    except CorruptFileError:
        log.warning("%s is damaged and will be written again.", file)
        return False


def _write(
    file: Path,
    responses: Responses,
    settings: dict[str, Any],
    dtype: str | None,
    part_rows: int,
) -> None:
    key = hashlib.blake2b(json.dumps(settings).encode(), digest_size=6).hexdigest()
    folder = file.parent / f".{file.stem}-{key}.parts"
    starts = range(0, len(responses), part_rows)
    parts = []
    for number, start in enumerate(starts):
        rows = np.arange(start, min(len(responses), start + part_rows))
        path = folder / f"{number:04d}.h5"
        if not _readable(path):
            # Only the values count in a part; the trial table is written once, with the whole.
            span = _Span(responses, rows)
            part = Responses(span, rows.astype(np.str_), responses.subject, responses.modality)
            store.save(path, part, dtype=dtype)
        parts.append(store.StoredArray(path))
    joined = Pieces(
        [len(one) for one in parts],
        tuple(int(size) for size in responses.values.shape[1:]),
        parts[0].dtype,
        lambda source, rows: parts[source][rows],
    )
    store.save(file, responses.with_values(joined), dtype=dtype)
    shutil.rmtree(folder, ignore_errors=True)


class _Span:
    """Neighbouring rows of a lazy array, read in blocks."""

    def __init__(self, responses: Responses, rows: NDArray[np.intp]) -> None:
        self._values, self._start = responses.values, int(rows[0])
        self.shape = (len(rows), *(int(size) for size in responses.values.shape[1:]))
        self.dtype = np.dtype(responses.values.dtype)

    def __getitem__(self, index: slice, /) -> Any:
        start, stop, _ = index.indices(self.shape[0])
        return np.asarray(self._values[self._start + start : self._start + stop])


def _readable(path: Path) -> bool:
    try:
        store.load(path)
    except (FileNotFoundError, CorruptFileError):
        return False
    return True


def _compare(file: Path, source: Responses) -> None:
    stored = store.load(file)
    rows = np.unique(np.linspace(0, len(source) - 1, CHECKED_ROWS).astype(np.intp))
    kind = np.dtype(stored.values.dtype)
    # scaled values were rounded to float16, relative to a power of two near each unit's largest
    loss = {"rtol": 2.0**-10, "atol": 0.0} if stored.values.scale is not None else {"rtol": 0.0}
    for row in rows:
        before = np.asarray(source.values[int(row)]).astype(kind)
        if not np.allclose(before, stored.values[int(row)], equal_nan=True, **loss):
            raise CorruptFileError(
                f"{file} differs from its source in row {row} (stimulus "
                f"'{source.stimulus[row]}'). The source changed while it was read; run it again."
            )
