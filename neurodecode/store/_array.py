"""Values of a store file as an array; rows are read when asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from neurodecode.data import fill_rows, read_rows
from neurodecode.files import open_hdf5, plain_root
from neurodecode.store._layout import mapped


class StoredArray:
    """The values of a stored recording; rows are read from the file when asked for.

    It can be sent to worker processes: each opens the file for itself.

    Parameters
    ----------
    path : path
        A store file.
    name : str
        The data set in it.
    scale : float32 array, optional
        What stored values are multiplied by, of a shape that goes with a row; values are float32
        then.
    """

    def __init__(
        self, path: str | Path, name: str = "values", scale: NDArray[np.float32] | None = None
    ) -> None:
        self.path = Path(path)
        self.name = name
        self.scale = scale
        with open_hdf5(self.path, "store file") as file:
            self.shape: tuple[int, ...] = tuple(int(size) for size in file[name].shape)
            stored: np.dtype[Any] = file[name].dtype
        self.dtype: np.dtype[Any] = stored if scale is None else np.dtype(np.float32)
        self._data: Any = None
        self._mapped: NDArray[Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_data": None, "_mapped": None}

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any, /) -> NDArray[Any]:
        self._open()
        first, rest = (index[0], index[1:]) if isinstance(index, tuple) else (index, ())
        if self.scale is not None:
            rows = np.multiply(self._stored(first, ()), self.scale, dtype=np.float32)
            single = isinstance(first, int | np.integer)
            return np.asarray(rows[rest if single else (slice(None), *rest)])
        return self._stored(first, rest)

    def _stored(self, first: Any, rest: tuple[Any, ...]) -> NDArray[Any]:
        if isinstance(first, slice) and first.step in (None, 1):
            return np.asarray(self._data[(first, *rest)])
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
        if self._mapped is not None and self.scale is None:
            fill_rows(self._mapped, index, out)
            return
        rows = read_rows(self._data if self._mapped is None else self._mapped, index)
        out[...] = rows if self.scale is None else rows * self.scale

    def _open(self) -> None:
        if self._data is None:
            data = plain_root(h5py.File(self.path, "r"))[self.name]
            self._mapped = mapped(self.path, data)
            self._data = data

    def __repr__(self) -> str:
        return f"StoredArray({self.path.name}, shape {self.shape}, {self.dtype})"
