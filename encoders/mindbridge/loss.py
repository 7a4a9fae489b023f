"""The losses of MindBridge, all from one matrix of cosines.

Shapes: B trials, D numbers of a flattened target (197376 for 257 x 768 image tokens).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from neurodecode.encoders.mindbridge.parts import MindBridgeNet


@dataclass(frozen=True)
class BridgeLoss:
    """Weights of the terms and the temperature; the defaults are those of the published scripts.

    Without ``reconstruction`` and ``cycle`` the network is the paper's single-subject baseline.
    The error of unit rows falls with the number of values in a row: 1e4 at the published 257 x 768
    weighs as much as 13 at 256. Kept at 1e4 for small targets it drowns reconstruction and cycle;
    raise those with it (30 each served a target of 256 on simulated people).

    Examples
    --------
    >>> BridgeLoss(cycle=0.0).mse
    10000.0
    """

    soft_clip: float = 1.0
    mse: float = 1e4
    reconstruction: float = 1.0
    cycle: float = 1.0
    temperature: float = 0.005


def bridge_losses(
    net: MindBridgeNet,
    pooled: Sequence[tuple[int, Tensor]],
    targets: dict[str, Tensor],
    weights: BridgeLoss,
    pair: tuple[int, int] | None,
) -> dict[str, Tensor]:
    """All terms for one step: SoftCLIP + MSE for each head, reconstruction, cycle.

    Parameters
    ----------
    net : MindBridgeNet
    pooled : sequence of (person, bins of shape (B_person, n))
        The people may have unequally many trials.
    targets : mapping of head to tensor, shape (sum of B_person, ...)
        Rows in the order of ``pooled``.
    weights : BridgeLoss
    pair : (int, int), optional
        Places in ``pooled`` of the people a and b of the cycle; None leaves it out.

    Returns
    -------
    dict of str to scalar tensor
        ``'loss'`` and its parts.

    Sources
    -------
    MindBridge (CVPR 2024), equations of section 3; reconstruction is averaged over all trials, as
    for the concatenated batch there. Gradients reach the first person's embedding in the cycle.
    """
    hidden = [net.embed(person, bins) for person, bins in pooled]
    parts: dict[str, Tensor] = {}
    for name, predicted in net.predict(torch.cat(hidden)).items():
        clip, mse = aligned(predicted, targets[name].flatten(1), weights.temperature)
        parts[f"soft_clip_{name}"] = weights.soft_clip * clip
        parts[f"mse_{name}"] = weights.mse * mse
    if weights.reconstruction:
        rebuilt = [
            net.build(person, points) for (person, _), points in zip(pooled, hidden, strict=True)
        ]
        truth = torch.cat([bins for _, bins in pooled])
        error = F.mse_loss(torch.cat(rebuilt).float(), truth.float())
        parts["reconstruction"] = weights.reconstruction * error
    if weights.cycle and pair is not None:
        first, second = hidden[pair[0]], pooled[pair[1]][0]
        again = net.embed(second, net.build(second, first))
        parts["cycle"] = weights.cycle * F.mse_loss(again.float(), first.float())
    return {"loss": torch.stack(list(parts.values())).sum(), **parts}


def aligned(predicted: Tensor, target: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """SoftCLIP and the mean squared error of L2-normalised rows.

    With P and T of unit rows, mean((P - T)^2) = 2 (1 - mean(diag(P T'))) / D, so one matrix product
    gives both, and nothing of the size of the predictions is kept in float32.

    Parameters
    ----------
    predicted, target : tensor, shape (B, D)
        Not normalised; the target gets no gradient.
    temperature : float

    Returns
    -------
    soft_clip, mse : scalar tensors, float32

    Examples
    --------
    >>> one = torch.eye(2)
    >>> clip, mse = aligned(one, one, temperature=0.1)
    >>> round(float(clip), 3), float(mse)
    (0.0, 0.0)
    """
    target = target.detach().to(predicted.dtype)
    similar = Cosines.apply(predicted, target)
    with torch.no_grad():
        wanted = torch.softmax(Cosines.apply(target, target) / temperature, dim=1)
    logits = similar / temperature
    clip = 0.5 * (_cross_entropy(logits, wanted) + _cross_entropy(logits.T, wanted))
    return clip, 2.0 * (1.0 - similar.diagonal().mean()) / predicted.shape[1]


def _cross_entropy(logits: Tensor, wanted: Tensor) -> Tensor:
    return -(wanted * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()


class Cosines(torch.autograd.Function):
    """Cosine of every row of the first with every row of the second, in float32.

    Half-precision rows are multiplied as they are and summed in float32, forward; backward needs
    two passes over the rows and one buffer of their size.
    """

    @staticmethod
    def forward(ctx: Any, predicted: Tensor, target: Tensor) -> Tensor:
        """(B, D) and (C, D) to (B, C)."""
        with torch.autocast(predicted.device.type, enabled=False):
            norms = [_norms(one) for one in (predicted, target)]
            similar = _products(predicted, target) / (norms[0][:, None] * norms[1])
        ctx.save_for_backward(predicted, target, *norms, similar)
        return similar

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Of the first alone: the part along each row itself cancels out."""
        predicted, target, length, target_length, similar = ctx.saved_tensors
        (gradient,) = gradients
        with torch.autocast(predicted.device.type, enabled=False):
            along = (gradient * similar).sum(dim=1) / length**2
            pull = gradient / (length[:, None] * target_length)
            out = pull.to(target.dtype) @ target
            out.addcmul_(predicted, along[:, None].to(predicted.dtype), value=-1.0)
        return out, None


def _norms(rows: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(rows, dim=1, dtype=torch.float32)
    return norms.clamp_min(1e-12)


def _products(one: Tensor, other: Tensor) -> Tensor:
    if one.dtype == torch.float32:
        return one @ other.T
    if one.is_cuda:
        return torch.mm(one, other.T, out_dtype=torch.float32)
    return one.float() @ other.float().T
