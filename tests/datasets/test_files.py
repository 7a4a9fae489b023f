from __future__ import annotations

import os
import pickle
from collections import OrderedDict

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from neurodecode.datasets._files import (
    data_folder,
    locate,
    mat_names,
    open_hdf5,
    read_mat,
    read_npy,
    read_pickle,
)
from neurodecode.errors import CorruptFileError, UnsafeFileError


class Evil:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


PLAIN = {
    "array": np.arange(6, dtype=np.float32).reshape(2, 3),
    "objects": np.array([{"a": 1}, None], dtype=object),
    "text": np.array(["a", "bc"]),
    "scalar": np.float64(2.5),
    "set": {1, 2},
    "ordered": OrderedDict(a=(1, 2.0, b"x", True)),
    "complex": 1j,
}


def _same(one, other):
    assert set(one) == set(other)
    np.testing.assert_array_equal(one["array"], other["array"])
    assert one["objects"].tolist() == other["objects"].tolist()
    assert one["text"].tolist() == other["text"].tolist()
    for key in ("scalar", "set", "ordered", "complex"):
        assert one[key] == other[key]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_pickle_is_read(tmp_path, protocol):
    file = tmp_path / "x.pkl"
    file.write_bytes(pickle.dumps(PLAIN, protocol))
    found = read_pickle(file)
    assert type(found) is dict
    _same(found, PLAIN)


def test_pickles_of_old_numpy_and_python_2_are_read(tmp_path):
    file = tmp_path / "x.pkl"
    content = pickle.dumps(np.arange(3), 2).replace(b"numpy._core", b"numpy.core")
    file.write_bytes(content)
    assert read_pickle(file).tolist() == [0, 1, 2]
    file.write_bytes(b"U\x02a\xe9.")  # a Python 2 byte string
    assert read_pickle(file) == "aé"


def test_pickle_that_would_run_code_is_refused(tmp_path):
    file, ran = tmp_path / "x.pkl", tmp_path / "ran"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        file.write_bytes(pickle.dumps({"a": Evil(f"touch {ran}")}, protocol))
        with pytest.raises(UnsafeFileError, match=r"x\.pkl is a pickle that asks for .*system"):
            read_pickle(file)
    assert not ran.exists()


@pytest.mark.parametrize(
    "content",
    [b"cbuiltins\neval\n.", b"cnumpy\nload\n.", b"ccollections\ndefaultdict\n.", b"Px\n."],
)
def test_pickle_that_names_anything_else_is_refused(tmp_path, content):
    file = tmp_path / "x.pkl"
    file.write_bytes(content)
    with pytest.raises(UnsafeFileError, match="Nothing was run"):
        read_pickle(file)


def test_pickle_with_another_codec_is_refused(tmp_path):
    file = tmp_path / "x.pkl"
    file.write_bytes(b"c_codecs\nencode\n(Va\nVrot13\ntR.")
    with pytest.raises(UnsafeFileError, match="codec 'rot13'"):
        read_pickle(file)


def test_truncated_pickle_names_the_file(tmp_path):
    file = tmp_path / "x.pkl"
    whole = pickle.dumps(PLAIN)
    for size in range(0, len(whole) - 1, 37):
        file.write_bytes(whole[:size])
        with pytest.raises(CorruptFileError, match=r"x\.pkl can't be read as a pickle: .*"):
            read_pickle(file)


def test_npy_plain_lazy_and_pickled(tmp_path):
    values = np.asfortranarray(np.arange(12.0).reshape(3, 4))
    np.save(tmp_path / "a.npy", values)
    np.testing.assert_array_equal(read_npy(tmp_path / "a.npy"), values)
    mapped = read_npy(tmp_path / "a.npy", lazy=True)
    assert isinstance(mapped, np.memmap)
    np.testing.assert_array_equal(mapped, values)
    np.save(tmp_path / "b.npy", PLAIN, allow_pickle=True)
    _same(read_npy(tmp_path / "b.npy"), PLAIN)
    np.save(tmp_path / "c.npy", PLAIN["objects"], allow_pickle=True)
    assert read_npy(tmp_path / "c.npy").tolist() == PLAIN["objects"].tolist()


def test_npy_with_code_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([Evil("true")], dtype=object), allow_pickle=True)
    with pytest.raises(UnsafeFileError, match=r"a\.npy is a pickle that asks for"):
        read_npy(tmp_path / "a.npy")


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("size", [0, 3, 40, 130, 200])
def test_truncated_npy_names_the_file(tmp_path, size, lazy):
    file = tmp_path / "a.npy"
    np.save(file, np.arange(100.0))
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(CorruptFileError, match=rf"a\.npy can't be read as a \.npy file.*{size} b"):
        read_npy(file, lazy=lazy)


def _mat73(file):
    with h5py.File(file, "w", userblock_size=512) as new:
        new["betas"] = np.arange(6.0).reshape(3, 2)  # MATLAB stores the transpose
        new["betas"].attrs["MATLAB_class"] = np.bytes_("double")
        new["name"] = np.array([[ord(c)] for c in "cat"], dtype=np.uint16)
        new["name"].attrs["MATLAB_class"] = np.bytes_("char")
        new.create_group("info")["n"] = np.array([[3.0]])
        new["info/n"].attrs["MATLAB_class"] = np.bytes_("double")
    head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM"
    with file.open("r+b") as stream:
        stream.write(head)


def test_both_versions_of_mat_give_the_same(tmp_path):
    betas = np.arange(6.0).reshape(3, 2).T
    savemat(tmp_path / "5.mat", {"betas": betas, "name": "cat", "info": {"n": 3.0}})
    _mat73(tmp_path / "73.mat")
    for name in ("5.mat", "73.mat"):
        content = read_mat(tmp_path / name)
        assert set(content) == {"betas", "name", "info"}
        np.testing.assert_array_equal(content["betas"], betas)
        assert content["name"] == "cat"
        assert content["info"] == {"n": 3.0}
        assert set(read_mat(tmp_path / name, ["betas"])) == {"betas"}
        assert sorted(mat_names(tmp_path / name)) == ["betas", "info", "name"]


@pytest.mark.parametrize("version", ["5.mat", "73.mat"])
def test_missing_variable_says_what_is_there(tmp_path, version):
    savemat(tmp_path / "5.mat", {"betas": np.eye(2)})
    _mat73(tmp_path / "73.mat")
    with pytest.raises(CorruptFileError, match=r"mat has no variable 'x'\. It holds 'betas'"):
        read_mat(tmp_path / version, ["betas", "x"])


@pytest.mark.parametrize("compress", [False, True])
def test_truncated_mat_never_gives_half_a_variable(tmp_path, compress):
    file = tmp_path / "x.mat"
    rng = np.random.default_rng(0)
    savemat(file, {"a": rng.normal(size=40), "b": rng.normal(size=40)}, do_compression=compress)
    whole = file.read_bytes()
    for size in range(0, len(whole), 11):
        file.write_bytes(whole[:size])
        with pytest.raises(CorruptFileError, match=r"x\.mat"):
            read_mat(file, ["a", "b"])


def test_truncated_mat73_and_hdf5_name_the_file(tmp_path):
    file = tmp_path / "x.mat"
    _mat73(file)
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(CorruptFileError, match=r"x\.mat can't be read as a MATLAB file"):
        read_mat(file)
    with (
        pytest.raises(CorruptFileError, match=r"x\.mat can't be read as a HDF5 file"),
        open_hdf5(file),
    ):
        pass


@pytest.mark.parametrize("read", [read_mat, mat_names, read_npy, read_pickle])
def test_absent_file_is_named(tmp_path, read):
    with pytest.raises(FileNotFoundError, match=r"There is no .* at .*gone\.x\. Check the path\."):
        read(tmp_path / "gone.x")


def test_folders_are_located_at_the_highest_level(tmp_path):
    for one in ("a/x/sub001", "b/y/sub001", "b/y/z/sub001"):
        (tmp_path / one).mkdir(parents=True)
    assert [found.name for found in locate(tmp_path, "sub*", "labels.txt")] == ["x", "y"]
    assert locate(tmp_path / "a" / "x", "sub*") == [tmp_path / "a" / "x"]
    with pytest.raises(FileNotFoundError, match=r"nor a folder below it holds 'sub\*'\. Check"):
        locate(tmp_path, "sub*", depth=1)


def test_data_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURODECODE_DATA", str(tmp_path))
    assert data_folder("haxby") == tmp_path / "haxby"
    monkeypatch.delenv("NEURODECODE_DATA")
    assert data_folder().name == "neurodecode_data"
