"""``neurodecode datasets``; in Python `neurodecode.datasets.CATALOGUE` and `find_dataset`."""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import asdict
from pathlib import Path

from neurodecode.cli._terminal import Terminal
from neurodecode.datasets import CATALOGUE, data_folder

DATA_VARIABLE = "NEURODECODE_DATA"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("name", nargs="?", help="one data set in full, such as 'haxby'")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help=f"where recordings are (default ${DATA_VARIABLE})"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Print the catalogue, or one data set of it."""
    folder = recordings_folder(options.data)
    chosen = [one for one in CATALOGUE if options.name in (None, one.name)]
    if not chosen:
        known = ", ".join(one.name for one in CATALOGUE)
        raise ValueError(f"There is no data set '{options.name}' in the catalogue. Known: {known}.")
    entries = [asdict(one) | {"found": _text(find_dataset(one.name, folder))} for one in chosen]
    if options.json:
        terminal.json(entries)
    elif options.name:
        for key, value in entries[0].items():
            terminal.print(f"{key:9} {value or 'not found'}")
    else:
        columns = ("name", "modality", "title", "size", "licence", "found")
        rows = [[str(entry[key] or "no") for key in columns] for entry in entries]
        terminal.table("Recordings that can be read", columns, rows)
        terminal.remark("How to obtain one and what reads it: neurodecode datasets NAME")
    return 0


def recordings_folder(given: Path | None = None) -> Path:
    """Where recordings are: as given, else `neurodecode.datasets.data_folder`.

    Raises
    ------
    FileNotFoundError
        If a folder was named, here or in the environment, and is not there.
    """
    folder = given or data_folder()
    named = given is not None or bool(os.environ.get(DATA_VARIABLE))
    if named and not folder.is_dir():
        raise FileNotFoundError(f"There is no data folder {folder}. Make it, or name another.")
    return folder


def find_dataset(name: str, folder: Path) -> Path | None:
    """The sub-folder whose name has all the words of a data set's name, if there is one.

    It is a guess by name; only the reader tells whether the files are whole.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "fmri_haxby2001_sub1").mkdir()
    >>> find_dataset("haxby", folder).name
    'fmri_haxby2001_sub1'
    >>> find_dataset("things_meg", folder) is None
    True
    """
    words = re.findall(r"[a-z]+", name.lower())
    for one in sorted(folder.iterdir()) if folder.is_dir() else ():
        if one.is_dir() and all(word in one.name.lower() for word in words):
            return one
    return None


def _text(path: Path | None) -> str:
    return "" if path is None else str(path)
