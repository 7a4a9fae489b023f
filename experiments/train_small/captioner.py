"""Finish the small T5 caption model on the frozen open_clip model's embeddings.

Cost: about 1 minute of an H100. Expect: kind and colour of the
main object right in more than 90 % of unseen scenes (`evaluate.py`). It starts from the decoder
that helped to train the open_clip model.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from experiments.train_small import data
from experiments.train_small.captions import caption_loss, decoder, fold_scale
from experiments.train_small.clip import embed
from experiments.train_small.conditions import follow
from experiments.train_small.generator import load_clip
from experiments.train_small.loop import Budget, fit, write_outcome


def train(work: Path, out: Path, budget: Budget, batch: int, device: str) -> None:
    torch.manual_seed(budget.seed)
    raw, ids = data.load(work, "train")
    embeddings = embed(load_clip(out, device), raw, device)
    tokens = torch.from_numpy(ids).to(device)
    model = decoder(data.end_token(work / "tokenizer")).to(device)
    model.load_state_dict(torch.load(work / "captioner.pt", weights_only=True))

    def loss_of() -> Tensor:
        rows = torch.randint(len(tokens), (batch,), device=device)
        wording = torch.randint(data.N_WORDINGS, (batch,), device=device)
        return caption_loss(model, follow(embeddings, rows), tokens[rows, wording])

    average, outcome = fit(model, loss_of, budget)
    folder = out / "captioner"
    write_model(average, folder, work)
    write_outcome(folder, outcome, budget, batch=batch)


def write_model(model: Any, folder: Path, work: Path) -> None:
    """Fold the scale of the states into the layers that read them; save with the tokenizer."""
    fold_scale(model)
    model.half().save_pretrained(folder)
    for file in (work / "tokenizer").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=260)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--start", type=Path, help="for the other scripts; not used here")
    given = parser.parse_args()
    budget = Budget(given.seconds, given.steps, learning_rate=7e-4, weight_decay=0.01)
    train(given.work, given.out, budget, given.batch, given.device)


if __name__ == "__main__":
    main()
