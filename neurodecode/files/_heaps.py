"""Texts of variable length in HDF5 files, looked at before libhdf5 reads them.

They lie in heaps without a checksum. A heap whose objects have no size makes libhdf5 walk in a
circle for ever, and a million texts may be the same one of a megabyte. A process of its own with a
time limit would find both too, at half a second a file; walking over the heaps takes milliseconds.

Source
    The HDF Group, "HDF5 File Format Specification", version 3, section III.E (global heap).
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from neurodecode.errors import CorruptFileError
from neurodecode.files._bounds import check_expansion
from neurodecode.files._existing import broken

SIGNATURE = b"GCOL"
HEAD_BYTES = 16
SLACK_BYTES = 2**26
MAX_TEXTS = 4096
WHAT = "HDF5 file"


def check_heaps(path: Path, values: list[tuple[int, int]]) -> None:
    """Walk over all heaps of a file.

    Parameters
    ----------
    path : Path
    values : list of tuple of int
        Where values lie (`spans_of`): what looks like a heap in them is none.

    Raises
    ------
    CorruptFileError
        If a heap's objects do not lie one behind the other inside it.
    """
    with (
        path.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        for place in _heaps(content, sorted(values)):
            _check(path, content, place)


def _heaps(content: mmap.mmap, values: list[tuple[int, int]]) -> Iterator[int]:
    """Where heaps start, looked for between the values only: those may be many gigabytes."""
    start = 0
    for stop, after in [*values, (len(content), len(content))]:
        place = content.find(SIGNATURE, start, min(stop + len(SIGNATURE) - 1, len(content)))
        while start <= place < stop:
            yield place
            place = content.find(SIGNATURE, place + 1, stop)
        start = max(start, after)


def _check(path: Path, content: mmap.mmap, start: int) -> None:
    if start + HEAD_BYTES > len(content):
        raise broken(path, WHAT, f"the heap of texts at byte {start} is cut off")
    version, size = content[start + 4], struct.unpack_from("<Q", content, start + 8)[0]
    stop = start + size
    if version != 1 or size < HEAD_BYTES or stop > len(content):
        raise broken(path, WHAT, f"the heap of texts at byte {start} has no valid size")
    place = start + HEAD_BYTES
    while place + HEAD_BYTES <= stop:
        number, _, _, n_bytes = struct.unpack_from("<HHIQ", content, place)
        # object 0 is what is free, and counts its own head
        step = n_bytes if number == 0 else HEAD_BYTES + n_bytes + -n_bytes % 8
        if step < HEAD_BYTES or place + step > stop:
            raise broken(path, WHAT, f"the heap of texts at byte {start} is damaged")
        place += step


def read_texts(data: Any) -> NDArray[np.str_]:
    """The texts of a data set of one axis, a bounded number at a time.

    Parameters
    ----------
    data : h5py.Dataset

    Raises
    ------
    CorruptFileError
        If all together are far longer than the file, or are no UTF-8.
    """
    path = Path(data.file.filename)
    size = path.stat().st_size
    if len(data.shape) != 1:
        raise broken(path, WHAT, f"'{data.name}' has other axes than one")
    n_bytes, texts = 0, []
    step = int(min(max(2**28 // max(size, 1), 1), MAX_TEXTS))
    for start in range(0, len(data), step):
        for text in data[start : start + step]:
            n_bytes += len(text)
            if n_bytes > 4 * size + SLACK_BYTES:
                raise CorruptFileError(
                    f"{path}: the texts of '{data.name}' are far longer than the file of {size} "
                    f"bytes. It is damaged or made to fill the memory; write it again."
                )
            texts.append(_decoded(path, data.name, text))
    longest = max(map(len, texts), default=0)
    check_expansion(path, size, 4 * longest * len(texts), f"'{data.name}'")
    return np.array(texts, dtype=np.str_)


def _decoded(path: Path, name: str, text: Any) -> str:
    try:
        return text.decode("utf-8") if isinstance(text, bytes) else str(text)
    except UnicodeDecodeError as error:
        raise broken(path, WHAT, f"a text of '{name}' is no UTF-8") from error


def is_text(data: Any) -> bool:
    """Whether a data set holds texts of variable length."""
    return isinstance(data, h5py.Dataset) and h5py.check_string_dtype(data.dtype) is not None
