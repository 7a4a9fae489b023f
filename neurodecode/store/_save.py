"""Write responses and embeddings to a file: block by block, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Embeddings, Responses, blocks
from neurodecode.store._atomic import atomic_path, make_folder_of
from neurodecode.store._hdf5 import FORMAT, UNSCALED_VERSION, VERSION, describe, start_digest
from neurodecode.store._interrupts import held_interrupts
from neurodecode.store._layout import create_values, new_file
from neurodecode.store._narrow import check_kind, narrowed, peaks, scale_for
from neurodecode.store._room import Sink, check_room

OVERHEAD_BYTES = 2**16


def save(path: str | Path, content: Responses | Embeddings, *, dtype: Any = None) -> Path:
    """Write responses or embeddings to one file, block by block.

    Lazy values (a memory map, another store, a reader's array) are never in memory as a whole.

    Parameters
    ----------
    path : path
        The file to write, usually ``something.h5``; an older file of that name is replaced when
        the new one is whole.
    content : Responses or Embeddings
    dtype : dtype, optional
        ``'float16'`` halves the file and keeps 11 bits of each value at any scale: where a unit's
        values are too large or too small for it (MEG in tesla), they are divided by a power of two
        that is stored with them, and read as float32. An integer dtype is for values that are the
        same in it. Default is the dtype of the values.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    TypeError
        If the dtype is not one of real numbers or integers.
    ValueError
        If the dtype would lose more than that.
    OSError
        If the disk has no room for the file.

    Examples
    --------
    >>> import tempfile
    >>> from neurodecode.store import load
    >>> meg = Responses(np.full((2, 3), 2.5e-13), ["a", "b"], "sub-01", "meg")
    >>> path = save(tempfile.mkdtemp() + "/meg.h5", meg, dtype="float16")
    >>> load(path).array()[0, 0]
    np.float32(2.5002223e-13)
    """
    if not isinstance(content, Responses | Embeddings):
        raise TypeError(
            f"A store holds Responses or Embeddings; got {type(content).__name__}. Make one of "
            f"them of an array first: it needs to say which stimulus each row belongs to."
        )
    target = Path(path)
    kind = check_kind(target.name, content.values.dtype if dtype is None else dtype)
    make_folder_of(target)
    check_room(target, _n_bytes(content, kind))
    with atomic_path(target) as part:
        peak = _write(part, target.name, content, kind)
        scale = None if peak is None else scale_for(target.name, peak, kind)
        if scale is not None:
            _write(part, target.name, content, kind, scale)
    return target


def _n_bytes(content: Responses | Embeddings, kind: np.dtype[Any]) -> int:
    """What the file will need, a little more rather than less."""
    columns = describe(content)[1].values()
    values = int(np.prod(content.values.shape, dtype=np.int64)) * kind.itemsize
    return values + sum(column.nbytes for column in columns) + OVERHEAD_BYTES


def _write(
    part: Path,
    name: str,
    content: Responses | Embeddings,
    kind: np.dtype[Any],
    scale: NDArray[np.float32] | None = None,
) -> NDArray[np.float64] | None:
    """Write the file; give the largest value of each unit if the dtype is a narrower float."""
    header, columns = describe(content)
    if scale is not None:
        columns["scale"] = scale
    shape = tuple(int(size) for size in content.values.shape)
    narrower = kind.kind == "f" and kind.itemsize < _float_size(np.dtype(content.values.dtype))
    peak = None
    sink = Sink(part, _n_bytes(content, kind))
    try:
        with held_interrupts() as let_through, new_file(sink, kind) as file:
            data = create_values(file, shape, kind)
            digest = start_digest(header, columns, shape, kind)
            for rows, block in blocks(content.values):
                if scale is None and narrower and block.size:
                    largest = peaks(block, _unit_axis(content))
                    peak = largest if peak is None else np.maximum(peak, largest)
                plain = block if scale is None else block / scale
                stored = narrowed(name, plain, kind)
                data[rows] = stored
                sink.check()
                let_through()
                digest.update(np.ascontiguousarray(stored).data)
            _write_columns(file, columns)
            file.attrs["format"] = FORMAT
            file.attrs["version"] = VERSION if scale is not None else UNSCALED_VERSION
            file.attrs["header"] = json.dumps(header, sort_keys=True)
            file.attrs["fingerprint"] = digest.hexdigest()
    except (OSError, RuntimeError):  # what HDF5 says then follows from what failed before
        sink.check()
        raise
    finally:
        sink.close()
    sink.check()
    return peak


def _write_columns(file: h5py.File, columns: dict[str, NDArray[Any]]) -> None:
    """Texts have one length each column: HDF5 can hang in a damaged heap of texts of any length."""
    for name, column in columns.items():
        if column.dtype.kind != "U":
            file.create_dataset(f"columns/{name}", data=column)
            continue
        encoded = np.char.encode(column, "utf-8")
        text = h5py.string_dtype("utf-8", max(1, encoded.dtype.itemsize))
        file.create_dataset(f"columns/{name}", data=encoded.astype(text))


def _float_size(kind: np.dtype[Any]) -> int:
    """Bytes of a float that holds what this dtype holds."""
    return kind.itemsize if kind.kind == "f" else 2 * kind.itemsize


def _unit_axis(content: Responses | Embeddings) -> int | None:
    """The axis whose places are scaled each by itself."""
    return len(content.values.shape) - 1 if isinstance(content, Embeddings) else content.unit_axis
