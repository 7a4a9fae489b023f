"""Overlapping windows, with what was known already: the same as the whole network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode.encoders.core.sensor_model import HEADS, SensorConvModel
from neurodecode.encoders.sensor_conv.network import SensorConvNetwork
from neurodecode.encoders.sensor_conv.stream import SensorConvStream


@pytest.fixture
def model():
    torch.manual_seed(0)
    network = SensorConvNetwork(60, 3, 2, HEADS, n_virtual=5, hidden=6, n_out=7)
    for one in network.modules():
        if isinstance(one, torch.nn.BatchNorm1d):
            one.running_mean.normal_()
            one.running_var.uniform_(0.5, 2.0)
    return SensorConvModel(network, np.full(3, 2, np.float32), np.full(3, 3, np.float32)).eval()


@pytest.mark.parametrize("head", HEADS)
def test_windows_are_those_of_the_whole_network(model, head):
    layout = torch.rand(4, 2)
    stream = SensorConvStream(model, layout, 1, head)
    assert stream.reach == 17
    signal = np.random.default_rng(0).normal(size=(4, 300)).astype(np.float32)
    ends = [60, 66, 72, 72, 90, 116, 143, 250, 251]
    for end, before in zip(ends, [0, *ends[:-1]], strict=True):
        window = signal[:, end - 60 : end]
        expected = model.embed(torch.from_numpy(window.copy())[None], layout, 1)[head][0]
        found = stream(window, end - before)
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-4)


def test_wrong_number_of_new_samples_would_be_noticed(model):
    """The shift matters: what the windows share is not computed again."""
    stream = SensorConvStream(model, torch.rand(4, 2), 1, "retrieval")
    signal = np.random.default_rng(0).normal(size=(4, 300)).astype(np.float32)
    stream(signal[:, :60], 60)
    wrong = stream(signal[:, 20:80], 1)
    stream.reset()
    assert not np.allclose(wrong, stream(signal[:, 20:80], 1), atol=1e-4)
