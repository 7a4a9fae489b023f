"""The published network: sizes, positions, spatial dropout."""

from __future__ import annotations

import math

import pytest
import torch

from neurodecode.encoders.core.sensor_layers import flat_layout
from neurodecode.encoders.sensor_conv.network import (
    SensorConvNetwork,
    SpatialAttention,
    TimeAggregation,
    fourier_code,
)


def test_parameter_count_is_the_published_one() -> None:
    network = SensorConvNetwork(n_times=181, n_dims=768, n_people=4)
    count = {
        name: sum(p.numel() for p in part.parameters()) for name, part in network.named_children()
    }
    assert count == {
        "attention": 552_960,
        "mix": 73_170,
        "person_layer": 291_600,
        "blocks": 1_183_360 + 1_231_360,
        "project": 1_518_208,
        "aggregate": 182,
        "heads": 1_573_632,
    }
    assert sum(count.values()) == 6_424_472


def test_dilations_grow_by_two() -> None:
    network = SensorConvNetwork(20, 8, 0)
    found = [conv[0].dilation[0] for block in network.blocks for conv in block.convolutions]
    assert found == [1, 2, 4, 8]


def test_fourier_code_is_the_published_formula() -> None:
    place = torch.tensor([[0.3, 0.8]])
    code = fourier_code(place, n_harmonics=3)[0]
    k, el = 2, 1
    angle = 2 * math.pi * (k * 0.5 + el * 1.0) / 1.4
    assert code[k * 3 + el].item() == pytest.approx(math.cos(angle), abs=1e-5)
    assert code[9 + k * 3 + el].item() == pytest.approx(math.sin(angle), abs=1e-5)


def test_attention_ignores_sensors_without_a_place() -> None:
    layout = torch.rand(6, 2)
    layout[4] = math.nan
    weights = SpatialAttention(5).eval().weights(layout)
    assert torch.allclose(weights.sum(dim=1), torch.ones(5))
    assert (weights[:, 4] == 0).all()


def test_spatial_dropout_leaves_sensors_out_in_training_only() -> None:
    torch.manual_seed(0)
    layout = torch.rand(200, 2)
    attention = SpatialAttention(3)
    draws = torch.stack([(attention.weights(layout)[0] == 0).float() for _ in range(50)])
    assert 0.03 < draws.mean() < math.pi * 0.2**2 + 0.02
    assert (attention.eval().weights(layout) > 0).all()


def test_order_of_the_sensors_does_not_matter() -> None:
    torch.manual_seed(0)
    network = SensorConvNetwork(20, 4, 0, n_virtual=6, hidden=8, n_out=16).eval()
    layout, values = torch.rand(9, 2), torch.randn(2, 9, 20)
    order = torch.randperm(9)
    one = network(values, layout)["retrieval"]
    other = network(values[:, order], layout[order])["retrieval"]
    assert torch.allclose(one, other, atol=1e-5)


def test_one_map_is_the_three_layers_one_after_the_other() -> None:
    torch.manual_seed(0)
    network = SensorConvNetwork(20, 4, 2, n_virtual=6, hidden=8, n_out=16).eval()
    layout, values = torch.rand(9, 2), torch.randn(2, 9, 20)
    matrix, offset = network.spatial_map(layout, person=1)
    attended = torch.einsum("vc,bct->bvt", network.attention.weights(layout), values)
    person = torch.einsum("vw,bwt->bvt", network.person_layer.matrices[1], network.mix(attended))
    at_once = torch.einsum("vc,bct->bvt", matrix, values) + offset[:, None]
    assert torch.allclose(person, at_once, atol=1e-5)


def test_layout_fills_the_unit_square_and_keeps_left_and_right() -> None:
    angle = torch.linspace(0, 2 * math.pi, 13)[:-1]
    ring = torch.stack([90 * angle.cos(), 90 * angle.sin(), torch.full((12,), 20.0)], dim=1)
    layout = flat_layout(torch.cat([ring, torch.tensor([[0.0, 0.0, 100.0]])]))
    assert layout.amin() >= 0 and layout.amax() <= 1
    assert torch.allclose(layout[-1], torch.tensor([0.5, 0.5]), atol=0.05)
    assert layout[0, 0] > layout[6, 0]


@pytest.mark.parametrize("kind", ["mean", "affine", "attention"])
def test_aggregations_give_one_vector(kind: str) -> None:
    assert TimeAggregation(kind, 7, 11)(torch.randn(3, 7, 11)).shape == (3, 7)


def test_an_unknown_aggregation_is_refused() -> None:
    with pytest.raises(ValueError, match="must be 'mean', 'affine' or 'attention'; got 'max'"):
        TimeAggregation("max", 7, 11)


@pytest.mark.parametrize("kind", ["affine", "mean", "attention"])
def test_time_summed_up_first_is_the_same_as_projecting_every_sample(kind):
    torch.manual_seed(0)
    aggregate, project = TimeAggregation(kind, 7, 11), torch.nn.Conv1d(5, 7, 1)
    values = torch.randn(3, 5, 11)
    expected = aggregate(project(values))
    torch.testing.assert_close(aggregate.after(project, values), expected)
