"""One step of `SplitAdamW` as one kernel a weight: everything is read and written once."""

from __future__ import annotations

from typing import Any

import triton
import triton.language as tl
from torch import Tensor

BLOCK = 1024


@triton.jit
def _rounded(exact, noise):  # type: ignore[no-untyped-def]
    bits = exact.to(tl.int32, bitcast=True) + noise
    return ((bits >> 16) << 16).to(tl.float32, bitcast=True).to(tl.bfloat16)


@triton.jit(do_not_specialize=["seed"])  # type: ignore[untyped-decorator]
def _kernel(  # type: ignore[no-untyped-def]  # noqa: PLR0917, PLR0913
    high_at, low_at, slope_at, first_at, second_at, scale_at,
    size, beta_1, beta_2, eps, keep, step_size, spread, seed, BLOCK: tl.constexpr,
):  # fmt: skip
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = place < size
    slope = tl.load(slope_at + place, inside, other=0.0).to(tl.float32) * tl.load(scale_at)
    mean = tl.load(first_at + place, inside, other=0.0).to(tl.float32)
    mean = beta_1 * mean + (1.0 - beta_1) * slope
    square = tl.load(second_at + place, inside, other=0.0).to(tl.float32)
    square = beta_2 * square + (1.0 - beta_2) * slope * slope
    high = tl.load(high_at + place, inside, other=0.0).to(tl.float32)
    low = tl.load(low_at + place, inside, other=0).to(tl.int32)
    weight = (high.to(tl.int32, bitcast=True) + low).to(tl.float32, bitcast=True) * keep
    weight -= step_size * mean / (tl.sqrt(square) * spread + eps)
    noise = tl.randint(seed, place.to(tl.int32))
    first_noise, second_noise = noise & 0xFFFF, (noise >> 16) & 0xFFFF
    tl.store(first_at + place, _rounded(mean, first_noise), inside)
    tl.store(second_at + place, _rounded(square, second_noise), inside)
    bits = weight.to(tl.int32, bitcast=True)
    high_bits = ((bits + 32768) >> 16) << 16
    new_high = high_bits.to(tl.float32, bitcast=True).to(tl.bfloat16)
    tl.store(high_at + place, new_high, inside)
    tl.store(low_at + place, (bits - high_bits).to(tl.int16), inside)


def move(tensors: list[Tensor], scale: Tensor, rates: Any, seed: int) -> None:
    """Move one weight in place.

    Parameters
    ----------
    tensors : list of Tensor
        Flat weight (bfloat16), low half (int16), gradient, first and second moment (bfloat16).
    scale : Tensor, shape ()
        Of the gradient, on the device: nothing waits for it.
    rates : Rates
    seed : int
    """
    size = tensors[0].numel()
    _kernel[(triton.cdiv(size, BLOCK),)](
        *tensors, scale, size, rates.beta_1, rates.beta_2, rates.eps, rates.keep, rates.size,
        rates.spread, seed % 2**31, BLOCK=BLOCK,
    )  # fmt: skip
