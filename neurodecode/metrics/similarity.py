"""Row-by-row and all-pairs similarity, in bounded memory; what every identification rests on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import as_values

TIE = 1e-10
"""Similarities closer than this are ties: a matrix product rounds equal pairs differently."""
BLOCK_DIMS = 2**14


def as_rows(values: Any, name: str = "the rows to compare") -> NDArray[Any]:
    """Everything after the first axis as one row of finite numbers, shape (n, n_dims)."""
    array = np.asarray(as_values(name[:1].upper() + name[1:], values))
    if array.ndim >= 2 and not array.size:
        raise ValueError(f"Rows to compare need a row and a number in it; got shape {array.shape}.")
    if array.ndim < 2:
        raise ValueError(
            f"Rows to compare need at least two axes (n, n_dims); got shape {array.shape}."
        )
    return check_finite(array.reshape(len(array), -1), name)


def check_finite(rows: NDArray[Any], name: str) -> NDArray[Any]:
    """The rows, if all of their numbers are finite: not-a-number loses every comparison.

    Parameters
    ----------
    rows : array, shape (n, ...)
    name : str
        What they are, for the error.

    Raises
    ------
    ValueError
        Naming the first row that holds not-a-number or infinity.

    Examples
    --------
    >>> check_finite(np.array([[1.0], [np.nan]]), "the prediction")
    Traceback (most recent call last):
    ValueError: 1 of 2 rows of the prediction hold values that are not finite (first: row 1). ...
    """
    if not np.issubdtype(rows.dtype, np.inexact):
        return rows
    with np.errstate(invalid="ignore", over="ignore"):
        if np.isfinite(rows.sum(dtype=np.float64)):  # only if all of its terms are
            return rows
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=tuple(range(1, rows.ndim))))
    if len(bad):
        raise ValueError(
            f"{len(bad)} of {len(rows)} rows of {name} hold values that are not finite (first: "
            f"row {bad[0]}). No score can be made of them: mend what made them, or leave those "
            f"rows out and say so."
        )
    return rows


def check_pairs(truth: Any, predicted: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Truth and prediction as rows, of one shape."""
    if np.shape(truth) != np.shape(predicted):
        raise ValueError(
            f"truth has shape {np.shape(truth)} but the prediction has {np.shape(predicted)}. "
            f"Row i of both must be the same item; bring them to one size first."
        )
    return as_rows(truth, "the truth"), as_rows(predicted, "the prediction")


def correlate_rows(one: Any, other: Any) -> NDArray[np.float64]:
    """Pearson correlation of row i with row i, shape (n,); 0 where a row is constant.

    Examples
    --------
    >>> correlate_rows([[1, 2, 3], [1, 1, 1]], [[2, 4, 6], [1, 2, 3]]).round(6).tolist()
    [1.0, 0.0]
    """
    x, y = check_pairs(one, other)
    return _row_by_row(x, y, _row_means(x), _row_means(y))


def correlate_pairs(rows: Any, columns: Any) -> NDArray[np.float64]:
    """Pearson correlation of every row of one with every row of the other, shape (n, m).

    A constant row correlates 0 with all (NumPy gives not-a-number).

    Examples
    --------
    >>> correlate_pairs([[1, 2, 3]], [[3, 2, 1], [0, 1, 2]]).round(6).tolist()
    [[-1.0, 1.0]]
    """
    x, y = as_rows(rows), as_rows(columns)
    return _all_pairs(x, y, _row_means(x), _row_means(y))


def cosine_pairs(rows: Any, columns: Any) -> NDArray[np.float64]:
    """Cosine of every row of one with every row of the other, shape (n, m); 0 for zero rows.

    Examples
    --------
    >>> cosine_pairs([[1, 0]], [[2, 0], [0, 3]]).tolist()
    [[1.0, 0.0]]
    """
    x, y = as_rows(rows), as_rows(columns)
    return _all_pairs(x, y, np.zeros(len(x)), np.zeros(len(y)))


def cosine_rows(one: Any, other: Any) -> NDArray[np.float64]:
    """Cosine of row i with row i, shape (n,); 0 for zero rows.

    Examples
    --------
    >>> cosine_rows([[1, 0], [1, 1]], [[2, 0], [0, 0]]).tolist()
    [1.0, 0.0]
    """
    x, y = check_pairs(one, other)
    return _row_by_row(x, y, np.zeros(len(x)), np.zeros(len(y)))


def distinct(rows: NDArray[Any]) -> NDArray[Any]:
    """The rows without those that repeat an earlier one, in order.

    Examples
    --------
    >>> distinct(np.array([[1], [2], [1]])).tolist()
    [[1], [2]]
    """
    first: dict[bytes, int] = {}
    for i, row in enumerate(rows):
        first.setdefault(row.tobytes(), i)
    return np.asarray(rows[list(first.values())])


def compare(
    similarity: NDArray[np.float64],
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """How many others of its row are above, below and tied with each entry."""
    check_finite(similarity, "the table of similarities")
    n_candidates = similarity.shape[1]
    above, below = np.empty((2, *similarity.shape), dtype=np.intp)
    for i, row in enumerate(similarity):
        ordered = np.sort(row)
        above[i] = n_candidates - np.searchsorted(ordered, row + TIE, side="right")
        below[i] = np.searchsorted(ordered, row - TIE, side="left")
    return above, below, n_candidates - 1 - above - below


def same_rows(rows: Any, columns: Any) -> NDArray[np.bool_]:
    """Which row of one equals which row of the other to the last bit, shape (n, m).

    Examples
    --------
    >>> same_rows([[1, 2]], [[1, 2], [2, 1]]).tolist()
    [[True, False]]
    """
    kind = np.result_type(np.asarray(rows), np.asarray(columns))
    codes: dict[bytes, int] = {}
    left, right = (
        np.array([codes.setdefault(row.tobytes(), len(codes)) for row in as_rows(one)])
        for one in (np.asarray(rows, dtype=kind), np.asarray(columns, dtype=kind))
    )
    return np.asarray(left[:, None] == right[None, :])


def _row_by_row(
    x: NDArray[Any], y: NDArray[Any], mean_x: NDArray[Any], mean_y: NDArray[Any]
) -> NDArray[np.float64]:
    dot, square_x, square_y = np.zeros((3, len(x)))
    for a, b in _blocks(x, y, mean_x, mean_y):
        dot += np.einsum("nd,nd->n", a, b)
        square_x += np.einsum("nd,nd->n", a, a)
        square_y += np.einsum("nd,nd->n", b, b)
    return np.asarray(dot * _inverse_norm(square_x, x) * _inverse_norm(square_y, y))


def _all_pairs(
    x: NDArray[Any], y: NDArray[Any], mean_x: NDArray[Any], mean_y: NDArray[Any]
) -> NDArray[np.float64]:
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"Rows of {x.shape[1]} numbers can't be compared with rows of {y.shape[1]}. "
            f"Truth and prediction must be of one space and one size."
        )
    dot = np.zeros((len(x), len(y)))
    square_x, square_y = np.zeros(len(x)), np.zeros(len(y))
    for a, b in _blocks(x, y, mean_x, mean_y):
        dot += a @ b.T
        square_x += np.einsum("nd,nd->n", a, a)
        square_y += np.einsum("nd,nd->n", b, b)
    scale = _inverse_norm(square_x, x)[:, None] * _inverse_norm(square_y, y)[None, :]
    return np.asarray(dot * scale)


def _row_means(rows: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(rows.mean(axis=1, dtype=np.float64))


def _blocks(x: NDArray[Any], y: NDArray[Any], mean_x: NDArray[Any], mean_y: NDArray[Any]) -> Any:
    """Centred float64 pieces along the row, so that long rows are never copied whole."""
    for start in range(0, x.shape[1], BLOCK_DIMS):
        cut = slice(start, start + BLOCK_DIMS)
        yield (
            x[:, cut].astype(np.float64) - mean_x[:, None],
            y[:, cut].astype(np.float64) - mean_y[:, None],
        )


def _inverse_norm(square: NDArray[np.float64], rows: NDArray[Any]) -> NDArray[np.float64]:
    """1 / norm, and 0 for rows with no variation beyond the rounding of their values."""
    largest = np.abs(rows).max(axis=1, initial=0).astype(np.float64)
    floor = rows.shape[1] * (largest * 1e-12) ** 2
    live = square > floor
    return np.where(live, 1.0 / np.sqrt(np.where(live, square, 1.0)), 0.0)
