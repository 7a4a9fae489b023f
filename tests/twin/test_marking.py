"""Whatever a twin or a scene makes says by itself that it is simulated."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode import scenes, twin
from neurodecode.targets import PixelPCA, Pixels

DESIGN = twin.Design(n_test=2, test_repeats=2)


def recordings(**more):
    return [
        twin.fmri(1, 6, n_voxels=40, design=DESIGN, **more)[0],
        twin.meg(1, 6, design=DESIGN, **more)[0],
        twin.eeg(1, 6, design=DESIGN, **more)[0],
        twin.reading(1, 3, plan=twin.Reading(n_channels=4, sfreq=100.0), **more)[0],
    ]


def test_twins_say_so_and_other_settings_are_other_recordings():
    first, again, other = recordings(), recordings(), recordings(signal=0.5)
    for one, two, three in zip(first, again, other, strict=True):
        assert one.provenance.source == three.provenance.source == "simulated"
        assert one.provenance.recording == two.provenance.recording
        assert one.provenance.recording != three.provenance.recording
        assert one.provenance.recording.startswith("twin-")
        assert "/seed-0/" in one.provenance.recording


@pytest.mark.parametrize("make", [scenes.stimuli, scenes.clips])
def test_scenes_say_so_and_so_do_their_parts(make):
    drawn = make([1, 2])
    assert drawn.source == drawn.select(["scene-000002"]).source == "simulated"


def test_points_of_scenes_say_so():
    drawn = scenes.stimuli(range(4))
    for target in (Pixels(4), PixelPCA(2, 8).fit(drawn)):
        points = target.embed(drawn)
        assert points.source == points.select(["scene-000002"]).source == "simulated"
        assert points.take(np.array([0])).average_repeats().source == "simulated"
