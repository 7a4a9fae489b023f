"""Layers that several encoders share: position codes and attention with masks.

Shapes: n trials, q queries, t tokens, d width, h heads.
"""

from __future__ import annotations

import math

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F


def fourier_code(places: Tensor, n_frequencies: int, longest: float) -> Tensor:
    """Sines and cosines of each coordinate at wavelengths ``longest / 2**i``.

    Parameters
    ----------
    places : Tensor, shape (..., n_coordinates)
        Positions in mm, or times in seconds.
    n_frequencies : int
    longest : float
        The longest wavelength, in the unit of ``places``.

    Returns
    -------
    Tensor, shape (..., n_coordinates * 2 * n_frequencies)

    Sources
    -------
    Tancik et al. 2020, Fourier features let networks learn high frequency functions, section 6.

    Examples
    --------
    >>> fourier_code(torch.zeros(5, 3), 4, longest=200.0).shape
    torch.Size([5, 24])
    """
    powers = 2.0 ** torch.arange(n_frequencies, device=places.device, dtype=places.dtype)
    angle = 2 * math.pi * places[..., None] * powers / longest
    return torch.cat([angle.sin(), angle.cos()], dim=-1).flatten(-2)


class Attention(nn.Module):
    """Multi-head attention from queries to tokens; masked tokens are not read.

    Parameters
    ----------
    width, n_heads : int
    dropout : float

    Examples
    --------
    >>> Attention(8, 2)(torch.ones(3, 4, 8), torch.ones(3, 5, 8)).shape
    torch.Size([3, 4, 8])
    """

    def __init__(self, width: int, n_heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        if width % n_heads:
            raise ValueError(f"width {width} can't be shared by {n_heads} heads of equal size.")
        self.n_heads, self.dropout = n_heads, dropout
        self.to_query = nn.Linear(width, width)
        self.to_key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, queries: Tensor, tokens: Tensor, there: Tensor | None = None) -> Tensor:
        """What the queries read, (n, q, d); ``there`` (n, t) is False for missing tokens."""
        query, key, value = self._project(queries, tokens)
        mask = None if there is None else there[:, None, None, :]
        rate = self.dropout if self.training else 0.0
        read = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=rate)
        return torch.as_tensor(self.out(rearrange(read, "n h q d -> n q (h d)")))

    def weights(self, queries: Tensor, tokens: Tensor, there: Tensor | None = None) -> Tensor:
        """How much each query reads of each token, mean over heads, (n, q, t); rows sum to 1."""
        query, key, _ = self._project(queries, tokens)
        logits = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        if there is not None:
            logits = logits.masked_fill(~there[:, None, None, :], -torch.inf)
        return logits.softmax(dim=-1).mean(dim=1)

    def _project(self, queries: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        key, value = self.to_key_value(tokens).chunk(2, dim=-1)
        split = [
            rearrange(one, "n t (h d) -> n h t d", h=self.n_heads)
            for one in (self.to_query(queries), key, value)
        ]
        return split[0], split[1], split[2]


class Block(nn.Module):
    """A pre-norm transformer block: self-attention, then a two-layer net, both residual.

    Examples
    --------
    >>> Block(8, 2)(torch.ones(3, 4, 8)).shape
    torch.Size([3, 4, 8])
    """

    def __init__(self, width: int, n_heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = Attention(width, n_heads, dropout)
        self.net = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
        )

    def forward(self, tokens: Tensor, there: Tensor | None = None) -> Tensor:
        """Tokens (n, t, d) after they have looked at one another."""
        normed = self.norm(tokens)
        tokens = tokens + self.attention(normed, normed, there)
        return torch.as_tensor(tokens + self.net(tokens))


class QueryReader(nn.Module):
    """Learned queries gather tokens by attention and then look at one another.

    Parameters
    ----------
    n_queries, width, n_heads, n_blocks : int
    dropout : float

    Examples
    --------
    >>> reader = QueryReader(3, width=8, n_heads=2, n_blocks=1)
    >>> reader(torch.ones(2, 5, 8)).shape, reader.weights(torch.ones(2, 5, 8)).shape
    (torch.Size([2, 3, 8]), torch.Size([2, 3, 5]))
    """

    def __init__(
        self, n_queries: int, width: int, n_heads: int, n_blocks: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(n_queries, width) / math.sqrt(width))
        self.norm_queries, self.norm_tokens = nn.LayerNorm(width), nn.LayerNorm(width)
        self.gather = Attention(width, n_heads, dropout)
        self.blocks = nn.ModuleList([Block(width, n_heads, dropout) for _ in range(n_blocks)])
        self.norm_out = nn.LayerNorm(width)

    def forward(self, tokens: Tensor, there: Tensor | None = None) -> Tensor:
        """What was gathered, (n, q, d)."""
        queries = self.queries.expand(len(tokens), -1, -1)
        gathered = queries + self.gather(
            self.norm_queries(queries), self.norm_tokens(tokens), there
        )
        for block in self.blocks:
            gathered = block(gathered)
        return torch.as_tensor(self.norm_out(gathered))

    def weights(self, tokens: Tensor, there: Tensor | None = None) -> Tensor:
        """How much each query reads of each token, (n, q, t)."""
        queries = self.norm_queries(self.queries.expand(len(tokens), -1, -1))
        return self.gather.weights(queries, self.norm_tokens(tokens), there)
