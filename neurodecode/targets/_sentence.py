"""Sentences as a target space, through transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from neurodecode.data import Stimuli
from neurodecode.targets._network import NetworkTarget, text_of
from neurodecode.targets._weights import find_file, find_folder, fingerprint, quiet_loading

WEIGHTS = ("model.safetensors", "pytorch_model.bin")


class Sentence(NetworkTarget):
    """Mean-pooled states of a text encoder (MiniLM, MPNet, BERT, the encoder of T5), or all states.

    Parameters
    ----------
    name : str or path
        A local folder of transformers, or ``org/name`` on the hub, such as
        ``'sentence-transformers/all-MiniLM-L6-v2'`` or ``'google/flan-t5-large'``.
    layer : {'pooled', 'tokens'}
        The mean over the sentence's tokens, or the states of all ``max_length`` tokens with zeros
        beyond the sentence's end.
    normalise : bool, default True
        Unit length of the pooled vector; tokens stay as they are.
    max_length : int, default 64
    wording : int, default 0
        Which caption of a picture or clip is embedded.
    download : bool, default False
    device : str, default 'auto'
    batch_size : int, default 64

    Sources
    -------
    Reimers and Gurevych 2019, "Sentence-BERT", section 3 (mean pooling).
    """

    kinds: ClassVar[tuple[str, ...]] = ("text", "image", "video")

    def __init__(
        self,
        name: str | Path,
        layer: Literal["pooled", "tokens"] = "pooled",
        *,
        normalise: bool = True,
        max_length: int = 64,
        wording: int = 0,
        download: bool = False,
        device: str = "auto",
        batch_size: int = 64,
    ) -> None:
        self.name = name
        self.layer = layer
        self.normalise = normalise
        self.max_length = max_length
        self.wording = wording
        self.download = download
        self.device = device
        self.batch_size = batch_size

    @property
    def space(self) -> str:
        """Such as ``'sentence:all-MiniLM-L6-v2/pooled-64@1a2b3c4d'``."""
        if self.layer not in ("pooled", "tokens"):
            raise ValueError(f"layer must be 'pooled' or 'tokens'; got '{self.layer}'.")
        folder = self._folder()
        files = [folder / "config.json", find_file(folder, WEIGHTS)]
        options = ("" if self.normalise else "-raw") + (f"-{self.wording}" if self.wording else "")
        return (
            f"sentence:{Path(self.name).name}/{self.layer}-{self.max_length}{options}"
            f"@{fingerprint(files)}"
        )

    def _folder(self) -> Path:
        files = ["config.json", "|".join(WEIGHTS), "tokenizer.json|vocab.txt|spiece.model"]
        return find_folder(self.name, files, download=self.download, what="Sentence")

    def _load(self, device: torch.device) -> Any:
        from transformers import AutoModelForTextEncoding, AutoTokenizer

        folder = self._folder()
        with quiet_loading():
            model = AutoModelForTextEncoding.from_pretrained(
                folder, trust_remote_code=False
            ).float()
        return model.eval().to(device), AutoTokenizer.from_pretrained(
            folder, trust_remote_code=False
        )

    def _item(self, stimuli: Stimuli, one: str) -> str:
        return text_of(stimuli, one, self.wording)

    def _example(self) -> str:
        return "a"

    def _run(self, network: Any, batch: list[str], device: torch.device) -> Tensor:
        model, tokenizer = network
        padding = "max_length" if self.layer == "tokens" else True
        rows = tokenizer(
            batch,
            padding=padding,
            truncation=True,
            max_length=self.max_length,
            return_tensors="pt",
        ).to(device)
        states = model(
            input_ids=rows["input_ids"], attention_mask=rows["attention_mask"]
        ).last_hidden_state
        mask = rows["attention_mask"][..., None].to(states.dtype)
        if self.layer == "tokens":
            return states * mask  # type: ignore[no-any-return]
        pooled = (states * mask).sum(1) / mask.sum(1).clamp(min=1.0)
        length = pooled.norm(dim=1, keepdim=True) if self.normalise else 1.0
        return pooled / length  # type: ignore[no-any-return]
