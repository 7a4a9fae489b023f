"""MATLAB files of any version."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from neurodecode.data import listing
from neurodecode.errors import CorruptFileError
from neurodecode.files._existing import broken, existing
from neurodecode.files._hdf5 import open_hdf5, reading_hdf5, spans_of
from neurodecode.files._heaps import check_heaps
from neurodecode.files._mat5 import check_mat5
from neurodecode.files._references import reachable_datasets

WHAT = "MATLAB file"


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
    FileNotFoundError
        If there is no such file.
    CorruptFileError
        If the file is truncated or no MATLAB file, or lacks one of the names.
    UnsafeFileError
        If its values lie in other files (version 7.3).

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from scipy.io import savemat
    >>> file = Path(tempfile.mkdtemp()) / "x.mat"
    >>> savemat(file, {"betas": np.eye(2)})
    >>> read_mat(file, ["betas"])["betas"].tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    import pymatreader

    file = existing(path, WHAT)
    wanted = None if names is None else list(names)
    _check(file, wanted)
    try:
        content = dict(pymatreader.read_mat(file, variable_names=wanted))
    except Exception as error:  # scipy and h5py raise a dozen kinds for a file that is cut off
        raise broken(file, WHAT, error) from error
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

    file = existing(path, WHAT)
    _check(file, [])
    try:
        return [name for name, *_ in pymatreader.whosmat(file)]
    except Exception as error:  # see read_mat
        raise broken(file, WHAT, error) from error


def check_mat(path: str | Path, names: Iterable[str] | None = None) -> Path:
    """Look at a MATLAB file before a library believes what it declares.

    Parameters
    ----------
    path : path
    names : sequence of str, optional
        The variables that will be read; all when None.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FileNotFoundError, CorruptFileError, UnsafeFileError
        As `read_mat`.
    """
    file = existing(path, WHAT)
    _check(file, None if names is None else list(names))
    return file


def _check(file: Path, names: list[str] | None) -> None:
    import h5py

    if not h5py.is_hdf5(file):
        check_mat5(file, names)
        return
    with reading_hdf5(file, WHAT), open_hdf5(file, WHAT) as root:
        spans = [span for data in reachable_datasets(root) for span in spans_of(data)]
    check_heaps(file, spans)
