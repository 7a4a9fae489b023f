"""Rows of an HDF5 data set that stay in the file; safe to send to other processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import read_rows
from neurodecode.datasets._door import reading
from neurodecode.datasets._files import open_hdf5
from neurodecode.errors import CorruptFileError

WHAT = "an HDF5 file"


class Hdf5Rows:
    """One data set of an HDF5 file, opened for each read.

    Parameters
    ----------
    path : path
    name : str
    n_axes : int
        How many axes it must have.

    Raises
    ------
    CorruptFileError
        If the file has no such data set, or can't be read.
    """

    def __init__(self, path: str | Path, name: str, *, n_axes: int) -> None:
        self.path, self.name = Path(path), name
        with open_hdf5(self.path) as file, reading(self.path, WHAT):
            if name not in file:
                raise CorruptFileError(
                    f"{self.path} has no data set '{name}'; it has {', '.join(file)}. "
                    f"It is another file."
                )
            if not hasattr(file[name], "shape") or len(file[name].shape) != n_axes:
                raise CorruptFileError(
                    f"'{name}' in {self.path} is no array of {n_axes} axes. It is another file, or "
                    f"damaged; obtain it again."
                )
            if file[name].dtype.kind not in "fiub":
                raise CorruptFileError(
                    f"'{name}' in {self.path} holds {file[name].dtype}, not numbers. It is another "
                    f"file."
                )
            self.shape = tuple(int(size) for size in file[name].shape)
            self.dtype: np.dtype[Any] = file[name].dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any, /) -> NDArray[Any]:
        first, rest = (index[0], index[1:]) if isinstance(index, tuple) else (index, ())
        rows = np.arange(self.shape[0])[first]
        with open_hdf5(self.path) as file, reading(self.path, WHAT):
            if np.ndim(rows) == 0:
                return np.asarray(file[self.name][(int(rows), *rest)])
            return read_rows(file[self.name], rows, rest)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        values = self[:]
        return values if dtype is None else values.astype(dtype, copy=False)
