"""Stimuli are loaded when asked for."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from neurodecode.data import Stimuli, as_picture, read_picture
from neurodecode.errors import CorruptFileError


def test_pictures_from_files_are_read_one_by_one(tmp_path):
    for value in (10, 200):
        Image.new("L", (4, 3), value).save(tmp_path / f"{value}.png")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    stimuli = Stimuli.from_files({one: tmp_path / f"{one}.png" for one in ("10", "200", "bad")})
    assert stimuli["200"].shape == (3, 4, 3) and stimuli["200"].max() == 200
    with pytest.raises(ValueError, match=r"bad\.png is not a picture that can be read"):
        stimuli["bad"]
    with pytest.raises(FileNotFoundError, match="gone"):
        read_picture(tmp_path / "gone.png")


def test_selecting_keeps_captions_and_columns_with_their_stimulus():
    stimuli = Stimuli.from_arrays(
        ["a", "b", "c"],
        np.arange(3, dtype=np.uint8).reshape(3, 1, 1) * np.ones((3, 2, 2), np.uint8),
        captions={"b": ["bee"]},
        metadata={"concept": [1, 2, 3]},
    )
    chosen = stimuli.select(["c", "b"])
    assert chosen.metadata["concept"].tolist() == [3, 2]
    assert dict(chosen.captions) == {"b": ["bee"]}
    assert chosen.stack()[:, 0, 0, 0].tolist() == [2, 1]
    assert [ids.tolist() for ids, _ in stimuli.batches(2)] == [["a", "b"], ["c"]]
    with pytest.raises(ValueError, match="not among the 3 stimuli"):
        stimuli["d"]


def test_ids_are_unique():
    with pytest.raises(ValueError, match=r"must be unique; 1 stand more than once \('a'\)"):
        Stimuli.from_arrays(["a", "a"], np.zeros((2, 2, 2, 3), np.uint8))


def test_columns_and_kinds_are_checked():
    with pytest.raises(ValueError, match="column 'concept' has 1 rows but there are 2 stimuli"):
        Stimuli.from_texts({"a": "x", "b": "y"}, metadata={"concept": [1]})
    with pytest.raises(ValueError, match="kind must be 'image', 'video' or 'text'; got 'sound'"):
        Stimuli(["a"], "sound", str)


def test_numbers_become_pictures():
    assert as_picture(np.array([[[True]]])).tolist() == [[[255, 255, 255]]]
    assert as_picture(np.array([[[1.7]], [[-0.5]]])).tolist() == [[[255] * 3], [[0] * 3]]
    clips = Stimuli.from_arrays(["a"], np.zeros((1, 5, 4, 4, 3), np.uint8))
    assert clips.kind == "video" and clips["a"].shape == (5, 4, 4, 3)


def test_no_flipped_bit_of_a_png_is_read_as_good(tmp_path):
    """Each 7th bit: what is not refused must be as if it were not there."""
    file = tmp_path / "scene.png"
    picture = np.random.default_rng(0).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(picture).save(file)
    good = file.read_bytes()
    for place in range(0, len(good) * 8, 7):
        content = bytearray(good)
        content[place // 8] ^= 1 << place % 8
        file.write_bytes(bytes(content))
        try:
            values = read_picture(file)
        except CorruptFileError as error:
            assert str(error).startswith(f"{file} is not a picture that can be read: ")
        else:
            assert np.array_equal(values, picture), f"bit {place}"


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("ending", ["png", "jpg", "bmp"])
def test_pictures_that_were_cut_off_are_named(tmp_path, ending, share):
    file = tmp_path / f"scene.{ending}"
    Image.fromarray(np.arange(768, dtype=np.uint8).reshape(16, 16, 3)).save(file)
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    with pytest.raises(
        CorruptFileError, match=rf"scene\.{ending} is not a picture that can be read"
    ):
        read_picture(file)
