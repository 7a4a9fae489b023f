"""The pipeline on a real recording gives the figures that linear models are known to give."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from neurodecode.data import LeaveOneOut
from neurodecode.datasets import miyawaki
from neurodecode.encoders import Ridge
from neurodecode.generators import DirectImage
from neurodecode.pipeline import Goal, PixelCorrelation, Protocol, RetrievalTopK, TwoWay, decode
from neurodecode.targets import Pixels

RECORDED = Path(os.environ.get("NEURODECODE_DATA", "../shared/data")) / "fmri_miyawaki_v1"
MEASURES = (
    RetrievalTopK(similarity="correlation", label="top1"),
    RetrievalTopK(similarity="correlation", centred=True, label="top1_centred"),
    TwoWay(),
    PixelCorrelation(),
)


@pytest.mark.recorded
@pytest.mark.skipif(not RECORDED.is_dir(), reason=f"no recording in {RECORDED}")
@pytest.mark.parametrize(
    ("by", "top1", "top1_centred", "two_way", "pixels", "mean_picture"),
    [
        ("run", 0.748, 0.79, None, 0.911, 0.68),
        ("stimulus", 0.546, 0.73, 0.923, 0.876, 0.663),
    ],
)
def test_ridge_on_miyawaki_2008(by, top1, top1_centred, two_way, pixels, mean_picture):
    """Figures computed beforehand by others, with a penalty of 100 that nothing was chosen for."""
    responses, stimuli = miyawaki.read(RECORDED), miyawaki.stimuli(RECORDED)
    target = Pixels(28, grey=True)
    folds = list(LeaveOneOut(by, validation=0).split(responses))
    got = decode(
        responses,
        Goal(stimuli, target),
        encoder=Ridge([100.0], device="cpu"),
        generator=DirectImage(target),
        protocol=Protocol(folds, by, measures=MEASURES, repeats="single"),
    )
    assert got.score("top1") == pytest.approx(top1, abs=0.03)
    assert got.score("top1_centred") == pytest.approx(top1_centred, abs=0.03)
    assert got.score("pixel_correlation") == pytest.approx(pixels, abs=0.02)
    if two_way is not None:
        assert got.score("two_way") == pytest.approx(two_way, abs=0.02)
    controls = got.result.controls
    assert controls["mean"]["pixel_correlation"] == pytest.approx(mean_picture, abs=0.02)
    assert controls["shuffled"]["top1"] < 0.15
    assert controls["noise"]["top1"] < 0.15
    assert np.mean([score.p for score in got.result.scores.values()]) == pytest.approx(1 / 1001)
