"""The part that all people share: tokens in, points of the target spaces out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from neurodecode.encoders.core.calibration import Calibration
from neurodecode.encoders.core.layers import QueryReader, fourier_code
from neurodecode.encoders.core.losses import info_nce, soft_clip
from neurodecode.encoders.core.target_space import HeadSpace

N_FREQUENCIES = 4
LONGEST_MM, LONGEST_S = 256.0, 2.0
SWAPPED = 0.5
"""Share of the trials of a batch that get the noise of another trial."""
LEAST_NOISE = 0.4
"""The noise of a mean of six trials, as a share of one trial's."""


@dataclass(frozen=True)
class TokenSizes:
    """How large the shared part is.

    Parameters
    ----------
    n_components : int
        Main directions of each target space that tokens carry.
    n_queries, width, n_heads, n_blocks : int
    dropout : float
        Also the share of tokens hidden in training.

    Examples
    --------
    >>> TokenSizes(width=32).n_queries
    4
    """

    n_components: int = 64
    n_queries: int = 4
    width: int = 64
    n_heads: int = 4
    n_blocks: int = 1
    dropout: float = 0.3


@dataclass(frozen=True)
class TokenLoss:
    """Weights of the loss's parts.

    Parameters
    ----------
    contrastive : {'info_nce', 'soft_clip'}
    regression : float
        Weight of the mean squared error of the expected target beside the contrastive loss.

    Examples
    --------
    >>> TokenLoss().contrastive
    'info_nce'
    """

    contrastive: Literal["info_nce", "soft_clip"] = "info_nce"
    regression: float = 1.0


class Head(nn.Module):
    """One target space: from whitened components to what is searched for and what is expected."""

    mean: Tensor
    basis: Tensor
    spread: Tensor
    norm: Tensor

    def __init__(self, space: HeadSpace, gathered: int) -> None:
        super().__init__()
        n_components = len(space.spread)
        for name in ("mean", "basis", "spread", "norm"):
            self.register_buffer(name, getattr(space, name).clone())
        self.gain = nn.Parameter(torch.ones(n_components))
        self.shrink = nn.Parameter(torch.ones(n_components))
        self.mean_share = nn.Parameter(torch.zeros(()))
        self.log_scale = nn.Parameter(torch.tensor(3.0))
        self.correct = nn.Linear(gathered, 2 * n_components)
        # The transformer starts by leaving the bridge's answer as it is.
        nn.init.zeros_(self.correct.weight)
        nn.init.zeros_(self.correct.bias)

    def forward(self, base: Tensor, gathered: Tensor) -> tuple[Tensor, Tensor]:
        """The point to search with and the expected target, each (n, n_dims)."""
        change, other = self.correct(gathered).chunk(2, dim=1)
        direction = (base * self.gain + change * self.gain.abs()) @ self.basis
        expected = self.mean + ((base * self.shrink + other) * self.spread) @ self.basis
        size = direction.norm(dim=1, keepdim=True).clamp_min(1e-6)
        search = direction / size + self.mean_share * self.mean / self.mean.norm().clamp_min(1e-6)
        return search, expected

    @torch.no_grad()
    def calibrate(self, found: Calibration) -> None:
        """Start from gains, shrinkage, share of the mean and temperature of left-out tokens."""
        for name in ("gain", "shrink", "mean_share", "log_scale"):
            getattr(self, name).copy_(getattr(found, name))


class TokenNet(nn.Module):
    """Tokens with places and times, queries that gather them, a head for each target space.

    Parameters
    ----------
    spaces : mapping of str to HeadSpace
    places : Tensor, shape (n_tokens, 4)
        Middle of each token: x, y, z in mm, time in s.
    sizes : TokenSizes
    """

    def __init__(self, spaces: Mapping[str, HeadSpace], places: Tensor, sizes: TokenSizes) -> None:
        super().__init__()
        n_in = sum(len(one.spread) for one in spaces.values())
        code = torch.cat(
            [
                fourier_code(places[:, :3], N_FREQUENCIES, LONGEST_MM),
                fourier_code(places[:, 3:], N_FREQUENCIES, LONGEST_S),
            ],
            dim=1,
        )
        self.register_buffer("code", code)
        self.hidden = sizes.dropout
        self.place = nn.Linear(code.shape[1], sizes.width)
        self.whole = nn.Parameter(torch.zeros(sizes.width))
        self.read = nn.Linear(n_in, sizes.width)
        self.reader = QueryReader(
            sizes.n_queries, sizes.width, sizes.n_heads, sizes.n_blocks, sizes.dropout
        )
        gathered = sizes.n_queries * sizes.width
        self.drop = nn.Dropout(sizes.dropout)
        self.heads = nn.ModuleList([Head(one, gathered) for one in spaces.values()])
        self.names = list(spaces)
        self.widths = [len(one.spread) for one in spaces.values()]

    def embed(self, tokens: Tensor) -> Tensor:
        """Tokens (n, t, d) with what they say and where they come from."""
        embedded = self.read(tokens) + self.place(self.code)
        return torch.cat([embedded[:, :1] + self.whole, embedded[:, 1:]], dim=1)

    def forward(self, tokens: Tensor, there: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """For each head the point to search with and the expected target."""
        seen = there
        if self.training and self.hidden:
            kept = torch.rand(there.shape, device=there.device) >= self.hidden
            seen = there & kept
            seen[:, 0] = True
        gathered = self.drop(self.reader(self.embed(tokens), seen).flatten(1))
        bases = tokens[:, 0].split(self.widths, dim=1)
        parts = zip(self.names, self.heads, bases, strict=True)
        return {name: head(base, gathered) for name, head, base in parts}


class TokenStep:
    """Contrastive and regression loss of a batch."""

    def __init__(self, loss: TokenLoss) -> None:
        self.loss = loss

    def __call__(self, module: Any, batch: Any, progress: Any = None) -> dict[str, Tensor]:
        """The losses by name, ``'loss'`` among them."""
        tokens, there, targets = batch
        total = contrastive = regression = tokens.new_zeros(())
        for head, (search, expected) in zip(
            module.heads, module(tokens, there).values(), strict=True
        ):
            target = targets[module.names[list(module.heads).index(head)]]
            scale = head.log_scale.exp().clamp_max(100.0)
            if self.loss.contrastive == "info_nce":
                contrastive = contrastive + info_nce(search, target, scale)
            else:
                contrastive = contrastive + soft_clip(search, target, 1 / scale)
            variance = head.spread.square().sum()
            regression = regression + (expected - target).square().sum(1).mean() / variance
        total = contrastive + self.loss.regression * regression
        return {"loss": total, "contrastive": contrastive, "regression": regression}


class TokenRows:
    """All people's tokens in memory, in shuffled batches across people.

    Parameters
    ----------
    tokens : Tensor, shape (n, n_tokens, n_components)
    there : Tensor of bool, shape (n, n_tokens)
    targets : mapping of str to Tensor, shape (n, n_dims)
    batch_size : int
    quiet : Tensor, shape (n, n_tokens, n_components), optional
        The tokens that the targets lead to expect, without noise. With them a batch gives half
        of its trials the noise of other trials, of all people, so that many more pairs of scene
        and noise are met; and moves each trial by a random share towards its quiet tokens:
        single trials are trained on, but means over repeats, with less noise, are decoded too.
    """

    def __init__(
        self,
        tokens: Tensor,
        there: Tensor,
        targets: Mapping[str, Tensor],
        batch_size: int,
        quiet: Tensor | None = None,
    ) -> None:
        self.tokens, self.there, self.targets = tokens, there, dict(targets)
        self.batch_size, self.quiet = batch_size, quiet

    def __len__(self) -> int:
        return max(1, round(len(self.tokens) / self.batch_size))

    def to(self, device: torch.device) -> TokenRows:
        """The same on another device."""
        targets = {name: one.to(device) for name, one in self.targets.items()}
        quiet = None if self.quiet is None else self.quiet.to(device)
        return TokenRows(
            self.tokens.to(device), self.there.to(device), targets, self.batch_size, quiet
        )

    def all(self) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Every trial, as one batch."""
        return self.tokens, self.there, self.targets

    def epoch(self, epoch: int, seed: int) -> Iterator[tuple[Tensor, Tensor, dict[str, Tensor]]]:
        """Shuffled batches."""
        draw = np.random.default_rng([seed, epoch])
        order = draw.permutation(len(self.tokens))
        for rows in np.array_split(order, len(self)):
            index = torch.from_numpy(rows).to(self.tokens.device)
            tokens = self._with_other_noise(index, draw)
            targets = {name: one[index] for name, one in self.targets.items()}
            yield tokens, self.there[index], targets

    def _with_other_noise(self, index: Tensor, draw: np.random.Generator) -> Tensor:
        """Tokens of these rows; where `quiet` is known, some with the noise of another trial."""
        if self.quiet is None:
            return self.tokens[index]
        other = index[torch.from_numpy(draw.permutation(len(index))).to(index)]
        alike = (self.there[other] == self.there[index]).all(dim=1)
        swap = torch.from_numpy(draw.random(len(index)) < SWAPPED).to(alike) & alike
        source = torch.where(swap, other, index)
        share = torch.from_numpy(draw.uniform(LEAST_NOISE, 1.0, len(index))).to(self.tokens)
        noise = self.tokens[source] - self.quiet[source]
        return self.quiet[index] + share[:, None, None] * noise


def quiet_tokens(tokens: Tensor, whitened: Tensor) -> Tensor:
    """What left-out tokens are on average, given the targets' components: a ridge regression.

    Parameters
    ----------
    tokens : Tensor, shape (n, n_tokens, n_components)
    whitened : Tensor, shape (n, n_components)

    Returns
    -------
    Tensor, shape (n, n_tokens, n_components)

    Examples
    --------
    >>> parts = torch.tensor([[10.0], [-10.0]])
    >>> quiet_tokens(torch.tensor([[[0.6]], [[-0.4]]]), parts).flatten().round(decimals=2).tolist()
    [0.5, -0.5]
    """
    gram = whitened.T @ whitened
    gram.diagonal().add_(1e-2 * len(whitened))
    slopes = torch.linalg.solve(gram, whitened.T @ tokens.flatten(1))
    return torch.as_tensor((whitened @ slopes).view_as(tokens))
