"""Embeddings and what generators make of them."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode import store
from neurodecode.data import Embeddings, Generated

VALUES = np.arange(24, dtype=np.float32).reshape(4, 2, 3)


def test_rows_are_found_by_id_and_may_repeat(tmp_path):
    memory = Embeddings(VALUES, list("abcd"), "toy")
    lazy = store.load(store.save(tmp_path / "e.h5", memory))
    for one in (memory, lazy):
        assert one.row_shape == (2, 3)
        assert np.array_equal(one.rows(["d", "a", "d"]), VALUES[[3, 0, 3]])
        assert np.array_equal(one.select(["c", "b"]).array(), VALUES[[2, 1]])
        assert np.array_equal(
            one.take(np.array([True, False, False, True])).array(), VALUES[[0, 3]]
        )
        with pytest.raises(ValueError, match=r"1 of 1 stimulus ids are not among the 4 embeddings"):
            one.rows(["z"])


def test_repeats_are_averaged_in_order_of_appearance():
    twice = Embeddings(VALUES, ["b", "a", "b", "c"], "toy").average_repeats()
    assert twice.stimulus.tolist() == ["b", "a", "c"]
    assert np.array_equal(twice.array()[0], (VALUES[0] + VALUES[2]) / 2)


def test_one_axis_is_refused():
    with pytest.raises(ValueError) as error:
        Embeddings(np.zeros(3), list("abc"), "toy")
    assert str(error.value) == (
        "Embeddings need at least two axes (n, n_dims), n_dims above 0; got shape (3,)."
    )


@pytest.mark.parametrize(
    ("shape", "kind", "message"),
    [
        ((1, 1, 4, 4, 3), "video", r"Generated videos need 6 axes; got shape \(1, 1, 4, 4, 3\)"),
        ((1, 1), "sound", "kind must be 'image', 'video' or 'text'; got 'sound'"),
        ((2, 1, 4, 4, 3), "image", "stimulus names 1 rows but the values have 2"),
    ],
)
def test_generated_of_another_shape_is_refused(shape, kind, message):
    with pytest.raises(ValueError, match=message):
        Generated(np.zeros(shape, np.uint8), ["a"], kind, "toy")
