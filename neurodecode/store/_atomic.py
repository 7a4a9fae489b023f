"""Files that are whole or not there at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neurodecode.store._parts import part_of, sweep
from neurodecode.store._room import FULL, NO_ROOM, disk_full


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside ``path``; rename it when the block ends without an error.

    The file and its folder are on the disk before the block is left, so that a machine that loses
    its power keeps the old file or the new one. Parts of writers that were killed are removed.

    Raises
    ------
    OSError
        If the disk is full; in one sentence that names the file.

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
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep(target.parent)
    part = part_of(target)
    try:
        yield part
        _to_disk(part)
        part.replace(target)
        _to_disk(target.parent)
    except OSError as error:
        if error.errno in FULL and NO_ROOM not in str(error):
            raise disk_full(target, error.strerror, error.errno) from error
        raise
    finally:
        part.unlink(missing_ok=True)


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
        If a number is not finite, which JSON cannot say.
    """
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_path(path) as part:
        part.write_text(text + "\n", encoding="utf-8")
    return Path(path)
