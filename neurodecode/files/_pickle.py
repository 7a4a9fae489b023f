"""Pickle files, read as data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO

from neurodecode.errors import UnsafeFileError
from neurodecode.files._existing import broken, existing
from neurodecode.files.pickles import DamageError, Machine, PickleError, RefusalError


def read_pickle(path: str | Path) -> Any:
    """Read a pickle that holds NumPy arrays, numbers, text and plain containers only.

    Pickles of Python 2 are read as well. Nothing in the file is run: its instructions are
    interpreted here, and arrays are built from their kind, shape and bytes.

    Parameters
    ----------
    path : path

    Returns
    -------
    object
        Arrays, scalars of NumPy, numbers, text, bytes, and lists, tuples, dictionaries and sets of
        these. Arrays may be written to.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CorruptFileError
        If the file is truncated or no pickle, or unfolds to far more than its size.
    UnsafeFileError
        If it asks for anything else, such as a function or a class.

    Examples
    --------
    >>> import pickle, tempfile
    >>> import numpy as np
    >>> file = Path(tempfile.mkdtemp()) / "x.pkl"
    >>> _ = file.write_bytes(pickle.dumps({"betas": np.zeros(2), "ids": ["a", "b"]}))
    >>> read_pickle(file)
    {'betas': array([0., 0.]), 'ids': ['a', 'b']}
    """
    file = existing(path, "pickle")
    with file.open("rb") as stream:
        return unpickle(stream, file)


def unpickle(stream: BinaryIO, file: Path) -> Any:
    r"""The pickle that takes up the rest of an open file.

    Parameters
    ----------
    stream : binary file
        At the pickle's first byte.
    file : Path
        For messages.

    Raises
    ------
    CorruptFileError, UnsafeFileError
        As `read_pickle`.

    Examples
    --------
    >>> import io
    >>> unpickle(io.BytesIO(b"K\x07."), Path("x.pkl"))
    7
    """
    start = stream.tell()
    end = stream.seek(0, os.SEEK_END)
    stream.seek(start)
    machine = Machine(stream, end)
    try:
        content = machine.run()
        if machine.source.left():
            raise DamageError(f"{machine.source.left()} bytes follow its end")
    except PickleError as problem:
        raise told(problem, file) from None
    return content


def told(problem: PickleError, file: Path, what: str = "pickle") -> Exception:
    """The problem of a pickle as an error that names the file and the place in it."""
    if isinstance(problem, RefusalError):
        return UnsafeFileError(
            f"{file} is a {what} that asks for {problem} at byte {problem.offset}; only NumPy "
            f"arrays, numbers, text and plain containers are read. Nothing was run. Ask its author "
            f"for .npy, .npz or HDF5."
        )
    return broken(file, what, f"{problem} (byte {problem.offset})")
