"""The losses against their plain formulas."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from neurodecode.encoders.mindbridge.loss import BridgeLoss, aligned, bridge_losses
from neurodecode.encoders.mindbridge.parts import BridgeSizes, MindBridgeNet

SMALL = BridgeSizes(
    n_pooled=12, n_hidden=6, n_blocks=2, n_bottleneck=3, dropout_in=0.0, dropout=0.0
)


def plain(predicted: torch.Tensor, target: torch.Tensor, tau: float) -> tuple[torch.Tensor, ...]:
    p, t = F.normalize(predicted, dim=1), F.normalize(target, dim=1)
    wanted = torch.softmax(t @ t.T / tau, dim=1)
    logits = p @ t.T / tau
    clip = -(wanted * F.log_softmax(logits, 1)).sum(1).mean() / 2
    clip = clip - (wanted * F.log_softmax(logits.T, 1)).sum(1).mean() / 2
    return clip, F.mse_loss(p, t)


def test_aligned_is_soft_clip_and_mse_of_normalised_rows_with_their_gradient() -> None:
    generator = torch.Generator().manual_seed(0)
    target = torch.randn(7, 40, generator=generator, dtype=torch.float32)
    results = []
    for function in (aligned, plain):
        predicted = torch.randn(7, 40, generator=torch.Generator().manual_seed(1))
        predicted.requires_grad_()
        clip, mse = function(predicted, target, 0.05)
        (clip + 30 * mse).backward()
        results.append((clip.detach(), mse.detach(), predicted.grad))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_aligned_in_bfloat16_is_near_float32() -> None:
    generator = torch.Generator().manual_seed(0)
    predicted, target = torch.randn(2, 6, 5000, generator=generator)
    exact = aligned(predicted, target, 0.1)
    half = aligned(predicted.bfloat16(), target.bfloat16(), 0.1)
    for one, other in zip(half, exact, strict=True):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def losses(pair: tuple[int, int] | None, **weights: float) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    net = MindBridgeNet(3, {"image": (2, 4), "text": (5,)}, SMALL)
    pooled = [(0, torch.randn(2, 12)), (2, torch.randn(4, 12))]
    targets = {"image": torch.randn(6, 2, 4), "text": torch.randn(6, 5)}
    found = bridge_losses(net, pooled, targets, BridgeLoss(**weights), pair)
    found["loss"].backward()
    found["touched"] = torch.tensor(
        [one.weight.grad is not None for one in (net.embedders[i][1] for i in range(3))]
    )
    return found


def test_people_may_have_unequally_many_trials_and_all_terms_add_up() -> None:
    found = losses((0, 1))
    touched = found.pop("touched")
    total = found.pop("loss")
    assert set(found) == {
        "soft_clip_image",
        "mse_image",
        "soft_clip_text",
        "mse_text",
        "reconstruction",
        "cycle",
    }
    torch.testing.assert_close(total, torch.stack(list(found.values())).sum())
    assert touched.tolist() == [True, False, True]


def test_the_cycle_is_the_embedding_error_after_the_second_persons_loop() -> None:
    found = losses((1, 0))
    torch.manual_seed(0)
    net = MindBridgeNet(3, {"image": (2, 4), "text": (5,)}, SMALL)
    torch.randn(2, 12)
    hidden = net.embed(2, torch.randn(4, 12))
    again = net.embed(0, net.build(0, hidden))
    torch.testing.assert_close(found["cycle"], F.mse_loss(again, hidden))


def test_without_reconstruction_and_cycle_no_builder_is_used() -> None:
    found = losses((0, 1), reconstruction=0.0, cycle=0.0)
    assert "reconstruction" not in found and "cycle" not in found
