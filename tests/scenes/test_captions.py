"""Captions tell scenes apart and say what is there."""

from __future__ import annotations

from neurodecode import scenes


def test_a_thousand_scenes_have_a_thousand_captions_in_each_wording():
    for wording in range(4):
        said = {scenes.captions(i)[wording] for i in range(1000)}
        assert len(said) == 1000


def test_captions_say_the_facts():
    for i in range(300):
        facts = scenes.attributes(i)
        for sentence in scenes.captions(i):
            words = sentence.lower()
            assert f"{facts['size']} {facts['colour']}" in words
            assert facts["kind"] in words
            assert f"{facts['light']} light" in words
            if facts["texture"] != "plain":
                assert facts["texture"] in words
            if facts["n_objects"] != "1":
                assert f"{facts['second_colour']} " in words
                assert facts["second_kind"] in words
            assert sentence[0].isupper()
            assert sentence.endswith(".")
            assert ".." not in sentence


def test_only_captions_of_clips_say_what_moves():
    for i in range(50):
        still, moving = scenes.captions(i)[0], scenes.captions(i, clip=True)[0]
        assert len(moving) > len(still)
        direction = scenes.attributes(i)["direction"]
        assert direction in moving.removeprefix(still.rstrip("."))


def test_one_caption_is_one_of_the_captions():
    chosen = {scenes.captions(i).index(scenes.caption(i)) for i in range(100)}
    assert chosen == {0, 1, 2, 3}
    assert scenes.caption(5, seed=1) == scenes.caption(5, seed=1)
