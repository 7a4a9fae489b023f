"""What a scene is follows from its id alone."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from neurodecode import scenes

GOLDEN = "a77baf08044b6da9"


def _facts(numbers: range) -> str:
    facts = [[scenes.attributes(i), scenes.captions(i, clip=True)] for i in numbers]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def test_the_facts_of_scenes_never_change():
    assert _facts(range(200)) == GOLDEN


def test_another_process_draws_the_same_pictures():
    code = (
        "import hashlib; from neurodecode import scenes;"
        "print(hashlib.sha256(scenes.render_many(range(20)).tobytes()).hexdigest())"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = hashlib.sha256(scenes.render_many(range(20)).tobytes()).hexdigest()
    assert there.stdout.strip() == here


def test_all_kinds_colours_places_and_backgrounds_occur_about_equally_often():
    facts = [scenes.attributes(i) for i in range(3000)]
    for key, names in {
        "kind": scenes.KINDS,
        "colour": tuple(scenes.COLOURS),
        "column": tuple(scenes.COLUMNS),
        "background": scenes.BACKGROUNDS,
        "light": scenes.LIGHTS,
        "motion": scenes.MOTIONS,
    }.items():
        count = Counter(one[key] for one in facts)
        assert set(count) == set(names)
        expected = len(facts) / len(names)
        assert max(abs(number - expected) for number in count.values()) < 5 * expected**0.5
    assert {one["n_objects"] for one in facts} == {"1", "2", "3"}


def test_sizes_occur_about_equally_often_where_the_main_object_stays_the_largest():
    facts = [scenes.attributes(i) for i in range(3000)]
    for alone, names in ((True, tuple(scenes.SIZES)), (False, ("medium", "large"))):
        sizes = Counter(one["size"] for one in facts if (one["n_objects"] == "1") == alone)
        expected = sizes.total() / len(names)
        assert set(sizes) == set(names)
        assert max(abs(number - expected) for number in sizes.values()) < 5 * expected**0.5


def test_objects_of_one_kind_differ_in_form_not_only_in_colour():
    for kind in scenes.KINDS:
        forms = {
            scenes.scene(i).objects[0].parts
            for i in range(1500)
            if scenes.scene(i).objects[0].kind == kind
        }
        assert len(forms) > 60


def test_a_main_object_is_the_largest_and_alone_in_its_column():
    for i in range(500):
        main, *others = scenes.scene(i).objects
        assert all(main.scale > 1.15 * other.scale for other in others)
        assert len({thing.column for thing in (main, *others)}) == 1 + len(others)
        assert len({thing.kind for thing in (main, *others)}) == 1 + len(others)


def test_ids_are_read_back_and_others_refused():
    for number in (0, 7, 999_999, 12_345_678, 2**63 - 1):
        assert scenes.scene_number(scenes.scene_id(number)) == number
    for wrong in ("scene-1", "coco-000001", "scene-0000007", "scene-00000a", "../scene-000001"):
        with pytest.raises(ValueError, match=r"is no scene's id\. Scenes are named like"):
            scenes.scene(wrong)
    with pytest.raises(ValueError, match=r"lies between 0 and 2\*\*63 - 1; got -1"):
        scenes.scene_id(-1)


def test_uniform_numbers_are_uniform():
    from neurodecode.scenes._draws import Draws

    numbers = np.array([Draws(i).many(20) for i in range(2000)])
    assert abs(numbers.mean() - 0.5) < 0.005
    assert np.abs(np.histogram(numbers, 10, (0, 1))[0] / numbers.size - 0.1).max() < 0.006
    assert np.abs(np.corrcoef(numbers.T) - np.eye(20)).max() < 0.1
    assert np.abs(np.corrcoef(numbers[:-1, 0], numbers[1:, 0])[0, 1]) < 0.1
    with pytest.raises(RuntimeError, match="all are drawn"):
        Draws(0).many(200)
