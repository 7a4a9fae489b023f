"""How values lie in a store's file: chunked by trial, one chunk behind the other.

HDF5 reads one chunk at a time under one lock, and Python's lock is taken again for each. Where the
chunks follow each other without gaps, the file can be mapped into memory as one array, and threads
fill a batch as fast as from an array in memory; the system reads and drops its pages as needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

MIN_CHUNK_BYTES = 16 * 2**10
MAX_CHUNK_BYTES = 2**20
# From this format on the index of the chunks does not lie between them.
LIBVER = "v110"


def new_file(sink: Any, kind: np.dtype[Any]) -> h5py.File:
    """A new file in which values of this kind lie at multiples of their size, without gaps."""
    return h5py.File(
        sink,
        "w",
        track_order=True,
        libver=(LIBVER, LIBVER),
        alignment_threshold=1,
        alignment_interval=kind.itemsize,
    )


def create_values(file: h5py.File, shape: tuple[int, ...], kind: np.dtype[Any]) -> h5py.Dataset:
    """A data set ``values`` whose chunks all get their place at once, in order."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    return file.create_dataset(
        "values", shape, kind, chunks=chunks_of(shape, kind), dcpl=properties
    )


def chunks_of(shape: tuple[int, ...], kind: np.dtype[Any]) -> tuple[int, ...] | None:
    """Whole trials a chunk: one, or as many small ones as make a read worth its overhead."""
    if 0 in shape:
        return None
    row_bytes = int(np.prod(shape[1:], dtype=np.int64)) * kind.itemsize
    if row_bytes > MAX_CHUNK_BYTES and len(shape) > 2:
        per_chunk = max(1, MAX_CHUNK_BYTES // (row_bytes // shape[1]))
        return (1, min(shape[1], per_chunk), *shape[2:])
    return (min(shape[0], max(1, MIN_CHUNK_BYTES // row_bytes)), *shape[1:])


def mapped(path: Path, data: h5py.Dataset) -> NDArray[Any] | None:
    """The values as an array over the file; None where they don't lie row behind row in it."""
    if data.chunks is None or not _plain(data) or not hasattr(data.id, "chunk_iter"):
        return None
    found: list[tuple[int, int]] = []
    # All at once: asking for one chunk walks over those before it.
    data.id.chunk_iter(lambda chunk: found.append((chunk.chunk_offset[0], chunk.byte_offset)))
    first, places = np.array(sorted(found)).T if found else np.zeros((2, 0), dtype=np.int64)
    n_bytes = int(np.prod(data.chunks, dtype=np.int64)) * data.dtype.itemsize
    if not np.array_equal(first, np.arange(0, data.shape[0], data.chunks[0])):
        return None
    if (np.diff(places) != n_bytes).any():
        return None
    return np.memmap(path, data.dtype, "r", offset=int(places[0]), shape=data.shape)


def _plain(data: h5py.Dataset) -> bool:
    whole = tuple(data.chunks[1:]) == tuple(data.shape[1:])
    filters = data.id.get_create_plist().get_nfilters()
    return bool(whole and not filters and data.dtype.isnative and data.dtype.kind in "fiu")
