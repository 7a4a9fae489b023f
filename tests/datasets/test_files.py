from __future__ import annotations

import pytest

from neurodecode.datasets._files import data_folder, locate


def test_folders_are_located_at_the_highest_level(tmp_path):
    for one in ("a/x/sub001", "b/y/sub001", "b/y/z/sub001"):
        (tmp_path / one).mkdir(parents=True)
    assert [found.name for found in locate(tmp_path, "sub*", "labels.txt")] == ["x", "y"]
    assert locate(tmp_path / "a" / "x", "sub*") == [tmp_path / "a" / "x"]
    with pytest.raises(FileNotFoundError, match=r"nor a folder below it holds 'sub\*'\. Check"):
        locate(tmp_path, "sub*", depth=1)


def test_data_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURODECODE_DATA", str(tmp_path))
    assert data_folder("haxby") == tmp_path / "haxby"
    monkeypatch.delenv("NEURODECODE_DATA")
    assert data_folder().name == "neurodecode_data"
