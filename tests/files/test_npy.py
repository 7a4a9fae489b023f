from __future__ import annotations

import os
from collections import OrderedDict

import numpy as np
import pytest

from neurodecode.errors import CorruptFileError, UnsafeFileError
from neurodecode.files import read_npy


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
