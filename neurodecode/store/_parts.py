"""Temporary names of files that are being written, and which of them nobody writes any more."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import time
import uuid
from contextlib import suppress
from functools import cache
from pathlib import Path

NAME = re.compile(r"\..*\.([0-9a-f]{8})-(\d+)-[0-9a-f]{32}\.part", re.DOTALL)
LONGEST_NAME_BYTES = 150
"""Of the file's own name inside a temporary one: a name has at most 255 bytes in all."""
STALE_AFTER_S = 24 * 3600.0
"""A part of another machine that did not change for so long is nobody's."""


def part_of(target: Path) -> Path:
    """A temporary name beside ``target`` that no other thread, process or machine gives.

    It says which process of which machine writes, so that `sweep` can tell whether that still runs.

    Examples
    --------
    >>> one, other = part_of(Path("a.h5")), part_of(Path("a.h5"))
    >>> one != other, one.suffix, bool(NAME.fullmatch(one.name))
    (True, '.part', True)
    """
    name = target.name.encode()[:LONGEST_NAME_BYTES].decode(errors="ignore")
    return target.with_name(f".{name}.{machine_key()}-{os.getpid()}-{uuid.uuid4().hex}.part")


def sweep(folder: Path) -> None:
    """Remove parts of killed writers from a folder; looks once in the life of a process."""
    _sweep_once(folder.absolute(), os.getpid())


@cache
def machine_key() -> str:
    """Where a process id means the same process: this boot of this machine, this container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        space = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - it is no path
    except (OSError, ValueError):  # not Linux
        boot, space = platform.node(), platform.platform()
    return hashlib.blake2b(f"{boot}{space}".encode(), digest_size=4).hexdigest()


@cache
def _sweep_once(folder: Path, process: int) -> None:
    with suppress(OSError):  # a courtesy: writing goes on in a folder that can't be listed
        for path in folder.iterdir():
            if is_stale(path):
                path.unlink(missing_ok=True)


def is_stale(part: Path) -> bool:
    """Does nobody write this part any more?

    Of this machine: its process is gone. Of another one: it did not change for a day, by its time
    of change, which may lie in the future where a clock was set back.
    """
    wanted = NAME.fullmatch(part.name)
    if wanted is None:
        return False
    if wanted[1] == machine_key() and os.name == "posix":
        return not _runs(int(wanted[2]))
    try:
        return abs(time.time() - part.stat().st_mtime) > STALE_AFTER_S
    except FileNotFoundError:  # finished meanwhile
        return False


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):  # somebody else's; no number of a process
        return True
    return True
