"""Sentences from any embedding, through a T5-class decoder that attends to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurodecode.data import Embeddings
from neurodecode.generators._base import BaseGenerator, space_of
from neurodecode.generators._restandardise import Restandardise
from neurodecode.targets import shipped
from neurodecode.targets._device import pick_device, track
from neurodecode.targets._weights import find_folder, quiet_loading

FILES = (
    "config.json",
    "model.safetensors|model.safetensors.index.json|pytorch_model.bin",
    "tokenizer.json|spiece.model",
)


@dataclass(frozen=True)
class Beams:
    """Beam search: the ``n`` most likely sentences; sample k is the k-th."""

    n: int = 2
    length_penalty: float = 1.0


@dataclass(frozen=True)
class Nucleus:
    """Nucleus sampling: words are drawn from the smallest set that holds ``top_p`` of the mass."""

    top_p: float = 0.9
    temperature: float = 1.0


class Captioner(BaseGenerator):
    """Write sentences: the embedding stands in for the states of the T5 encoder.

    Nothing but the embedding is given: no first words, no true length, no teacher forcing. Works
    with any encoder that predicts tokens (n, n_tokens, n_dims) or one vector (n, n_dims) of the
    decoder's width. By default the small model that ships with this package, trained on scenes,
    which reads the pooled embedding of ``OpenClip()``.

    Parameters
    ----------
    model : str or path, optional
        A local folder of transformers, or ``org/name`` on the hub, such as
        ``'google/flan-t5-large'``.
    decoding : Beams or Nucleus
    length : (int, int), default (1, 40)
        Fewest and most tokens that are written.
    restandardise : Restandardise, optional
        Fitted on training or validation predictions.
    download : bool, default False
    device : str, default 'auto'
    batch_size : int, default 64

    Examples
    --------
    >>> from neurodecode import scenes
    >>> from neurodecode.targets import OpenClip
    >>> seen = OpenClip(device="cpu").embed(scenes.stimuli([1]))
    >>> Captioner(device="cpu").generate(seen)
    Generated(1 x 1 texts by Captioner(captioner))

    Sources
    -------
    Raffel et al. 2020 (T5). GLIM (EEG to text) for aligned tokens as encoder states and generation
    without teacher forcing; Holtzman et al. 2020 for nucleus sampling.
    """

    kind: ClassVar[Literal["image", "video", "text"]] = "text"

    def __init__(
        self,
        model: str | Path | None = None,
        decoding: Beams | Nucleus = Beams(),
        *,
        length: tuple[int, int] = (1, 40),
        restandardise: Restandardise | None = None,
        download: bool = False,
        device: str = "auto",
        batch_size: int = 64,
    ) -> None:
        self.model = model
        self.decoding = decoding
        self.length = length
        self.restandardise = restandardise
        self.download = download
        self.device = device
        self.batch_size = batch_size

    @property
    def space(self) -> str | None:
        """The space the model was trained on, if its folder says so."""
        return space_of(self._folder())

    @property
    def name(self) -> str:
        """Class and model."""
        return f"Captioner({self._folder().name})"

    def _folder(self) -> Path:
        given = shipped("captioner") if self.model is None else self.model
        return find_folder(given, FILES, download=self.download, what="Captioner")

    def _check(self, embeddings: Embeddings, n_samples: int) -> None:
        # tokens that an encoder learned through this very decoder are at home here
        if self.space is not None and embeddings.space.startswith(f"t5:{self._folder().name}/"):
            embeddings = replace(embeddings, space=self.space)
        super()._check(embeddings, n_samples)

    def _draw(self, embeddings: Embeddings, seeds: NDArray[np.uint64]) -> NDArray[np.str_]:
        points = self.restandardise.apply(embeddings) if self.restandardise else embeddings
        device = pick_device(self.device)
        model, tokenizer = self._loaded(device)
        states = as_states(points, int(model.config.d_model))
        texts: list[list[str]] = []
        starts = range(0, len(states), self.batch_size)
        for start in track(starts, "Writing sentences", len(starts)):
            rows = slice(start, start + self.batch_size)
            ids = self._ids(model, torch.from_numpy(states[rows]).to(device), seeds[rows])
            plain = tokenizer.batch_decode(
                ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
            n_samples = seeds.shape[1]
            texts += [
                [one.strip() for one in plain[i : i + n_samples]]
                for i in range(0, len(plain), n_samples)
            ]
        return np.array(texts, dtype=np.str_).reshape(seeds.shape)

    def _ids(self, model: Any, states: Tensor, seeds: NDArray[np.uint64]) -> Tensor:
        """Token ids (n * n_samples, length), samples of a row beside each other."""
        fewest, most = self.length
        options: dict[str, Any] = {
            "min_new_tokens": fewest, "max_new_tokens": most,
            "do_sample": False,
        }  # fmt: skip
        n_samples = seeds.shape[1]
        if isinstance(self.decoding, Beams):
            options |= beam_options(self.decoding, n_samples)
        else:
            states = states.repeat_interleave(n_samples, dim=0)
            options["logits_processor"] = [
                SeededNucleus(self.decoding, [int(seed) for seed in seeds.ravel()])
            ]
        return written(model, states, options)

    def _loaded(self, device: torch.device) -> Any:
        """Model and tokenizer, kept for the next call."""
        folder = self._folder()
        return self._kept((folder, device), lambda: load(folder, device))


def load(folder: Path, device: torch.device) -> tuple[Any, Any]:
    """A T5-class model in float32 and its tokenizer."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, GenerationConfig

    with quiet_loading():
        model = AutoModelForSeq2SeqLM.from_pretrained(folder, trust_remote_code=False).float()
    model.generation_config = GenerationConfig()
    return model.eval().to(device), AutoTokenizer.from_pretrained(folder, trust_remote_code=False)


def as_states(points: Embeddings, width: int) -> NDArray[np.float32]:
    """Embeddings as encoder states (n, n_tokens, width); one vector becomes one token.

    Raises
    ------
    ValueError
        If the rows are neither vectors nor tokens of the decoder's width.

    Examples
    --------
    >>> as_states(Embeddings(np.zeros((2, 4)), ["a", "b"], "toy"), 4).shape
    (2, 1, 4)
    """
    values = points.array()
    states = values[:, None] if values.ndim == 2 else values
    if states.ndim != 3 or states.shape[-1] != width:
        raise ValueError(
            f"The decoder attends to states of {width} dimensions, one vector or several tokens a "
            f"row; got rows of shape {points.row_shape}. Fit the encoder on a target of that width."
        )
    return np.ascontiguousarray(states)


def beam_options(beams: Beams, n_samples: int) -> dict[str, Any]:
    """Options of transformers' generate() for beam search.

    Raises
    ------
    ValueError
        If more samples are wanted than there are beams.
    """
    if n_samples > beams.n:
        raise ValueError(
            f"Beams({beams.n}) writes at most {beams.n} samples a row; got n_samples={n_samples}. "
            f"Take more beams, or Nucleus()."
        )
    return {
        "num_beams": beams.n,
        "num_return_sequences": n_samples,
        "length_penalty": beams.length_penalty,
    }


def written(model: Any, states: Tensor, options: dict[str, Any]) -> Tensor:
    """Generate from encoder states alone."""
    from transformers import GenerationConfig, LogitsProcessorList
    from transformers.modeling_outputs import BaseModelOutput

    more = dict(options)
    processors = LogitsProcessorList(more.pop("logits_processor", []))
    start = model.config.decoder_start_token_id
    config = GenerationConfig(
        **more,
        decoder_start_token_id=start,
        pad_token_id=model.config.pad_token_id,
        eos_token_id=model.config.eos_token_id,
    )
    with torch.inference_mode():
        return model.generate(  # type: ignore[no-any-return]
            encoder_outputs=BaseModelOutput(last_hidden_state=states),
            generation_config=config,
            logits_processor=processors,
        )


class SeededNucleus:
    """Nucleus sampling by the Gumbel trick, with one stream of chance a row.

    Added noise turns the greedy choice into a draw from the kept words, so that a row's sentence
    does not depend on the rows beside it.
    """

    def __init__(self, nucleus: Nucleus, seeds: list[int]) -> None:
        self.nucleus = nucleus
        self.sources = [torch.Generator().manual_seed(seed) for seed in seeds]

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Scores (n, vocabulary) whose largest entry is the word drawn."""
        scaled = (scores.float() / self.nucleus.temperature).log_softmax(dim=-1)
        mass, order = scaled.exp().sort(dim=-1, descending=True)
        drop = mass.cumsum(dim=-1) - mass >= self.nucleus.top_p
        outside = torch.zeros_like(drop).scatter(-1, order, drop)
        uniform = torch.stack(
            [torch.rand(scores.shape[-1], generator=source) for source in self.sources]
        ).to(scores.device)
        noise = -(-uniform.clamp(min=1e-20).log()).clamp(min=1e-20).log()
        return (scaled + noise).masked_fill(outside | torch.isinf(scores), -torch.inf)
