"""Files that are whole or not there at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neurodecode.store._parts import part_of, sweep
from neurodecode.store._room import FULL, disk_full, full_disk_number


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside ``path``; rename it when the block ends without an error.

    The file and its folder are on the disk before the block is left, so that a machine that loses
    its power keeps the old file or the new one. Parts of writers that were killed are removed.

    Raises
    ------
    OSError
        If the disk is full or nothing can be written there; in one sentence that names the file.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_path(folder / "a.txt") as part:
    ...     _ = part.write_text("whole")
    >>> [file.name for file in folder.iterdir()]
    ['a.txt']
    """
    target = Path(path)
    make_folder_of(target)
    sweep(target.parent)
    part = part_of(target)
    try:
        yield part
        _to_disk(part)
        part.replace(target)
        _to_disk(target.parent)
    except Exception as error:
        number = full_disk_number(error)
        if number is not None:
            raise disk_full(target, os.strerror(number), number) from error
        raise
    finally:
        part.unlink(missing_ok=True)


def make_folder_of(target: Path) -> None:
    """Make the folder of a file to be written.

    Raises
    ------
    OSError
        If it can't be made or written, or the name is that of a folder.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> make_folder_of(folder / "new" / "a.txt")
    >>> (folder / "new").is_dir()
    True
    """
    reason = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            reason = "a folder has this name"
        elif not os.access(target.parent, os.W_OK | os.X_OK):
            reason = f"{target.parent} is read-only"
    except OSError as error:
        if error.errno in FULL:
            raise disk_full(target, error.strerror, error.errno) from error
        reason = error.strerror
    if reason is not None:
        raise OSError(f"{target} can't be written ({reason}). Give another name or folder.")


def _to_disk(path: Path) -> None:
    """Have the system write what it still holds in memory."""
    folder = path.is_dir()
    if folder and os.name != "posix":
        return
    file = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno in FULL or not folder:
            raise  # some network file systems can't do it for folders
    finally:
        os.close(file)


def write_json(path: str | Path, content: Any) -> Path:
    """Write JSON that a person can read, whole or not at all; not-a-number is refused.

    Raises
    ------
    ValueError
        If something is no JSON: a number that is not finite, an array.
    """
    try:
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{path} can't be written as JSON: {error}. Give finite numbers, texts, lists and "
            f"mappings of them."
        ) from error
    # names of files that are no UTF-8 hold lone surrogates, which JSON can escape
    content = f"{text}\n".encode("utf-8", "backslashreplace")
    with atomic_path(path) as part:
        part.write_bytes(content)
    return Path(path)
