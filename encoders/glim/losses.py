"""What GLIM is trained by: its losses, and the network with its temperature."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from neurodecode.encoders.core.losses import info_nce
from neurodecode.encoders.glim.batches import SentenceBatch
from neurodecode.encoders.glim.language import FrozenT5
from neurodecode.encoders.glim.network import GlimNetwork, hide_prompts


@dataclass(frozen=True)
class GlimLosses:
    """L = contrastive L_clip + language L_lm + commitment L_mse; the published recipe is .5, .5, 0.

    Parameters
    ----------
    contrastive : float
        Pooled brain tokens against pooled text.
    language : float
        Cross-entropy of the frozen decoder on one of the target texts.
    commitment : float
        Squared distance of the brain's tokens from the states of the frozen text encoder.
    learned_temperature : bool
        False: none at all, as published.
    hidden : tuple of float
        How often task, data set and subject are hidden (set to *unknown*) while training. As
        published the task is always told: it names the corpus, which must be said beside a score.

    Examples
    --------
    >>> GlimLosses.published().hidden
    (0.0, 1.0, 1.0)
    """

    contrastive: float = 0.5
    language: float = 0.5
    commitment: float = 0.0
    learned_temperature: bool = True
    hidden: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @classmethod
    def published(cls) -> GlimLosses:
        """The recipe of the released run."""
        return cls(learned_temperature=False, hidden=(0.0, 1.0, 1.0))


class GlimModel(nn.Module):
    """The network with its temperature and its losses."""

    def __init__(self, network: GlimNetwork) -> None:
        super().__init__()
        self.network = network
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def tokens(self, batch: SentenceBatch, hidden: tuple[float, float, float]) -> Tensor:
        """Tokens (b, q, d); what is always hidden in training stays hidden."""
        shares = hidden if self.training else tuple(float(one == 1) for one in hidden)
        prompt = hide_prompts(batch.prompt, shares)
        found: Tensor = self.network(batch.values, prompt, batch.valid, batch.prompt[:, 2])
        return found

    def losses(
        self, batch: SentenceBatch, language: FrozenT5, weights: GlimLosses
    ) -> dict[str, Tensor]:
        """The losses and their weighted sum; a loss of weight 0 is not computed."""
        tokens = self.tokens(batch, weights.hidden)
        found: dict[str, Tensor] = {}
        if weights.contrastive or weights.commitment:
            states, words = language.states(prompted(batch.raw), tokens.shape[1])
        if weights.contrastive:
            brain, text = self.network.pool_brain(tokens), self.network.pool_text(states, words)
            scale = self.log_scale.exp().clamp(max=100.0) if weights.learned_temperature else 1.0
            found["contrastive"] = info_nce(brain, text, scale)
        if weights.language:
            found["language"] = language.loss(tokens, [_drawn(texts) for texts in batch.texts])
        if weights.commitment:
            apart = functional.mse_loss(tokens, states, reduction="none").mean(dim=2)
            found["commitment"] = (apart * words).sum() / words.sum()
        total = torch.stack([getattr(weights, name) * one for name, one in found.items()]).sum()
        return {"loss": total, **found}


def prompted(texts: Sequence[str]) -> list[str]:
    """The texts behind the instruction that GLIM gives T5.

    Examples
    --------
    >>> prompted(["A film."])
    ['To English: A film.']
    """
    return [f"To English: {text}" for text in texts]


def _drawn(texts: Sequence[str]) -> str:
    return texts[int(torch.randint(len(texts), ()))] if len(texts) > 1 else texts[0]
