"""Train the small T5 caption model: the open_clip embedding stands in for the encoder's states.

Cost: about 4.5 minutes of an H100 beside the generator's training. Expect: kind and colour of the
main object right in more than 90 % of unseen scenes (`evaluate.py`). The T5 encoder has no blocks:
it is never called.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor
from transformers import T5Config, T5ForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput

from experiments.train_small import data
from experiments.train_small.clip import EMBED, embed
from experiments.train_small.conditions import follow
from experiments.train_small.generator import load_clip
from experiments.train_small.loop import Budget, fit, write_outcome

SCALE = EMBED**0.5
CONFIG = {
    "vocab_size": data.VOCABULARY, "d_model": EMBED, "d_kv": 32, "num_heads": 4, "d_ff": 512,
    "num_layers": 0, "num_decoder_layers": 3, "dropout_rate": 0.0, "feed_forward_proj": "relu",
    "pad_token_id": 0, "decoder_start_token_id": 0,
}  # fmt: skip


def train(work: Path, out: Path, budget: Budget, batch: int, device: str) -> None:
    torch.manual_seed(budget.seed)
    raw, ids = data.load(work, "train")
    embeddings = embed(load_clip(out, device), raw, device)
    tokens = torch.from_numpy(ids).to(device)
    end = data.end_token(work / "tokenizer")
    model = T5ForConditionalGeneration(T5Config(**CONFIG, eos_token_id=end)).to(device)

    def loss_of() -> Tensor:
        rows = torch.randint(len(tokens), (batch,), device=device)
        wording = torch.randint(data.N_WORDINGS, (batch,), device=device)
        labels = tokens[rows, wording].long()
        states = (follow(embeddings, rows) * SCALE)[:, None]
        return model(
            encoder_outputs=BaseModelOutput(last_hidden_state=states),
            labels=labels.masked_fill(labels == 0, -100),
        ).loss

    average, outcome = fit(model, loss_of, budget)
    folder = out / "captioner"
    write_model(average, folder, work)
    write_outcome(folder, outcome, budget, batch=batch)


def write_model(model: T5ForConditionalGeneration, folder: Path, work: Path) -> None:
    """Fold the scale of the states into the layers that read them; save with the tokenizer."""
    with torch.no_grad():
        for block in model.decoder.block:
            attention = block.layer[1].EncDecAttention
            attention.k.weight *= SCALE
            attention.v.weight *= SCALE
    model.generation_config.max_length = data.N_TOKENS
    model.half().save_pretrained(folder)
    for file in (work / "tokenizer").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=260)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--device", default="cuda")
    given = parser.parse_args()
    budget = Budget(given.seconds, given.steps, learning_rate=1e-3, weight_decay=0.01)
    train(given.work, given.out, budget, given.batch, given.device)


if __name__ == "__main__":
    main()
