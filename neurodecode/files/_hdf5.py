"""HDF5 files, opened for lazy reading."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neurodecode.files._existing import broken, existing


@contextmanager
def open_hdf5(path: str | Path) -> Iterator[Any]:
    """Open an HDF5 file (or MATLAB 7.3 file) for lazy reading.

    Raises
    ------
    CorruptFileError
        If the file is truncated or no HDF5 file.

    Examples
    --------
    >>> import h5py, tempfile
    >>> import numpy as np
    >>> file = Path(tempfile.mkdtemp()) / "x.hdf5"
    >>> with h5py.File(file, "w") as new:
    ...     new["betas"] = np.arange(3)
    >>> with open_hdf5(file) as opened:
    ...     opened["betas"][1:].tolist()
    [1, 2]
    """
    import h5py

    file = existing(path, "HDF5 file")
    try:
        opened = h5py.File(file, "r")
    except OSError as error:
        raise broken(file, "HDF5 file", error) from error
    with opened:
        yield opened
