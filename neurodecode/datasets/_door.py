"""The door that every reader goes through: whatever goes wrong in a file is one clear error.

Libraries raise what their half-read bytes lead to (`UnicodeDecodeError`, `IndexError`,
`zlib.error`, `struct.error`, `MemoryError` for a length that cannot be, ...), mostly without the
file's name. Inside `reading` all of them become a `CorruptFileError` that says which file, where
in it, what happened and what to do. What the caller did wrong is checked before the door.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurodecode.errors import CorruptFileError, LeakageError

# These say by themselves what to do: a file is not there or may not be read, a package is absent.
_CLEAR = (FileNotFoundError, PermissionError, ImportError, LeakageError)


@dataclass
class Place:
    """Where a reader is in its file; it is named if something goes wrong there.

    Parameters
    ----------
    name : str
        Such as ``'line 12'``; empty for the file as a whole.

    Examples
    --------
    >>> Place("line 12").name
    'line 12'
    """

    name: str = ""


@contextmanager
def reading(source: Any, what: str) -> Iterator[Place]:
    """Turn every error into one that names the file; let through what does so already.

    Parameters
    ----------
    source : path, or anything whose text names it
    what : str
        What it is read as, with its article: ``'a table of events'``.

    Yields
    ------
    Place
        Its ``name`` may be set while reading.

    Raises
    ------
    CorruptFileError
        In place of any other error but a missing file, a missing permission and a missing package.

    Examples
    --------
    >>> with reading("labels.txt", "a table of labels") as place:
    ...     place.name = "line 2"
    ...     int("x")
    Traceback (most recent call last):
    ...
    neurodecode.errors.CorruptFileError: labels.txt can't be read as a table of labels, at line 2: \
ValueError: invalid literal for int() with base 10: 'x'. It is truncated, damaged or not of this \
kind; obtain it again.
    """
    place = Place()
    try:
        yield place
    except _CLEAR:
        raise
    except CorruptFileError as error:
        if _is_named(source, error):
            raise
        raise type(error)(f"{source}: {error}") from error
    except Exception as error:
        raise _broken(source, what, place.name, error) from error


_REMEDY = "It is truncated, damaged or not of this kind; obtain it again."


def _is_named(source: Any, error: Exception) -> bool:
    """Whether the message names this file, one in or beside it, or went through a door."""
    text, path = str(error), Path(str(source))
    beside = path.parent.name != "" and f"{path.parent}{os.sep}" in text
    named = str(source) in text or ("." in path.name and path.name in text)
    return text.endswith(_REMEDY) or beside or named


def _broken(source: Any, what: str, place: str, error: Exception) -> CorruptFileError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # the first line says it: pandas and torch write pages
    reason = type(error).__name__ + (f": {lines[0].rstrip('.:')}" if lines else "")
    where = f", at {place}" if place else ""
    return CorruptFileError(
        f"{source} can't be read as {what}{where}: {reason}{_size(source)}. {_REMEDY}"
    )


def _size(source: Any) -> str:
    path = Path(str(source))
    return f" ({path.stat().st_size} bytes)" if path.is_file() else ""
