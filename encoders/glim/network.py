"""The network of GLIM (Liu, Shen, Liu 2025): EEG of a sentence to tokens for a language model.

Shapes: b batch, t samples, c channels (the width of the encoder), q queries, m merger width,
d width of the language model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from einops import rearrange, repeat
from torch import Tensor, nn
from torch.nn import functional

from neurodecode.encoders.glim.stem import PersonalStem

PROMPTS = ("task", "dataset", "subject")


@dataclass(frozen=True)
class GlimSize:
    """Widths and depths; the defaults are the published ones.

    Parameters
    ----------
    n_times, n_channels : int
        Longest sentence in samples, and most channels; less is filled up with zeros.
    n_queries, merger_width, depth, n_heads : int
    width : int, optional
        Of the encoder. Default: as published, the channels themselves. A number puts a
        `PersonalStem` before the blocks, which is ours: each person's own map from channels.
    stride : int
        Samples that the stem joins to one step.

    Raises
    ------
    ValueError
        If samples are to be joined without a stem.

    Examples
    --------
    >>> GlimSize().n_queries, GlimSize().n_steps, GlimSize(width=64, stride=4).n_steps
    (96, 1280, 320)
    """

    n_times: int = 1280
    n_channels: int = 128
    n_queries: int = 96
    merger_width: int = 256
    depth: int = 6
    n_heads: int = 8
    width: int | None = None
    stride: int = 1

    def __post_init__(self) -> None:
        if self.width is None and self.stride != 1:
            raise ValueError(f"stride={self.stride} joins samples in a stem, which needs a width.")

    @property
    def encoder_width(self) -> int:
        """Width of the blocks."""
        return self.n_channels if self.width is None else self.width

    @property
    def n_steps(self) -> int:
        """Steps of time in the blocks."""
        return -(-self.n_times // self.stride)


class PromptEmbedding(nn.Module):
    """Who, which data set and which task, as one vector: sum over k of sigma_k Emb_k.

    Index 0 of each table is *unknown*. The learned sigma start at the share of entries of their
    table.

    Examples
    --------
    >>> PromptEmbedding((3, 3, 31), width=8)(torch.zeros(2, 3, dtype=torch.long)).shape
    torch.Size([2, 8])
    """

    def __init__(self, sizes: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(size, width) for size in sizes)
        self.weights = nn.Parameter(torch.tensor(sizes, dtype=torch.float32) / sum(sizes))

    def forward(self, prompt: Tensor) -> Tensor:
        """(b, 3) of indices to (b, width)."""
        parts = torch.stack([table(prompt[:, k]) for k, table in enumerate(self.tables)])
        return torch.einsum("k,kbw->bw", self.weights, parts)


def hide_prompts(prompt: Tensor, shares: tuple[float, ...]) -> Tensor:
    """Each prompt replaced by *unknown* (0) with its own probability; drawn for each row.

    Examples
    --------
    >>> hide_prompts(torch.ones(1, 3, dtype=torch.long), (0.0, 1.0, 1.0)).tolist()
    [[1, 0, 0]]
    """
    share = torch.tensor(shares, device=prompt.device)
    return prompt.masked_fill(torch.rand(prompt.shape, device=prompt.device) < share, 0)


class Attention(nn.Module):
    """Multi-head attention with a mask over keys; causal among queries where asked.

    Examples
    --------
    >>> Attention(8, 2)(torch.zeros(1, 3, 8), torch.zeros(1, 5, 8)).shape
    torch.Size([1, 3, 8])
    """

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(
        self, queries: Tensor, keys: Tensor, valid: Tensor | None = None, causal: bool = False
    ) -> Tensor:
        """(b, q, width) and (b, k, width), ``valid`` (b, k), to (b, q, width)."""
        q = self._split(self.query(queries))
        k, v = (self._split(part) for part in self.key_value(keys).chunk(2, dim=-1))
        mask = None if valid is None else valid[:, None, None, :]
        read = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
        merged: Tensor = self.out(read.transpose(1, 2).flatten(2))
        return merged

    def _split(self, values: Tensor) -> Tensor:
        return rearrange(values, "b k (heads w) -> b heads k w", heads=self.n_heads)


def feed_forward(width: int) -> nn.Sequential:
    """Two layers, four times as wide inside, GELU in its tanh form."""
    return nn.Sequential(
        nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
    )


class ModulatedBlock(nn.Module):
    """Self-attention and feed-forward, steered by the prompt.

    First x <- x (1 + s_t) + b_t with a scale and shift for each sample of time, then adaptive layer
    norms that start as nothing (adaLN-zero).
    """

    def __init__(self, size: GlimSize) -> None:
        super().__init__()
        width = size.encoder_width
        self.over_time = nn.Linear(width, 2 * size.n_steps)
        self.over_width = nn.Linear(width, 6 * width)
        for layer in (self.over_time, self.over_width):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.attention = Attention(width, size.n_heads)
        self.forward_layer = feed_forward(width)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)

    def forward(self, values: Tensor, prompt: Tensor, valid: Tensor | None) -> Tensor:
        """(b, t, c) steered by (b, c) to (b, t, c)."""
        scale_t, shift_t = (
            one[:, : values.shape[1]] for one in self.over_time(prompt)[:, :, None].chunk(2, dim=1)
        )
        values = values * (1 + scale_t) + shift_t
        steer = self.over_width(functional.silu(prompt))[:, None, :].chunk(6, dim=-1)
        shift_a, scale_a, gate_a, shift_f, scale_f, gate_f = steer
        normed = self.norm(values) * (1 + scale_a) + shift_a
        values = values + gate_a * self.attention(normed, normed, valid)
        normed = self.norm(values) * (1 + scale_f) + shift_f
        steered: Tensor = values + gate_f * self.forward_layer(normed)
        return steered


class MergerBlock(nn.Module):
    """Queries look at one another (causally), then at the EEG."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.among = Attention(width, n_heads)
        self.across = Attention(width, n_heads)
        self.forward_layer = feed_forward(width)

    def forward(self, queries: Tensor, values: Tensor, valid: Tensor | None) -> Tensor:
        """(b, q, m) reading (b, t, m) to (b, q, m)."""
        normed = self.norms[0](queries)
        queries = queries + self.among(normed, normed, causal=True)
        queries = queries + self.across(self.norms[1](queries), values, valid)
        read: Tensor = queries + self.forward_layer(self.norms[2](queries))
        return read


class Pooler(nn.Module):
    """One learned query that reads a set of tokens.

    Examples
    --------
    >>> Pooler(8, 2)(torch.zeros(3, 5, 8)).shape
    torch.Size([3, 8])
    """

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(1, width) / math.sqrt(width))
        self.attention = Attention(width, n_heads)

    def forward(self, tokens: Tensor, valid: Tensor | None = None) -> Tensor:
        """(b, k, d) with ``valid`` (b, k) to (b, d)."""
        query = repeat(self.query, "one d -> b one d", b=len(tokens))
        pooled: Tensor = self.attention(query, tokens, valid)[:, 0]
        return pooled


class GlimNetwork(nn.Module):
    """Prompted encoder, query merger, aligner, and a pooler on the side of the text.

    Parameters
    ----------
    size : GlimSize
    prompts : tuple of int
        Entries of the task, data-set and subject tables, *unknown* included.
    d_model : int
        Width of the language model.

    Sources
    -------
    Liu, Shen, Liu 2025, "Learning Interpretable Representations Leads to Semantically Faithful
    EEG-to-Text Generation" (GLIM), section on the architecture. Its width is its number of channels
    (104 electrodes, padded to 128).

    Examples
    --------
    >>> size = GlimSize(n_times=16, n_channels=8, n_queries=4, merger_width=8, depth=1, n_heads=2)
    >>> network = GlimNetwork(size, (3, 3, 4), d_model=12)
    >>> tokens = network(torch.zeros(2, 16, 8), torch.zeros(2, 3, dtype=torch.long))
    >>> tokens.shape, network.pool_brain(tokens).shape
    (torch.Size([2, 4, 12]), torch.Size([2, 12]))
    """

    def __init__(self, size: GlimSize, prompts: tuple[int, ...], d_model: int) -> None:
        super().__init__()
        width, merged = size.encoder_width, size.merger_width
        self.stem = (
            None
            if size.width is None
            else PersonalStem(size.n_channels, size.width, size.stride, prompts[2])
        )
        self.prompt = PromptEmbedding(prompts, width)
        self.blocks = nn.ModuleList(ModulatedBlock(size) for _ in range(size.depth))
        self.widen = nn.Sequential(nn.Linear(width, merged), nn.LayerNorm(merged))
        self.queries = nn.Parameter(torch.randn(size.n_queries, merged) / math.sqrt(merged))
        self.merger = nn.ModuleList(MergerBlock(merged, size.n_heads) for _ in range(size.depth))
        self.merger_norm = nn.LayerNorm(merged)
        self.align = nn.Linear(merged, d_model)
        self.pool_brain = Pooler(d_model, size.n_heads)
        self.pool_text = Pooler(d_model, size.n_heads)
        self.register_buffer("time_code", sine_code(size.n_steps, width), persistent=False)

    time_code: Tensor

    def forward(
        self,
        values: Tensor,
        prompt: Tensor,
        valid: Tensor | None = None,
        person: Tensor | None = None,
    ) -> Tensor:
        """EEG (b, t, c), prompts (b, 3), ``valid`` (b, t), people (b,) to tokens (b, q, d).

        ``person`` is for the stem alone, and defaults to that of the prompt.
        """
        steer = self.prompt(prompt)
        if self.stem is not None:
            values, valid = self.stem(values, prompt[:, 2] if person is None else person, valid)
        values = values + self.time_code[: values.shape[1]]
        for block in self.blocks:
            values = block(values, steer, valid)
        values = self.widen(values)
        queries = repeat(self.queries, "q m -> b q m", b=len(values))
        for block in self.merger:
            queries = block(queries, values, valid)
        tokens: Tensor = self.align(self.merger_norm(queries))
        return tokens


def sine_code(n_times: int, width: int) -> Tensor:
    """Fixed sines and cosines of time, shape (n_times, width), wavelengths from 2 pi to 20,000 pi.

    Examples
    --------
    >>> sine_code(4, 6)[0].tolist()
    [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    """
    rate = 10000.0 ** (-torch.arange(width // 2) / (width // 2))
    phase = torch.arange(n_times)[:, None] * rate
    return torch.cat([phase.sin(), phase.cos()], dim=1)
