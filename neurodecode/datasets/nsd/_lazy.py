"""Arrays whose rows lie in many files, read when asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import ArrayLike


class _ByRows(ABC):
    """What a lazy array does with any index; subclasses give `_read`."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any, /) -> NDArray[Any]:
        first, rest = (index[0], index[1:]) if isinstance(index, tuple) else (index, ())
        rows = np.arange(self.shape[0])[first]
        values = self._read(np.atleast_1d(rows))[(slice(None), *rest)]
        return values if np.ndim(rows) else np.asarray(values[0])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        values = self[:]
        return values if dtype is None else values.astype(dtype, copy=False)

    @abstractmethod
    def _read(self, rows: NDArray[np.intp]) -> NDArray[Any]:
        """These rows, in the order asked."""


class Pieces(_ByRows):
    """Rows of several sources, one after another; each source is read by its own function.

    Parameters
    ----------
    sizes : sequence of int
        Rows of each source.
    row_shape : tuple of int
    dtype : dtype
    read : callable
        ``read(source, rows)`` gives rows (in the order asked) of the source of that number.

    Examples
    --------
    >>> pieces = Pieces([2, 3], (1,), "f4", lambda source, rows: rows[:, None] + 10 * source)
    >>> pieces[[0, 4]].tolist()
    [[0.0], [12.0]]
    """

    def __init__(
        self,
        sizes: Sequence[int],
        row_shape: tuple[int, ...],
        dtype: Any,
        read: Callable[[int, NDArray[np.intp]], NDArray[Any]],
    ) -> None:
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)
        self.shape = (int(self._starts[-1]), *row_shape)
        self.dtype = np.dtype(dtype)
        self._source = read

    def _read(self, rows: NDArray[np.intp]) -> NDArray[Any]:
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        source = np.searchsorted(self._starts, rows, side="right") - 1
        for one in np.unique(source):
            here = np.flatnonzero(source == one)
            out[here] = self._source(int(one), rows[here] - self._starts[one])
        return out


class MeanRows(_ByRows):
    """Means of groups of rows of a lazy array, such as the repeats of a stimulus.

    Parameters
    ----------
    source : array-like, shape (n_rows, ...)
    groups : sequence of int arrays
        Rows that make up each mean.

    Examples
    --------
    >>> means = MeanRows(np.array([[0.0], [2.0], [5.0]]), [np.array([0, 1]), np.array([2])])
    >>> means[:].tolist()
    [[1.0], [5.0]]
    """

    def __init__(self, source: ArrayLike, groups: Sequence[NDArray[np.intp]]) -> None:
        self._source = source
        self._groups = list(groups)
        self.shape = (len(self._groups), *(int(size) for size in source.shape[1:]))
        self.dtype = np.dtype(np.float32)

    def _read(self, rows: NDArray[np.intp]) -> NDArray[Any]:
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for place, row in enumerate(rows):
            parts = [np.asarray(self._source[int(one)]) for one in self._groups[row]]
            out[place] = np.mean(parts, axis=0, dtype=np.float64)
        return out
