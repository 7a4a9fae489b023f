"""Members of tar files, read in place: nothing is unpacked and no member's name becomes a path."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurodecode.datasets._files import existing
from neurodecode.errors import CorruptFileError
from neurodecode.files import parse_npy

# No array or picture of these data sets comes near it.
MAX_BYTES = 2**28
BLOCK = 512


@dataclass(frozen=True)
class Member:
    """Bytes that lie in a file: a member of a tar, or a file by itself.

    Parameters
    ----------
    path : Path
    name : str
        For messages.
    start, size : int
        Where in the file.
    """

    path: Path
    name: str
    start: int
    size: int

    def read(self) -> bytes:
        """The bytes.

        Raises
        ------
        CorruptFileError
            If the file ends before them.
        """
        with self.path.open("rb") as file:
            file.seek(self.start)
            content = file.read(self.size)
        if len(content) != self.size:
            raise CorruptFileError(
                f"{self.path} is cut off: '{self.name}' has {len(content)} of {self.size} bytes. "
                f"Obtain it again."
            )
        return content

    def array(self) -> Any:
        """The bytes as an array; pickled objects are refused.

        Raises
        ------
        CorruptFileError
            If they are no plain ``.npy``.
        """
        return parse_npy(self.read(), f"'{self.name}' in {self.path}")


def index_tar(path: Path) -> dict[str, dict[str, Member]]:
    """Where the members of a tar lie: by sample key, then by extension.

    A member's name is split at its first dot, as WebDataset does; folders in names are dropped.

    Raises
    ------
    CorruptFileError
        If the file is no tar, cut off, or holds two members of one sample and kind.
    """
    samples: dict[str, dict[str, Member]] = {}
    existing(path, "tar file")
    end = 0
    try:
        with tarfile.open(path, "r:") as archive:
            for one in archive:
                end = one.offset_data + (-(-one.size // BLOCK) * BLOCK if one.isreg() else 0)
                if one.isfile() and not one.issparse() and one.size <= MAX_BYTES:
                    key, _, extension = one.name.rsplit("/", 1)[-1].partition(".")
                    place = Member(path, one.name, one.offset_data, one.size)
                    if extension in samples.setdefault(key, {}):
                        raise _double(path, f"{key}.{extension}")
                    samples[key][extension] = place
    except CorruptFileError:
        raise
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise CorruptFileError(
            f"{path} can't be read as a tar file: {error}. It is truncated; obtain it again."
        ) from error
    _check_end(path, end)
    size = path.stat().st_size
    for place in (one for sample in samples.values() for one in sample.values()):
        if place.start + place.size > size:
            raise CorruptFileError(
                f"{path} is cut off in '{place.name}' ({size} bytes). Obtain it again."
            )
    return samples


def _double(path: Path, name: str) -> CorruptFileError:
    """Of two members of one sample and kind nothing says which is meant."""
    return CorruptFileError(
        f"{path} holds two members called '{name}' (names of folders are not looked at), so one "
        f"trial would take the place of another. Obtain it again."
    )


def _check_end(path: Path, end: int) -> None:
    """A tar ends with two blocks of zeros; Python takes one that was cut between members for whole.

    A member's damaged head ends the list of members too, and is told by what stands there.
    """
    with path.open("rb") as file:
        file.seek(end)
        tail = file.read(2 * BLOCK)
    if tail != bytes(2 * BLOCK):
        raise CorruptFileError(
            f"{path} breaks off at byte {end}: two empty blocks should end a tar file. It is cut "
            f"off or damaged; obtain it again."
        )


def index_folder(folder: Path) -> dict[str, dict[str, Member]]:
    """The same for files unpacked into a folder."""
    samples: dict[str, dict[str, Member]] = {}
    for file in sorted(existing(folder, "folder").iterdir()):
        if file.is_file() and not file.is_symlink() and not file.name.startswith("."):
            key, _, extension = file.name.partition(".")
            place = Member(file, file.name, 0, file.stat().st_size)
            samples.setdefault(key, {})[extension] = place
    return samples
