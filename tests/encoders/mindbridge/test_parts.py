"""The network has the published sizes and starts as it should."""

from __future__ import annotations

import torch
from torch import nn

from neurodecode.encoders.mindbridge.parts import Adapter, BridgeSizes, MindBridgeNet


def millions(module: nn.Module) -> float:
    return sum(one.numel() for one in module.parameters()) / 1e6


def test_the_published_parameter_counts() -> None:
    with torch.device("meta"):
        net = MindBridgeNet(4, {"image": (257, 768), "text": (77, 768)}, BridgeSizes())
    assert round(millions(net.embedders[0]), 2) == 18.89
    assert round(millions(net.builders[0]), 2) == 18.91
    assert round(millions(net.translator), 1) == 16.8
    assert round(millions(net.heads[0]), 1) == 404.4
    assert round(millions(net.heads[1]), 1) == 121.2
    assert round(millions(net)) == 694


def test_a_new_adapter_is_the_identity_and_can_learn() -> None:
    adapter = Adapter(5, 3)
    values = torch.randn(4, 5)
    torch.testing.assert_close(adapter(values), values)
    adapter(values).square().sum().backward()
    assert adapter.up.weight.grad is not None and adapter.up.weight.grad.abs().sum() > 0


def test_people_have_their_own_embedder_and_builder_and_share_the_rest() -> None:
    sizes = BridgeSizes(n_pooled=8, n_hidden=4, n_blocks=1, n_bottleneck=2)
    net = MindBridgeNet(2, {"image": (3,)}, sizes).eval()
    values = torch.randn(2, 8)
    assert not torch.allclose(net.embed(0, values), net.embed(1, values))
    before = {name: one.clone() for name, one in net.state_dict().items()}
    assert net.add_subject() == 2
    after = net.state_dict()
    assert all(torch.equal(after[name], one) for name, one in before.items())
    assert net.embed(2, values).shape == (2, 4)
