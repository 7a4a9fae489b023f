"""GDF, EDF and BDF: a header of fixed places says how many records follow, and how long each is."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neurodecode.errors import CorruptFileError

UNKNOWN = -1
GDF_BYTES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 8, 8: 8, 16: 4, 17: 8}
GDF_BITS = 255
"""Types above it are whole numbers of so many bits more."""
EVENT_BYTES = {1: 6, 3: 12}


def check_edf(file: Path) -> None:
    """Refuse an EDF or BDF file with fewer bytes than its header declares.

    Raises
    ------
    CorruptFileError
        Naming the file, what is declared and what is there.
    """
    with file.open("rb") as stream:
        head = stream.read(256)
        n_signals = int(head[252:256])
        stream.seek(256 + 216 * n_signals)
        n_samples = sum(int(stream.read(8)) for _ in range(n_signals))
    n_records = int(head[236:244])
    width = 3 if file.suffix.lower() == ".bdf" else 2
    if n_records != UNKNOWN:
        _check_size(file, int(head[184:192]) + n_records * n_samples * width, "records")


def check_gdf(file: Path) -> None:
    """Refuse a GDF file with fewer bytes than its header and its table of events declare.

    Raises
    ------
    CorruptFileError
        Naming the file, what is declared and what is there.
    """
    content = np.memmap(file, dtype=np.uint8, mode="r") if file.stat().st_size else b""
    version = float(bytes(content[3:8]))
    newer = version > 1.9
    (n_header,) = np.frombuffer(
        bytes(content[184 : 186 if newer else 192]), "<u2" if newer else "<i8"
    )
    start = int(n_header) * 256 if newer else int(n_header)
    (n_records,) = np.frombuffer(bytes(content[236:244]), "<i8")
    (n_signals,) = np.frombuffer(bytes(content[252:254]), "<u2")
    place = 256 + 216 * int(n_signals)
    per_record, kinds = (
        np.frombuffer(bytes(content[place + skip : place + skip + 4 * int(n_signals)]), "<i4")
        for skip in (0, 4 * int(n_signals))
    )
    widths = [
        (kind - GDF_BITS) // 8 if kind > GDF_BITS else GDF_BYTES[kind] for kind in kinds.tolist()
    ]
    if int(n_records) == UNKNOWN:
        return
    record = sum(n * width for n, width in zip(per_record.tolist(), widths, strict=True))
    end = start + int(n_records) * record
    _check_size(file, end, "records")
    events = bytes(content[end : end + 8])
    if len(events) == 8 and events[0] in EVENT_BYTES:
        count = events[1:4] if version >= 1.94 else events[4:8]
        n_events = int.from_bytes(count, "little")
        _check_size(file, end + 8 + n_events * EVENT_BYTES[events[0]], "events")


def _check_size(file: Path, declared: int, what: str) -> None:
    size = file.stat().st_size
    if size < declared:
        raise CorruptFileError(
            f"{file} is cut off: its {what} should end at byte {declared}, but it has {size} "
            f"bytes. Obtain it again."
        )
