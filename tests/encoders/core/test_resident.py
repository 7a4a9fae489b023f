"""Trials that stay on the device give the batches of `PooledTrials`."""

from __future__ import annotations

import numpy as np
import torch

from neurodecode.data import Embeddings, Responses
from neurodecode.encoders.core.resident import ResidentTrials
from neurodecode.encoders.core.trials import PooledTrials


def test_batches_are_those_of_pooled_trials():
    rng = np.random.default_rng(0)
    people = [
        Responses(rng.normal(size=(n, 3, 4)), range(n), f"s{n}", "meg",
                  dims=("trial", "channel", "time"))
        for n in (7, 11)
    ]  # fmt: skip
    targets = {"target": Embeddings(rng.normal(size=(11, 5)), range(11), "toy")}
    lazy, resident = (
        kind(people, targets, batch_size=4).epoch(2, seed=5)
        for kind in (PooledTrials, ResidentTrials)
    )
    n_steps = 0
    for [one], [other] in zip(lazy, resident, strict=True):
        assert one.subject == other.subject and (one.rows == other.rows).all()
        torch.testing.assert_close(one.values, other.values, rtol=0, atol=0)
        torch.testing.assert_close(one.targets["target"], other.targets["target"])
        n_steps += 1
    assert n_steps == 5
