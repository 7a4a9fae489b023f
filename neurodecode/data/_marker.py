"""A file that says that the recordings beside and below it are simulated."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from neurodecode.data._provenance import Provenance

MARKER = "SIMULATED"
"""Name of the file. It stands in the folder that a twin wrote, whatever layout follows."""
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
        digest = hashlib.blake2b(repr(settings).encode(), digest_size=4).hexdigest()
        file.write_text(TEXT.format(twin=f"twin-{digest}"), encoding="utf-8")
    return file


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
        marker = folder / MARKER
        if marker.is_file():
            text = marker.read_text(encoding="utf-8", errors="replace")
            twin = text.partition("neurodecode.twin (")[2].partition(")")[0]
            return Provenance("simulated", f"{twin or 'twin'}/{name}")
    return Provenance("recorded", name)
