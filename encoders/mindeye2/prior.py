"""The diffusion prior: from what the backbone says to a point of the target space.

Shapes: B trials, T tokens, D dims of a token, w width of the transformer.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

N_TIMES = 100
DROPPED = 0.2


class DiffusionPrior(nn.Module):
    """Predicts clean target tokens from noised ones, the time and the brain's tokens.

    Parameters
    ----------
    n_tokens, n_dims : int
        Of the target.
    depth, n_heads, width : int
        Of the transformer over [brain tokens, time, noised tokens]; nothing is masked.

    Sources
    -------
    Ramesh et al. 2022 (DALL-E 2), section 2.2, as MindEye2 uses it: x0 is predicted, cosine
    schedule of 100 times, the condition dropped one time in five, learned positions.

    Examples
    --------
    >>> prior = DiffusionPrior(3, 4, depth=1, n_heads=2, width=8)
    >>> prior.sample(torch.zeros(2, 3, 4), n_steps=2, seed=0).shape
    torch.Size([2, 3, 4])
    """

    def __init__(self, n_tokens: int, n_dims: int, *, depth: int, n_heads: int, width: int) -> None:
        super().__init__()
        self.n_tokens = n_tokens
        self.read_brain, self.read_noised = nn.Linear(n_dims, width), nn.Linear(n_dims, width)
        self.time = nn.Embedding(N_TIMES, width)
        self.places = nn.Parameter(torch.randn(2 * n_tokens + 1, width) * 0.02)
        self.nothing = nn.Parameter(torch.randn(n_tokens, width) * 0.02)
        layer = nn.TransformerEncoderLayer(
            width, n_heads, 4 * width, 0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.write = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, n_dims))

    def forward(self, noised: Tensor, time: Tensor, brain: Tensor, keep: Tensor) -> Tensor:
        """Noised tokens (B, T, D), time (B,), brain tokens (B, T, D), kept or not (B,)."""
        said = torch.where(keep[:, None, None], self.read_brain(brain), self.nothing)
        tokens = self.read_noised(noised.to(self.places.dtype))
        parts = [said, self.time(time)[:, None], tokens]
        hidden = self.layers(torch.cat(parts, dim=1) + self.places)
        out: Tensor = self.write(hidden[:, -self.n_tokens :])
        return out

    def loss(self, brain: Tensor, clean: Tensor) -> Tensor:
        """Mean squared error of the clean tokens at random times."""
        time = torch.randint(0, N_TIMES, (len(clean),), device=clean.device)
        keep = torch.rand(len(clean), device=clean.device) >= DROPPED
        signal, noise = schedule(time)
        noised = signal[:, None, None] * clean + noise[:, None, None] * torch.randn_like(clean)
        return F.mse_loss(self(noised, time, brain, keep).float(), clean.float())

    @torch.no_grad()
    def sample(self, brain: Tensor, *, n_steps: int = 20, seed: int = 0) -> Tensor:
        """Deterministic steps (DDIM) from seeded noise, one draw for all trials."""
        rng = torch.Generator().manual_seed(seed)
        shape = (1, *brain.shape[1:])
        tokens = torch.randn(shape, generator=rng).to(brain).expand_as(brain)
        keep = torch.ones(len(brain), dtype=torch.bool, device=brain.device)
        times = torch.linspace(N_TIMES - 1, 0, n_steps, device=brain.device).round().long()
        for now, after in zip(times, [*times[1:], None], strict=True):
            clean: Tensor = self(tokens, now.expand(len(brain)), brain, keep)
            if after is None:
                return clean
            signal, noise = schedule(now)
            direction = (tokens - signal * clean) / noise
            signal, noise = schedule(after)
            tokens = signal * clean + noise * direction
        return tokens


def schedule(time: Tensor) -> tuple[Tensor, Tensor]:
    """Shares of signal and noise at a time: cosine, signal^2 + noise^2 = 1.

    Examples
    --------
    >>> [round(float(one), 2) for one in schedule(torch.tensor(0))]
    [1.0, 0.02]
    """
    angle = (time.float() + 1) / (N_TIMES + 1) * math.pi / 2
    return torch.cos(angle), torch.sin(angle)
