"""Train the small AutoencoderKL on scenes: 64 x 64 x 3 to a latent of 16 x 16 x 8 and back.

Cost: about 3 minutes of an H100 beside the open_clip model's training. Expect: a peak
signal-to-noise ratio above 30 dB on unseen scenes (`evaluate.py`).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL
from torch import Tensor
from torch.nn import functional

from experiments.train_small import data
from experiments.train_small.loop import Budget, fit, write_outcome

KL_WEIGHT = 1e-4
CONFIG: dict[str, Any] = {
    "in_channels": 3, "out_channels": 3, "latent_channels": 8, "sample_size": 64,
    "block_out_channels": (32, 64, 64), "layers_per_block": 1, "norm_num_groups": 16,
    "down_block_types": ("DownEncoderBlock2D",) * 3, "up_block_types": ("UpDecoderBlock2D",) * 3,
}  # fmt: skip


def as_input(pictures: Tensor) -> Tensor:
    """Pictures (n, 64, 64, 3) uint8 as (n, 3, 64, 64) in -1 to 1."""
    return pictures.permute(0, 3, 1, 2).float() / 127.5 - 1.0


def train(work: Path, out: Path, budget: Budget, batch: int, device: str) -> None:
    torch.manual_seed(budget.seed)
    raw, _ = data.load(work, "train")
    pictures = torch.from_numpy(raw).to(device)
    model: Any = AutoencoderKL(**CONFIG).to(device).to(memory_format=torch.channels_last)

    def loss_of() -> Tensor:
        seen = as_input(pictures[torch.randint(len(pictures), (batch,), device=device)])
        latent = model.encode(seen.contiguous(memory_format=torch.channels_last)).latent_dist
        drawn = model.decode(latent.sample()).sample.float()
        kl: Tensor = latent.kl().float().mean() / (16 * 16 * 8)
        return functional.l1_loss(drawn, seen) + 0.5 * edges(drawn, seen) + KL_WEIGHT * kl

    average, outcome = fit(model, loss_of, budget)
    average = average.float().eval()
    mean, spread = latent_scale(average, pictures[:4096])
    average.register_to_config(scaling_factor=1.0 / spread, shift_factor=mean)
    average.half().save_pretrained(out / "generator" / "vae")
    psnr = check(average.float(), work, device)
    write_outcome(out / "generator" / "vae", outcome, budget, batch=batch, validation_psnr=psnr)


def edges(drawn: Tensor, seen: Tensor) -> Tensor:
    """Mean difference of neighbouring-pixel differences: keeps contours crisp."""
    wrong = drawn - seen
    return wrong.diff(dim=2).abs().mean() + wrong.diff(dim=3).abs().mean()


@torch.inference_mode()
def encode(model: Any, pictures: Tensor, batch: int = 1024) -> Tensor:
    """Mean latents (n, 8, 16, 16)."""
    return torch.cat(
        [
            model.encode(as_input(pictures[i : i + batch])).latent_dist.mean
            for i in range(0, len(pictures), batch)
        ]
    )


def latent_scale(model: Any, pictures: Tensor) -> tuple[float, float]:
    latent = encode(model, pictures)
    return round(float(latent.mean()), 5), round(float(latent.std()), 5)


@torch.inference_mode()
def check(model: Any, work: Path, device: str) -> float:
    """Peak signal-to-noise ratio in dB on validation scenes."""
    raw, _ = data.load(work, "validation")
    pictures = torch.from_numpy(raw[:512]).to(device)
    drawn = model.decode(encode(model, pictures)).sample.clamp(-1.0, 1.0)
    wrong = ((drawn - as_input(pictures)) / 2.0).square().mean(dim=(1, 2, 3))
    return round(float((-10.0 * wrong.log10()).mean()), 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=170)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch", type=int, default=96)
    parser.add_argument("--device", default="cuda")
    given = parser.parse_args()
    budget = Budget(given.seconds, given.steps, learning_rate=1e-3, weight_decay=0.0)
    train(given.work, given.out, budget, given.batch, given.device)


if __name__ == "__main__":
    main()
