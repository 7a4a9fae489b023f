"""Room on a disk: looked for first, reserved, and its end told in one sentence."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""The disk, a person's quota, or the size that the system lets a file have."""


KEEP_SIZE = 1
"""Of fallocate: HDF5 takes a file that has a length for one that has content."""
OS_ERROR = re.compile(r"\(os error (\d+)\)")
NO_ROOM = "can't be written: no room"


def disk_full(target: Path, reason: object, number: int = errno.ENOSPC) -> OSError:
    """The error of a file for which there is no room.

    Examples
    --------
    >>> str(disk_full(Path("a.h5"), "3.0 MB are needed and 1.0 MB free"))[:66]
    "a.h5 can't be written: no room (3.0 MB are needed and 1.0 MB free)"
    """
    error = OSError(
        f"{target} {NO_ROOM} ({reason}). Free some space or write to another disk; what had "
        f"this name before is unchanged."
    )
    error.errno = number
    return error


def full_disk_number(error: Exception) -> int | None:
    """The system's number of an error that says that there is no room and is not yet put in words.

    Libraries written in Rust (safetensors) have it in their message only.

    Examples
    --------
    >>> full_disk_number(OSError(errno.ENOSPC, "No space left on device")) == errno.ENOSPC
    True
    >>> full_disk_number(RuntimeError("I/O error: File too large (os error 27)"))
    27
    """
    if NO_ROOM in str(error):
        return None
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno if error.errno in FULL else None
    said = OS_ERROR.search(str(error))
    return int(said[1]) if said and int(said[1]) in FULL else None


def check_room(target: Path, n_bytes: int) -> None:
    """Refuse to start on a file for which the disk has no room.

    Raises
    ------
    OSError
        If fewer than ``n_bytes`` are free where ``target`` is to be.
    """
    free = shutil.disk_usage(target.parent).free
    if free < n_bytes:
        raise disk_full(target, f"{n_bytes / 1e6:.1f} MB are needed and {free / 1e6:.1f} MB free")


class Sink:
    """A new file for HDF5 to write to, which keeps a failure until it is asked for.

    HDF5 dies of a segmentation fault where the last bytes of a file can't be written. Here it
    never learns of it: what comes after a failure is dropped, and `check` raises it.

    Parameters
    ----------
    path : Path
        Made anew.
    n_bytes : int
        Reserved at once, where the file system can, so that a full disk is known before hours of
        work and not after.
    """

    def __init__(self, path: Path, n_bytes: int) -> None:
        self.failure: OSError | None = None
        self._file = path.open("w+b", buffering=0)
        try:
            _reserve(self._file.fileno(), n_bytes)
        except OSError:
            self._file.close()
            raise

    def check(self) -> None:
        """Raise what went wrong so far."""
        if self.failure is not None:
            raise self.failure

    def close(self) -> None:
        """Close the file and give back what was reserved and not used."""
        try:
            self._file.truncate(os.fstat(self._file.fileno()).st_size)
        finally:
            self._file.close()

    def seek(self, place: int, whence: int = 0) -> int:
        """As of a file."""
        return self._file.seek(place, whence)

    def tell(self) -> int:
        """As of a file."""
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        """As of a file."""
        return self._file.read(size)

    def readinto(self, buffer: Any) -> int:
        """As of a file."""
        view, n_read = memoryview(buffer).cast("B"), 0
        while n_read < len(view):
            n_new = self._file.readinto(view[n_read:])
            if not n_new:
                break
            n_read += n_new
        return n_read

    def write(self, content: Any) -> int:
        """All of it, unless something failed before."""
        view = memoryview(content).cast("B")
        rest = view
        try:
            while self.failure is None and len(rest):
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self.failure = error
        return len(view)

    def truncate(self, size: int) -> int:
        """As of a file, unless something failed before."""
        try:
            if self.failure is None:
                self._file.truncate(size)
        except OSError as error:
            self.failure = error
        return size

    def flush(self) -> None:
        """Nothing waits here."""


def _reserve(file: int, n_bytes: int) -> None:
    """Blocks for a file, where the file system can: it is never filled with zeros instead."""
    if sys.platform != "linux" or n_bytes <= 0:
        return
    allocate = ctypes.CDLL(None, use_errno=True).fallocate
    allocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    if allocate(file, KEEP_SIZE, 0, n_bytes) != 0 and ctypes.get_errno() in FULL:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
