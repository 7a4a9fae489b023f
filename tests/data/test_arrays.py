"""Rows of lazy arrays."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from neurodecode.data import Rows, blocks, fill_rows, read_rows, take_rows

VALUES = np.arange(60, dtype=np.float32).reshape(12, 5)


@pytest.fixture(params=["memory", "memmap", "hdf5"])
def source(request, tmp_path):
    if request.param == "memory":
        yield VALUES
    elif request.param == "memmap":
        np.save(tmp_path / "v.npy", VALUES)
        yield np.load(tmp_path / "v.npy", mmap_mode="r")
    else:
        with h5py.File(tmp_path / "v.h5", "w") as file:
            file["v"] = VALUES
            yield file["v"]


@pytest.mark.parametrize("index", [[3, 1, 1, 11], [], [0], [4, 5, 6, 2]])
def test_rows_come_in_the_order_asked_for(source, index):
    rows = np.array(index, dtype=int)
    assert np.array_equal(read_rows(source, rows), VALUES[rows])
    assert np.array_equal(take_rows(source, rows)[:], VALUES[rows])


def test_rows_of_rows(source):
    lazy = Rows(source, np.array([9, 2, 7, 2]))
    again = take_rows(lazy, np.array([3, 0]))
    assert np.array_equal(again[:], VALUES[[2, 9]])
    assert lazy[1].tolist() == VALUES[2].tolist()
    assert np.array_equal(lazy[1:, 2:4], VALUES[[2, 7, 2], 2:4])
    assert np.array_equal(np.asarray(lazy, dtype=np.float64), VALUES[[9, 2, 7, 2]])
    assert len(lazy) == 4 and lazy.dtype == np.float32


def test_rows_of_a_memory_map_stay_lazy(tmp_path):
    np.save(tmp_path / "v.npy", VALUES)
    lazy = take_rows(np.load(tmp_path / "v.npy", mmap_mode="r"), np.array([1]))
    assert isinstance(lazy, Rows)
    assert isinstance(take_rows(VALUES, np.array([1])), np.ndarray)


@pytest.mark.parametrize("max_bytes", [1, 20, 45, 10**6])
def test_blocks_cover_every_row_once(source, max_bytes):
    walked = list(blocks(source, max_bytes))
    assert np.array_equal(np.concatenate([block for _, block in walked]), VALUES)
    assert [rows.start for rows, _ in walked[1:]] == [rows.stop for rows, _ in walked[:-1]]
    assert all(block.nbytes <= max(max_bytes, 20) for _, block in walked)


def test_filled_rows_are_those_read_from_arrays_lazy_rows_and_others():
    values = np.random.default_rng(0).normal(size=(8, 3))

    class Other:
        shape, dtype = values.shape, values.dtype

        def __getitem__(self, index):
            return values[index]

    index = np.array([5, 0, 5])
    lazy = Rows(values, np.array([7, 6, 5, 4, 3, 2]))
    for source, expected in (
        (values, values[index]),
        (Other(), values[index]),
        (lazy, lazy[index]),
    ):
        out = np.zeros((3, 3))
        fill_rows(source, index, out)
        np.testing.assert_array_equal(out, expected)


def test_rows_that_are_not_there_are_not_filled():
    with pytest.raises(IndexError, match="Rows 0 to 3 were asked for, of 3 from 0"):
        fill_rows(np.eye(3), np.array([0, 3]), np.zeros((2, 3)))
