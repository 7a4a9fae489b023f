"""Arrays that may live in memory, in a memory map or in a file, and rows of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@runtime_checkable
class ArrayLike(Protocol):
    """What NumPy arrays, memory maps and HDF5 data sets have in common."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> Any: ...

    def __getitem__(self, index: Any, /) -> Any: ...


class Rows:
    """Chosen rows of a lazy array; nothing is read until they are asked for.

    Parameters
    ----------
    source : array-like, shape (n_rows, ...)
        Usually an HDF5 data set or a memory map.
    index : int array, shape (n_chosen,)
        Rows of ``source``, in the order wanted; a row may be named twice.

    Examples
    --------
    >>> import numpy as np
    >>> rows = Rows(np.arange(10).reshape(5, 2), np.array([4, 0]))
    >>> rows.shape
    (2, 2)
    >>> rows[:1]
    array([[8, 9]])
    """

    def __init__(self, source: ArrayLike, index: NDArray[np.integer[Any]]) -> None:
        self._source = source
        self._index = np.asarray(index)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self._index), *self._source.shape[1:])

    @property
    def dtype(self) -> Any:
        return self._source.dtype

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, index: Any, /) -> NDArray[Any]:
        first, rest = (index[0], index[1:]) if isinstance(index, tuple) else (index, ())
        wanted = self._index[first]
        if np.ndim(wanted) == 0:
            return np.asarray(self._source[(int(wanted), *rest)])
        return read_rows(self._source, wanted, rest)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        values = self[:]
        return values if dtype is None else values.astype(dtype, copy=False)


def read_rows(source: ArrayLike, index: NDArray[Any], rest: tuple[Any, ...] = ()) -> NDArray[Any]:
    """Read rows of a lazy array in file order and give them back in the order asked for.

    HDF5 wants increasing indices without repeats, and is slow at lists of them: neighbouring rows
    are read as one slice, the others one by one.

    Examples
    --------
    >>> import numpy as np
    >>> read_rows(np.arange(6).reshape(3, 2), np.array([2, 0, 2]))
    array([[4, 5],
           [0, 1],
           [4, 5]])
    """
    if isinstance(source, np.ndarray):
        return np.asarray(source[(index, *rest)])
    if isinstance(source, Rows):
        return read_rows(source._source, source._index[index], rest)
    unique, inverse = np.unique(index, return_inverse=True)
    breaks = np.flatnonzero(np.diff(unique) != 1) + 1
    parts = [
        source[(slice(int(block[0]), int(block[-1]) + 1), *rest)]
        for block in np.split(unique, breaks)
        if len(block)
    ]
    if not parts:
        return np.asarray(source[(slice(0, 0), *rest)])
    values = np.concatenate(parts) if len(parts) > 1 else np.asarray(parts[0])
    return np.asarray(values[inverse])


def fill_rows(source: ArrayLike, index: NDArray[Any], out: NDArray[Any]) -> None:
    """Write rows into ``out``, of the source's kind, without a copy between where that can be.

    Raises
    ------
    IndexError
        If a row is not there.

    Examples
    --------
    >>> import numpy as np
    >>> out = np.empty((2, 2), dtype=int)
    >>> fill_rows(np.arange(6).reshape(3, 2), np.array([2, 0]), out)
    >>> out
    array([[4, 5],
           [0, 1]])
    """
    if len(index) and not 0 <= index.min() <= index.max() < source.shape[0]:
        raise IndexError(
            f"Rows {index.min()} to {index.max()} were asked for, of {source.shape[0]} from 0."
        )
    if isinstance(source, Rows):
        fill_rows(source._source, source._index[index], out)
    elif isinstance(source, np.ndarray):
        np.take(source, index, axis=0, out=out, mode="clip")  # 'raise' would copy once more
    elif hasattr(source, "fill_rows"):
        source.fill_rows(index, out)
    else:
        out[...] = read_rows(source, index)


def take_rows(source: ArrayLike, index: NDArray[Any]) -> ArrayLike:
    """Rows as a new array if ``source`` is in memory, else as lazy `Rows`.

    Examples
    --------
    >>> import numpy as np
    >>> take_rows(np.arange(4), np.array([3, 1]))
    array([3, 1])
    """
    if isinstance(source, np.ndarray) and not isinstance(source, np.memmap):
        return np.asarray(source[index])
    if isinstance(source, Rows):
        return Rows(source._source, source._index[index])
    return Rows(source, index)


def blocks(source: ArrayLike, max_bytes: int = 64 * 2**20) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Walk over a lazy array in blocks of rows that fit ``max_bytes``.

    Examples
    --------
    >>> import numpy as np
    >>> [(rows.start, rows.stop) for rows, _ in blocks(np.zeros((5, 2)), max_bytes=32)]
    [(0, 2), (2, 4), (4, 5)]
    """
    n_rows = source.shape[0]
    row_bytes = int(np.prod(source.shape[1:], dtype=np.int64)) * np.dtype(source.dtype).itemsize
    step = max(1, max_bytes // max(1, row_bytes))
    for start in range(0, n_rows, step):
        rows = slice(start, min(n_rows, start + step))
        yield rows, np.asarray(source[rows])
