"""A frozen T5 as GLIM uses it: states of a text, and how well tokens lead to a text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from neurodecode.targets._weights import find_folder

FILES = ("config.json", "model.safetensors|pytorch_model.bin", "tokenizer.json|spiece.model")


class FrozenT5:
    """An encoder-decoder language model whose weights never change.

    Parameters
    ----------
    model, tokenizer : of transformers
        A T5-class model and its tokenizer.
    device : torch.device
    """

    def __init__(self, model: Any, tokenizer: Any, device: torch.device) -> None:
        self.model: Any = model.eval().requires_grad_(False).to(device)
        self.tokenizer: Any = tokenizer
        self.device = device

    @classmethod
    def load(cls, name: str | Path, *, download: bool, device: torch.device) -> Self:
        """From a local folder, or by ``org/name`` such as ``'google/flan-t5-large'``."""
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        folder = find_folder(name, FILES, download=download, what="Glim")
        kind = torch.bfloat16 if device.type == "cuda" else torch.float32
        model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=kind, trust_remote_code=False)
        return cls(model, AutoTokenizer.from_pretrained(folder, trust_remote_code=False), device)

    @property
    def width(self) -> int:
        """Width of its states."""
        return int(self.model.config.d_model)

    @torch.no_grad()
    def states(self, texts: Sequence[str], n_tokens: int) -> tuple[Tensor, Tensor]:
        """Encoder states (b, n_tokens, d) of some texts, and which are words (b, n_tokens)."""
        rows = self.tokenizer(
            list(texts),
            padding="max_length",
            truncation=True,
            max_length=n_tokens,
            return_tensors="pt",
        ).to(self.device)
        found = self.model.get_encoder()(
            input_ids=rows["input_ids"], attention_mask=rows["attention_mask"]
        )
        return found.last_hidden_state.float(), rows["attention_mask"].bool()

    def loss(self, tokens: Tensor, texts: Sequence[str], max_length: int = 64) -> Tensor:
        """Cross-entropy of the texts, given tokens (b, q, d) in place of encoder states."""
        labels = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=max_length, return_tensors="pt"
        )["input_ids"].to(self.device)
        labels = labels.masked_fill(labels == self.tokenizer.pad_token_id, -100)
        found = self.model(encoder_outputs=(tokens.to(self.model.dtype),), labels=labels)
        loss: Tensor = found.loss
        return loss.float()

    @torch.no_grad()
    def teacher_forced(
        self, tokens: Tensor, texts: Sequence[str], max_length: int = 64
    ) -> list[str]:
        """The likeliest next word at each place, given the *true* words before it.

        What many papers scored. It is fluent and right in most places whatever the tokens are:
        never a measure of the brain.
        """
        rows = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=max_length, return_tensors="pt"
        )["input_ids"].to(self.device)
        pad = self.tokenizer.pad_token_id
        labels = rows.masked_fill(rows == pad, -100)
        found = self.model(encoder_outputs=(tokens.to(self.model.dtype),), labels=labels)
        said = found.logits.argmax(dim=-1).masked_fill(rows == pad, pad)
        plain = self.tokenizer.batch_decode(said, skip_special_tokens=True)
        return [str(one).strip() for one in plain]
