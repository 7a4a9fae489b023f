"""The file format: values chunked by trial, the trial table beside it, a content fingerprint."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Embeddings, Provenance, Responses, blocks
from neurodecode.errors import CorruptFileError
from neurodecode.files import (
    PlainGroup,
    check_heaps,
    is_text,
    open_hdf5,
    read_texts,
    spans_of,
    walk_datasets,
)
from neurodecode.store._array import StoredArray

FORMAT = "neurodecode-store"
VERSION = 2
UNSCALED_VERSION = 1
"""Files without a scale are written as older versions read them."""
COLUMNS = ("stimulus", "run", "session", "times", "positions", "units", "valid")
TRIAL_KEYS = ("provenance/keys", "provenance/rows")


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
        with open_hdf5(source, "store file") as file:
            check_heaps(source, [span for _, one in walk_datasets(file) for span in spans_of(one)])
            header, columns, stored = _read_small_parts(source, file)
    except CorruptFileError:
        raise
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, RecursionError) as error:
        raise CorruptFileError(
            f"{source} is cut off or is no HDF5 file ({error}). Write it again."
        ) from error
    if verify:
        _verify(source, StoredArray(source), header, columns, stored)
    values = StoredArray(source, scale=columns.pop("scale", None))
    return _rebuild(values, header, columns, stored)


def fingerprint_of(path: str | Path) -> str:
    """The content fingerprint that a store file carries."""
    with open_hdf5(path, "store file") as file:
        return str(file.attrs["fingerprint"])


def describe(content: Responses | Embeddings) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    if isinstance(content, Embeddings):
        told = {"kind": "embeddings", "space": content.space, "source": content.source}
        return told, {"stimulus": content.stimulus}
    header = {
        "kind": "responses",
        "subject": content.subject,
        "modality": content.modality,
        "dims": list(content.dims),
        "sfreq": None if content.sfreq is None else float(content.sfreq),
        "source": content.provenance.source,
        "recording": content.provenance.recording,
    }
    columns = {name: getattr(content, name) for name in COLUMNS}
    columns |= {f"metadata/{key}": column for key, column in content.metadata.items()}
    columns |= dict(zip(TRIAL_KEYS, content.provenance.named(), strict=True))
    plain = {
        name: np.asarray(column).astype(np.str_)
        if np.asarray(column).dtype.kind in "OUS"
        else np.asarray(column)
        for name, column in columns.items()
        if column is not None
    }
    return header, plain


def start_digest(
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
    source: Path, file: PlainGroup
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
    columns: dict[str, NDArray[Any]] = {
        name: read_texts(item) if is_text(item) else item[:]
        for name, item in walk_datasets(file["columns"])
    }
    values = file["values"]
    if not isinstance(values, h5py.Dataset) or not values.shape:
        raise CorruptFileError(f"{source} was altered: 'values' is no array. Write it again.")
    n_bytes = values.size * values.dtype.itemsize
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
    digest = start_digest(header, columns, values.shape, values.dtype)
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
    values: StoredArray, header: dict[str, Any], columns: dict[str, NDArray[Any]], stored: str
) -> Responses | Embeddings:
    # files of older versions do not say where their content comes from
    source = header.get("source", "unknown")
    if header["kind"] == "embeddings":
        return Embeddings(values, columns["stimulus"], header["space"], source)
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
        provenance=Provenance(
            source,
            header.get("recording", f"store-{stored}"),
            columns.get(TRIAL_KEYS[0]),
            columns.get(TRIAL_KEYS[1]),
            len(values),
        ),
        **named,
    )
