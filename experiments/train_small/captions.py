"""The caption decoder and its loss: a T5 whose encoder states are one pooled embedding."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import T5Config, T5ForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput

from experiments.train_small import data

EMBED = 256
SCALE = EMBED**0.5
CONFIG: dict[str, Any] = {
    "vocab_size": data.VOCABULARY, "d_model": EMBED, "d_kv": 32, "num_heads": 4, "d_ff": 512,
    "num_layers": 0, "num_decoder_layers": 3, "dropout_rate": 0.0, "feed_forward_proj": "relu",
    "pad_token_id": 0, "decoder_start_token_id": 0,
}  # fmt: skip


def decoder(end: int) -> Any:
    """A new decoder; the T5 encoder has no blocks, since it is never called."""
    return T5ForConditionalGeneration(T5Config(**CONFIG, eos_token_id=end))


def caption_loss(model: Any, states: Tensor, tokens: Tensor) -> Tensor:
    """Mean cross-entropy a token: unit-length states (n, EMBED), token ids (n, N_TOKENS)."""
    labels = tokens.long()
    found: Tensor = model(
        encoder_outputs=BaseModelOutput(last_hidden_state=(states * SCALE)[:, None]),
        labels=labels.masked_fill(labels == 0, -100),
        use_cache=False,
    ).loss
    return found


def fold_scale(model: Any, factor: float = SCALE) -> None:
    """Move the scale of the states into the layers that read them."""
    with torch.no_grad():
        for block in model.decoder.block:
            attention = block.layer[1].EncDecAttention
            attention.k.weight *= factor
            attention.v.weight *= factor


def unfold_scale(model: Any) -> None:
    """Take the scale out again."""
    fold_scale(model, 1 / SCALE)
