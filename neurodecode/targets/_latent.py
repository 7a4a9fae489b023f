"""The latent of an autoencoder as a target space, through diffusers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurodecode.targets._device import pick_device
from neurodecode.targets._network import NetworkTarget
from neurodecode.targets._shipped import shipped
from neurodecode.targets._weights import find_file, find_folder, fingerprint

WEIGHTS = ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin")


class Latent(NetworkTarget):
    """The scaled mean latent of a diffusers ``AutoencoderKL``; `pictures` goes back.

    Fit an encoder on it for a low-level stream (layout and colour), and draw the prediction with
    `generators.DirectImage`.

    Parameters
    ----------
    name : str or path, optional
        A local folder with ``config.json`` and weights (the ``vae`` folder of a pipeline), or
        ``org/name`` on the hub. By default the small one that ships with this package.
    size : int, default 64
        Pictures are resized to this many pixels a side.
    download : bool, default False
    device : str, default 'auto'
    batch_size : int, default 32

    Examples
    --------
    >>> from neurodecode import scenes
    >>> target = Latent(device="cpu")
    >>> seen = target.embed(scenes.stimuli([1]))
    >>> seen.row_shape
    (8, 16, 16)
    >>> target.pictures(seen.values).shape
    (1, 64, 64, 3)

    Sources
    -------
    Rombach et al. 2022, "High-resolution image synthesis with latent diffusion models", section
    3.1.
    """

    def __init__(
        self,
        name: str | Path | None = None,
        *,
        size: int = 64,
        download: bool = False,
        device: str = "auto",
        batch_size: int = 32,
    ) -> None:
        self.name = name
        self.size = size
        self.download = download
        self.device = device
        self.batch_size = batch_size

    @property
    def space(self) -> str:
        """Such as ``'latent:sd-vae-ft-mse/512@1a2b3c4d'``."""
        folder = self._folder()
        files = [folder / "config.json", find_file(folder, WEIGHTS)]
        label = "scenes" if self.name is None else Path(self.name).name
        return f"latent:{label}/{self.size}@{fingerprint(files)}"

    def _folder(self) -> Path:
        name = shipped("generator") / "vae" if self.name is None else self.name
        files = ["config.json", "|".join(WEIGHTS)]
        return find_folder(name, files, download=self.download, what="Latent")

    def _load(self, device: torch.device) -> Any:
        from diffusers import AutoencoderKL

        # loaded whole: else diffusers asks for accelerate
        model = AutoencoderKL.from_pretrained(
            self._folder(), torch_dtype=torch.float32, low_cpu_mem_usage=False
        )
        return model.eval().to(device)

    def _run(self, network: Any, batch: list[Any], device: torch.device) -> Tensor:
        from PIL import Image

        side = (self.size, self.size)
        small = [np.asarray(Image.fromarray(one).resize(side, Image.Resampling.BICUBIC))
                 for one in batch]  # fmt: skip
        seen = torch.from_numpy(np.stack(small)).to(device).permute(0, 3, 1, 2).float()
        mean = network.encode(seen / 127.5 - 1.0).latent_dist.mean
        shift = network.config.get("shift_factor") or 0.0
        return (mean - shift) * network.config.scaling_factor  # type: ignore[no-any-return]

    def pictures(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Points of this space as pictures, shape (n, height, width, 3), uint8."""
        device = pick_device(self.device)
        network = self._network(device)
        parts = [
            decoded(
                network, torch.from_numpy(np.asarray(values[i : i + self.batch_size])).to(device)
            )
            for i in range(0, len(values), self.batch_size)
        ]
        if not parts:
            return np.zeros((0, self.size, self.size, 3), np.uint8)
        return np.concatenate(parts)


def decoded(autoencoder: Any, latents: Tensor) -> NDArray[np.uint8]:
    """Scaled latents (n, channels, height, width) through the decoder, as uint8 pictures."""
    shift = autoencoder.config.get("shift_factor") or 0.0
    plain = latents.float() / autoencoder.config.scaling_factor + shift
    with torch.inference_mode():
        drawn = autoencoder.decode(plain.to(autoencoder.dtype)).sample.float()
    bytes_ = ((drawn.clamp(-1.0, 1.0) + 1.0) * 127.5).round().to(torch.uint8)
    return np.asarray(bytes_.permute(0, 2, 3, 1).cpu().numpy())
