"""A manifest of fingerprints: what every file of a data set was, to compare with what it is.

The format is that of ``sha256sum``, so ``sha256sum -c FILE`` in the folder compares too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from neurodecode.datasets._door import reading
from neurodecode.datasets._tables import read_text
from neurodecode.errors import CorruptFileError
from neurodecode.store import atomic_path

LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")
UNFINISHED = (".part", ".tmp", ".crdownload", ".aria2")


def files_in(path: str | Path) -> list[Path]:
    """All files at or below a path, in order; hidden ones and those of version control left out.

    Examples
    --------
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> _ = (root / "a.tsv").write_text("x"), (root / ".b").write_text("y")
    >>> [file.name for file in files_in(root)]
    ['a.tsv']
    """
    root = Path(path)
    if root.is_file():
        return [root]
    return sorted(
        file
        for file in root.rglob("*")
        if (file.is_file() or (file.is_symlink() and not file.is_dir()))
        and not any(part.startswith(".") for part in file.relative_to(root).parts)
    )


def fingerprints(root: Path, files: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """The name of each file below the root, and the SHA-256 of its content.

    Raises
    ------
    CorruptFileError
        If a file can't be read to its end, as a link to content that was never obtained.
    """
    for file in files:
        name = file.relative_to(root).as_posix() if file != root else file.name
        if not file.exists():
            raise CorruptFileError(
                f"{file} is a link to content that is not here. Obtain it (git annex get, datalad "
                f"get), or remove the link."
            )
        with reading(file, "a file"), file.open("rb") as stream:
            yield name, hashlib.file_digest(stream, "sha256").hexdigest()


def write_manifest(file: str | Path, found: Mapping[str, str]) -> None:
    """Write a manifest, in the order of names.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "manifest.sha256"
    >>> write_manifest(file, {"a.tsv": "0" * 64})
    >>> read_manifest(file) == {"a.tsv": "0" * 64}
    True
    """
    lines = [f"{found[name]}  {name}\n" for name in sorted(found)]
    with atomic_path(Path(file)) as part:
        part.write_text("".join(lines), encoding="utf-8")


def read_manifest(file: str | Path) -> dict[str, str]:
    """Names and fingerprints of a manifest.

    Raises
    ------
    CorruptFileError
        If a line is no fingerprint and name, a name leaves the folder or stands there twice.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(read_text(file, "a manifest").splitlines(), start=1):
        match = LINE.fullmatch(line)
        name = PurePosixPath(match[2]) if match else PurePosixPath("..")
        if match is None or name.is_absolute() or ".." in name.parts or match[2] in found:
            raise CorruptFileError(
                f"{file}, line {number}, is no line of a manifest ('HEX  NAME', as sha256sum "
                f"writes it; each name once and below the folder): {line[:80]!r}."
            )
        found[match[2]] = match[1]
    return found


def compare(stated: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    """What differs from a manifest, by name: ``'changed'``, ``'missing'`` or ``'not in it'``.

    Examples
    --------
    >>> compare({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"})
    {'b': 'changed', 'c': 'not in it'}
    """
    names = sorted(stated.keys() | found.keys())
    state = {
        name: "missing" if name not in found else "not in it" if name not in stated else "changed"
        for name in names
    }
    return {name: state[name] for name in names if stated.get(name) != found.get(name)}
