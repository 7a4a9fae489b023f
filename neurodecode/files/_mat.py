"""MATLAB files of any version."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from neurodecode.data import listing
from neurodecode.errors import CorruptFileError
from neurodecode.files._existing import broken, existing


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
    >>> import numpy as np
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
        raise broken(file, "MATLAB file", error) from error
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
        raise broken(file, "MATLAB file", error) from error
