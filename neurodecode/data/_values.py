"""What may stand as values: real numbers in an array, whatever library the array is of.

Two conversions are made, and no other: numbers of another byte order become native ones, and a
torch tensor in this machine's memory becomes a NumPy array.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from neurodecode.data._arrays import ArrayLike


class Native:
    """A lazy array of another byte order, in the order of this machine where it is read.

    Examples
    --------
    >>> lazy = Native(np.arange(3, dtype=">f4"))
    >>> lazy.dtype.isnative, lazy[1:].tolist()
    (True, [1.0, 2.0])
    """

    def __init__(self, source: ArrayLike) -> None:
        self._source = source
        self.shape = tuple(int(size) for size in source.shape)
        self.dtype = np.dtype(source.dtype).newbyteorder("=")

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any, /) -> NDArray[Any]:
        return np.asarray(self._source[index]).astype(self.dtype, copy=False)


def as_values(what: str, values: Any) -> ArrayLike:
    """An array of real numbers; one that is not in memory is not read.

    Parameters
    ----------
    what : str
        Who has the values, for the messages.
    values : array-like
        NumPy array, memory map, HDF5 data set, torch tensor or nested sequence.

    Raises
    ------
    TypeError
        If they are no real numbers, or in a form that would lose something without a word: sparse,
        masked, on another device.
    ValueError
        If rows have different lengths.

    Examples
    --------
    >>> as_values("Responses", np.ma.masked_equal([[1.0, 9.0]], 9.0))
    Traceback (most recent call last):
    TypeError: Responses are a masked array with 1 of 2 values masked, and a mask would be lost. ...
    """
    if hasattr(values, "detach") and hasattr(values, "cpu"):
        values = _of_tensor(what, values)
    elif hasattr(values, "toarray") and hasattr(values, "nnz"):
        raise TypeError(
            f"{what} are a sparse matrix ({type(values).__name__}). Give values.toarray()."
        )
    elif isinstance(values, np.ma.MaskedArray):
        values = _unmasked(what, values)
    elif not isinstance(values, ArrayLike) or isinstance(values, np.matrix):
        values = _plain(what, values)
    kind = np.dtype(values.dtype)
    if kind.kind not in "fiub":
        raise TypeError(f"{what} have the dtype {kind}, and must be real numbers. {_remedy(kind)}")
    if kind.isnative:
        return values  # type: ignore[no-any-return]
    if isinstance(values, np.ndarray) and not isinstance(values, np.memmap):
        return values.astype(kind.newbyteorder("="))
    return Native(values)


def cast(what: str, values: NDArray[Any], dtype: DTypeLike) -> NDArray[Any]:
    """Values in another dtype, as they are if they have it.

    Raises
    ------
    ValueError
        If a number is too large for it and would become infinite.

    Examples
    --------
    >>> cast("Responses", np.array([1e300]), np.float32)
    Traceback (most recent call last):
    ValueError: Responses hold numbers up to 1e+300, too large for float32. ...
    """
    try:
        with np.errstate(over="raise"):
            return values.astype(dtype, copy=False)
    except FloatingPointError as error:
        raise ValueError(
            f"{what} hold numbers up to {np.nanmax(np.abs(values)):.3g}, too large for "
            f"{np.dtype(dtype)}. Scale them first, or mend what made them."
        ) from error


def check_size(what: str, values: Any) -> None:
    """Refuse numbers in memory that are too large for float32, in which models learn.

    Raises
    ------
    ValueError
        As `cast`, before any work.

    Examples
    --------
    >>> check_size("Responses", np.array([1.0]))
    """
    if isinstance(values, np.ndarray) and values.dtype.kind == "f" and values.dtype.itemsize > 4:
        cast(what, values, np.float32)


def _of_tensor(what: str, values: Any) -> NDArray[Any]:
    if values.device.type != "cpu":
        raise TypeError(f"{what} are a tensor on {values.device}. Give values.cpu().")
    if "strided" not in str(values.layout):
        raise TypeError(f"{what} are a sparse tensor. Give values.to_dense().")
    plain = values.detach()
    if "bfloat16" in str(plain.dtype):  # which NumPy does not have
        plain = plain.float()
    return np.asarray(plain.numpy())


def _unmasked(what: str, values: np.ma.MaskedArray[Any, Any]) -> NDArray[Any]:
    n_masked = int(np.ma.getmaskarray(values).sum())
    if n_masked:
        raise TypeError(
            f"{what} are a masked array with {n_masked} of {values.size} values masked, and a mask "
            f"would be lost. Leave those trials or units out, or fill them (values.filled(0))."
        )
    return np.asarray(values.data)


def _plain(what: str, values: Any) -> NDArray[Any]:
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{what} have rows of different lengths ({error}). Pad them with "
            f"neurodecode.data.pad_trials()."
        ) from error


def _remedy(kind: np.dtype[Any]) -> str:
    if kind.kind == "c":
        return "Give the real part, the size (np.abs) or both side by side."
    if kind.kind == "O":
        return "An array of objects often has rows of different lengths, or a None in it."
    return "Convert them with .astype(np.float32), if they are numbers at all."
