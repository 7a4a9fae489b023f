from __future__ import annotations

import logging

import numpy as np
import pytest

from neurodecode.data import Embeddings, Stimuli
from neurodecode.targets import _cache
from neurodecode.targets._cache import Computed, cache_folder, cached, content_key


def pictures(value: float = 0.0) -> Stimuli:
    return Stimuli.from_arrays(["a", "b"], np.full((2, 4, 4, 3), value))


def test_the_folder_comes_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("NEURODECODE_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("NEURODECODE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    assert cache_folder().name == "neurodecode"


def test_the_key_follows_content_ids_captions_and_space():
    base = content_key(pictures(), "x")
    described = Stimuli.from_arrays(["a", "b"], np.zeros((2, 4, 4, 3)), captions={"a": ["dark"]})
    others = [
        content_key(pictures(1.0), "x"),
        content_key(pictures(), "y"),
        content_key(pictures().select(["b", "a"]), "x"),
        content_key(described, "x"),
    ]
    assert base == content_key(pictures(), "x")
    assert len({base, *others}) == 5


def test_is_computed_once(tmp_path):
    calls = []

    def fresh() -> Embeddings:
        calls.append(1)
        return Embeddings(np.ones((2, 3), np.float32), ["a", "b"], "x")

    first = cached(tmp_path / "one.h5", fresh)
    second = cached(tmp_path / "one.h5", fresh)
    assert len(calls) == 1
    np.testing.assert_array_equal(first.array(), second.array())


def test_a_damaged_file_is_computed_again(tmp_path, caplog):
    path = tmp_path / "one.h5"
    path.write_bytes(b"half a file")
    with caplog.at_level(logging.WARNING, "neurodecode"):
        found = cached(path, lambda: Embeddings(np.ones((1, 3)), ["a"], "x"))
    assert found.row_shape == (3,)
    assert "computed again" in caplog.text


def test_large_results_stay_in_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(_cache, "IN_MEMORY_BYTES", 10)
    found = cached(tmp_path / "one.h5", lambda: Embeddings(np.ones((2, 3)), ["a", "b"], "x"))
    assert not isinstance(found.values, np.ndarray)


def test_computed_rows_are_computed_when_read():
    asked = []

    def compute(rows: slice) -> np.ndarray:
        asked.append((rows.start, rows.stop))
        return np.zeros((rows.stop - rows.start, 2), np.float32)

    lazy = Computed(5, (2,), compute)
    assert lazy[1:3].shape == (2, 2)
    assert asked == [(1, 3)]


@pytest.mark.parametrize("n", [0, 1])
def test_shape_is_known_before(n):
    assert Computed(n, (2, 3), lambda rows: np.zeros((0, 2, 3), np.float32)).shape == (n, 2, 3)
