"""Arrays in `.npy` files, plain or pickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from neurodecode.errors import CorruptFileError
from neurodecode.files._existing import broken, existing
from neurodecode.files._pickle import unpickle


def read_npy(path: str | Path, *, lazy: bool = False) -> Any:
    """Read a ``.npy`` file; one that holds a pickled object is read with `read_pickle`'s rules.

    Parameters
    ----------
    path : path
    lazy : bool
        Map plain arrays into memory (read-only) instead of reading them.

    Returns
    -------
    array, or the dictionary, list, ... that was stored as an array without axes

    Raises
    ------
    CorruptFileError
        If the file is truncated or no ``.npy`` file.
    UnsafeFileError
        If its pickle holds more than arrays and plain containers.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "x.npy"
    >>> np.save(file, {"a": np.arange(2)}, allow_pickle=True)
    >>> read_npy(file)
    {'a': array([0, 1])}
    """
    file = existing(path, ".npy file")
    try:
        with file.open("rb") as stream:
            dtype = _npy_dtype(stream)
            if dtype.hasobject:
                stored = unpickle(stream, file)
            elif lazy:
                stored = np.load(file, mmap_mode="r", allow_pickle=False)
            else:
                stream.seek(0)
                stored = np.load(stream, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        if isinstance(error, CorruptFileError):
            raise
        raise broken(file, ".npy file", error) from error
    if dtype.hasobject and isinstance(stored, np.ndarray) and stored.shape == ():
        return stored.item()
    return stored


def _npy_dtype(stream: BinaryIO) -> np.dtype[Any]:
    version = npy.read_magic(stream)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    return np.dtype(read(stream)[2])
