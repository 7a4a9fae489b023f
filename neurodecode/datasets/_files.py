"""Safe reading of other people's files: plain data only, and one clear error when they are broken.

`.npy` and `.pkl` files of public data sets are pickles, which can run code when they are read. Here
an unpickler reads them that knows NumPy arrays and plain containers and nothing else.
"""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from neurodecode.data import listing
from neurodecode.errors import CorruptFileError, UnsafeFileError

ENVIRONMENT = "NEURODECODE_DATA"


def data_folder(name: str = "") -> Path:
    """The folder that holds the data sets, or the folder of one of them in it.

    It is named by the environment variable ``NEURODECODE_DATA``; without it, ``neurodecode_data``
    in the user's home.

    Parameters
    ----------
    name : str
        A folder in it; empty for the data folder itself. It need not exist.

    Examples
    --------
    >>> data_folder("haxby2001").name
    'haxby2001'
    """
    root = os.environ.get(ENVIRONMENT)
    folder = Path(root).expanduser() if root else Path.home() / "neurodecode_data"
    return folder / name if name else folder


def existing(path: str | Path, what: str = "file") -> Path:
    """The path, if something is there.

    Raises
    ------
    FileNotFoundError
        If nothing is there; the message says what was looked for.
    """
    found = Path(path)
    if not found.exists():
        raise FileNotFoundError(f"There is no {what} at {found}. Check the path.")
    return found


def locate(folder: str | Path, *markers: str, depth: int = 2) -> list[Path]:
    """The folders, at or below ``folder``, that hold a file or folder of one of these names.

    Parameters
    ----------
    folder : path
    markers : str
        Patterns, as `Path.glob` takes them.
    depth : int
        How far below; what is found higher up hides what is below.

    Raises
    ------
    FileNotFoundError
        If there is none.

    Examples
    --------
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> (root / "set" / "sub001").mkdir(parents=True)
    >>> [found.name for found in locate(root, "sub*")]
    ['set']
    """
    root = existing(folder, "folder")
    for level in range(depth + 1):
        here = sorted(root.glob("/".join(["*"] * level))) if level else [root]
        found = [one for one in here if any(next(one.glob(name), None) for name in markers)]
        if found:
            return found
    raise FileNotFoundError(
        f"Neither {root} nor a folder below it holds {listing(markers)}. Check the path."
    )


def read_mat(path: str | Path, names: Iterable[str] | None = None) -> dict[str, Any]:
    """Read a MATLAB file of any version (5 to 7.3) into plain Python.

    Axes of length one are dropped, structs become dictionaries, cells become lists, char arrays
    become strings, whichever version wrote the file.

    Parameters
    ----------
    path : path
    names : sequence of str, optional
        Variables to read, all of which must be there; all variables when None.

    Raises
    ------
    CorruptFileError
        If the file is truncated or no MATLAB file, or lacks one of the names.

    Examples
    --------
    >>> import tempfile
    >>> from scipy.io import savemat
    >>> file = Path(tempfile.mkdtemp()) / "x.mat"
    >>> savemat(file, {"betas": np.eye(2)})
    >>> read_mat(file, ["betas"])["betas"].tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    import pymatreader

    file = existing(path, "MATLAB file")
    wanted = None if names is None else list(names)
    try:
        content = dict(pymatreader.read_mat(file, variable_names=wanted))
    except Exception as error:  # scipy and h5py raise a dozen kinds for a file that is cut off
        raise _broken(file, "MATLAB file", error) from error
    variables = {key: value for key, value in content.items() if not key.startswith("__")}
    absent = [name for name in wanted or [] if name not in variables]
    if absent:
        raise CorruptFileError(
            f"{file} has no variable {listing(absent)}. It holds {listing(mat_names(file), 20)}. "
            f"It is cut off or another file."
        )
    return variables


def mat_names(path: str | Path) -> list[str]:
    """The names of the variables in a MATLAB file of any version, without reading them."""
    import pymatreader

    file = existing(path, "MATLAB file")
    try:
        return [name for name, *_ in pymatreader.whosmat(file)]
    except Exception as error:  # see read_mat
        raise _broken(file, "MATLAB file", error) from error


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
        raise _broken(file, "HDF5 file", error) from error
    with opened:
        yield opened


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
                stored = _unpickle(stream, file)
            elif lazy:
                stored = np.load(file, mmap_mode="r", allow_pickle=False)
            else:
                stream.seek(0)
                stored = np.load(stream, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        if isinstance(error, CorruptFileError):
            raise
        raise _broken(file, ".npy file", error) from error
    if dtype.hasobject and isinstance(stored, np.ndarray) and stored.shape == ():
        return stored.item()
    return stored


def read_pickle(path: str | Path) -> Any:
    """Read a pickle that holds NumPy arrays, numbers, text and plain containers only.

    Pickles of Python 2 are read as well. Nothing in the file is run.

    Raises
    ------
    CorruptFileError
        If the file is truncated or no pickle.
    UnsafeFileError
        If it asks for anything else, such as a function or a class.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "x.pkl"
    >>> _ = file.write_bytes(pickle.dumps({"betas": np.zeros(2), "ids": ["a", "b"]}))
    >>> read_pickle(file)
    {'betas': array([0., 0.]), 'ids': ['a', 'b']}
    """
    file = existing(path, "pickle")
    with file.open("rb") as stream:
        return _unpickle(stream, file)


def _latin1(text: str, encoding: str = "latin1", errors: str = "strict") -> bytes:
    """Bytes as Python 2 pickles spell them; other codecs than Latin-1 are refused."""
    if encoding not in ("latin1", "latin-1"):
        raise UnsafeFileError(f"A pickle asks for the codec '{encoding}'; 'latin1' was expected.")
    return text.encode("latin1", errors)


def _admitted() -> dict[tuple[str, str], Any]:
    """What a pickle of arrays and plain containers may name, under old and new NumPy names."""
    # Taken from what NumPy itself writes, for its modules moved between versions.
    arrays: dict[str, tuple[str, Any]] = {
        "_reconstruct": ("multiarray", np.zeros(1).__reduce__()[0]),
        "scalar": ("multiarray", np.float64(1).__reduce__()[0]),
        "_frombuffer": ("numeric", np.zeros(1).__reduce_ex__(5)[0]),
    }
    known: dict[tuple[str, str], Any] = {
        (f"numpy.{core}.{module}", name): make
        for name, (module, make) in arrays.items()
        for core in ("core", "_core")
    }
    known |= {("numpy", "ndarray"): np.ndarray, ("numpy", "dtype"): np.dtype}
    known |= {("collections", "OrderedDict"): OrderedDict, ("_codecs", "encode"): _latin1}
    for plain in (set, frozenset, complex, bytearray, slice, range):
        known |= {(module, plain.__name__): plain for module in ("builtins", "__builtin__")}
    return known


class _PlainUnpickler(pickle.Unpickler):
    """Knows NumPy arrays and plain containers, and nothing that runs."""

    def find_class(self, module: str, name: str) -> Any:
        known = _admitted()
        if (module, name) not in known:
            raise UnsafeFileError(f"{module}.{name}")
        return known[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise UnsafeFileError("a persistent id")


def _unpickle(stream: BinaryIO, file: Path) -> Any:
    try:
        return _PlainUnpickler(stream, encoding="latin1").load()
    except UnsafeFileError as error:
        raise UnsafeFileError(
            f"{file} is a pickle that asks for {error}; only NumPy arrays, numbers, text and plain "
            f"containers are read. Nothing was run. Ask its author for .npy, .npz or HDF5."
        ) from None
    except Exception as error:  # a cut-off pickle raises whatever its half instruction leads to
        raise _broken(file, "pickle", error) from error


def _npy_dtype(stream: BinaryIO) -> np.dtype[Any]:
    version = npy.read_magic(stream)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    return np.dtype(read(stream)[2])


def _broken(file: Path, what: str, error: Exception) -> CorruptFileError:
    reason = str(error) or type(error).__name__
    return CorruptFileError(
        f"{file} can't be read as a {what}: {reason}. It is truncated or not of this kind "
        f"({file.stat().st_size} bytes); obtain it again."
    )
