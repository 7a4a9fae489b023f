"""Arrays in `.npy` files, plain or pickled; the header is checked before anything is allocated."""

from __future__ import annotations

import ast
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from neurodecode.errors import CorruptFileError
from neurodecode.files._existing import broken, existing
from neurodecode.files._pickle import unpickle
from neurodecode.files.pickles import DamageError, check_values

MAX_HEADER = 10_000
MAX_NESTING = 16
_KEYS = {"descr", "fortran_order", "shape"}


@dataclass(frozen=True)
class Header:
    """What a ``.npy`` file says of its array."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    is_fortran: bool

    @property
    def n_bytes(self) -> int:
        """Bytes of the array."""
        return math.prod(self.shape) * self.dtype.itemsize


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
    FileNotFoundError
        If there is no such file.
    CorruptFileError
        If the file is no ``.npy`` file, or shorter or longer than its header says.
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
            header = read_header(stream)
            if header.dtype.hasobject:
                return _pickled(unpickle(stream, file), header)
            size = os.fstat(stream.fileno()).st_size - stream.tell()
            if lazy and header.n_bytes:
                check_size(header, size)
                return np.memmap(file, header.dtype, "r", stream.tell(), header.shape,
                                 "F" if header.is_fortran else "C")  # fmt: skip
            return read_values(stream, header, size)
    except (DamageError, OSError) as error:
        raise broken(file, ".npy file", error) from error


def _pickled(stored: Any, header: Header) -> Any:
    if not isinstance(stored, np.ndarray):  # written by pickle, under this ending
        return stored
    if stored.shape != header.shape:
        raise DamageError(f"its header says shape {header.shape}, its pickle {stored.shape}")
    return stored.item() if stored.shape == () else stored


def read_header(stream: BinaryIO) -> Header:
    """The header of a ``.npy`` file; the stream stands at the first value then.

    Raises
    ------
    DamageError
        If it is none.
    """
    start = stream.read(8)
    if start[:6] != npy.MAGIC_PREFIX or len(start) < 8 or start[6] not in (1, 2, 3):
        raise DamageError("it does not start as one")
    size = 2 if start[6] == 1 else 4
    n_bytes = int.from_bytes(stream.read(size), "little")
    text = stream.read(n_bytes) if n_bytes <= MAX_HEADER else b""
    if len(text) != n_bytes or not n_bytes:
        raise DamageError(f"its header should have {n_bytes} bytes")
    try:
        return _header(text.decode("utf-8" if start[6] == 3 else "latin1"))
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError,
            IndexError) as error:  # fmt: skip
        raise DamageError("its header is none") from error


def _header(text: str) -> Header:
    opened = 0
    for letter in text:  # Python's parser is not made for thousands of brackets
        opened += (letter in "([{") - (letter in ")]}")
        if not 0 <= opened <= MAX_NESTING:
            raise ValueError("brackets")
    said = ast.literal_eval(re.sub(r"(\d)L\b", r"\1", text).strip())  # Python 2 wrote 10L
    if not isinstance(said, dict) or set(said) != _KEYS or type(said["fortran_order"]) is not bool:
        raise ValueError("keys")
    shape = said["shape"]
    if type(shape) is not tuple or len(shape) > 32:
        raise ValueError("shape")
    if any(type(one) is not int or not 0 <= one < 2**63 for one in shape):
        raise ValueError("shape")
    return Header(np.dtype(npy.descr_to_dtype(said["descr"])), shape, said["fortran_order"])


def check_size(header: Header, n_bytes: int) -> None:
    """Refuse values that are fewer or more than the header says.

    Raises
    ------
    DamageError
        Naming both sizes.
    """
    if header.n_bytes != n_bytes:
        raise DamageError(f"its values should have {header.n_bytes} bytes and have {n_bytes}")
    if not header.dtype.itemsize and math.prod(header.shape) > 1:
        raise DamageError("its values have no bytes")


def read_values(stream: Any, header: Header, n_bytes: int) -> NDArray[Any]:
    """The values, which must take up all ``n_bytes`` that are left.

    Raises
    ------
    DamageError
        If they don't.
    """
    check_size(header, n_bytes)
    order: Literal["F", "C"] = "F" if header.is_fortran else "C"
    flat = np.empty(n_bytes, np.uint8)
    view, done = flat.data, 0
    while done < n_bytes:
        n_read = stream.readinto(view[done : done + 2**24])
        if not n_read:
            raise DamageError("it is cut off")
        done += n_read
    if not n_bytes:
        return np.zeros(header.shape, header.dtype, order)
    values: NDArray[Any] = flat.view(header.dtype)
    check_values(values)
    return values.reshape(header.shape, order=order)


def parse_npy(content: bytes, name: str) -> NDArray[Any]:
    """The plain array of a ``.npy`` file that is in memory, such as a member of a tar.

    Parameters
    ----------
    content : bytes
    name : str
        For messages.

    Raises
    ------
    CorruptFileError
        If it is no plain ``.npy`` file, or holds a pickle.

    Examples
    --------
    >>> import io
    >>> stream = io.BytesIO()
    >>> np.save(stream, np.arange(3))
    >>> parse_npy(stream.getvalue(), "x.npy").tolist()
    [0, 1, 2]
    """
    import io

    stream = io.BytesIO(content)
    try:
        header = read_header(stream)
        if header.dtype.hasobject:
            raise DamageError("it holds a pickle")
        return read_values(stream, header, len(content) - stream.tell())
    except DamageError as error:
        raise CorruptFileError(
            f"{name} can't be read as a plain .npy array: {error}. It is damaged or holds a "
            f"pickle; obtain it again."
        ) from error
