"""Files made to run code, to read others' files or to fill the memory, by the ending they bear."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import h5py
import numpy as np

SECRET = b"root:x:0:0: this file is of another and must never be read as data " * 8


class Runs:
    """Pickled as a call that leaves a file behind."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.trace),)


Maker = Callable[[Path, bytes, Path], None]
"""Writes a hostile file, given its path, the honest content, and the trace it tries to leave."""


def _pickled(path: Path, content: bytes, trace: Path) -> None:
    path.write_bytes(pickle.dumps({"eeg": np.zeros((2, 1, 3, 4)), "x": Runs(trace)}))


def _pickled_npy(path: Path, content: bytes, trace: Path) -> None:
    np.save(path, np.array([Runs(trace)], dtype=object), allow_pickle=True)


def _torch(path: Path, content: bytes, trace: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train/data.pkl", pickle.dumps({"eeg": Runs(trace)}, 2))
        archive.writestr("train/version", b"3\n")


def _declared_npy(path: Path, content: bytes, trace: Path) -> None:
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999, 99999, 9), }"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + bytes(64))


def _nested_header(path: Path, content: bytes, trace: Path) -> None:
    head = b"{'descr': " + b"(" * 9000 + b")" * 9000 + b", 'fortran_order': False, 'shape': ()}"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)


def _gzip_bomb(path: Path, content: bytes, trace: Path) -> None:
    head = gzip.decompress(content)[:352]
    with gzip.open(path, "wb", 6) as file:
        file.write(head)
        for _ in range(256):
            file.write(bytes(2**23))


def _zip_bomb(path: Path, content: bytes, trace: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("train/data.pkl", "xl/workbook.xml", "[Content_Types].xml", "train_latents"):
            with archive.open(name, "w") as file:
                for _ in range(128):
                    file.write(bytes(2**23))


def _deep_json(path: Path, content: bytes, trace: Path) -> None:
    path.write_bytes(b"[" * 100_000 + b"]" * 100_000)


def _deep_table(path: Path, content: bytes, trace: Path) -> None:
    path.write_bytes(content + b"1\t" * 2_000_000)


def _first_datasets(path: Path) -> list[str]:
    names: list[str] = []
    with h5py.File(path, "r") as file:
        file.visititems(
            lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None
        )
    return names


def _replaced(path: Path, put: Callable[[h5py.File, str, h5py.Dataset], None]) -> None:
    names = _first_datasets(path)
    with h5py.File(path, "r+") as file:
        for name in names:
            old = file[name]
            del file[name]
            put(file, name, old)


def _secret(path: Path) -> Path:
    secret = path.with_name(f".{path.name}-secret")
    secret.write_bytes(SECRET)
    return secret


def _external_storage(path: Path, content: bytes, trace: Path) -> None:
    secret = _secret(path)

    def put(file: h5py.File, name: str, old: h5py.Dataset) -> None:
        if old.dtype.kind in "fiu":
            file.create_dataset(
                name, old.shape, old.dtype, external=[(str(secret), 0, h5py.h5f.UNLIMITED)]
            )

    _replaced(path, put)


def _external_link(path: Path, content: bytes, trace: Path) -> None:
    twin = path.with_name(f".{path.name}-twin")
    twin.write_bytes(content)
    _replaced(path, lambda file, name, old: file.__setitem__(
        name, h5py.ExternalLink(str(twin), f"/{name}")))  # fmt: skip


def _soft_link(path: Path, content: bytes, trace: Path) -> None:
    twin = path.with_name(f".{path.name}-twin")
    twin.write_bytes(content)

    def put(file: h5py.File, name: str, old: h5py.Dataset) -> None:
        file[f"{name}_out"] = h5py.ExternalLink(str(twin), f"/{name}")
        file[name] = h5py.SoftLink(f"/{name}_out")

    _replaced(path, put)


def _virtual(path: Path, content: bytes, trace: Path) -> None:
    twin = path.with_name(f".{path.name}-twin")
    twin.write_bytes(content)

    def put(file: h5py.File, name: str, old: h5py.Dataset) -> None:
        if old.shape and old.dtype.kind in "fiub":
            layout = h5py.VirtualLayout(old.shape, old.dtype)
            layout[...] = h5py.VirtualSource(str(twin), name, old.shape)
            file.create_virtual_dataset(name, layout)

    _replaced(path, put)


def _declared_hdf5(path: Path, content: bytes, trace: Path) -> None:
    def put(file: h5py.File, name: str, old: h5py.Dataset) -> None:
        if old.shape and old.dtype.kind in "fiub":
            shape = (10**7, *old.shape[1:])
            file.create_dataset(name, shape, old.dtype, chunks=True, compression="gzip")

    _replaced(path, put)


def _tar_of_links(path: Path, content: bytes, trace: Path) -> None:
    secret = _secret(path)
    with tarfile.open(path, "w") as archive:
        for number, kind in enumerate((tarfile.SYMTYPE, tarfile.LNKTYPE)):
            about = tarfile.TarInfo(f"sample{number}.nsdgeneral.npy")
            about.type, about.linkname = kind, str(secret)
            archive.addfile(about)
        about = tarfile.TarInfo(f"../../{trace.name}")
        about.size = 3
        archive.addfile(about, io.BytesIO(b"abc"))


BY_ENDING: Mapping[str, Mapping[str, Maker]] = {
    ".pkl": {"pickle": _pickled},
    ".npy": {"pickle": _pickled, "pickled array": _pickled_npy, "declared": _declared_npy,
             "nested header": _nested_header},
    ".pt": {"pickle": _pickled, "torch": _torch, "zip bomb": _zip_bomb},
    ".npz": {"zip bomb": _zip_bomb},
    ".xlsx": {"zip bomb": _zip_bomb},
    ".gz": {"gzip bomb": _gzip_bomb},
    ".json": {"deep": _deep_json},
    ".tsv": {"wide": _deep_table}, ".csv": {"wide": _deep_table}, ".txt": {"wide": _deep_table},
    ".tar": {"links": _tar_of_links},
    ".hdf5": {"external storage": _external_storage, "external link": _external_link,
              "soft link": _soft_link, "virtual": _virtual, "declared": _declared_hdf5},
}  # fmt: skip


def hostile_for(path: Path) -> Mapping[str, Maker]:
    """The hostile files that can stand in place of this one."""
    ending = path.suffix
    if ending in (".h5", ".mat") and h5py.is_hdf5(path):
        ending = ".hdf5"
    return BY_ENDING.get(ending, {})
