"""Tensors in `.pt` files, old and new, as arrays; torch itself is not asked.

Format
    New (torch 1.6 and later): a zip file with ``NAME/data.pkl``, a pickle in which storages are
    persistent ids, and ``NAME/data/KEY``, the bytes of each, stored with a checksum. Old: five
    pickles one behind the other (magic number, protocol, machine, content, keys), then each storage
    as a count and its bytes. As written by `torch.save`.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from neurodecode.files._archives import open_zip
from neurodecode.files._existing import broken, existing
from neurodecode.files._pickle import told
from neurodecode.files._tensors import CALLS, NAMES, Storages
from neurodecode.files.pickles import DamageError, Machine, PickleError, check_values

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
ZIP = b"PK\x03\x04"
WHAT = "torch file"


def read_torch(path: str | Path) -> Any:
    """Read what `torch.save` wrote, if it is tensors, arrays and plain containers.

    Parameters
    ----------
    path : path

    Returns
    -------
    object
        As `read_pickle`; tensors are arrays (bfloat16 as float32), parameters too.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CorruptFileError
        If the file is truncated, a checksum is wrong, or a tensor reaches beyond its storage.
    UnsafeFileError
        If it asks for anything else, such as a model's class.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> file = Path(tempfile.mkdtemp()) / "x.pt"
    >>> torch.save({"eeg": torch.arange(3)}, file)
    >>> read_torch(file)["eeg"].tolist()
    [0, 1, 2]
    """
    file = existing(path, WHAT)
    with file.open("rb") as stream:
        start = stream.read(4)
        stream.seek(0)
        if start != ZIP:
            return _read_old(stream, file)
    with open_zip(file, WHAT) as archive:
        return _read_zip(archive, file)


def _read_zip(archive: zipfile.ZipFile, file: Path) -> Any:
    members = {one.filename: one for one in archive.infolist()}
    main = [name for name in members if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(main) != 1:
        raise broken(file, WHAT, "it has no data.pkl")
    if any(one.compress_type != zipfile.ZIP_STORED for one in members.values()):
        raise broken(file, WHAT, "its records are compressed, which torch does not do")
    if sum(one.file_size for one in members.values()) > file.stat().st_size:
        raise broken(file, WHAT, "its records lie over each other")
    root = main[0].removesuffix("data.pkl")
    order = archive.read(f"{root}byteorder") if f"{root}byteorder" in members else b"little"
    if order not in (b"little", b"big"):
        raise broken(file, WHAT, "its byte order is none")

    def record(key: str, n_bytes: int) -> NDArray[np.uint8]:
        member = members.get(f"{root}data/{key}")
        if member is None or member.file_size != n_bytes:
            raise DamageError(f"the storage '{key}' is not there or has another size")
        return _bytes_of(archive, member)

    content = archive.read(main[0])
    storages = Storages(record, "<" if order == b"little" else ">")
    return _run(io.BytesIO(content), file, storages, file.stat().st_size)


def _bytes_of(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[np.uint8]:
    out = np.empty(member.file_size, np.uint8)
    view, done = out.data, 0
    with archive.open(member) as stream:
        while done < len(out):
            n_read = stream.readinto(view[done : done + 2**20])  # type: ignore[attr-defined]
            if not n_read:
                raise DamageError(f"the record '{member.filename}' is cut off")
            done += n_read
        stream.read(1)  # the checksum is compared at the end
    return out


def _run(stream: BinaryIO, file: Path, storages: Storages, n_bytes: int) -> Any:
    start = stream.tell()
    end = stream.seek(0, os.SEEK_END)
    stream.seek(start)
    machine = Machine(stream, end, calls=CALLS, names=NAMES, persistent=storages, n_bytes=n_bytes)
    try:
        value = machine.run()
    except PickleError as problem:
        raise told(problem, file, WHAT) from None
    stream.seek(machine.source.position)
    return value


def _read_old(stream: BinaryIO, file: Path) -> Any:
    size = file.stat().st_size
    nothing = Storages(_no_record, "<")
    if _run(stream, file, nothing, size) != MAGIC or _run(stream, file, nothing, size) != PROTOCOL:
        raise broken(file, WHAT, "it is none, or of a version before 0.4")
    machine = _run(stream, file, nothing, size)
    is_little = not isinstance(machine, Mapping) or machine.get("little_endian", True)
    left = size - stream.tell()

    def empty(key: str, n_bytes: int) -> NDArray[np.uint8]:
        nonlocal left
        left -= n_bytes
        if left < 0:
            raise DamageError(f"the storage '{key}' is larger than the file")
        return np.empty(n_bytes, np.uint8)  # filled below: its bytes follow the pickle

    if not is_little:
        raise broken(file, WHAT, "it was written by an old torch on a big-endian machine")
    storages = Storages(empty, "<", is_filled=False)
    value = _run(stream, file, storages, size)
    try:
        _fill(stream, storages, _run(stream, file, nothing, size))
    except DamageError as error:
        raise broken(file, WHAT, error) from error
    return value


def _no_record(key: str, n_bytes: int) -> NDArray[np.uint8]:
    raise DamageError("a storage is named where none can be")


def _fill(stream: BinaryIO, storages: Storages, keys: Any) -> None:
    """The bytes of each storage: how many items, then the items."""
    if type(keys) is not list or set(keys) != set(storages.by_key) or len(set(keys)) < len(keys):
        raise DamageError("its storages are not those that its tensors name")
    for key in keys:
        raw, values = storages.by_key[key].raw, storages.by_key[key].values
        if int.from_bytes(stream.read(8), "little") != len(values):
            raise DamageError(f"the storage '{key}' has another size than its tensors say")
        if stream.readinto(raw.data) != len(raw):  # type: ignore[attr-defined]
            raise DamageError("it is cut off")
        check_values(values)
    if stream.read(1):
        raise DamageError("something follows its last storage")
