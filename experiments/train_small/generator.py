"""Train the small picture generator: a flow in the autoencoder's latent, led by an embedding.

Cost: about 4 minutes of an H100. Expect: the embedding of a
sample finds its scene among 100 with top-1 above .8, in 6 steps (`evaluate.py`). Model: diffusers'
UNet2DConditionModel; the pooled embedding of our open_clip model enters as in Stable unCLIP
(``class_labels``) and as in Kandinsky 2.2 (``image_embeds``). Loss: flow matching, velocity = noise
- latent, at logit-normal times.

Sources: Lipman et al. 2023, "Flow matching for generative modeling"; Esser et al. 2024 (Stable
Diffusion 3), section 3.1, for the times.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, UNet2DConditionModel
from open_clip import create_model
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from experiments.train_small import data
from experiments.train_small.autoencoder import encode
from experiments.train_small.captions import EMBED
from experiments.train_small.clip import embed
from experiments.train_small.conditions import follow
from experiments.train_small.loop import Budget, fit, write_outcome

CONFIG: dict[str, Any] = {
    "sample_size": 16, "in_channels": 8, "out_channels": 8, "block_out_channels": (64, 96, 128),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "layers_per_block": 1, "norm_num_groups": 16, "attention_head_dim": 32,
    "cross_attention_dim": 48, "encoder_hid_dim": EMBED, "encoder_hid_dim_type": "image_proj",
    "class_embed_type": "projection", "projection_class_embeddings_input_dim": EMBED,
}  # fmt: skip


def train(
    work: Path, out: Path, budget: Budget, batch: int, device: str, start: Path | None
) -> None:
    torch.manual_seed(budget.seed)
    raw, _ = data.load(work, "train")
    embeddings = embed(load_clip(out, device), raw, device)
    latents = load_latents(out, raw, device)
    mean, spread = embeddings.mean(0), embeddings.std(0)
    model: Any = UNet2DConditionModel(**CONFIG)
    if start is not None:
        model = UNet2DConditionModel.from_pretrained(start / "generator" / "unet").float()
        unfold(model, mean.cpu(), spread.cpu())
    model = model.to(device).to(memory_format=torch.channels_last)

    def loss_of() -> Tensor:
        rows = torch.randint(len(latents), (batch,), device=device)
        clean, noise = latents[rows].float(), torch.randn(batch, 8, 16, 16, device=device)
        time = torch.sigmoid(torch.randn(batch, 1, 1, 1, device=device))
        mixed = ((1.0 - time) * clean + time * noise).contiguous(memory_format=torch.channels_last)
        lead = (follow(embeddings, rows) - mean) / spread
        velocity: Tensor = model(
            mixed,
            time.flatten() * 1000.0,
            encoder_hidden_states=None,
            class_labels=lead,
            added_cond_kwargs={"image_embeds": lead},
        ).sample
        wrong: Tensor = velocity.float() - (noise - clean)
        return wrong.square().mean()

    # few keys and thousands of heads: flash kernels take a third of the step, plain products less
    with sdpa_kernel(SDPBackend.MATH):
        average, outcome = fit(model, loss_of, budget)
    folder = out / "generator" / "unet"
    fold(average, mean, spread).half().save_pretrained(folder)
    FlowMatchEulerDiscreteScheduler().save_pretrained(out / "generator" / "scheduler")
    write_index(out / "generator")
    write_outcome(folder, outcome, budget, batch=batch)


def load_clip(out: Path, device: str) -> Any:
    return create_model(f"local-dir:{out / 'clip'}", device=device).eval()


def load_latents(out: Path, raw: Any, device: str) -> Tensor:
    """Scaled latents of all training pictures, (n, 8, 16, 16) float16."""
    vae: Any = AutoencoderKL.from_pretrained(out / "generator" / "vae").to(device).eval()
    parts = []
    for start in range(0, len(raw), 8192):
        latent = encode(vae, torch.from_numpy(raw[start : start + 8192]).to(device))
        parts.append(((latent - vae.config.shift_factor) * vae.config.scaling_factor).half())
    return torch.cat(parts)


def fold(model: Any, mean: Tensor, spread: Tensor) -> Any:
    """Move the standardisation of the embedding into the two layers that read it."""
    with torch.no_grad():
        for layer in (model.class_embedding.linear_1, model.encoder_hid_proj.image_embeds):
            layer.bias -= layer.weight @ (mean / spread)
            layer.weight /= spread
    return model


def unfold(model: Any, mean: Tensor, spread: Tensor) -> None:
    """The reverse of `fold`, for the spread of other embeddings."""
    with torch.no_grad():
        for layer in (model.class_embedding.linear_1, model.encoder_hid_proj.image_embeds):
            layer.bias += layer.weight @ mean
            layer.weight *= spread


def write_index(folder: Path) -> None:
    """Name the parts as a diffusers pipeline does."""
    index = {
        "_class_name": "StableUnCLIPPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=260)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--start", type=Path, help="go on from the models in this folder")
    given = parser.parse_args()
    budget = Budget(
        given.seconds, given.steps, learning_rate=7e-4, weight_decay=0.01, average=0.998
    )
    train(given.work, given.out, budget, given.batch, given.device, given.start)


if __name__ == "__main__":
    main()
