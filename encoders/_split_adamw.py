"""AdamW whose weights are float32 in value and bfloat16 in use.

A float32 weight is kept as two halves: its nearest bfloat16, which the layers compute with as it
is, and the 16 bits that this rounding lost. Together they are the exact float32 weight, so nothing
is cast or copied in a step, and small updates are not lost. The two moments are bfloat16 with
stochastic rounding (rounding to nearest would freeze the second moment, which moves by a
thousandth a step, less than bfloat16 resolves). 10 bytes a weight with its gradient, where AdamW in
float32 has 16, and 18 bytes of memory traffic a step instead of 28.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

# Elements that plain torch updates at once: its temporaries then stay in the cache.
CHUNK = 2**22


@dataclass(frozen=True)
class AdamSettings:
    """Step sizes and memory of AdamW."""

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 1e-2


class SplitAdamW:
    """AdamW on split weights; call it after backward, with the learning rate of the step.

    Parameters
    ----------
    module : torch.nn.Module
        In float32; its weights become bfloat16 here. Matrices are decayed, vectors are not.
    settings : AdamSettings
    gradient_clip : float, optional
        Largest L2 norm of all gradients.
    seed : int
        Of the stochastic rounding.

    Sources
    -------
    Loshchilov & Hutter 2019 (AdamW). The split of a float32 into a bfloat16 and 16 bits is an old
    trick of recommender training; it is exact here.

    Examples
    --------
    >>> layer = nn.Linear(2, 1)
    >>> optimizer = SplitAdamW(layer)
    >>> layer(torch.ones(1, 2, dtype=torch.bfloat16)).sum().backward()
    >>> optimizer.step(1e-3)
    >>> layer.weight.dtype, layer.weight.grad is None
    (torch.bfloat16, True)
    """

    def __init__(
        self,
        module: nn.Module,
        settings: AdamSettings = AdamSettings(),
        *,
        gradient_clip: float | None = 1.0,
        seed: int = 0,
    ) -> None:
        self.settings, self.gradient_clip, self.seed = settings, gradient_clip, seed
        self.n_steps = 0
        self._all = [_Slot(one) for one in module.parameters() if one.requires_grad]

    def step(self, learning_rate: float) -> None:
        """Move the weights and drop the gradients."""
        self.n_steps += 1
        slots = [slot for slot in self._all if slot.weight.grad is not None]
        scale = self._scale([slot.weight.grad for slot in slots])
        for place, slot in enumerate(slots):
            self._move(slot, scale, learning_rate, self.seed + 7919 * self.n_steps + place)
            slot.weight.grad = None

    def values(self) -> list[Tensor]:
        """The float32 weights, exactly, in the order of ``module.parameters()``."""
        return [joined(slot.weight.detach(), slot.low).view_as(slot.weight) for slot in self._all]

    def _scale(self, gradients: Iterable[Any]) -> Tensor:
        norms = torch._foreach_norm(list(gradients), dtype=torch.float32)
        total = torch.linalg.vector_norm(torch.stack(list(norms)))
        if self.gradient_clip is None:
            return torch.ones_like(total)
        scale: Tensor = (self.gradient_clip / (total + 1e-6)).clamp(max=1.0)
        return scale

    def _move(self, slot: _Slot, scale: Tensor, learning_rate: float, seed: int) -> None:
        decay = self.settings.weight_decay if slot.weight.ndim > 1 else 0.0
        # The step of each weight counts from 1: all weights move in each step.
        rates = _Rates(self.settings, learning_rate, decay, self.n_steps)
        if slot.weight.is_cuda:
            from neurodecode.encoders._split_adamw_triton import move

            move(slot.tensors(), scale, rates, seed)
            return
        for start in range(0, slot.low.numel(), CHUNK):
            parts = [one[start : start + CHUNK] for one in slot.tensors()]
            _move_chunk(parts, scale, rates, seed + start)


class _Slot:
    """One weight with what the optimizer keeps of it."""

    def __init__(self, weight: nn.Parameter) -> None:
        flat = weight.detach().reshape(-1)
        high = torch.empty_like(flat, dtype=torch.bfloat16)
        self.low = torch.empty_like(flat, dtype=torch.int16)
        for start in range(0, len(flat), CHUNK):
            part = slice(start, start + CHUNK)
            high[part], self.low[part] = split(flat[part].float())
        weight.data = high.view_as(weight)
        self.weight = weight
        self.first = torch.zeros_like(high)
        self.second = torch.zeros_like(high)

    def tensors(self) -> list[Tensor]:
        """Flat weight, low half, gradient, first and second moment."""
        assert self.weight.grad is not None
        flat = self.weight.detach().view(-1)
        return [flat, self.low, self.weight.grad.reshape(-1), self.first, self.second]


class _Rates:
    """The numbers of one step."""

    def __init__(
        self, settings: AdamSettings, learning_rate: float, decay: float, step: int
    ) -> None:
        self.beta_1, self.beta_2 = settings.betas
        self.eps = settings.eps
        self.keep = 1.0 - learning_rate * decay
        self.size = learning_rate / (1.0 - self.beta_1**step)
        self.spread = (1.0 - self.beta_2**step) ** -0.5


def split(values: Tensor) -> tuple[Tensor, Tensor]:
    """A float32 tensor as flat bfloat16 (nearest) and the rest as int16; `joined` undoes it.

    Examples
    --------
    >>> value = torch.tensor([0.1234567])
    >>> torch.equal(joined(*split(value)), value)
    True
    """
    bits = _bits(values.reshape(-1))
    # Halves go up, not to even: the rest then fits 16 bits always.
    high = ((bits + 2**15) >> 16) << 16
    return high.view(torch.float32).to(torch.bfloat16), (bits - high).to(torch.int16)


def joined(high: Tensor, low: Tensor) -> Tensor:
    """The float32 tensor that `split` took apart, flat."""
    return (_bits(high.reshape(-1).float()) + low.int()).view(torch.float32)


def _bits(values: Tensor) -> Tensor:
    return values.contiguous().view(torch.int32)


def rounded(values: Tensor, noise: Tensor) -> Tensor:
    """Stochastic rounding of float32 to bfloat16 with 16 random bits for each value."""
    bits = _bits(values) + noise
    return ((bits >> 16) << 16).view(torch.float32).to(torch.bfloat16)


def _move_chunk(parts: list[Tensor], scale: Tensor, rates: _Rates, seed: int) -> None:
    high, low, gradient, first, second = parts
    rng = torch.Generator().manual_seed(seed)
    slope = gradient.float() * scale
    mean = torch.lerp(slope, first.float(), rates.beta_1)
    square = torch.lerp(slope * slope, second.float(), rates.beta_2)
    weight = joined(high, low) * rates.keep
    weight -= rates.size * mean / (square.sqrt() * rates.spread + rates.eps)
    for moment, exact in ((first, mean), (second, square)):
        noise = torch.randint(0, 2**16, exact.shape, generator=rng, dtype=torch.int32)
        moment.copy_(rounded(exact, noise.to(exact.device)))
    new_high, new_low = split(weight)
    high.copy_(new_high)
    low.copy_(new_low)
