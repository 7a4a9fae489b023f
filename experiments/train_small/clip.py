"""Train the small open_clip model on scenes and their captions.

Cost: about 2.5 minutes of an H100 beside the autoencoder's training. Expect: text to picture top-1
above .9 among 1,000 unseen scenes (`evaluate.py`). Beside the contrastive loss, others keep in
the pooled picture embedding what pairs alone would let go: the caption written from it by a T5
decoder (which `captioner.py` trains on), and by linear maps that are thrown away a 16 x 16
thumbnail and the kind and colour of the main object.

Sources: Radford et al. 2021 (CLIP); Yu et al. 2022 (CoCa), section 3.2, for the caption loss.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from open_clip import CLIP
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import T5ForConditionalGeneration

from experiments.train_small import data
from experiments.train_small.captions import EMBED, caption_loss, decoder, unfold_scale
from experiments.train_small.conditions import follow
from experiments.train_small.loop import Budget, fit, write_outcome

MEAN, STD = 0.5, 0.25
CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": EMBED,
        "vision_cfg": {
            "image_size": 64, "layers": 5, "width": 192, "head_width": 64, "patch_size": 8,
        },
        "text_cfg": {
            "context_length": data.N_TOKENS, "vocab_size": data.VOCABULARY, "width": 128,
            "heads": 4, "layers": 4, "hf_tokenizer_name": "scenes", "tokenizer_kwargs": {},
        },
    },
    "preprocess_cfg": {
        "size": [64, 64], "mode": "RGB", "mean": [MEAN] * 3, "std": [STD] * 3,
        "interpolation": "bicubic", "resize_mode": "squash",
    },
}  # fmt: skip


class WithHelp(nn.Module):
    """CLIP, the caption decoder, and the linear maps that are thrown away."""

    def __init__(self, end: int, n_main: list[int]) -> None:
        super().__init__()
        self.captioner = decoder(end)
        self.clip = CLIP(**CONFIG["model_cfg"])
        self.thumbnail = nn.Linear(EMBED, 16 * 16 * 3)
        self.main = nn.ModuleList(nn.Linear(EMBED, n) for n in n_main)

    def go_on_from(self, folder: Path) -> None:
        """Start with the weights of models that were shipped before."""
        state = load_file(folder / "clip" / "open_clip_model.safetensors")
        self.clip.load_state_dict(state, strict=False)
        written = T5ForConditionalGeneration.from_pretrained(folder / "captioner").float()
        unfold_scale(written)
        self.captioner.load_state_dict(written.state_dict())


def as_input(pictures: Tensor) -> Tensor:
    """Pictures (n, 64, 64, 3) uint8 as the model's input (n, 3, 64, 64)."""
    return (pictures.permute(0, 3, 1, 2).float() / 255.0 - MEAN) / STD


def contrastive(image: Tensor, text: Tensor, scale: Tensor) -> Tensor:
    """InfoNCE in both directions; scenes with the very same caption are rare and not masked."""
    logits = scale * image @ text.T
    labels = torch.arange(len(logits), device=logits.device)
    return 0.5 * (
        functional.cross_entropy(logits, labels) + functional.cross_entropy(logits.T, labels)
    )


def train(
    work: Path, out: Path, budget: Budget, batch: int, device: str, start: Path | None
) -> None:
    torch.manual_seed(budget.seed)
    raw, ids = data.load(work, "train")
    labels, n_main = data.load_main(work, "train")
    main = torch.from_numpy(labels).to(device)
    pictures, tokens = torch.from_numpy(raw).to(device), torch.from_numpy(ids).to(device)
    model = WithHelp(data.end_token(work / "tokenizer"), n_main)
    if start is not None:
        model.go_on_from(start)
    model = model.to(device)

    def loss_of() -> Tensor:
        rows = torch.randint(len(pictures), (batch,), device=device)
        wording = torch.randint(data.N_WORDINGS, (batch,), device=device)
        seen = as_input(pictures[rows])
        image = model.clip.encode_image(seen, normalize=True)
        text = model.clip.encode_text(tokens[rows, wording].long(), normalize=True)
        scale = model.clip.logit_scale.exp().clamp(max=100.0)
        loss = contrastive(image.float(), text.float(), scale)
        small = functional.avg_pool2d(seen, 4).flatten(1)
        drawn = model.thumbnail(image * EMBED**0.5)
        loss = loss + functional.mse_loss(drawn.float(), small)
        for place, head in enumerate(model.main):
            said = head(image * EMBED**0.5).float()
            loss = loss + functional.cross_entropy(said, main[rows, place])
        half = torch.arange(batch // 2, device=device)
        states = follow(image, half)
        return loss + caption_loss(model.captioner, states, tokens[rows[half], wording[half]])

    average, outcome = fit(model, loss_of, budget)
    folder = out / "clip"
    write_model(average.clip.eval(), folder, work)
    torch.save(average.captioner.state_dict(), work / "captioner.pt")
    write_outcome(folder, outcome, budget, batch=batch, **check(average, work, device))


def write_model(clip: CLIP, folder: Path, work: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    state = {name: one.half().cpu().contiguous() for name, one in clip.state_dict().items()
             if name != "attn_mask"}  # fmt: skip
    save_file(state, folder / "open_clip_model.safetensors", metadata={"format": "pt"})
    for file in (work / "tokenizer").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())


@torch.inference_mode()
def embed(model: CLIP, pictures: np.ndarray, device: str, batch: int = 2048) -> Tensor:
    """Normalised pooled embeddings (n, EMBED)."""
    parts = [
        model.encode_image(as_input(torch.from_numpy(pictures[i : i + batch]).to(device)), True)
        for i in range(0, len(pictures), batch)
    ]
    return torch.cat(parts).float()


@torch.inference_mode()
def check(model: WithHelp, work: Path, device: str) -> dict[str, float]:
    """Text to picture top-1 among validation scenes, as a first look."""
    raw, tokens = data.load(work, "validation")
    ids = torch.from_numpy(tokens[:, 0]).to(device).long()
    image = embed(model.clip.float(), raw[:1000], device)
    text = model.clip.encode_text(ids[:1000], normalize=True).float()
    right = (text @ image.T).argmax(1).cpu() == torch.arange(len(image))
    return {"validation_top1": round(float(right.float().mean()), 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=170)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--start", type=Path, help="go on from the models in this folder")
    given = parser.parse_args()
    budget = Budget(given.seconds, given.steps, learning_rate=1.2e-3, weight_decay=0.1)
    train(given.work, given.out, budget, given.batch, given.device, given.start)


if __name__ == "__main__":
    main()
