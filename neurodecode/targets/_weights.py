"""Weights: a local path first, the hub's cache next, the hub itself only on request."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from neurodecode.errors import MissingWeightsError

HASH_BLOCK = 2**22


def find_folder(name: str | Path, files: Sequence[str], *, download: bool, what: str) -> Path:
    """The local folder of a model, given as a path or as ``org/name`` on the hub.

    Parameters
    ----------
    name : str or path
    files : sequence of str
        What the folder must hold: each entry names one file, or alternatives joined by ``|``.
    download : bool
        Fetch it from the hub if it is not here. ``HF_HUB_OFFLINE`` and ``HF_HOME`` are honoured.
    what : str
        Who asks, for the error.

    Returns
    -------
    Path

    Raises
    ------
    MissingWeightsError
        Naming the missing file and how to get it.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        folder = _from_hub(str(name), files, download, what)
    for entry in files:
        if not any((folder / one).is_file() for one in entry.split("|")):
            raise MissingWeightsError(
                f"{what} needs the file {entry.replace('|', ' or ')} in {folder}, which is not "
                f"there. Copy the whole model folder, or name the model with download=True."
            )
    return folder


def find_file(folder: Path, choices: Sequence[str]) -> Path:
    """The first of several files that is there; one of them is."""
    return next(folder / one for one in choices if (folder / one).is_file())


def _from_hub(name: str, files: Sequence[str], download: bool, what: str) -> Path:
    wanted = [one for entry in files for one in entry.split("|")]
    missing = MissingWeightsError(
        f"{what} needs the weights '{name}' ({', '.join(wanted)}), which are not on this machine: "
        f"there is no such folder and no copy in the hub's cache. Give the path of a local folder, "
        f"or download=True to fetch them from the Hugging Face hub."
    )
    if name.count("/") != 1 or name.startswith((".", "/")):
        raise missing
    from huggingface_hub import snapshot_download

    patterns = [*wanted, "*.json", "*.txt", "*.model"]
    try:
        found = snapshot_download(name, allow_patterns=patterns, local_files_only=not download)
    except Exception as error:
        raise missing from error
    return Path(found)


@contextmanager
def quiet_loading() -> Iterator[None]:
    """No progress bars of transformers where nobody watches a terminal."""
    from transformers.utils import logging

    silenced = not sys.stderr.isatty() and logging.is_progress_bar_enabled()
    if silenced:
        logging.disable_progress_bar()
    try:
        yield
    finally:
        if silenced:
            logging.enable_progress_bar()


def fingerprint(files: Sequence[Path]) -> str:
    """Eight letters that follow from the content of the files, in order.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "a"
    >>> _ = file.write_text("weights")
    >>> fingerprint([file])
    '4ac21b5f'
    """
    states = [(one.stat().st_size, one.stat().st_mtime_ns) for one in files]
    return _fingerprint(tuple(files), tuple(states))


@lru_cache(maxsize=64)
def _fingerprint(files: tuple[Path, ...], states: tuple[tuple[int, int], ...]) -> str:
    digest = hashlib.blake2b(digest_size=4)
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(HASH_BLOCK):
                digest.update(block)
    return digest.hexdigest()
