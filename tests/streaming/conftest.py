"""A small decoder of streams and a signal for it."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.data import Embeddings, Responses, Split, Stimuli
from neurodecode.encoders import SensorConv, SensorConvSize
from neurodecode.streaming import Candidates, CausalCleaning, StreamKit
from neurodecode.training import Plan

SFREQ = 600.0
CLEANING = CausalCleaning(band_hz=(0.5, 40.0), resample_hz=120.0, time_constant_s=2.0)


@pytest.fixture
def signal():
    rng = np.random.default_rng(0)
    return rng.normal(size=(6, 2000)).cumsum(axis=1) * 1e-13


@pytest.fixture(scope="session")
def kit():
    rng = np.random.default_rng(1)
    ids = [f"scene-{i}" for i in range(8)]
    trials = Responses(
        rng.normal(size=(8, 6, 60)), ids, "sub-01", "meg", dims=("trial", "channel", "time"),
        sfreq=120.0, positions=rng.normal(size=(6, 3)) * 90, units=[f"M{i}" for i in range(6)],
    )  # fmt: skip
    points = Embeddings(rng.normal(size=(8, 4)), ids, "toy")
    encoder = SensorConv(
        size=SensorConvSize(n_virtual=5, hidden=6, n_out=8),
        plan=Plan(max_epochs=2, device="cpu"),
        batch_size=4,
    ).fit(trials, points, Split(ids, [], []))
    stimuli = Stimuli.from_arrays(ids, rng.integers(0, 255, (8, 12, 12, 3), dtype=np.uint8))
    return StreamKit(encoder, CLEANING, trials, Candidates(points, stimuli), "retrieval", "Toy.")
