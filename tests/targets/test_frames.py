from __future__ import annotations

import numpy as np
import pytest

from neurodecode.data import Stimuli
from neurodecode.targets import frames


def clips() -> Stimuli:
    ramp = np.arange(5, dtype=np.float64)[None, :, None, None, None] / 255
    return Stimuli.from_arrays(["a"], ramp * np.ones((1, 5, 2, 2, 3)), captions={"a": ["grows"]})


@pytest.mark.parametrize(("place", "value"), [("first", 0), ("middle", 2), ("last", 4)])
def test_takes_the_frame_at_a_place(place, value):
    pictures = frames(clips(), place)
    assert pictures.kind == "image"
    assert (pictures["a"] == value).all()
    assert pictures.captions == {"a": ["grows"]}


def test_refuses_pictures():
    with pytest.raises(ValueError, match=r"frames\(\) takes stimuli of kind 'video'; got"):
        frames(frames(clips()))


def test_refuses_other_places():
    with pytest.raises(ValueError, match=r"place must be one of .* got 'end'"):
        frames(clips(), "end")
