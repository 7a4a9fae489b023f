"""The split optimizer against torch's AdamW, and its rounding."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from neurodecode.training._split_adamw import SplitAdamW, joined, rounded, split


def test_both_halves_together_are_the_exact_float32() -> None:
    values = torch.cat(
        [torch.randn(10_000) * scale for scale in (1e-30, 1e-3, 1.0, 1e20)]
        + [torch.tensor([0.0, -0.0, 1.0, 1.00390625, -1.00390625])]
    )
    high, low = split(values)
    assert torch.equal(joined(high, low), values)
    nearest = (values.to(torch.bfloat16).float() - values).abs()
    assert torch.equal((high.float() - values).abs(), nearest)


def test_stochastic_rounding_is_right_on_average() -> None:
    value = torch.full((200_000,), 1.001)
    noise = torch.randint(0, 2**16, value.shape, dtype=torch.int32)
    low_precision = rounded(value, noise).float()
    assert set(low_precision.tolist()) == {1.0, 1.0078125}
    assert abs(float(low_precision.mean()) - 1.001) < 3e-5
    assert abs(float(rounded(-value, noise).float().mean()) + 1.001) < 3e-5


def trained(split_weights: bool, n_steps: int = 300) -> tuple[list[float], list[torch.Tensor]]:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(12, 32), nn.GELU(), nn.Linear(32, 3))
    data, truth = torch.randn(64, 12), torch.randn(64, 3)
    groups = [
        {"params": [one for one in net.parameters() if one.ndim > 1], "weight_decay": 1e-2},
        {"params": [one for one in net.parameters() if one.ndim == 1], "weight_decay": 0.0},
    ]
    kind = SplitAdamW if split_weights else torch.optim.AdamW
    optimizer = kind(groups, lr=2e-3)
    losses = []
    for _ in range(n_steps):
        like = next(net.parameters()).dtype
        loss = (net(data.to(like)).float() - truth).square().mean()
        loss.backward()
        if split_weights:
            optimizer.clip(1.0)
        else:
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    if split_weights:
        optimizer.join()
    return losses, [one.detach() for one in net.parameters()]


def test_the_loss_curve_is_that_of_adamw_in_float32() -> None:
    ours, _ = trained(True)
    theirs, _ = trained(False)
    difference = max(abs(a - b) / b for a, b in zip(ours, theirs, strict=True))
    assert ours[-1] < 0.7 * ours[0]
    assert difference < 0.05


def test_one_step_is_adamws_to_the_precision_of_the_gradient() -> None:
    ours, theirs = trained(True, 1)[1], trained(False, 1)[1]
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=5e-5)


def test_small_updates_are_not_lost() -> None:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.ones_(layer.weight)
    optimizer = SplitAdamW(layer.parameters(), lr=1e-5, weight_decay=0.0)
    for _ in range(100):
        layer.weight.grad = torch.ones_like(layer.weight)
        optimizer.step()  # a thousandth would not change a bfloat16 of 1
    optimizer.join()
    assert abs(float(layer.weight.detach()) - (1 - 1e-3)) < 1e-5


def test_clipping_gives_the_norm_and_scales_as_torch_does() -> None:
    layer = nn.Linear(3, 1, bias=False)
    optimizer = SplitAdamW(layer.parameters(), weight_decay=0.0)
    layer.weight.grad = torch.tensor([[3.0, 0.0, 4.0]], dtype=torch.bfloat16)
    assert float(optimizer.clip(1.0)) == 5.0
    optimizer.step()
    first = optimizer.state[layer.weight]["first"].float()
    torch.testing.assert_close(first, torch.tensor([0.06, 0.0, 0.08]), rtol=1e-2, atol=0)


@pytest.mark.slow
def test_the_kernel_does_what_plain_torch_does() -> None:
    pytest.importorskip("triton")
    code = """
import torch
from neurodecode.training import _split_adamw as plain
from neurodecode.training._split_adamw_triton import move
torch.manual_seed(0)
rates = plain.Rates.of({"betas": (0.9, 0.999), "eps": 1e-8, "lr": 1e-3, "weight_decay": 1e-2}, 3)
weight = torch.randn(3000)
high, low = plain.split(weight)
state = [high, low, torch.randn(3000).bfloat16(), torch.randn(3000).bfloat16() * 1e-1,
         torch.rand(3000).bfloat16() * 1e-2]
other = [one.clone() for one in state]
scale = torch.tensor(0.5)
move(state, scale, rates, 5)
plain._move_chunk(other, scale, rates, 5)
torch.testing.assert_close(plain.joined(state[0], state[1]), plain.joined(other[0], other[1]),
                           rtol=1e-6, atol=1e-7)
for a, b in zip(state[3:], other[3:]):
    torch.testing.assert_close(a.float(), b.float(), rtol=1e-2, atol=1e-6)
    assert (a != b).any()
print("same")
"""
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert "same" in found.stdout, found.stderr[-2000:]
