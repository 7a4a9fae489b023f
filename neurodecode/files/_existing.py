"""What every reader says of a file that is not there or can't be read."""

from __future__ import annotations

from pathlib import Path

from neurodecode.errors import CorruptFileError


def existing(path: str | Path, what: str = "file") -> Path:
    """The path, if something is there.

    Parameters
    ----------
    path : path
    what : str
        What was looked for, for the message.

    Raises
    ------
    FileNotFoundError
        If nothing is there; the message says what was looked for.

    Examples
    --------
    >>> existing("/").is_dir()
    True
    """
    place = Path(path)
    if not place.exists():
        raise FileNotFoundError(f"There is no {what} at {place}. Check the path.")
    return place


def broken(file: Path, what: str, reason: Exception | str) -> CorruptFileError:
    """The error for a file that is not what it should be.

    Parameters
    ----------
    file : Path
    what : str
        What it should be, such as ``'pickle'``.
    reason : Exception or str
        What was wrong; of an exception its first line, or its type where it says nothing.

    Returns
    -------
    CorruptFileError
        To be raised.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "x.pkl"
    >>> _ = file.write_bytes(b"12")
    >>> str(broken(file, "pickle", "it is cut off"))[len(str(file)) + 1 :][:40]
    "can't be read as a pickle: it is cut off"
    """
    said = str(reason).strip().splitlines()
    first = said[0].rstrip(".") if said else type(reason).__name__
    size = file.stat().st_size if file.is_file() else 0
    return CorruptFileError(
        f"{file} can't be read as a {what}: {first}. It is truncated or not of this kind "
        f"({size} bytes); obtain it again."
    )
