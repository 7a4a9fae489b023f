"""What one training step of the shared space does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from neurodecode.encoders.core.losses import bi_mixco, mix_rows, soft_clip
from neurodecode.encoders.core.trials import TrialBatch
from neurodecode.encoders.mindeye2.parts import MindEye2Net
from neurodecode.training import Progress

MIXCO_TEMPERATURE = 0.006
FIRST_TEMPERATURE, LAST_TEMPERATURE = 0.004, 0.0075
CHECK_TEMPERATURE = 0.005


@dataclass(frozen=True)
class MindEye2Loss:
    """Weights of the terms (published code) and the share of training that blends responses.

    Examples
    --------
    >>> MindEye2Loss().prior
    30.0
    """

    prior: float = 30.0
    clip: float = 1.0
    latent: float = 0.5
    mixed_share: float = 1 / 3


def blend(batches: Sequence[TrialBatch]) -> tuple[list[Tensor], Tensor, Tensor]:
    """Blend the responses of each person by themselves; partners count in the joint batch.

    Returns
    -------
    values : list of Tensor
        Blended responses of each person.
    partner : Tensor of int, shape (B,)
        Row of the joint batch that was blended in; of the same person.
    own : Tensor, shape (B,)
        The weight of the row itself.
    """
    values, partners, owns, offset = [], [], [], 0
    for batch in batches:
        mixed, partner, own = mix_rows(batch.values)
        values.append(mixed)
        partners.append(partner + offset)
        owns.append(own)
        offset += len(batch)
    return values, torch.cat(partners), torch.cat(owns)


class MindEye2Step:
    """The losses of one step.

    Parameters
    ----------
    loss : MindEye2Loss
    head, latent : str
        Names of the main target and of the latent pictures.
    scale : float
        Standard deviation of the main target; the prior works on target / scale.
    """

    def __init__(self, loss: MindEye2Loss, head: str, latent: str | None, scale: float) -> None:
        self.loss, self.head, self.latent, self.scale = loss, head, latent, scale

    def __call__(
        self, net: MindEye2Net, batches: Sequence[TrialBatch], progress: Progress
    ) -> dict[str, Tensor]:
        """Prior + contrastive (BiMixCo, then SoftCLIP) + latent."""
        mixing = self.branch(batches, progress)
        values = [one.values for one in batches]
        if mixing:
            values, partner, own = blend(batches)
        parts, retrieved, target = self._parts(net, batches, values)
        if mixing:
            clip = bi_mixco(retrieved, target, partner, own, MIXCO_TEMPERATURE)
        else:
            clip = soft_clip(retrieved, target, self._temperature(progress.done))
        parts["clip"] = self.loss.clip * clip
        return {"loss": torch.stack(list(parts.values())).sum(), **parts}

    def branch(self, batches: Sequence[TrialBatch], progress: Progress) -> bool:
        """Whether responses are blended."""
        return progress.fraction < self.loss.mixed_share

    def check(self, net: MindEye2Net, batch: TrialBatch) -> dict[str, Tensor]:
        """The losses without blending, at one temperature: comparable over epochs."""
        parts, retrieved, target = self._parts(net, [batch], [batch.values])
        parts["clip"] = self.loss.clip * soft_clip(retrieved, target, CHECK_TEMPERATURE)
        return {"loss": torch.stack(list(parts.values())).sum(), **parts}

    def _parts(
        self, net: MindEye2Net, batches: Sequence[TrialBatch], values: Sequence[Tensor]
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        shared = torch.cat(
            [net.shared(one.subject, part) for one, part in zip(batches, values, strict=True)]
        )
        hidden, tokens = net.backbone(shared)
        target = torch.cat([one.targets[self.head] for one in batches]).to(tokens.device)
        clean = target.reshape(tokens.shape) / self.scale
        parts = {"prior": self.loss.prior * net.prior.loss(tokens, clean)}
        if net.latent is not None and self.latent is not None:
            picture = torch.cat([one.targets[self.latent] for one in batches]).to(tokens.device)
            error = F.l1_loss(net.latent(hidden).float(), picture)
            parts["latent"] = self.loss.latent * error
        return parts, net.projector(tokens), target

    def _temperature(self, fraction: Tensor) -> Tensor:
        """Cosine from .004 to .0075 over the part of training that does not blend."""
        share = self.loss.mixed_share
        done = (fraction - share) / max(1e-9, 1.0 - share)
        rise = (1 - torch.cos(math.pi * done.clamp(0.0, 1.0))) / 2
        return FIRST_TEMPERATURE + (LAST_TEMPERATURE - FIRST_TEMPERATURE) * rise
