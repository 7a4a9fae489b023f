"""NICE and ATM: published sizes, the person's token, what does not fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode.data import Embeddings, Responses, Split
from neurodecode.encoders import Atm, CompactSize, Nice
from neurodecode.encoders.compact.networks import AtmNetwork, NiceNetwork, TemporalSpatial
from neurodecode.training import Plan

TINY = CompactSize(4, 5, 4, 2)


def people(n=2, n_channels=5, n_times=20):
    rng = np.random.default_rng(0)
    return [
        Responses(rng.normal(size=(16, n_channels, n_times)), range(16), f"s{i}", "eeg",
                  dims=("trial", "channel", "time"))
        for i in range(n)
    ]  # fmt: skip


def test_published_sizes():
    trunk = TemporalSpatial(63, 250, CompactSize())
    assert trunk.n_out == 1440
    count = sum(one.numel() for one in trunk.parameters())
    assert count == 25 * 40 + 40 + 80 + 40 * 40 * 63 + 40 + 80 + 40 * 40 + 40
    heads = NiceNetwork(63, 250, 768, CompactSize(), ("retrieval",)).heads
    assert sum(one.numel() for one in heads.parameters()) == 1440 * 768 + 768**2 + 4 * 768


def test_person_s_token_matters_and_a_stranger_gets_the_mean():
    torch.manual_seed(0)
    network = AtmNetwork(5, 20, 3, TINY, ("retrieval",), n_people=2).eval()
    with torch.no_grad():
        network.people.weight.mul_(5)
        for one in network.trunk.layers:  # the first weights are small: a small effect
            if isinstance(one, torch.nn.Conv2d):
                one.weight.mul_(20)
    values, layout = torch.randn(2, 5, 20), torch.zeros(5, 2)
    one, two, mean = (network(values, layout, who)["retrieval"] for who in (0, 1, None))
    assert not torch.allclose(one, two, atol=1e-4)
    with torch.no_grad():
        network.people.weight.copy_(network.people.weight.mean(0).expand(2, -1))
    torch.testing.assert_close(network(values, layout, 0)["retrieval"], mean)


@pytest.mark.parametrize("kind", [Nice, Atm])
def test_planted_signal_is_found_in_a_person_never_met(kind):
    rng = np.random.default_rng(1)
    causes = rng.normal(size=(64, 3))
    field, course = rng.normal(size=(3, 5)), np.hanning(20)
    shown = [
        Responses(
            np.einsum("nk,kc,t->nct", causes, field, course)
            + 0.3 * rng.normal(size=(64, 5, 20)),
            range(64), f"s{i}", "eeg", dims=("trial", "channel", "time"),
        )
        for i in range(3)
    ]  # fmt: skip
    target = Embeddings(causes, range(64), "toy")
    plan = Plan(max_epochs=25, learning_rate=1e-2, device="cpu")
    encoder = kind(0.5, TINY, plan, batch_size=24)
    split = Split(range(48), [], range(48, 64))
    encoder.fit(shown[:2], target, split)
    test = split.part(shown[2], "test")
    found, truth = encoder.predict(test).array(), target.rows(test.stimulus)
    unit = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in (found, truth)]
    table = unit[0] @ unit[1].T
    ranks = (table > np.diag(table)[:, None]).sum(axis=1)
    assert ranks.mean() < 3  # of 0 to 15; 7.5 by chance


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="20 samples are too short for a kernel of 25"):
        CompactSize().n_pooled(20)
    target = Embeddings(np.eye(16), range(16), "toy")
    encoder = Nice(size=TINY, plan=Plan(max_epochs=1, device="cpu"))
    with pytest.raises(ValueError, match="made for 5 sensors; subject 's1' has 6"):
        encoder.fit([people()[0], people(2, 6)[1]], target, Split(range(16), [], []))
