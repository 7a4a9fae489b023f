"""GLIM: EEG of reading to tokens of a language model (Liu, Shen, Liu 2025)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import numpy as np
import torch
from torch import Tensor

from neurodecode.contracts import Targets
from neurodecode.data import Embeddings, Responses, Split, blocks
from neurodecode.encoders.core.base import BaseEncoder, as_people, check_finite
from neurodecode.encoders.core.run import run_of
from neurodecode.encoders.glim.batches import PROMPT_KEYS, SentenceBatch, Sentences
from neurodecode.encoders.glim.language import FrozenT5
from neurodecode.encoders.glim.losses import GlimLosses, GlimModel, prompted
from neurodecode.encoders.glim.network import GlimNetwork, GlimSize
from neurodecode.training import Plan, Progress, pick_device, train

HEADS = ("tokens", "pooled")


class Glim(BaseEncoder):
    """Prompted EEG encoder, learned queries, and an aligner into a frozen T5.

    Its tokens stand in place of the states of the language model's encoder: give them to
    `neurodecode.generators.Captioner`, which writes without ever seeing the sentence.

    Parameters
    ----------
    language_model : str or path
        A T5-class model: a local folder, or a name on the hub (``'google/flan-t5-large'`` in the
        paper).
    losses : GlimLosses
        Ours by default: learned temperature, no prompts. `GlimLosses.published` gives the paper's.
    size : GlimSize
    plan : Plan
    batch_size : int
    download : bool
        Fetch the language model from the hub if it is not here.
    seed : int

    Attributes
    ----------
    history_ : History

    Sources
    -------
    Liu, Shen, Liu 2025 (GLIM), model and training sections.

    Notes
    -----
    Heads: ``'tokens'`` (default), (n_queries, d_model) a sentence, and ``'pooled'``, (d_model,),
    for retrieval and zero-shot classes against `embed_texts`.
    """

    grouped: ClassVar[Mapping[str, type]] = {
        "plan": Plan, "size": GlimSize, "losses": GlimLosses,
    }  # fmt: skip
    reads_metadata: ClassVar[tuple[str, ...]] = ("task", "dataset")

    def __init__(
        self,
        language_model: str | Path,
        losses: GlimLosses = GlimLosses(),
        size: GlimSize = GlimSize(),
        plan: Plan = Plan(
            max_epochs=200, learning_rate=1e-4, weight_decay=0.0, schedule="constant"
        ),
        batch_size: int = 72,
        download: bool = False,
        seed: int = 0,
        folder: str | None = None,
    ) -> None:
        self.language_model = language_model
        self.losses = losses
        self.size = size
        self.plan = plan
        self.batch_size = batch_size
        self.download = download
        self.seed = seed
        self.folder = folder

    def fit(
        self,
        responses: Responses | Sequence[Responses],
        targets: Targets | None,
        split: Split,
        texts: Mapping[str, Sequence[str]] | None = None,
    ) -> Self:
        """Train on the training sentences of all people.

        Parameters
        ----------
        responses : Responses or sequence of Responses
            dims trial, channel, time, with ``valid`` and the metadata column ``text``.
        targets : ignored
            The target space is made by the language model from the texts.
        split : Split
        texts : mapping of str to sequence of str, optional
            Stimulus id to several wordings; one is drawn each time. Default: the text read.

        Raises
        ------
        ValueError
            If sentences have no text, do not fit ``size``, or hold values that are not finite.
        """
        people = as_people(responses)
        parts = {
            name: [part for part in (split.part(one, name) for one in people) if len(part)]
            for name in ("train", "validation")
        }  # fmt: skip
        for one in parts["train"]:
            for _, block in blocks(one.values):
                check_finite(block, one.subject)
        self.prompts_ = _prompt_tables(parts["train"])
        device = pick_device(self.plan.device)
        language = FrozenT5.load(self.language_model, download=self.download, device=device)
        self.d_model_ = language.width
        model = self._build()

        def sentences(name: str) -> Sentences:
            return Sentences(
                parts[name],
                self.prompts_,
                texts or {},
                (self.size.n_times, self.size.n_channels),
                batch_size=self.batch_size,
                device=device,
            )

        def step(module: Any, batch: SentenceBatch, progress: Progress) -> dict[str, Tensor]:
            return cast(dict[str, Tensor], module.losses(batch, language, self.losses))

        def validate(module: Any) -> dict[str, float]:
            found = [
                module.losses(batch, language, self.losses)
                for _, batch in sentences("validation").in_order()
            ]
            return {key: float(np.mean([float(one[key]) for one in found])) for key in found[0]}

        self.history_ = train(
            model,
            step,
            sentences("train"),
            self.plan,
            validate=validate if parts["validation"] else None,
            seed=self.seed,
            **run_of(self),
        )
        self.model_ = model
        return self

    def _build(self) -> GlimModel:
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            sizes = tuple(1 + len(self.prompts_[key]) for key in PROMPT_KEYS)
            return GlimModel(GlimNetwork(self.size, sizes, self.d_model_))

    @property
    def space_(self) -> str:
        """The target space: states of the language model's encoder."""
        return f"t5:{Path(self.language_model).name}/states-{self.size.n_queries}"

    @torch.no_grad()
    def predict(self, responses: Responses, head: str | None = None) -> Embeddings:
        """Tokens (n, n_queries, d_model), or with ``head='pooled'`` vectors (n, d_model).

        Prompts that `fit` always hid stay hidden.
        """
        name = head or "tokens"
        if name not in HEADS:
            raise ValueError(f"Glim has the heads {HEADS}; got '{name}'.")
        device = pick_device(self.plan.device)
        model = self.model_.to(device).eval()
        check_finite(responses.array(), responses.subject)
        sentences = Sentences(
            [_with_text(responses)],
            self.prompts_,
            {},
            (self.size.n_times, self.size.n_channels),
            batch_size=self.batch_size,
            device=device,
        )
        rows = []
        for _, batch in sentences.in_order():
            tokens = model.tokens(batch, self.losses.hidden)
            rows.append((tokens if name == "tokens" else model.network.pool_brain(tokens)).cpu())
        space = self.space_ if name == "tokens" else f"{self.space_}/pooled"
        return Embeddings(torch.cat(rows).numpy(), responses.stimulus, space)

    @torch.no_grad()
    def embed_texts(self, texts: Mapping[str, str]) -> Embeddings:
        """Texts, by id, in the space of ``predict(..., head='pooled')``."""
        device = pick_device(self.plan.device)
        language = FrozenT5.load(self.language_model, download=self.download, device=device)
        model = self.model_.to(device).eval()
        plain = list(texts.values())
        rows = []
        for start in range(0, len(plain), self.batch_size):
            states, words = language.states(
                prompted(plain[start : start + self.batch_size]), self.size.n_queries
            )
            rows.append(model.network.pool_text(states, words).cpu())
        return Embeddings(torch.cat(rows).numpy(), np.array(list(texts)), f"{self.space_}/pooled")

    @torch.no_grad()
    def teacher_forced(self, responses: Responses) -> list[str]:
        """Sentences with the true words before each word given: no measure of the brain."""
        device = pick_device(self.plan.device)
        language = FrozenT5.load(self.language_model, download=self.download, device=device)
        tokens = torch.from_numpy(self.predict(responses).array()).to(device)
        texts = [str(text) for text in responses.metadata["text"]]
        rows = [slice(i, i + self.batch_size) for i in range(0, len(texts), self.batch_size)]
        return [one for row in rows for one in language.teacher_forced(tokens[row], texts[row])]

    def adapt(self, responses: Responses, targets: Targets | None, split: Split) -> Self:
        """A new person is *unknown* to the prompts, and nothing needs training."""
        return self

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters, with the language model as a string."""
        found = super().get_params(deep=deep)
        return {**found, "language_model": str(found["language_model"])}

    def _state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        facts = {"prompts": self.prompts_, "d_model": self.d_model_, "space": self.space_}
        return dict(self.model_.state_dict()), facts

    def _restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        self.losses = GlimLosses(**{**vars(self.losses), "hidden": tuple(self.losses.hidden)})
        self.prompts_ = facts["prompts"]
        self.d_model_ = facts["d_model"]
        self.model_ = self._build()
        self.model_.load_state_dict(tensors)


def _prompt_tables(people: Sequence[Responses]) -> dict[str, dict[str, int]]:
    tables: dict[str, dict[str, int]] = {}
    for key in PROMPT_KEYS:
        names = {
            name
            for one in people
            if key == "subject" or key in one.metadata
            for name in one.groups(key).tolist()
        }
        tables[key] = {name: place + 1 for place, name in enumerate(sorted(names))}
    return tables


def _with_text(responses: Responses) -> Responses:
    """Prediction needs no text; an empty one keeps the batches of one form."""
    blank = np.full(len(responses), "")
    metadata = {**responses.metadata, "text": blank}
    return responses.with_values(responses.values, metadata=metadata)


__all__ = ["Glim", "GlimLosses", "GlimSize"]
