"""Galleries that were altered on the disk."""

from __future__ import annotations

import copy
import json

import pytest

from neurodecode.errors import CorruptFileError
from neurodecode.gallery import build_gallery, write_gallery

VALUES = (None, 5, "x", [], {}, [1], {"a": 1}, 10**400, float("nan"))


def places(content, here=()):
    yield here
    pairs = content.items() if isinstance(content, dict) else enumerate(content[:1])
    for key, value in pairs if isinstance(content, dict | list) else ():
        yield from places(value, (*here, key)) if isinstance(value, dict | list) else [(*here, key)]


def put(content, place, value):
    changed = inner = copy.deepcopy(content)
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return changed


def test_whatever_is_altered_is_one_clear_error_or_a_page(tmp_path, items, results):
    write_gallery(tmp_path, items[:1], results, title="T")
    file = tmp_path / "gallery.json"
    content, refused = json.loads(file.read_text()), 0
    for place in [one for one in places(content) if one and one[:2] != ("results", "versions")]:
        for value in VALUES:
            file.write_text(json.dumps(put(content, place, value)))
            try:
                build_gallery(tmp_path)
            except CorruptFileError as error:
                refused += 1
                assert str(file) in str(error)
    assert refused > 200


@pytest.mark.parametrize("key", ["title", "order_seed", "items", "figures", "results"])
def test_a_lost_part_is_named(tmp_path, items, results, key):
    write_gallery(tmp_path, items, results, title="T")
    file = tmp_path / "gallery.json"
    content = json.loads(file.read_text())
    del content[key]
    file.write_text(json.dumps(content))
    with pytest.raises(CorruptFileError, match=rf"gallery\.json was altered: KeyError\('{key}'\)"):
        build_gallery(tmp_path)


def test_samples_as_an_object_hide_no_file_name(tmp_path, items, results):
    write_gallery(tmp_path, items, results, title="T")
    file = tmp_path / "gallery.json"
    content = json.loads(file.read_text())
    content["items"][0]["decoded"] = {"0": {"kind": "image", "file": "../../../secret.png"}}
    file.write_text(json.dumps(content))
    with pytest.raises(CorruptFileError, match="dict in place of list"):
        build_gallery(tmp_path)
