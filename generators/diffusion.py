"""Large image generators of diffusers, driven by predicted embeddings instead of words.

Versatile Diffusion, which MindEye1, MindBridge and Brain-Diffuser used, is in diffusers' deprecated
folder and not built on. What replaces it here, and what that changes:

- `IpAdapter`: Stable Diffusion or SDXL with an image adapter takes CLIP image embeddings (or 257
  tokens, with a "plus" adapter) beside a text. Like Versatile Diffusion's dual guidance; another
  mixing (adapter scale in place of the text-image ratio), other training pictures, other scores.
- `UnClip`: Stable unCLIP takes one pooled CLIP ViT-H (or L) embedding: no tokens, no text needed.
- `Kandinsky`: Kandinsky 2.2 takes one pooled CLIP ViT-bigG embedding.

So a score made with these is not one of the published tables, whichever encoder stands before it.
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurodecode.contracts import Target
from neurodecode.data import Embeddings
from neurodecode.errors import CorruptFileError, MissingWeightsError
from neurodecode.generators._admitted import read_index
from neurodecode.generators._base import BaseGenerator, space_of
from neurodecode.generators.images import chosen
from neurodecode.targets._device import pick_device
from neurodecode.targets._latent import decoded

Memory = Literal["24GB", "16GB", "8GB"]
MEMORIES: tuple[Memory, ...] = ("24GB", "16GB", "8GB")


class Start:
    """A predicted latent picture to start from, such as the low-level head of `MindEye2`.

    Parameters
    ----------
    latents : Embeddings, rows of shape (channels, height, width)
        Scaled latents by stimulus; one row a stimulus.
    strength : float
        Share of noise, from 0 (the latent alone) to 1 (noise alone).

    Sources
    -------
    Neuro-Vision to Language, section 3: ``(1 - strength) latent + strength noise``, strength .93.
    """

    def __init__(self, latents: Embeddings, strength: float = 0.93) -> None:
        if not 0.0 <= strength <= 1.0:
            raise ValueError(f"strength is a share of noise from 0 to 1; got {strength}.")
        self.latents, self.strength = latents, strength

    def mixed(self, stimulus: NDArray[np.str_], noise: Tensor) -> Tensor:
        """The latents of these stimuli with noise, shape of ``noise`` (n, c, h, w)."""
        given = torch.from_numpy(self.latents.rows(stimulus)).to(noise)
        if given.shape != noise.shape:
            given = torch.nn.functional.interpolate(given, size=noise.shape[-2:], mode="bilinear")
        return (1 - self.strength) * given + self.strength * noise


class PipelineImages(BaseGenerator):
    """What the pipelines share: loading, memory, seeds, candidates and their choice by the brain.

    Parameters
    ----------
    pipeline : path, str or diffusers pipeline
        A local folder, a name on the hub, or a loaded pipeline.
    n_steps : int
    guidance : float
        Classifier-free guidance.
    memory : {'24GB', '16GB', '8GB'}
        '24GB': all on the GPU. '16GB': whole models move to the GPU in turn. '8GB': layers
        move in turn (slow) and pictures are decoded in tiles. Half precision on any GPU; on a CPU
        there is no difference.
    start : Start, optional
        Predicted latents to start from.
    judge : target, optional
        Then ``n_candidates`` are drawn for each sample, and the one is kept that the judge finds
        nearest to the *brain's* embedding. The true picture is never looked at.
    n_candidates : int
    download : bool, default False
        Fetch a missing model from the hub; otherwise only local files are read.
    """

    def __init__(
        self,
        pipeline: Any,
        n_steps: int = 20,
        guidance: float = 5.0,
        memory: Memory = "24GB",
        start: Start | None = None,
        judge: Target | None = None,
        n_candidates: int = 4,
        download: bool = False,
    ) -> None:
        self.pipeline = pipeline
        self.n_steps = n_steps
        self.guidance = guidance
        self.memory = memory
        self.start = start
        self.judge = judge
        self.n_candidates = n_candidates
        self.download = download

    @property
    def space(self) -> str | None:
        """As the model's folder says in ``neurodecode.json``, else the judge's, else any."""
        if isinstance(self.pipeline, (str, Path)) and Path(self.pipeline).is_dir():
            named = space_of(Path(self.pipeline))
            if named is not None:
                return named
        return None if self.judge is None else self.judge.space

    @property
    def name(self) -> str:
        """Class and model."""
        known = isinstance(self.pipeline, (str, Path))
        return f"{type(self).__name__}({Path(self.pipeline).name if known else 'loaded'})"

    def _draw(self, embeddings: Embeddings, seeds: NDArray[np.uint64]) -> NDArray[np.uint8]:
        pipe = self._loaded()
        samples = [self._sample(pipe, embeddings, column) for column in seeds.T]
        return np.stack(samples, axis=1)

    def _sample(
        self, pipe: Any, embeddings: Embeddings, seeds: NDArray[np.uint64]
    ) -> NDArray[np.uint8]:
        if self.judge is None:
            return self._pictures(pipe, embeddings, seeds)
        tries = [
            self._pictures(pipe, embeddings, seeds + np.uint64(k)) for k in range(self.n_candidates)
        ]
        return chosen(np.stack(tries), embeddings, self.judge)

    def _pictures(
        self, pipe: Any, embeddings: Embeddings, seeds: NDArray[np.uint64]
    ) -> NDArray[np.uint8]:
        """One picture a row; rows go one by one, so that they do not depend on each other."""
        drawn = []
        for row, seed in enumerate(seeds.tolist()):
            one = embeddings.take(np.array([row]))
            rng = torch.Generator().manual_seed(int(seed))
            noise = torch.randn(self._latent_shape(pipe), generator=rng)
            if self.start is not None:
                noise = self.start.mixed(one.stimulus, noise)
            device = getattr(pipe, "_execution_device", pipe.device)
            arguments = {
                "latents": noise.to(device, pipe.dtype),
                "num_inference_steps": self.n_steps,
                "guidance_scale": self.guidance,
                "generator": rng,
                "output_type": "np",
            }
            values = torch.from_numpy(one.array()).to(device, pipe.dtype)
            found = pipe(**arguments, **self._conditions(pipe, values)).images[0]
            drawn.append(np.round(np.clip(found, 0, 1) * 255).astype(np.uint8))
        return np.stack(drawn)

    def _latent_shape(self, pipe: Any) -> tuple[int, int, int, int]:
        config = pipe.unet.config
        return (1, config.in_channels, config.sample_size, config.sample_size)

    @abstractmethod
    def _conditions(self, pipe: Any, values: Tensor) -> dict[str, Any]:
        """What the pipeline takes for one embedding (1, d) or (1, t, d)."""

    def _loaded(self) -> Any:
        if self.memory not in MEMORIES:
            raise ValueError(f"memory must be one of {MEMORIES}; got '{self.memory}'.")
        if not isinstance(self.pipeline, (str, Path)):
            return self.pipeline
        if getattr(self, "_pipe", None) is None:
            self._pipe = self._place(self._read())
        return self._pipe

    def _read(self) -> Any:
        from diffusers import DiffusionPipeline

        safe: dict[str, Any] = {"use_safetensors": True, "trust_remote_code": False}
        try:
            folder = Path(self.pipeline)
            if not folder.is_dir():
                name, is_local = str(self.pipeline), not self.download
                folder = Path(DiffusionPipeline.download(name, local_files_only=is_local, **safe))
            read_index(folder)
            pipe = DiffusionPipeline.from_pretrained(folder, local_files_only=True, **safe)
        except CorruptFileError:
            raise
        except (OSError, ValueError) as error:
            raise MissingWeightsError(
                f"{type(self).__name__} needs the pipeline '{self.pipeline}', which is not on this "
                f"machine ({error}). Give a local folder, or download=True to fetch it."
            ) from error
        pipe.set_progress_bar_config(disable=True)
        return pipe.to(torch.float16) if torch.cuda.is_available() else pipe

    def _place(self, pipe: Any) -> Any:
        device = pick_device("auto")
        if device.type != "cuda" or self.memory == "24GB":
            return pipe.to(device)
        if self.memory == "16GB":
            pipe.enable_model_cpu_offload()
            return pipe
        pipe.enable_sequential_cpu_offload()
        decoder = getattr(pipe, "vae", None) or pipe.movq
        for save in ("enable_slicing", "enable_tiling"):
            if hasattr(decoder, save):
                getattr(decoder, save)()
        return pipe


class UnClip(PipelineImages):
    """Stable Diffusion unCLIP from one pooled CLIP image embedding; parameters as above.

    Sources
    -------
    Ramesh et al. 2022; ``StableUnCLIPImg2ImgPipeline`` of diffusers. The embedding is given as
    it is (noise level 0), with the empty text.
    """

    def _conditions(self, pipe: Any, values: Tensor) -> dict[str, Any]:
        return {"prompt": "", "image_embeds": pooled(values), "noise_level": 0}


class Kandinsky(PipelineImages):
    """Kandinsky 2.2's decoder from one pooled CLIP ViT-bigG embedding; parameters as above.

    Sources
    -------
    ``KandinskyV22Pipeline`` of diffusers. The negative embedding is zero: the model's prior would
    give that of an empty text, which needs another 4 GB of weights.
    """

    def _conditions(self, pipe: Any, values: Tensor) -> dict[str, Any]:
        size = self._latent_shape(pipe)[-1] * pipe.movq_scale_factor
        one = pooled(values)
        negative = torch.zeros_like(one)
        return {
            "image_embeds": one,
            "negative_image_embeds": negative,
            "height": size,
            "width": size,
        }

    def _latent_shape(self, pipe: Any) -> tuple[int, int, int, int]:
        channels = pipe.movq.config.latent_channels
        size = pipe.unet.config.sample_size
        return (1, channels, size, size)


class IpAdapter(PipelineImages):
    """Stable Diffusion or SDXL with an image adapter, from image embeddings given directly.

    The pipeline must hold the adapter already (``pipe.load_ip_adapter(...)`` before it is given);
    pooled embeddings or tokens, whichever the adapter was trained on. This stands in for Versatile
    Diffusion.

    Sources
    -------
    Ye et al. 2023, "IP-Adapter"; diffusers' ``ip_adapter_image_embeds``.
    """

    def _conditions(self, pipe: Any, values: Tensor) -> dict[str, Any]:
        if getattr(pipe.unet, "encoder_hid_proj", None) is None:
            raise ValueError(
                "IpAdapter needs a pipeline that holds an image adapter; this one has none. Call "
                "pipe.load_ip_adapter(folder, subfolder=..., weight_name=...) and give that pipe."
            )
        one = values[:, None]
        pair = torch.cat([torch.zeros_like(one), one]) if self.guidance > 1 else one
        return {"prompt": "", "ip_adapter_image_embeds": [pair]}


class LatentImage(BaseGenerator):
    """Predicted latents through an autoencoder's decoder, and nothing else: the low-level picture.

    Parameters
    ----------
    autoencoder : diffusers autoencoder, str or path
        Loaded, or a local folder of one.
    """

    def __init__(self, autoencoder: Any) -> None:
        self.autoencoder = autoencoder

    def _draw(self, embeddings: Embeddings, seeds: NDArray[np.uint64]) -> NDArray[np.uint8]:
        from diffusers import AutoencoderKL

        network = self.autoencoder
        if isinstance(network, (str, Path)):
            network = AutoencoderKL.from_pretrained(str(network), local_files_only=True)
        device = next(network.parameters()).device
        rows = [
            decoded(network, torch.from_numpy(embeddings.take(np.array([row])).array()).to(device))
            for row in range(len(embeddings))
        ]
        # The decoder draws nothing at random: all samples of a row are the same.
        return np.repeat(np.concatenate(rows)[:, None], seeds.shape[1], axis=1)


def pooled(values: Tensor) -> Tensor:
    """One vector a row: the vector itself, or the first of its tokens."""
    return values if values.ndim == 2 else values[:, 0]
