from __future__ import annotations

import h5py
import numpy as np
import pytest

from neurodecode.errors import CorruptFileError, UnsafeFileError
from neurodecode.files import open_hdf5, read_mat, walk_datasets

SECRET = b"this file is of someone else and must never be read as data".ljust(64)


@pytest.fixture
def secret(tmp_path):
    file = tmp_path / "secret"
    file.write_bytes(SECRET)
    with h5py.File(tmp_path / "other.h5", "w") as new:
        new["betas"] = np.frombuffer(SECRET, np.uint8)
    return file


def _hostile(folder, secret, how):
    file = folder / f"{how}.hdf5"
    with h5py.File(file, "w", userblock_size=512) as new:
        if how == "external storage":
            new.create_dataset("betas", (64,), "u1", external=[(str(secret), 0, 64)])
        elif how == "external link":
            new["betas"] = h5py.ExternalLink(str(folder / "other.h5"), "/betas")
        elif how == "external group":
            new["group"] = h5py.ExternalLink(str(folder / "other.h5"), "/")
        elif how == "soft link":
            new["out"] = h5py.ExternalLink(str(folder / "other.h5"), "/betas")
            new["betas"] = h5py.SoftLink("/out")
        elif how == "virtual":
            layout = h5py.VirtualLayout((64,), "u1")
            layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "betas", (64,))
            new.create_virtual_dataset("betas", layout)
        elif how == "by reference":
            new.create_dataset("hidden", (64,), "u1", external=[(str(secret), 0, 64)])
            new["betas"] = np.array([new["hidden"].ref], dtype=h5py.ref_dtype)
    return file


@pytest.mark.parametrize(
    "how", ["external storage", "external link", "soft link", "virtual", "external group"]
)
def test_what_leads_out_of_the_file_is_refused(tmp_path, secret, how):
    file = _hostile(tmp_path, secret, how)
    name = "group/betas" if how == "external group" else "betas"
    with h5py.File(file, "r") as trusting:
        assert bytes(trusting[name][:]) == SECRET  # else this test would show nothing
    with open_hdf5(file) as opened:
        for ask in (
            lambda: opened[name], lambda: opened.get(name), lambda: opened[f"/{name}"],
            lambda: list(opened.values()), lambda: dict(opened.items()), lambda: name in opened,
            lambda: list(walk_datasets(opened)),
        ):  # fmt: skip
            with pytest.raises(UnsafeFileError, match=rf"{how}\.hdf5"):
                ask()
        with pytest.raises(TypeError, match="walked over with walk_datasets"):
            opened.visititems(print)
    with file.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    with pytest.raises(UnsafeFileError, match=rf"{how}\.hdf5"):
        read_mat(file)


def test_references_are_checked_too(tmp_path, secret):
    with open_hdf5(_hostile(tmp_path, secret, "by reference")) as opened:
        reference = opened["betas"][0]
        with pytest.raises(UnsafeFileError) as caught:
            opened[reference]
    assert str(caught.value) == (
        f"{tmp_path / 'by reference.hdf5'}: the values of '/hidden' lie in other files. They are "
        f"not read; ask its author for a file that holds its values itself."
    )


def test_a_matlab_file_of_references_to_other_files_is_refused(tmp_path, secret):
    file = _hostile(tmp_path, secret, "by reference")
    with file.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    with pytest.raises(
        UnsafeFileError, match=r"by reference\.hdf5: the values of '/hidden' lie in"
    ):
        read_mat(file, ["betas"])


def test_groups_paths_and_references_inside_are_read(tmp_path):
    file = tmp_path / "x.hdf5"
    with h5py.File(file, "w") as new:
        new["a/b/c"] = np.arange(3)
        new["d"] = np.array([new["a/b"].ref, new["a/b/c"].ref], dtype=h5py.ref_dtype)
    with open_hdf5(file) as opened:
        assert opened["a/b/c"][:].tolist() == opened["a"]["/a/b/c"][:].tolist() == [0, 1, 2]
        group, data = (opened[one] for one in opened["d"][:])
        assert isinstance(opened["a"], h5py.Group) and isinstance(data, h5py.Dataset)
        assert list(group) == ["c"] and group["c"].shape == (3,)
        assert "a/b" in opened and "a/x" not in opened and "d/x" not in opened
        assert opened.get("x") is None and sorted(opened) == ["a", "d"]
        with pytest.raises(KeyError, match="'x' is not there"):
            opened["a/x"]


def test_a_shape_is_not_believed_before_it_is_stored(tmp_path):
    file = tmp_path / "x.hdf5"
    with h5py.File(file, "w") as new:
        new.create_dataset("betas", (10**6, 10**6), "f8", chunks=(1, 1000), compression="gzip")
        new.create_dataset("chunk", (4,), "f8", chunks=(10**8,), maxshape=(None,))
        new.create_dataset("zeros", data=np.zeros((100, 1000)), compression="gzip")
    with open_hdf5(file) as opened:
        assert opened["zeros"].shape == (100, 1000)  # packs 100 times and more, and is small
        with pytest.raises(CorruptFileError) as caught:
            opened["betas"]
        with pytest.raises(CorruptFileError, match="'/chunk' is declared as 800000000 bytes"):
            opened["chunk"]
    assert str(caught.value) == (
        f"{file}: '/betas' is declared as 8000000000000 bytes, but 0 bytes are stored; at most 100 "
        f"times as much is believed. The file is damaged or made to fill the memory; obtain it "
        f"again."
    )


def test_groups_in_a_circle_and_towers_end(tmp_path):
    file = tmp_path / "x.hdf5"
    with h5py.File(file, "w") as new:
        new.create_group("a")["b"] = new["/"]
    with open_hdf5(file) as opened:
        assert list(walk_datasets(opened)) == []
    with h5py.File(file, "w") as new:
        new.create_group("/".join("a" * 50))
    with open_hdf5(file) as opened, pytest.raises(CorruptFileError, match="too deep ones"):
        list(walk_datasets(opened))
