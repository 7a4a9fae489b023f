"""Folders of a person's own, for what is kept between runs, where the home can't be written too."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

LOG = logging.getLogger("neurodecode")


def own_folder(variable: str, usual: Callable[[], Path], what: str) -> Path:
    """The folder that an environment variable names, else the usual one, else one for this process.

    Containers and cluster nodes often have a home that can't be written, or none. That must not
    stop an evaluation after hours of training: a warning says that what is kept there is forgotten
    when the process ends.

    Parameters
    ----------
    variable : str
        Its folder is made and has to be one that can be written.
    usual : callable
        Gives the platform's folder.
    what : str
        What is kept, for the messages.

    Raises
    ------
    OSError
        If the folder that the variable names can't be written.

    Examples
    --------
    >>> folder = own_folder("NEURODECODE_CACHE", lambda: Path("unused"), "Embeddings")
    >>> folder == Path(os.environ["NEURODECODE_CACHE"])
    True
    """
    given = os.environ.get(variable)
    if not given:
        return _usual_or_temporary(variable, usual(), what)
    folder = Path(given).expanduser()
    check_writable(variable, folder, what)
    return folder


def check_writable(variable: str, folder: Path, what: str) -> None:
    """Make a folder; refuse it if it can't be written.

    Raises
    ------
    OSError
        Naming the folder and the variable.
    """
    reason = _why_not(folder)
    if reason is not None:
        raise OSError(
            f"{what} are kept in {folder}, which can't be written ({reason}). Name a folder that "
            f"can be written in the environment variable {variable}."
        )


@cache
def _usual_or_temporary(variable: str, folder: Path, what: str) -> Path:
    # without a home the platform's folder may begin with a '~' that nothing stands for
    reason = _why_not(folder) if folder.is_absolute() else "there is no home"
    if reason is None:
        return folder
    made = Path(tempfile.mkdtemp(prefix="neurodecode-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    LOG.warning(
        "%s can't be kept in %s (%s): they are kept in %s and forgotten when this process ends. "
        "Name a folder that can be written in the environment variable %s.",
        what, folder, reason, made, variable,
    )  # fmt: skip
    return made


def _why_not(folder: Path) -> str | None:
    """Why a folder can't be written; None if it can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return error.strerror or str(error)
    return None if os.access(folder, os.W_OK | os.X_OK) else "it is read-only"
