"""MEG and EEG files against what they declare themselves: nothing is missing at their end.

MNE takes the number of samples from a file's size where it can, so that a file that was cut off is
a shorter recording. Headers, markers and BIDS sidecars know better.

Sources
-------
BrainVision Core Data Format 1.0; FIFF 1.3 (tags); GDF 1.25 to 2.51, sections 2 and 3; EDF+ and BDF;
BIDS 1.9 (``RecordingDuration``, ``SamplingFrequency``).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neurodecode.datasets._door import reading
from neurodecode.datasets._fixed_records import check_edf, check_gdf
from neurodecode.datasets._images import check_gzip
from neurodecode.datasets._tables import read_text
from neurodecode.errors import CorruptFileError

SAMPLE_BYTES = {"INT_16": 2, "UINT_16": 2, "INT_32": 4, "IEEE_FLOAT_32": 4}
TAG = struct.Struct(">iIii")  # kind, type, size, next
LAST_TAG = -1


def check_recording(path: str | Path) -> None:
    """Refuse a file that is shorter than its header or its markers say; formats that are unknown
    here pass.

    Parameters
    ----------
    path : path
        ``.vhdr``, ``.fif``, ``.fif.gz``, ``.gdf``, ``.edf`` or ``.bdf``.

    Raises
    ------
    CorruptFileError
        Naming the file, what was declared and what is there.
    """
    file = Path(path)
    check = _CHECKS.get(file.suffix.lower())
    if check is not None and file.is_file():
        with reading(file, "a recording"):
            check(file)


def check_sidecar(path: str | Path, sfreq: float, n_times: int) -> None:
    """Compare a recording with its BIDS sidecar (``*_eeg.json``, ``*_meg.json``), if there is one.

    Raises
    ------
    CorruptFileError
        If length or sampling rate differ from what the sidecar states.
    """
    file = Path(path)
    sidecar = file.with_suffix(".json")
    if not sidecar.is_file():
        return
    text = read_text(sidecar, "a sidecar")
    with reading(sidecar, "a sidecar"):
        stated = json.loads(text)
        duration, rate = (stated.get(key) for key in ("RecordingDuration", "SamplingFrequency"))
        # compared so that what is no number at all does not pass
        if isinstance(rate, int | float) and not abs(rate - sfreq) <= 1e-3 * sfreq:
            raise CorruptFileError(
                f"{file} has {sfreq:g} samples a second but {sidecar.name} says {rate:g}. One of "
                f"them is damaged, or they belong to different recordings."
            )
        if not isinstance(duration, int | float):
            return
        # a duration is told to as many places as it is written with, and with or without the
        # time that the last sample takes
        places = len(str(float(duration)).partition(".")[2].rstrip("0"))
        if not abs(n_times / sfreq - duration) <= max(2 / sfreq, 10.0**-places):
            raise CorruptFileError(
                f"{file} lasts {n_times / sfreq:g} s but {sidecar.name} says {duration:g} s. It is "
                f"cut off, or they belong to different recordings."
            )


def _check_brainvision(header: Path) -> None:
    said = _brainvision_keys(header)
    if said.get("DataFormat", "BINARY") != "BINARY":
        return
    data = header.with_name(Path(said["DataFile"].replace("$b", header.stem)).name)
    if not data.is_file():
        raise FileNotFoundError(f"There is no {data}, which {header.name} names as its data.")
    width = int(said["NumberOfChannels"]) * SAMPLE_BYTES[said["BinaryFormat"]]
    size = data.stat().st_size
    if width <= 0 or size % width:
        raise CorruptFileError(
            f"{data} is cut off inside a sample: {size} bytes are no multiple of the {width} bytes "
            f"of {said['NumberOfChannels']} channels that {header.name} declares. Obtain it again."
        )
    n_samples, declared = size // width, said.get("DataPoints") or None
    if declared is not None and int(declared) != n_samples:
        raise CorruptFileError(
            f"{data} has {n_samples} samples, but {header.name} declares {declared}. It is cut off "
            f"or belongs to another header; obtain both again."
        )
    marked = _last_marker(header, said)
    if marked > n_samples:
        raise CorruptFileError(
            f"{data} has {n_samples} samples, but {said['MarkerFile']} has a marker at sample "
            f"{marked}. It is cut off or belongs to another file of markers; obtain both again."
        )


def _brainvision_keys(header: Path) -> dict[str, str]:
    # Names are all ASCII; Latin-1 reads any byte of a comment
    pairs = [line.partition("=") for line in header.read_text(encoding="latin-1").splitlines()]
    return {key.strip(): value.strip() for key, sign, value in reversed(pairs) if sign}


def _last_marker(header: Path, said: dict[str, str]) -> int:
    name = said.get("MarkerFile")
    file = header.with_name(Path(name.replace("$b", header.stem)).name) if name else None
    if file is None or not file.is_file():
        return 0
    text = file.read_text(encoding="latin-1")
    if "[Marker Infos]" not in text:
        raise CorruptFileError(
            f"{file} has no part [Marker Infos]. It is cut off; obtain it again."
        )
    marks = [line.split(",") for line in text.splitlines() if line.startswith("Mk")]
    with reading(file, "a file of markers"):
        return max((int(mark[2]) for mark in marks), default=0)


def _check_fif(file: Path) -> None:
    """Walk over the heads of all tags; the last one says that it is the last."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        place = 0
        while True:
            stream.seek(place)
            head = stream.read(TAG.size)
            if len(head) < TAG.size:
                raise CorruptFileError(
                    f"{file} is cut off: it ends at byte {size} without its last tag. Obtain it "
                    f"again."
                )
            kind, _, n_bytes, following = TAG.unpack(head)
            if n_bytes < 0 or place + TAG.size + n_bytes > size:
                raise CorruptFileError(
                    f"{file} is cut off or damaged: tag {kind} at byte {place} has {n_bytes} "
                    f"bytes, but the file ends at {size}. Obtain it again."
                )
            if following == LAST_TAG:
                return
            after = following if following > 0 else place + TAG.size + n_bytes
            if after <= place:
                raise CorruptFileError(
                    f"{file} is damaged: tag {kind} at byte {place} points back to {after}. Obtain "
                    f"it again."
                )
            place = after


_CHECKS: dict[str, Callable[[Path], Any]] = {
    ".vhdr": _check_brainvision,
    ".fif": _check_fif,
    ".gz": check_gzip,
    ".gdf": check_gdf,
    ".edf": check_edf,
    ".bdf": check_edf,
}
