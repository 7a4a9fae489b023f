"""AdamW whose weights are float32 in value and bfloat16 in use.

A float32 weight is kept as two halves: its nearest bfloat16, which the layers compute with as it
is, and the 16 bits that this rounding lost. Together they are the exact float32 weight, so nothing
is cast or copied in a step, and small updates are not lost. The two moments are bfloat16 with
stochastic rounding (rounding to nearest would freeze the second moment, which moves by a
thousandth a step, less than bfloat16 resolves). 10 bytes a weight with its gradient, where AdamW in
float32 has 16, and 18 bytes of memory traffic a step instead of 28.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

# Elements that plain torch updates at once: its temporaries then stay in the cache.
CHUNK = 2**22
STATE = ("low", "first", "second")


class SplitAdamW(torch.optim.Optimizer):
    """AdamW on split weights.

    Parameters
    ----------
    params : iterable of weights, or of groups
        In float32; they become bfloat16 here.
    lr : float
    betas : (float, float)
    eps : float
    weight_decay : float
    seed : int
        Of the stochastic rounding.

    Sources
    -------
    Loshchilov & Hutter 2019 (AdamW). The split of a float32 into a bfloat16 and 16 bits is an old
    trick of recommender training; it is exact here.

    Examples
    --------
    >>> layer = torch.nn.Linear(2, 1)
    >>> optimizer = SplitAdamW(layer.parameters(), lr=1e-3)
    >>> layer(torch.ones(1, 2, dtype=torch.bfloat16)).sum().backward()
    >>> optimizer.step()
    >>> layer.weight.dtype
    torch.bfloat16
    >>> optimizer.join()
    >>> layer.weight.dtype
    torch.float32
    """

    def __init__(
        self,
        params: Any,
        *,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        seed: int = 0,
    ) -> None:
        super().__init__(
            params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        )
        self.seed = seed
        self._scale: Tensor | None = None
        for weight in self._weights():
            self._take_apart(weight)

    def clip(self, max_norm: float) -> Tensor:
        """Let the next step shrink the gradients to this L2 norm; gives the norm that they have.

        The gradients stay as they are: the step scales them as it reads them.
        """
        slopes = [one.grad for one in self._weights() if one.grad is not None]
        norms = torch._foreach_norm(slopes, dtype=torch.float32)
        total: Tensor = torch.linalg.vector_norm(torch.stack(list(norms)))
        if self._scale is None:
            self._scale = torch.ones_like(total)
        self._scale.copy_((max_norm / (total + 1e-6)).clamp(max=1.0))
        return total

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Move the weights that have gradients."""
        owners = (group for group in self.param_groups for _ in group["params"])
        for place, (weight, group) in enumerate(zip(self._weights(), owners, strict=True)):
            if weight.grad is not None:
                self._move(weight, group, place)

    def join(self) -> None:
        """Make the weights float32 again, exactly; the optimizer is of no use after that."""
        for weight in self._weights():
            high, low = weight.detach().view(-1), self.state.pop(weight)["low"]
            whole = torch.empty_like(high, dtype=torch.float32)
            for start in range(0, len(whole), CHUNK):
                part = slice(start, start + CHUNK)
                whole[part] = joined(high[part], low[part])
            weight.data = whole.view_as(weight)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state; the halves of the weights keep their kinds."""
        for mine, theirs in zip(self.param_groups, state_dict["param_groups"], strict=True):
            mine.update({key: one for key, one in theirs.items() if key != "params"})
        for place, weight in enumerate(self._weights()):
            own, given = self.state[weight], state_dict["state"][place]
            own["step"] = int(given["step"])
            for name in STATE:
                own[name].copy_(given[name])

    def _weights(self) -> Iterator[Tensor]:
        return (weight for group in self.param_groups for weight in group["params"])

    def _take_apart(self, weight: Tensor) -> None:
        flat = weight.detach().reshape(-1)
        high = torch.empty_like(flat, dtype=torch.bfloat16)
        low = torch.empty_like(flat, dtype=torch.int16)
        for start in range(0, len(flat), CHUNK):
            part = slice(start, start + CHUNK)
            high[part], low[part] = split(flat[part].float())
        weight.data = high.view_as(weight)
        moments = {"first": torch.zeros_like(high), "second": torch.zeros_like(high)}
        self.state[weight] = {"step": 0, "low": low, **moments}

    def _move(self, weight: Tensor, group: dict[str, Any], place: int) -> None:
        state = self.state[weight]
        state["step"] += 1
        rates = Rates.of(group, state["step"])
        slope: Any = weight.grad
        scale = torch.ones((), device=slope.device) if self._scale is None else self._scale
        tensors = [weight.detach().view(-1), state["low"], slope.reshape(-1)]
        tensors += [state["first"], state["second"]]
        seed = self.seed + 7919 * state["step"] + place
        if weight.is_cuda:
            from neurodecode.training._split_adamw_triton import move

            move(tensors, scale, rates, seed)
            return
        for start in range(0, len(tensors[0]), CHUNK):
            parts = [one[start : start + CHUNK] for one in tensors]
            _move_chunk(parts, scale, rates, seed + start)


@dataclass(frozen=True)
class Rates:
    """The numbers of one step of one weight."""

    beta_1: float
    beta_2: float
    eps: float
    keep: float
    size: float
    spread: float

    @classmethod
    def of(cls, group: dict[str, Any], step: int) -> Rates:
        """Learning rate, decay and bias correction of a group of weights in a step, from 1."""
        (beta_1, beta_2), rate = group["betas"], float(group["lr"])
        return cls(
            beta_1,
            beta_2,
            group["eps"],
            keep=1.0 - rate * group["weight_decay"],
            size=rate / (1.0 - beta_1**step),
            spread=(1.0 - beta_2**step) ** -0.5,
        )


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


def _move_chunk(parts: list[Tensor], scale: Tensor, rates: Rates, seed: int) -> None:
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
