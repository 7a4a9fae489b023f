"""One writer at a time in a folder; the others wait for their turn."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from neurodecode.store._atomic import make_folder_of

LOG = logging.getLogger("neurodecode")
NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


@contextmanager
def one_writer(folder: str | Path, name: str = "files") -> Iterator[None]:
    """Let one thread of one process at a time into the block, for each folder and name.

    The system lets go of the lock when a process is killed. Its file (hidden, empty) stays. Where
    a file system has no locks a warning says so, and the block runs without.

    Parameters
    ----------
    folder : path
        Made if absent.
    name : str
        What is written in it.

    Raises
    ------
    OSError
        If the folder can't be made or written; in one sentence.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with one_writer(folder, "gallery"):
    ...     [file.name for file in folder.iterdir()]
    ['.gallery.lock']
    """
    target = Path(folder)
    file = target / f".{name}.lock"
    make_folder_of(file)
    lock = FileLock(file)
    try:
        _acquire(lock, target, name)
    except (NotImplementedError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in NO_LOCKS:
            raise
        LOG.warning("%s can't be locked (%s): let one process at a time write it.", target, error)
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: FileLock, folder: Path, name: str) -> None:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        LOG.info("Another process writes the %s in %s; waiting for it.", name, folder)
        lock.acquire()
