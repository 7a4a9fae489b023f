"""A narrower dtype loses what it says and no more: MEG in tesla is not zeros afterwards."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from neurodecode import store
from neurodecode.data import Embeddings, Responses

RNG = np.random.default_rng(0)
SCALES = [1e-13, 1e-6, 1e-3, 1.0, 1e5, 1e20]


def recording(values, **more):
    dims = ("trial", "voxel") if values.ndim == 2 else ("trial", "channel", "time")
    ids = [f"s{row}" for row in range(len(values))]
    return Responses(values, ids, "sub-01", "meg", dims=dims, **more)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("wide", [np.float32, np.float64])
def test_float16_keeps_eleven_bits_at_any_scale(tmp_path, scale, wide):
    values = (RNG.normal(size=(30, 5, 40)) * scale).astype(wide)
    after = store.load(store.save(tmp_path / "r.h5", recording(values), dtype="float16")).array()
    largest = np.abs(values).max(axis=(0, 2), keepdims=True)
    assert (np.abs(after - values) <= np.maximum(2.0**-11 * np.abs(values), 2e-6 * largest)).all()


def test_each_unit_has_a_scale_of_its_own(tmp_path):
    """Magnetometers in T, gradiometers in T/m and an electrode in V, in one array."""
    units = np.array([1e-13, 1e-11, 1e-5, 0.0])[:, None]
    values = RNG.normal(size=(20, 4, 30)) * units
    path = store.save(tmp_path / "r.h5", recording(values), dtype="float16")
    with h5py.File(path) as file:
        assert file["values"].dtype == np.float16
    after = store.load(path)
    assert after.values.dtype == np.float32
    np.testing.assert_allclose(after.array(), values, rtol=2.0**-10, atol=0)


@pytest.mark.parametrize("shape", [(40, 3), (40, 3, 7), (5, 30, 30_000)])
def test_scaled_rows_are_the_same_by_every_way_of_reading(tmp_path, shape):
    values = (RNG.normal(size=shape) * 1e-12).astype(np.float32)
    lazy = store.load(store.save(tmp_path / "r.h5", recording(values), dtype="float16")).values
    whole, index = lazy[:], np.array([3, 0, 0, 4])
    out = np.empty((4, *shape[1:]), np.float32)
    lazy.fill_rows(index, out)
    assert np.array_equal(out, whole[index]) and np.array_equal(lazy[index], whole[index])
    assert np.array_equal(lazy[2], whole[2]) and np.array_equal(lazy[1:4, 1:], whole[1:4, 1:])
    assert np.array_equal(lazy[np.int64(1), :2], whole[1, :2])
    assert np.array_equal(np.asarray(lazy), whole)


def test_writing_scaled_values_again_changes_nothing(tmp_path):
    values = (RNG.normal(size=(20, 6)) * 1e-13).astype(np.float32)
    once = store.load(store.save(tmp_path / "1.h5", recording(values), dtype="float16"))
    twice = store.load(store.save(tmp_path / "2.h5", once, dtype="float16"))
    assert np.array_equal(once.array(), twice.array())
    assert store.fingerprint_of(tmp_path / "1.h5") == store.fingerprint_of(tmp_path / "2.h5")


def test_an_altered_scale_is_noticed(tmp_path):
    values = (RNG.normal(size=(20, 6)) * 1e-13).astype(np.float32)
    path = store.save(tmp_path / "r.h5", recording(values), dtype="float16")
    with h5py.File(path, "r+") as file:
        file["columns/scale"][2] *= 2
    with pytest.raises(store_error(), match=r"r\.h5 was altered after it was written"):
        store.load(path)


def store_error():
    from neurodecode.errors import CorruptFileError

    return CorruptFileError


def test_embeddings_and_not_a_number(tmp_path):
    values = RNG.normal(size=(10, 2, 4)) * 1e-9
    values[3, 1, 2], values[4, 0, 0] = np.nan, np.inf
    path = store.save(tmp_path / "e.h5", Embeddings(values, range(10), "toy"), dtype="float16")
    np.testing.assert_allclose(store.load(path).array(), values, rtol=2e-3, atol=1e-14)


@pytest.mark.parametrize(
    ("values", "dtype", "error", "message"),
    [
        ([[1.0, 3.7]], "int8", ValueError,
         "r.h5 can't be stored as int8: 3.7 would become 3. Store it as float16, which keeps 11 "
         "bits at any scale, or round it first."),
        ([[1.0, 300.0]], "int8", ValueError,
         "r.h5 can't be stored as int8: 300 would become 44. Store it as float16, which keeps 11 "
         "bits at any scale, or round it first."),
        ([[1.0, -1.0]], "uint16", ValueError,
         "r.h5 can't be stored as uint16: -1 would become 65535. Store it as float16, which keeps "
         "11 bits at any scale, or round it first."),
        ([[1.0, 1e300]], "float32", ValueError,
         "r.h5 can't be stored as float32: a unit's largest value is 1e+300, which float32 does "
         "not hold well. Scale the values first, or store them as float64."),
        ([[1.0, 1e-200]], "float16", ValueError,
         "r.h5 can't be stored as float16: a unit's largest value is 1e-200, which float32 does "
         "not hold well. Scale the values first, or store them as float64."),
        ([[1.0, 2.0]], "complex64", TypeError,
         "r.h5 can't be stored as complex64: values are real numbers or integers. Use 'float32' "
         "or 'float16'."),
        ([[1.0, 2.0]], "S3", TypeError,
         "r.h5 can't be stored as |S3: values are real numbers or integers. Use 'float32' or "
         "'float16'."),
    ],
)  # fmt: skip
def test_what_would_lose_more_is_refused(tmp_path, values, dtype, error, message):
    with pytest.raises(error) as told:
        store.save(tmp_path / "r.h5", recording(np.array(values)), dtype=dtype)
    assert str(told.value) == message
    assert list(tmp_path.iterdir()) == []


def test_integers_that_are_the_same_are_kept(tmp_path):
    values = RNG.integers(-128, 128, size=(9, 4)).astype(np.float32)
    after = store.load(store.save(tmp_path / "r.h5", recording(values), dtype="int8"))
    assert after.values.dtype == np.int8 and np.array_equal(after.array(), values)
