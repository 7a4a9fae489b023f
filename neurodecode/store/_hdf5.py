"""The file format: values chunked by trial, the trial table beside it, a content fingerprint."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Embeddings, Responses, blocks, fill_rows, read_rows
from neurodecode.errors import CorruptFileError
from neurodecode.store._atomic import atomic_path
from neurodecode.store._layout import LIBVER, create_values, mapped

FORMAT = "neurodecode-store"
VERSION = 1
COLUMNS = ("stimulus", "run", "session", "times", "positions", "units", "valid")


class StoredArray:
    """The values of a stored recording; rows are read from the file when asked for.

    It can be sent to worker processes: each opens the file for itself.
    """

    def __init__(self, path: str | Path, name: str = "values") -> None:
        self.path = Path(path)
        self.name = name
        with h5py.File(self.path, "r") as file:
            self.shape: tuple[int, ...] = tuple(int(size) for size in file[name].shape)
            self.dtype: np.dtype[Any] = file[name].dtype
        self._data: Any = None
        self._mapped: NDArray[Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_data": None, "_mapped": None}

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any, /) -> NDArray[Any]:
        self._open()
        first, rest = (index[0], index[1:]) if isinstance(index, tuple) else (index, ())
        if isinstance(first, slice) and first.step in (None, 1):
            return np.asarray(self._data[index])
        rows = np.arange(self.shape[0])[first]
        if np.ndim(rows) == 0:
            return np.asarray(self._data[(int(rows), *rest)])
        return read_rows(self._data, rows, rest)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        values = self[:]
        return values if dtype is None else values.astype(dtype, copy=False)

    def fill_rows(self, index: NDArray[Any], out: NDArray[Any]) -> None:
        """Read rows into ``out``, in the order asked for; several threads may do so at once."""
        self._open()
        if self._mapped is None:
            out[...] = read_rows(self._data, index)
        else:
            fill_rows(self._mapped, index, out)

    def _open(self) -> None:
        if self._data is None:
            data = h5py.File(self.path, "r")[self.name]
            self._mapped = mapped(self.path, data)
            self._data = data

    def __repr__(self) -> str:
        return f"StoredArray({self.path.name}, shape {self.shape}, {self.dtype})"


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
        ``'float16'`` halves the file; default is the dtype of the values.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ValueError
        If float16 can't hold the values.
    """
    header, columns = _describe(content)
    shape = tuple(int(size) for size in content.values.shape)
    kind = np.dtype(content.values.dtype if dtype is None else dtype)
    with (
        atomic_path(path) as part,
        h5py.File(part, "w", track_order=True, libver=(LIBVER, LIBVER)) as file,
    ):
        data = create_values(file, shape, kind)
        digest = _start_digest(header, columns, shape, kind)
        for rows, block in blocks(content.values):
            with np.errstate(over="ignore"):  # refused below, in words
                narrow = block.astype(kind, copy=False)
            if kind.kind == "f" and not _still_finite(block, narrow):
                raise ValueError(
                    f"{Path(path).name} can't be stored as {kind}: values up to "
                    f"{np.abs(block[np.isfinite(block)]).max():.3g} overflow. Scale them first, "
                    f"or store them as float32."
                )
            data[rows] = narrow
            digest.update(np.ascontiguousarray(narrow).data)
        for name, column in columns.items():
            stored = column.astype(object) if column.dtype.kind == "U" else column
            text = h5py.string_dtype() if column.dtype.kind == "U" else None
            file.create_dataset(f"columns/{name}", data=stored, dtype=text)
        file.attrs["format"] = FORMAT
        file.attrs["version"] = VERSION
        file.attrs["header"] = json.dumps(header, sort_keys=True)
        file.attrs["fingerprint"] = digest.hexdigest()
    return Path(path)


def load(path: str | Path, *, verify: bool = True) -> Any:
    """Open a stored recording or embedding set; its values stay in the file.

    Parameters
    ----------
    path : path
    verify : bool, default True
        Read the whole file once, in bounded memory, and compare its fingerprint.

    Returns
    -------
    Responses or Embeddings

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CorruptFileError
        If the file is cut off, altered, or no store file.
    """
    source = Path(path)
    if not source.is_file():
        raise FileNotFoundError(f"There is no store file {source}.")
    try:
        with h5py.File(source, "r") as file:
            header, columns, stored = _read_small_parts(source, file)
    except CorruptFileError:
        raise
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise CorruptFileError(
            f"{source} is cut off or is no HDF5 file ({error}). Write it again."
        ) from error
    values = StoredArray(source)
    if verify:
        _verify(source, values, header, columns, stored)
    return _rebuild(values, header, columns)


def fingerprint_of(path: str | Path) -> str:
    """The content fingerprint that a store file carries."""
    with h5py.File(path, "r") as file:
        return str(file.attrs["fingerprint"])


def _describe(content: Responses | Embeddings) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    if isinstance(content, Embeddings):
        return {"kind": "embeddings", "space": content.space}, {"stimulus": content.stimulus}
    header = {
        "kind": "responses",
        "subject": content.subject,
        "modality": content.modality,
        "dims": list(content.dims),
        "sfreq": None if content.sfreq is None else float(content.sfreq),
    }
    columns = {name: getattr(content, name) for name in COLUMNS}
    columns |= {f"metadata/{key}": column for key, column in content.metadata.items()}
    plain = {
        name: np.asarray(column).astype(np.str_)
        if np.asarray(column).dtype.kind in "OUS"
        else np.asarray(column)
        for name, column in columns.items()
        if column is not None
    }
    return header, plain


def _still_finite(before: NDArray[Any], after: NDArray[Any]) -> bool:
    if before.dtype.kind != "f" or after.dtype.itemsize >= before.dtype.itemsize:
        return True
    return bool(np.array_equal(np.isfinite(before), np.isfinite(after)))


def _start_digest(
    header: dict[str, Any],
    columns: dict[str, NDArray[Any]],
    shape: tuple[int, ...],
    kind: np.dtype[Any],
) -> Any:
    digest = hashlib.blake2b(digest_size=16)
    digest.update(json.dumps([header, list(shape), kind.str], sort_keys=True).encode())
    for name in sorted(columns):
        column = columns[name]
        digest.update(f"{name}{column.shape}".encode())
        if column.dtype.kind == "U":
            digest.update(json.dumps(column.tolist()).encode())
        else:
            digest.update(np.ascontiguousarray(column).tobytes())
    return digest


def _read_small_parts(
    source: Path, file: h5py.File
) -> tuple[dict[str, Any], dict[str, NDArray[Any]], str]:
    if file.attrs.get("format") != FORMAT:
        raise CorruptFileError(
            f"{source} is an HDF5 file but no neurodecode store. Read it with a reader of "
            f"neurodecode.datasets and write it with neurodecode.store.save()."
        )
    if int(file.attrs["version"]) > VERSION:
        raise CorruptFileError(
            f"{source} was written by a newer version (format {file.attrs['version']}, this one "
            f"reads {VERSION}). Update neurodecode-toolkit."
        )
    columns: dict[str, NDArray[Any]] = {}

    def keep(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            text = h5py.check_string_dtype(item.dtype) is not None
            columns[name] = item.asstr()[:].astype(np.str_) if text else item[:]

    file["columns"].visititems(keep)
    n_bytes = file["values"].size * file["values"].dtype.itemsize
    if n_bytes > source.stat().st_size:
        # HDF5 would make up the missing values, without end if the shape itself was altered
        raise CorruptFileError(
            f"{source} is cut off or altered: its values need {n_bytes} bytes and the file has "
            f"{source.stat().st_size}. Write it again."
        )
    return json.loads(file.attrs["header"]), columns, str(file.attrs["fingerprint"])


def _verify(
    source: Path,
    values: StoredArray,
    header: dict[str, Any],
    columns: dict[str, NDArray[Any]],
    stored: str,
) -> None:
    digest = _start_digest(header, columns, values.shape, values.dtype)
    try:
        for _, block in blocks(values):
            digest.update(np.ascontiguousarray(block).data)
    except OSError as error:
        raise CorruptFileError(
            f"{source} can't be read to its end ({error}). Write it again."
        ) from error
    if digest.hexdigest() != stored:
        raise CorruptFileError(
            f"{source} was altered after it was written: its content has fingerprint "
            f"{digest.hexdigest()}, it says {stored}. Write it again."
        )


def _rebuild(
    values: StoredArray, header: dict[str, Any], columns: dict[str, NDArray[Any]]
) -> Responses | Embeddings:
    if header["kind"] == "embeddings":
        return Embeddings(values, columns["stimulus"], header["space"])
    named = {name: column for name, column in columns.items() if name in COLUMNS}
    metadata = {
        name.removeprefix("metadata/"): column
        for name, column in columns.items()
        if name.startswith("metadata/")
    }
    return Responses(
        values,
        subject=header["subject"],
        modality=header["modality"],
        dims=tuple(header["dims"]),
        sfreq=header["sfreq"],
        metadata=metadata,
        **named,
    )
