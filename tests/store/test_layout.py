"""Rows of the mapped file are those that HDF5 reads; where it can't be mapped, HDF5 reads."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest

from neurodecode import store
from neurodecode.data import Embeddings, fill_rows
from neurodecode.store import StoredArray


def stored(folder, values, dtype=None):
    kept = Embeddings(values, range(len(values)), "toy")
    return store.load(store.save(folder / "values.h5", kept, dtype=dtype)).values


def filled(source, index):
    out = np.full((len(index), *source.shape[1:]), -1, dtype=source.dtype)
    fill_rows(source, np.asarray(index), out)
    return out


@pytest.mark.parametrize("shape", [(50, 3), (50, 7, 11), (9, 5000)])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_rows_are_those_of_the_array(tmp_path, shape, dtype):
    values = np.random.default_rng(0).normal(size=shape).astype(dtype)
    source = stored(tmp_path, values)
    index = np.array([shape[0] - 1, 0, 4, 4, 3])
    assert np.array_equal(filled(source, index), values[index])
    assert isinstance(source._mapped, np.memmap)
    again = pickle.loads(pickle.dumps(source))
    assert np.array_equal(filled(again, index), values[index])


def test_many_threads_read_at_once(tmp_path):
    values = np.random.default_rng(0).normal(size=(400, 300)).astype(np.float32)
    source, order = stored(tmp_path, values), np.random.default_rng(1).permutation(400)
    with ThreadPoolExecutor(4) as threads:
        parts = list(threads.map(lambda rows: filled(source, rows), np.array_split(order, 16)))
    assert np.array_equal(np.concatenate(parts), values[order])


@pytest.mark.parametrize(
    "how", [{"chunks": (4, 2)}, {"chunks": (4, 3), "compression": "gzip"}, {"dtype": ">f4"}, {}]
)
def test_what_lies_otherwise_is_read_by_hdf5(tmp_path, how):
    values = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file.create_dataset("values", data=values, **how)
    source = StoredArray(tmp_path / "other.h5")
    assert np.array_equal(filled(source, [7, 1, 1]), values[[7, 1, 1]])
    assert source._mapped is None


def test_chunks_of_many_trials_follow_one_another(tmp_path):
    """More chunks than a page of their index holds."""
    values = np.arange(9000 * 2100, dtype=np.float32).reshape(9000, 2100)
    source = stored(tmp_path, values)
    assert np.array_equal(filled(source, [8999, 0]), values[[8999, 0]])
    assert isinstance(source._mapped, np.memmap)


def test_trials_cut_into_several_chunks_are_read_by_hdf5(tmp_path):
    values = np.random.default_rng(0).normal(size=(3, 40, 10_000)).astype(np.float32)
    source = stored(tmp_path, values)
    assert np.array_equal(filled(source, [2, 0]), values[[2, 0]])
    assert source._mapped is None
