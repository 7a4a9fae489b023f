"""One way to run diffusers models that are led by an embedding, whatever their class.

Shapes: n rows, d embedding dimensions, t tokens, (c, h, w) latent.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurodecode.errors import CorruptFileError
from neurodecode.generators._admitted import INDEX, check_class, read_index
from neurodecode.targets._weights import find_folder, quiet_loading

WEIGHTS = "diffusion_pytorch_model.safetensors"


@dataclass(frozen=True)
class Parts:
    """The parts of a pipeline folder: network (UNet or transformer), scheduler, autoencoder.

    ``prompt`` holds the text encoder's states of the empty prompt, (1, t, d), for pipelines that
    have one, such as Stable unCLIP.
    """

    network: Any
    scheduler: Any
    autoencoder: Any
    prompt: Tensor | None


def pipeline_folder(name: str | Path, *, download: bool) -> Path:
    """The local folder of a diffusers pipeline."""
    return find_folder(name, [INDEX], download=download, what="SmallFlow")


def load_parts(folder: Path, device: torch.device) -> Parts:
    """Load a pipeline folder by the classes that its index names; never code of the folder.

    Raises
    ------
    CorruptFileError
        If the index names a class that diffusers does not have, or no network.
    UnsafeFileError
        If it names a class that is not on our list, or the folder holds code.
    """
    index = read_index(folder)
    kind = next((one for one in ("unet", "transformer") if one in index), None)
    if kind is None:
        raise CorruptFileError(f"{folder / INDEX} names no 'unet' and no 'transformer'.")
    network = _part(folder, index, kind).eval().to(device)
    autoencoder = _part(folder, index, "vae").eval().to(device)
    prompt = _empty_prompt(folder, device) if "text_encoder" in index else None
    return Parts(network, _part(folder, index, "scheduler"), autoencoder, prompt)


def _part(folder: Path, index: dict[str, Any], name: str) -> Any:
    import diffusers

    library, class_name = check_class(folder, name, index.get(name))
    found = getattr(diffusers, class_name, None) if library == "diffusers" else None
    if found is None or not hasattr(found, "from_pretrained"):
        raise CorruptFileError(
            f"{folder / INDEX} names {library}.{class_name} as '{name}', which this version of "
            f"diffusers does not have."
        )
    if name == "scheduler":
        return found.from_pretrained(folder, subfolder=name, local_files_only=True)
    # loaded whole: else diffusers asks, on the terminal, for accelerate, which is not needed here
    return found.from_pretrained(
        folder,
        subfolder=name,
        local_files_only=True,
        torch_dtype=torch.float32,
        low_cpu_mem_usage=False,
    )


def _empty_prompt(folder: Path, device: torch.device) -> Tensor:
    from transformers import AutoModelForTextEncoding, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer", trust_remote_code=False)
    with quiet_loading():
        encoder = AutoModelForTextEncoding.from_pretrained(
            folder / "text_encoder", trust_remote_code=False
        ).float()
    length = tokenizer.model_max_length
    ids = tokenizer("", padding="max_length", max_length=length, return_tensors="pt").input_ids
    with torch.inference_mode():
        states: Tensor = encoder.eval()(ids)[0]
    return states.to(device)


def conditions(parts: Parts, values: Tensor) -> dict[str, Any]:
    """What leads the network, by the arguments that its class and configuration take.

    Parameters
    ----------
    parts : Parts
    values : Tensor, shape (n, d) or (n, t, d)
        With tokens, the first one stands for the pooled vector where one is needed.
    """
    pooled = values if values.ndim == 2 else values[:, 0]
    tokens = values[:, None] if values.ndim == 2 else values
    config, given = parts.network.config, inspect.signature(parts.network.forward).parameters
    found: dict[str, Any] = {"encoder_hidden_states": _states(parts, tokens)}
    if "pooled_projections" in given:
        found["pooled_projections"] = pooled
    if config.get("class_embed_type") is not None:
        found["class_labels"] = _labels(pooled, config)
    if "added_cond_kwargs" in given:
        found["added_cond_kwargs"] = {
            "image_embeds": pooled, "resolution": None, "aspect_ratio": None,
        }  # fmt: skip
    return found


def _states(parts: Parts, tokens: Tensor) -> Tensor | None:
    """States to attend to: tokens, or the empty prompt where the embedding enters elsewhere."""
    if parts.network.config.get("encoder_hid_dim_type") == "image_proj":
        return None
    if parts.prompt is not None:
        return parts.prompt.expand(len(tokens), -1, -1)
    return tokens


def _labels(pooled: Tensor, config: Any) -> Tensor:
    """The pooled embedding; Stable unCLIP's UNet also wants the noise level, which is 0."""
    if config.get("projection_class_embeddings_input_dim") != 2 * pooled.shape[1]:
        return pooled
    from diffusers.models.embeddings import get_timestep_embedding

    level = torch.zeros(len(pooled), device=pooled.device)
    noise = get_timestep_embedding(
        level, pooled.shape[1], flip_sin_to_cos=True, downscale_freq_shift=0
    )
    return torch.cat([pooled, noise.to(pooled.dtype)], dim=1)


def draw(parts: Parts, values: Tensor, seeds: Sequence[int], n_steps: int) -> Tensor:
    """Latents (n, c, h, w) led by embeddings; all noise of a row comes from the row's own seed."""
    sources = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
    shape = latent_shape(parts)
    noise = torch.stack([torch.randn(shape, generator=one) for one in sources]).to(values.device)
    scheduler, lead = parts.scheduler, conditions(parts, values)
    scheduler.set_timesteps(**_steps(scheduler, n_steps), device=noise.device)
    latent = noise * float(getattr(scheduler, "init_noise_sigma", 1.0))
    takes_chance = "generator" in inspect.signature(scheduler.step).parameters
    chance: dict[str, Any] = {"generator": sources} if takes_chance else {}
    for time in scheduler.timesteps:
        scaled = scheduler.scale_model_input(latent, time) if hasattr(
            scheduler, "scale_model_input"
        ) else latent  # fmt: skip
        predicted = _predict(parts.network, scaled, time, lead)
        latent = scheduler.step(predicted, time, latent, **chance).prev_sample
    return latent


def latent_shape(parts: Parts) -> tuple[int, int, int]:
    """Channels, height and width that the network was made for."""
    size = parts.network.config.sample_size
    height, width = (size, size) if isinstance(size, int) else size
    return (parts.autoencoder.config.latent_channels, height, width)


def _steps(scheduler: Any, n_steps: int) -> dict[str, Any]:
    """Flow matching walks evenly from noise level 1; other schedulers choose for themselves."""
    if "FlowMatch" in type(scheduler).__name__:
        return {"sigmas": np.linspace(1.0, 1.0 / n_steps, n_steps).tolist()}
    return {"num_inference_steps": n_steps}


def _predict(network: Any, latent: Tensor, time: Tensor, lead: dict[str, Any]) -> Tensor:
    times = time.expand(len(latent)).to(latent.device)
    predicted: Tensor = network(latent, timestep=times, **lead).sample
    return predicted[:, : latent.shape[1]]
