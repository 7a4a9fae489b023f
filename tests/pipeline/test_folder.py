"""Checkpoints of one fold never reach another: noise stays at chance with a folder given."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neurodecode.data import LeaveOneOut, Responses
from neurodecode.encoders import MindEye2
from neurodecode.encoders.mindeye2.parts import MindEye2Sizes
from neurodecode.pipeline import Protocol, decode
from neurodecode.training import Plan

from .conftest import Painter

SIZES = MindEye2Sizes(n_shared=8, n_blocks=1, prior_depth=1, prior_heads=2, prior_width=8)


def noise(points):
    rng = np.random.default_rng(5)
    ids = np.tile(points.stimulus[:10], 4)
    return Responses(rng.normal(size=(40, 30)), ids, "p1", "fmri", run=np.repeat(np.arange(4), 10))


def decoded(one, goal, folder):
    encoder = MindEye2(
        SIZES, plan=Plan(max_epochs=8, learning_rate=1e-2, device="cpu"), folder=folder
    )
    protocol = Protocol(list(LeaveOneOut("run").split(one)), closed_forms=False, repeats="single")
    return decode(one, goal, encoder=encoder, generator=Painter(), protocol=protocol)


def test_noise_is_at_chance_and_each_fold_has_a_folder(points, goal, tmp_path):
    one = noise(points)
    folder = tmp_path / "run"
    found = decoded(one, goal, str(folder))
    score = found.result.scores["two_way"]
    assert abs(score.value - 0.5) < 0.12 and score.p > 0.05
    places = sorted(path.name for path in folder.iterdir())
    assert places == ["fold-00", "fold-01", "fold-02", "fold-03"]
    assert [Path(fold.folder).name for fold in found.encoders] == places
    without = decoded(one, goal, None)
    assert without.score("two_way") == score.value
    again = decoded(one, goal, str(folder))
    assert again.score("two_way") == score.value


def test_an_encoder_of_ones_own_is_questioned_outside_its_folder(points, goal, tmp_path):
    class Own(MindEye2):
        """Not of this package: it is fitted to shuffled pairs besides."""

    one = noise(points)
    own = Own(SIZES, plan=Plan(max_epochs=1, device="cpu"), folder=str(tmp_path / "run"))
    [split, *_] = LeaveOneOut("run").split(one)
    protocol = Protocol(split, repeats="single")
    found = decode(one, goal, encoder=own, generator=Painter(), protocol=protocol)
    assert found.encoder.folder == str(tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run").iterdir())[0] == "checkpoint.pt"
