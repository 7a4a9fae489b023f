"""Zip files (`.npz`, `.xlsx`, `.pt`), whose declared sizes are checked before unpacking."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from neurodecode.errors import CorruptFileError
from neurodecode.files._bounds import check_expansion
from neurodecode.files._existing import broken, existing
from neurodecode.files._npy import read_header, read_values
from neurodecode.files.pickles import DamageError

MAX_MEMBERS = 100_000
MAX_CELLS = 5_000_000


@contextmanager
def open_zip(path: str | Path, what: str = "zip file") -> Iterator[zipfile.ZipFile]:
    """Open a zip file whose members unpack to a bounded size; names in it never become paths.

    Parameters
    ----------
    path : path
    what : str
        What it should be, for messages.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CorruptFileError
        If it is no zip file, holds a name twice, unpacks to far more than its size, or a member's
        checksum is wrong when it is read.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "x.zip"
    >>> with zipfile.ZipFile(file, "w") as new:
    ...     new.writestr("a", b"12")
    >>> with open_zip(file) as archive:
    ...     archive.read("a")
    b'12'
    """
    file = existing(path, what)
    try:
        with zipfile.ZipFile(file) as archive:
            _check(file, archive, what)
            yield archive
    except CorruptFileError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError,
            DamageError, UnicodeDecodeError, OverflowError) as error:  # fmt: skip
        raise broken(file, what, error) from error


def check_zip(path: str | Path, what: str = "zip file") -> None:
    """Look at the sizes that a zip file declares, for those who hand it to another library.

    Raises
    ------
    CorruptFileError
        As `open_zip`.
    """
    with open_zip(path, what):
        pass


def check_workbook(path: str | Path, what: str = "workbook") -> None:
    """Look at an Excel file before a library fills in the cells between those that are named.

    Parameters
    ----------
    path : path
    what : str
        What it should be, for messages.

    Raises
    ------
    CorruptFileError
        As `open_zip`, or if its sheets span more than five million cells.

    Examples
    --------
    >>> import pandas, tempfile
    >>> file = Path(tempfile.mkdtemp()) / "x.xlsx"
    >>> pandas.DataFrame({"a": [1]}).to_excel(file)
    >>> check_workbook(file)
    """
    file = existing(path, what)
    with open_zip(file, what) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                n_cells = _span(archive.read(name))
                if n_cells > MAX_CELLS:
                    raise broken(file, what, f"a sheet spans {n_cells} cells")


def _span(sheet: bytes) -> int:
    """Rows times columns up to the last cell that is named."""
    last_row = last_column = 1
    for letters, digits in set(re.findall(rb'\br="([A-Z]*)(\d{1,9})"', sheet)):
        last_row = max(last_row, int(digits))
        column = 0
        for letter in letters[:8]:
            column = 26 * column + letter - 64
        last_column = max(last_column, column)
    return last_row * last_column


def _check(file: Path, archive: zipfile.ZipFile, what: str) -> None:
    members = archive.infolist()
    names = {one.filename for one in members}
    if len(members) > MAX_MEMBERS or len(names) < len(members):
        raise broken(file, what, "it holds a member twice, or far too many")
    # Members may lie over each other: what counts is the file, not the sum of what they say.
    check_expansion(file, file.stat().st_size, sum(one.file_size for one in members))


def read_npz(path: str | Path, names: list[str] | None = None) -> dict[str, NDArray[Any]]:
    """Read arrays of a ``.npz`` file; pickled objects are refused.

    Parameters
    ----------
    path : path
    names : list of str, optional
        Arrays to read, all of which must be there; all when None.

    Returns
    -------
    dict of str to array

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CorruptFileError
        If it is no ``.npz`` file, lacks a name, a checksum is wrong, or it unpacks to far more than
        its size.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> file = Path(tempfile.mkdtemp()) / "x.npz"
    >>> np.savez_compressed(file, a=np.arange(3))
    >>> read_npz(file)["a"].tolist()
    [0, 1, 2]
    """
    file = existing(path, ".npz file")
    with open_zip(file, ".npz file") as archive:
        held = {one.filename.removesuffix(".npy"): one for one in archive.infolist()}
        if len(held) < len(archive.infolist()):
            raise broken(file, ".npz file", "it holds an array twice, with '.npy' and without")
        absent = [name for name in names or [] if name not in held]
        if absent:
            raise broken(file, ".npz file", f"it lacks {', '.join(absent)}")
        return {name: _member(archive, held[name]) for name in (held if names is None else names)}


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(member) as stream:
        header = read_header(stream)  # type: ignore[arg-type]
        if header.dtype.hasobject:
            raise DamageError(f"'{member.filename}' holds a pickle")
        values = read_values(stream, header, member.file_size - stream.tell())
        if stream.read(1):  # the checksum is compared at the end
            raise DamageError(f"'{member.filename}' is longer than it says")
    return values
