"""HDF5 files, opened so that nothing outside them is read and no size is believed unchecked.

An HDF5 file may say that a data set lies in another file of this machine (external storage,
external and soft links, virtual data sets); who reads it then reads that file. Each step along a
path and each data set is checked when it is asked for, which leaves large files lazy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from neurodecode.errors import CorruptFileError, UnsafeFileError
from neurodecode.files._bounds import BELIEVED_BYTES, check_expansion
from neurodecode.files._existing import broken, existing

MAX_DEPTH = 32
MAX_ITEMS = 1_000_000
# What h5py raises for bytes that make no sense: it has no error of its own.
_DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError)


class PlainGroup(h5py.Group):  # type: ignore[misc]
    """A group of an HDF5 file whose items are all in the file itself.

    As `h5py.Group`, for reading; what leads out of the file is an `UnsafeFileError`, and a data set
    that is declared far larger than what is stored of it a `CorruptFileError`.
    """

    def __getitem__(self, name: Any) -> Any:
        if isinstance(name, h5py.Reference):
            return _checked(super().__getitem__(name))
        text = name.decode() if isinstance(name, bytes) else str(name)
        place = h5py.h5g.open(self.id, b"/") if text.startswith("/") else self.id
        item: Any = self
        for part in (one for one in text.split("/") if one not in ("", ".")):
            if not isinstance(item, h5py.Group):
                raise KeyError(f"'{text}' leads through something that is no group")
            place = _step(place, part, self.file.filename)
            item = h5py.Group(place) if isinstance(place, h5py.h5g.GroupID) else place
        if isinstance(place, h5py.h5g.GroupID):
            return PlainGroup(place)
        return _checked(h5py.Dataset(place)) if isinstance(place, h5py.h5d.DatasetID) else None

    def get(self, name: Any, default: Any = None) -> Any:
        """The item of this name, or ``default``; nothing else that h5py's `get` can do."""
        try:
            return self[name]
        except KeyError:
            return default

    def visititems(self, func: Any) -> Any:
        """Refused: libhdf5 walks by itself; use `walk_datasets`."""
        raise TypeError("A PlainGroup is walked over with walk_datasets().")

    visit = visititems

    def __contains__(self, name: object) -> bool:
        try:
            self[name]
        except KeyError:
            return False
        return True


def _step(place: Any, part: str, file: str) -> Any:
    """One step along a path, if the item is there by itself and not by a link."""
    name = part.encode()
    if not place.links.exists(name):
        raise KeyError(f"'{part}' is not there")
    kind = place.links.get_info(name).type
    if kind != h5py.h5l.TYPE_HARD:
        raise UnsafeFileError(
            f"{file} holds a link in place of '{part}', which leads to other content, perhaps of "
            f"other files. Links are not followed; ask its author for a file without them."
        )
    return h5py.h5o.open(place, name)


def _checked(data: Any) -> Any:
    """The data set, if its values are in this file and as many as are declared."""
    if isinstance(data, h5py.Group):
        return PlainGroup(data.id)
    if not isinstance(data, h5py.Dataset):
        return data
    file, plan = Path(data.file.filename), data.id.get_create_plist()
    if plan.get_external_count() or plan.get_layout() == h5py.h5d.VIRTUAL:
        raise UnsafeFileError(
            f"{file}: the values of '{data.name}' lie in other files. They are not read; ask its "
            f"author for a file that holds its values itself."
        )
    item_bytes = data.id.get_type().get_size()
    declared = math.prod(data.shape or ()) * item_bytes
    largest = max(declared, math.prod(data.chunks or ()) * item_bytes)
    if largest <= BELIEVED_BYTES:
        return data
    stored = data.id.get_storage_size()
    if stored > file.stat().st_size:
        raise CorruptFileError(
            f"{file}: '{data.name}' says that {stored} bytes of it are stored, but the file has "
            f"{file.stat().st_size}. It is cut off or damaged; obtain it again."
        )
    check_expansion(file, stored, largest, f"'{data.name}'")
    return data


@contextmanager
def open_hdf5(path: str | Path, what: str = "HDF5 file") -> Iterator[PlainGroup]:
    """Open an HDF5 file (or MATLAB 7.3 file) for lazy reading.

    Parameters
    ----------
    path : path
    what : str
        What it should be, for messages.

    Yields
    ------
    PlainGroup
        As an `h5py.File`; what leads out of the file is refused.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CorruptFileError
        If the file is truncated or no HDF5 file.
    UnsafeFileError
        If values are asked for that lie in another file.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> file = Path(tempfile.mkdtemp()) / "x.hdf5"
    >>> with h5py.File(file, "w") as new:
    ...     new["betas"] = np.arange(3)
    >>> with open_hdf5(file) as opened:
    ...     opened["betas"][1:].tolist()
    [1, 2]
    """
    file = existing(path, what)
    try:
        opened = h5py.File(file, "r")
    except _DAMAGE as error:
        raise broken(file, what, error) from error
    with opened:
        with reading_hdf5(file, what):
            root = plain_root(opened)
        yield root


def plain_root(file: h5py.File) -> PlainGroup:
    """The root of an open file, for those who keep it open.

    Examples
    --------
    >>> with h5py.File("x.hdf5", "w", driver="core", backing_store=False) as file:
    ...     list(plain_root(file))
    []
    """
    return PlainGroup(h5py.h5g.open(file.id, b"/"))


@contextmanager
def reading_hdf5(file: Path, what: str = "HDF5 file") -> Iterator[None]:
    """Turn what h5py raises for damaged bytes into an error that names the file.

    Examples
    --------
    >>> with reading_hdf5(Path("x.hdf5")):
    ...     raise RuntimeError("ring type mismatch")
    Traceback (most recent call last):
    ...
    neurodecode.errors.CorruptFileError: x.hdf5 can't be read as a HDF5 file: ring type mismatch. \
It is truncated or not of this kind (0 bytes); obtain it again.
    """
    try:
        yield
    except CorruptFileError:
        raise
    except _DAMAGE as error:
        raise broken(file, what, error) from error


def walk_datasets(
    root: PlainGroup, names: list[str] | None = None
) -> Iterator[tuple[str, h5py.Dataset]]:
    """All data sets below a group with their paths, each group once.

    Parameters
    ----------
    root : PlainGroup
    names : list of str, optional
        Items of the root to look at, with all below them; all when None.

    Raises
    ------
    UnsafeFileError
        If an item lies in another file or is a link.
    CorruptFileError
        If groups are nested more than 32 deep or there are more than a million items.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "x.hdf5"
    >>> with h5py.File(file, "w") as new:
    ...     new["a/b"] = [1.0]
    >>> with open_hdf5(file) as opened:
    ...     [path for path, data in walk_datasets(opened)]
    ['a/b']
    """
    n_items, seen = 0, {_address(root)}
    left: list[tuple[str, PlainGroup]] = [("", root)]
    while left:
        path, group = left.pop()
        for name in [one for one in group if path or names is None or one in names]:
            item, n_items = group[name], n_items + 1
            if n_items > MAX_ITEMS or path.count("/") > MAX_DEPTH:
                file = Path(root.file.filename)
                raise broken(file, "HDF5 file", "it holds too many items or too deep ones")
            if isinstance(item, PlainGroup) and _address(item) not in seen:
                seen.add(_address(item))
                left.append((f"{path}{name}/", item))
            elif isinstance(item, h5py.Dataset):
                yield f"{path}{name}", item


def _address(group: Any) -> int:
    return int(h5py.h5o.get_info(group.id).addr)


def spans_of(data: Any) -> list[tuple[int, int]]:
    """Where the values of a data set lie in the file, from which byte to which.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "x.hdf5"
    >>> with h5py.File(file, "w") as new:
    ...     new["a"] = [1.0, 2.0]
    >>> with open_hdf5(file) as opened:
    ...     [stop - start for start, stop in spans_of(opened["a"])]
    [16]
    """
    if data.chunks is None:
        start = data.id.get_offset()
        return [] if start is None else [(start, start + data.id.get_storage_size())]
    found: list[tuple[int, int]] = []
    data.id.chunk_iter(
        lambda chunk: found.append((chunk.byte_offset, chunk.byte_offset + chunk.size))
    )
    return found
