from __future__ import annotations

import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest

from neurodecode.errors import CorruptFileError, UnsafeFileError
from neurodecode.files import read_pickle


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


def test_what_is_refused_is_named_with_its_place(tmp_path):
    file = tmp_path / "x.pkl"
    file.write_bytes(b"(Va\ncos\nsystem\n(Vtrue\ntRt.")
    with pytest.raises(UnsafeFileError) as caught:
        read_pickle(file)
    assert str(caught.value) == (
        f"{file} is a pickle that asks for os.system at byte 4; only NumPy arrays, numbers, text "
        f"and plain containers are read. Nothing was run. Ask its author for .npy, .npz or HDF5."
    )


def test_what_is_broken_is_told_with_its_place(tmp_path):
    file = tmp_path / "x.pkl"
    file.write_bytes(b"(K\x01B\xff\xff\xff\x7fab")
    with pytest.raises(CorruptFileError) as caught:
        read_pickle(file)
    assert str(caught.value) == (
        f"{file} can't be read as a pickle: it is cut off: 2147483647 bytes are announced, 2 are "
        f"left (byte 3). It is truncated or not of this kind (10 bytes); obtain it again."
    )


def test_bytes_after_the_end_are_not_dropped_in_silence(tmp_path):
    file = tmp_path / "x.pkl"
    file.write_bytes(pickle.dumps(1) + pickle.dumps(2))
    with pytest.raises(CorruptFileError, match=r"5 bytes follow its end"):
        read_pickle(file)


def test_arrays_may_be_written_to_and_own_their_bytes(tmp_path):
    file = tmp_path / "x.pkl"
    shared = np.arange(10_000.0)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        file.write_bytes(pickle.dumps([shared, shared, bytes(10_000)], protocol))
        first, second, empty = read_pickle(file)
        assert first is second
        first[0] = 5.0
        assert first[1] == 1.0 and empty == bytes(10_000)
