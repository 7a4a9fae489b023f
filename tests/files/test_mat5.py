from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from neurodecode.errors import CorruptFileError
from neurodecode.files import read_mat
from neurodecode.files._mat5 import check_mat5

CONTENT = {
    "betas": np.arange(6.0).reshape(2, 3), "small": np.int8([[1, 2]]), "name": "a text",
    "empty": np.zeros((0, 0)), "complex": np.array([[1 + 2j]]), "truth": np.array([[True]]),
    "cells": np.array([["a", np.eye(2)]], dtype=object), "info": {"n": 3.0, "deep": {"x": "é"}},
    "records": np.zeros((2, 2), [("a", "f8"), ("b", object)]), "u": np.uint64([[2**63]]),
}  # fmt: skip


@pytest.mark.parametrize("is_packed", [False, True])
def test_what_scipy_writes_passes(tmp_path, is_packed):
    file = tmp_path / "x.mat"
    savemat(file, CONTENT, do_compression=is_packed)
    check_mat5(file)
    check_mat5(file, ["betas"])
    assert set(read_mat(file)) == set(CONTENT)


def _array(sizes, values, kind=6, store=9, flags=0):
    """A numeric matrix element as the format says."""
    parts = struct.pack("<IIII", 6, 8, kind | flags << 8, 0)
    parts += struct.pack(f"<II{len(sizes)}i", 5, 4 * len(sizes), *sizes)
    parts += bytes(-len(parts) % 8) + struct.pack("<II8s", 1, 1, b"x")
    parts += struct.pack("<II", store, len(values)) + values + bytes(-len(values) % 8)
    return struct.pack("<II", 14, len(parts)) + parts


def _write(file, *elements):
    head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    file.write_bytes(head + b"".join(elements))


def test_what_we_write_by_the_format_is_what_scipy_reads(tmp_path):
    """Else the tests below would show nothing."""
    _write(tmp_path / "x.mat", _array((1, 2), np.arange(2.0).tobytes()))
    assert loadmat(tmp_path / "x.mat")["x"].tolist() == [[0.0, 1.0]]
    check_mat5(tmp_path / "x.mat")


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        (_array((10**5, 10**5), bytes(16)), "an array of 10000000000 values holds 16 bytes"),
        (_array((1, 3), bytes(16)), "an array of 3 values holds 16 bytes"),
        (_array((-1, -2), bytes(16)), "a dimension is negative"),
        (_array((1, 2), bytes(16), flags=8), "an element is cut off"),
        (_array((1, 2), bytes(16), kind=5), "it holds a sparse array"),
        (_array((1, 2), bytes(16), kind=1), "a cell or field is no array"),
        (_array((2**30, 2), bytes(16), kind=1), "cells or fields are declared, more than fit"),
        (_array((1, 2), bytes(16), store=77), "values are of no known type"),
        (struct.pack("<II", 14, 2**31), "an element is larger than what holds it"),
        (struct.pack("<II", 9, 0), "a variable is no array"),
        (struct.pack("<II", 15, 4) + b"abcd", "Error -3 while decompressing"),
        (struct.pack("<II", 15, 8) + zlib.compress(b"a" * 99)[:8], "a packed variable is cut off"),
    ],
)
def test_what_is_declared_must_be_there(tmp_path, element, reason):
    file = tmp_path / "x.mat"
    _write(file, element)
    with pytest.raises(
        CorruptFileError, match=rf"x\.mat can't be read as a MATLAB file: .*{reason}"
    ):
        read_mat(file)


def test_a_packed_bomb_is_refused(tmp_path):
    file = tmp_path / "x.mat"
    bomb = zlib.compress(_array((1, 2**26), bytes(2**29)), 9)
    _write(file, struct.pack("<II", 15, len(bomb)) + bomb)
    with pytest.raises(CorruptFileError, match="at most 100 times as much"):
        read_mat(file)


def test_a_tower_of_cells_is_refused(tmp_path):
    file, tower = tmp_path / "x.mat", np.array([[1.0]], dtype=object)
    for _ in range(40):
        tower = np.array([[tower]], dtype=object).reshape(1, 1)
        outer = np.empty((1, 1), dtype=object)
        outer[0, 0] = tower
        tower = outer
    savemat(file, {"x": tower})
    with pytest.raises(CorruptFileError, match="nested more than 24 deep"):
        read_mat(file)


def test_damage_never_kills_the_process(tmp_path):
    """SciPy alone died of a segmentation fault at such files."""
    file, rng = tmp_path / "x.mat", np.random.default_rng(0)
    savemat(file, CONTENT)
    whole = file.read_bytes()
    for _ in range(300):
        content = bytearray(whole)
        place = int(rng.integers(16, len(content) // 8)) * 8
        content[place : place + 8] = struct.pack("<Q", (2**31 - 1, 2**40, 2**62)[rng.integers(3)])
        file.write_bytes(bytes(content))
        try:
            read_mat(file)
        except CorruptFileError as error:
            assert "x.mat" in str(error)
