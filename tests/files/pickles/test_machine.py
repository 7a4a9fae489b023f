from __future__ import annotations

import io
import pickle
import pickletools
import warnings
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neurodecode.files.pickles import DamageError, Machine, PickleError
from tests.attack.programs import random_program

ATOMS = (str, bytes, bytearray, bool, int, float, complex, slice, range, type(None))


def run(content: bytes):
    return Machine(io.BytesIO(content), len(content)).run()


def assert_data(value, depth=0):
    """Only plain types, and arrays that hold no pointers but to plain types."""
    assert depth <= 64
    if isinstance(value, np.ndarray):
        assert type(value) is np.ndarray
        assert value.dtype == object or not value.dtype.hasobject
        if value.dtype == object:
            assert value.dtype.names is None
            assert_data(value.ravel().tolist(), depth)
        else:
            value.tobytes()
            repr(value)
    elif isinstance(value, np.dtype):
        assert value.names is None or not value.hasobject
    elif type(value) in (list, tuple, set, frozenset):
        for item in value:
            assert_data(item, depth + 1)
    elif type(value) in (dict, OrderedDict):
        assert_data(list(value.items()), depth)
    else:
        assert type(value) in ATOMS or isinstance(value, np.generic), type(value)


def check_programs(n_programs: int, seed: int) -> int:
    rng = np.random.default_rng(seed)
    n_data = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(n_programs):
            program = random_program(rng)
            try:
                value = run(program)
            except PickleError:
                continue
            assert_data(value)
            n_data += 1
    return n_data


def test_random_programs_give_data_or_one_of_our_errors():
    assert check_programs(3_000, seed=0) > 300


@pytest.mark.attack
def test_a_hundred_thousand_random_programs():
    assert check_programs(100_000, seed=1) > 9_000


def assert_same(one, other):
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype and one.shape == other.shape
        if one.dtype == object:
            assert_same(one.ravel().tolist(), other.ravel().tolist())
        else:
            assert one.tobytes() == other.tobytes()
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            assert_same(left, right)
    elif isinstance(one, dict):
        assert_same(list(one.items()), list(other.items()))
    elif isinstance(one, np.generic):
        assert one.dtype == other.dtype and one.tobytes() == other.tobytes()
    else:
        assert one == other or (one != one and other != other)


def _object_array(items):
    array = np.empty(len(items), dtype=object)
    for place, item in enumerate(items):
        array[place] = item
    return array


KINDS = st.one_of(
    hnp.boolean_dtypes(), hnp.integer_dtypes(endianness="?"), hnp.floating_dtypes(endianness="?"),
    hnp.complex_number_dtypes(endianness="?"), hnp.byte_string_dtypes(),
    hnp.unicode_string_dtypes(), hnp.datetime64_dtypes(), hnp.timedelta64_dtypes(),
)  # fmt: skip
FIELDS = st.lists(KINDS, min_size=1, max_size=3).map(
    lambda kinds: np.dtype([(f"f{place}", kind) for place, kind in enumerate(kinds)])
)
ARRAYS = hnp.arrays(st.one_of(KINDS, FIELDS), hnp.array_shapes(min_dims=0, min_side=0))
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(),
    st.binary(), st.binary().map(bytearray), ARRAYS,
    st.integers(0, 9).map(range), st.integers(0, 9).map(lambda one: slice(None, one, 2)),
)  # fmt: skip
KEYS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(),
    st.tuples(st.integers(), st.text()), st.frozensets(st.integers()),
)  # fmt: skip
CONTENT = st.recursive(
    LEAVES,
    lambda inside: st.one_of(
        st.lists(inside, max_size=4), st.lists(inside, max_size=4).map(tuple),
        st.dictionaries(KEYS, inside, max_size=4),
        st.dictionaries(KEYS, inside, max_size=4).map(OrderedDict), st.sets(KEYS),
        st.lists(inside, max_size=3).map(_object_array),
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(CONTENT, st.integers(0, pickle.HIGHEST_PROTOCOL), st.booleans())
def test_real_pickles_give_what_pickle_gives(content, protocol, is_optimised):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy 2.4 on timedelta64 without a unit
        written = pickle.dumps(content, protocol)
        if is_optimised:
            written = pickletools.optimize(written)
        expected = pickle.loads(written)
        assert_same(run(written), expected)


SCALARS = [
    np.float32(1.5), np.float64("nan"), np.int8(-3), np.bool_(True), np.str_("aé"), np.str_(""),
    np.bytes_(b"x"), np.complex64(1j), np.datetime64("2020-01-01"), np.timedelta64(3, "D"),
    np.void(b"abc"), np.zeros(1, [("a", "f4"), ("b", "U2")])[0], np.longdouble(1) / 3,
]  # fmt: skip
DTYPES = [
    "f4", ">f8", "U5", "S3", "V7", "M8[25us]", "m8", "b1", "O",
    [("a", "f4"), ("b", ">i2", (2, 3))], [("a", [("x", "f4"), ("y", "U2")])],
    {"names": ["a", "b"], "formats": ["i1", "f8"], "offsets": [0, 8], "itemsize": 24},
]  # fmt: skip


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_scalars_dtypes_and_layouts(protocol):
    for scalar in SCALARS:
        assert_same(run(pickle.dumps(scalar, protocol)), scalar)
    for description in DTYPES:
        dtype = np.dtype(description)
        assert run(pickle.dumps(dtype, protocol)) == dtype
    values = np.arange(24.0).reshape(2, 3, 4)
    for array in (values.T, np.asfortranarray(values), values[:, ::2], values[:0], values[()]):
        found = run(pickle.dumps(array, protocol))
        np.testing.assert_array_equal(found, array)


def test_byte_strings_of_python_2_are_arrays_too():
    state = np.arange(3, dtype="<i4").tobytes()
    for text in (
        b"U\x0c" + state,
        b"T\x0c\x00\x00\x00" + state,
        b"S" + repr(state)[1:].encode() + b"\n",
    ):
        program = (
            b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
            b"(I1\n(I3\ntcnumpy\ndtype\n(S'i4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\n"
            + text + b"tb."
        )  # fmt: skip
        assert run(program).tolist() == [0, 1, 2]
        assert pickle.loads(program, encoding="latin1").tolist() == [0, 1, 2]


def test_memory_maps_are_arrays(tmp_path):
    mapped = np.memmap(tmp_path / "x", "f4", "w+", shape=(3,))
    mapped[:] = 1.0
    found = run(pickle.dumps({"x": mapped}))["x"]
    assert type(found) is np.ndarray and found.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("cut", range(1, 10))
def test_cut_off_pickles_are_damaged(cut):
    whole = pickle.dumps({"a": np.arange(3), "b": ["x", 2.5]})
    with pytest.raises(DamageError):
        run(whole[: len(whole) * cut // 10])
