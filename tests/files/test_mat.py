from __future__ import annotations

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from neurodecode.errors import CorruptFileError
from neurodecode.files import mat_names, open_hdf5, read_mat


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
