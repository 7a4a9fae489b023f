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


def _with_header(file, head, values=bytes(64)):
    file.write_bytes(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + values)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (9999999, 99999, 99), }",
         "its values should have 791992000800792 bytes and have 64"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (7,), }", "have 56 bytes and have 64"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (-8,), }", "its header is none"),
        ("{'descr': '<f8', 'fortran_order': 1, 'shape': (8,), }", "its header is none"),
        ("{'descr': '<f8', 'shape': (8,), }", "its header is none"),
        ("{'descr': " + "(" * 3000 + ")" * 3000 + "}", "its header is none"),
        ("{'descr': '|V0', 'fortran_order': False, 'shape': (999999999,), }", "should have 0"),
        ("__import__('os').system('true')", "its header is none"),
        ("", "its header should have 0 bytes"),
    ],
)  # fmt: skip
def test_a_header_is_not_believed(tmp_path, head, reason, lazy):
    file = tmp_path / "a.npy"
    _with_header(file, head.encode())
    with pytest.raises(
        CorruptFileError, match=rf"a\.npy can't be read as a \.npy file: .*{reason}"
    ):
        read_npy(file, lazy=lazy)


@pytest.mark.parametrize("lazy", [False, True])
def test_all_plain_arrays_come_back(tmp_path, lazy):
    file = tmp_path / "a.npy"
    fields = np.zeros(3, [("a", "f4"), ("b", "U2", (2,))])
    plain = [np.arange(3), np.array("é"), np.zeros((0, 4)), np.array([True, False]), np.array(1.5)]
    for array in (*plain, fields, np.asfortranarray(np.eye(3)), np.arange(3, dtype=">i4")):
        for version in ((1, 0), (2, 0), (3, 0)):
            with file.open("wb") as stream:
                np.lib.format.write_array(stream, array, version)
            found = read_npy(file, lazy=lazy)
            assert found.dtype == array.dtype and found.shape == array.shape
            np.testing.assert_array_equal(found, array)
    _with_header(file, b"{'descr': '<f8', 'fortran_order': False, 'shape': (8L,), }")  # Python 2
    assert read_npy(file).shape == (8,)


def test_what_follows_the_values_is_not_dropped_in_silence(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(3))
    with (tmp_path / "a.npy").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(CorruptFileError, match="should have 24 bytes and have 25"):
        read_npy(tmp_path / "a.npy")
