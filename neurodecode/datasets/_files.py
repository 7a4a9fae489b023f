"""Where data sets lie, and the readers of `neurodecode.files` that their modules use."""

from __future__ import annotations

import os
from pathlib import Path

from neurodecode.data import listing
from neurodecode.files import existing, mat_names, open_hdf5, read_mat, read_npy, read_pickle

__all__ = [
    "data_folder",
    "existing",
    "locate",
    "mat_names",
    "open_hdf5",
    "read_mat",
    "read_npy",
    "read_pickle",
]

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
