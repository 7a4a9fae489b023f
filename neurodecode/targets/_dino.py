"""Self-supervised vision transformers as a target space, through timm."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from neurodecode.targets._network import NetworkTarget
from neurodecode.targets._weights import find_file, find_folder, fingerprint

WEIGHTS = ("model.safetensors", "pytorch_model.bin")


class Dino(NetworkTarget):
    """Pooled features or tokens of a timm model, such as DINO, DINOv2 or DINOv3.

    Parameters
    ----------
    name : str or path
        A local folder with ``config.json`` and weights, or a name on the hub such as
        ``'timm/vit_small_patch14_dinov2.lvd142m'``.
    layer : {'pooled', 'tokens'}
        The features before the classifier, or all tokens after the last norm (class and register
        tokens first), shape (n_tokens, n_dims).
    download : bool, default False
        Fetch missing weights.
    device : str, default 'auto'
    batch_size : int, default 64

    Examples
    --------
    >>> Dino("vit_small").space
    Traceback (most recent call last):
    ...
    neurodecode.errors.MissingWeightsError: Dino needs the weights 'vit_small' (config.json, \
model.safetensors, pytorch_model.bin), which are not on this machine: there is no such folder and \
no copy in the hub's cache. Give the path of a local folder, or download=True to fetch them from \
the Hugging Face hub.

    Sources
    -------
    Caron et al. 2021 (DINO); Oquab et al. 2023 (DINOv2).
    """

    def __init__(
        self,
        name: str | Path,
        layer: Literal["pooled", "tokens"] = "pooled",
        *,
        download: bool = False,
        device: str = "auto",
        batch_size: int = 64,
    ) -> None:
        self.name = name
        self.layer = layer
        self.download = download
        self.device = device
        self.batch_size = batch_size

    @property
    def space(self) -> str:
        """Such as ``'timm:vit_small_patch14_dinov2.lvd142m/pooled@1a2b3c4d'``."""
        if self.layer not in ("pooled", "tokens"):
            raise ValueError(f"layer must be 'pooled' or 'tokens'; got '{self.layer}'.")
        folder = self._folder()
        files = [folder / "config.json", find_file(folder, WEIGHTS)]
        return f"timm:{Path(self.name).name}/{self.layer}@{fingerprint(files)}"

    def _folder(self) -> Path:
        files = ["config.json", "|".join(WEIGHTS)]
        return find_folder(self.name, files, download=self.download, what="Dino")

    def _load(self, device: torch.device) -> Any:
        import timm
        from timm.data.config import resolve_model_data_config
        from timm.data.transforms_factory import create_transform

        model = timm.create_model(f"local-dir:{self._folder()}", pretrained=True)
        settings = resolve_model_data_config(model)
        transform = create_transform(**settings, is_training=False)
        return model.eval().to(device), transform

    def _run(self, network: Any, batch: list[Any], device: torch.device) -> Tensor:
        from PIL import Image

        model, transform = network
        seen = torch.stack([transform(Image.fromarray(one)) for one in batch]).to(device)
        features = model.forward_features(seen)
        if self.layer == "tokens":
            return features  # type: ignore[no-any-return]
        return model.forward_head(features, pre_logits=True)  # type: ignore[no-any-return]
