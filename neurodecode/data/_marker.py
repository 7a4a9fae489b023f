"""A file that says that the recordings beside and below it are simulated."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from neurodecode.data._provenance import Provenance

MARKER = "SIMULATED"
"""Name of the file. It stands in the folder that a twin wrote, whatever layout follows."""
DESCRIPTION = "dataset_description.json"
"""BIDS allows no file of ours; there a twin is named as what generated the data set."""
HEIGHT = 8
TEXT = """Simulated recordings: nobody was measured.
The files in this folder and below were written by neurodecode.twin ({twin}), in the layout of real
recordings. Leave this file with them: readers find it, and results say 'simulated' because of it.
"""


def mark_simulated(folder: str | Path, settings: Any) -> Path:
    """Write the marker into a folder of simulated recordings, unless it is there.

    Parameters
    ----------
    folder : path
        Made if absent.
    settings : object
        What was simulated; its ``repr`` gives the twin a short name of its own.

    Returns
    -------
    Path

    Examples
    --------
    >>> import tempfile
    >>> file = mark_simulated(tempfile.mkdtemp(), ("twin of NSD", 3))
    >>> recorded_in(file.parent / "subj01" / "betas.nii", "nsd/subj01")
    Provenance(simulated, twin-862a6123/nsd/subj01)
    """
    file = Path(folder) / MARKER
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(TEXT.format(twin=twin_name(settings)), encoding="utf-8")
    return file


def twin_name(settings: Any) -> str:
    """A short name for a twin with these settings.

    Examples
    --------
    >>> twin_name(("twin of NSD", 3))
    'twin-862a6123'
    """
    return f"twin-{hashlib.blake2b(repr(settings).encode(), digest_size=4).hexdigest()}"


def recorded_in(path: str | Path, name: str) -> Provenance:
    """The provenance of a recording read from files: simulated if a marker stands over them.

    Parameters
    ----------
    path : path
        A file or folder of the recording.
    name : str
        The recording's own name, such as ``'haxby2001/sub-1'``.

    Returns
    -------
    Provenance
        ``'recorded'`` without a marker: who takes files out of a twin's folder takes the mark off.

    Examples
    --------
    >>> recorded_in("somewhere/bold.nii", "haxby2001/sub-1")
    Provenance(recorded, haxby2001/sub-1)
    """
    place = Path(path).absolute()
    for folder in [place, *place.parents][:HEIGHT]:
        twin = _twin_of(folder)
        if twin is not None:
            return Provenance("simulated", f"{twin}/{name}")
    return Provenance("recorded", name)


def _twin_of(folder: Path) -> str | None:
    marked = (folder / MARKER).is_file()
    file = folder / (MARKER if marked else DESCRIPTION)
    if not file.is_file():
        return None
    text = file.read_text(encoding="utf-8", errors="replace")
    found = re.search(r"neurodecode\.twin \((twin-[0-9a-f]+)\)", text)
    return found[1] if found else "twin" if marked else None
