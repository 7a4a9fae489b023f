"""Files are whole or not there."""

from __future__ import annotations

import json

import numpy as np
import pytest

from neurodecode import store
from neurodecode.data import Responses


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="half way"), store.atomic_path(path) as part:
        part.write_text("new")
        raise RuntimeError("half way")
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]


def test_a_store_that_fails_half_way_keeps_the_older_file(tmp_path):
    class Failing:
        shape, dtype = (1000, 50_000), np.dtype(np.float32)

        def __getitem__(self, index):
            if index.start > 0:
                raise OSError("the disk is gone")
            return np.zeros((index.stop - index.start, 50_000), np.float32)

    old = Responses(np.ones((2, 3), np.float32), ["a", "b"], "s", "fmri")
    path = store.save(tmp_path / "r.h5", old)
    with pytest.raises(OSError, match="the disk is gone"):
        store.save(path, Responses(Failing(), [str(i) for i in range(1000)], "s", "fmri"))
    assert np.array_equal(store.load(path).array(), old.array())
    assert [one.name for one in tmp_path.iterdir()] == ["r.h5"]


def test_json_is_plain_and_refuses_what_it_cannot_say(tmp_path):
    path = store.write_json(tmp_path / "deep" / "a.json", {"b": [1, "ü"]})
    assert json.loads(path.read_text(encoding="utf-8")) == {"b": [1, "ü"]}
    with pytest.raises(ValueError, match="Out of range float"):
        store.write_json(path, {"b": float("nan")})
    assert json.loads(path.read_text(encoding="utf-8")) == {"b": [1, "ü"]}


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("taken", "a folder has this name"),
        ("file/a.json", "File exists"),
        ("file/below/a.json", "Not a directory"),
    ],
)
def test_places_where_nothing_can_be_written_are_told(tmp_path, place, reason):
    (tmp_path / "taken").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OSError) as told:
        store.write_json(tmp_path / place, {})
    assert str(told.value) == (
        f"{tmp_path / place} can't be written ({reason}). Give another name or folder."
    )


def test_a_library_that_tells_a_full_disk_in_its_own_words(tmp_path):
    class SafetensorError(Exception):
        pass

    with pytest.raises(OSError) as told, store.atomic_path(tmp_path / "m.safetensors"):
        raise SafetensorError("I/O error: No space left on device (os error 28)")
    assert str(told.value) == (
        f"{tmp_path / 'm.safetensors'} can't be written: no room (No space left on device). Free "
        f"some space or write to another disk; what had this name before is unchanged."
    )


def test_a_name_that_is_no_text_in_utf8_comes_back(tmp_path):
    name = b"\xff-picture".decode("utf-8", "surrogateescape")
    file = store.write_json(tmp_path / "x.json", {name: "é"})
    assert json.loads(file.read_text(encoding="utf-8")) == {name: "é"}
