"""The six published feature networks: file, layer, size, normalisation, and their loading."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.errors import CorruptFileError, MissingWeightsError
from neurodecode.metrics.images import Resize

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
OPENAI = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
BATCH = 32


@dataclass(frozen=True)
class Recipe:
    """One network of the tables: which weights, which layer, which pre-processing."""

    name: str
    architecture: str
    file: str
    source: str
    layer: str
    resize: Resize
    normalise: tuple[tuple[float, ...], tuple[float, ...]] = IMAGENET

    @property
    def details(self) -> str:
        """All that a table must say about it."""
        how = self.resize
        return (
            f"{self.architecture} ({self.file}), {self.layer}, {how.backend} {how.method} "
            f"to {how.size} px"
        )


TORCHVISION = "run torchvision.models.{}(weights='{}') once where there is a network"
RECIPES = (
    Recipe(
        "Alex(2)",
        "alexnet",
        "alexnet-owt-7be5be79.pth",
        TORCHVISION.format("alexnet", "IMAGENET1K_V1"),
        "features.4",
        Resize(256),
    ),
    Recipe(
        "Alex(5)",
        "alexnet",
        "alexnet-owt-7be5be79.pth",
        TORCHVISION.format("alexnet", "IMAGENET1K_V1"),
        "features.11",
        Resize(256),
    ),
    Recipe(
        "Incep",
        "inception_v3",
        "inception_v3_google-0cc3c7bd.pth",
        TORCHVISION.format("inception_v3", "DEFAULT"),
        "avgpool",
        Resize(342),
    ),
    Recipe(
        "CLIP",
        "ViT-L-14-quickgelu",
        "open_clip_model.safetensors",
        "download it from the hub's repository timm/vit_large_patch14_clip_224.openai (OpenAI's "
        "ViT-L/14)",
        "pooled",
        Resize(224),
        OPENAI,
    ),
    Recipe(
        "Eff",
        "efficientnet_b1",
        "efficientnet_b1-c27df63c.pth",
        TORCHVISION.format("efficientnet_b1", "DEFAULT"),
        "avgpool",
        Resize(255),
    ),
    Recipe(
        "SwAV",
        "resnet50",
        "swav_800ep_pretrain.pth.tar",
        "run torch.hub.load('facebookresearch/swav:main', 'resnet50') once where there is a "
        "network",
        "avgpool",
        Resize(224),
    ),
)


def recipes(preprocessing: str) -> dict[str, Recipe]:
    """The six, with MindEye's sizes or with Brain-Diffuser's 224 px by Pillow."""
    if preprocessing == "mindeye":
        return {one.name: one for one in RECIPES}
    if preprocessing == "brain_diffuser":
        square = Resize((224, 224), "pillow", "bicubic")
        return {one.name: replace(one, resize=square) for one in RECIPES}
    raise ValueError(f"preprocessing must be 'mindeye' or 'brain_diffuser'; got '{preprocessing}'.")


def weight_file(recipe: Recipe, folder: Any = None) -> Path:
    """Where the weights of a network are on this machine.

    Raises
    ------
    MissingWeightsError
        If they are nowhere; the message says which file and how to get it.
    """
    places = [Path(folder)] if folder is not None else _default_folders()
    for place in places:
        if (place / recipe.file).is_file():
            return place / recipe.file
    raise MissingWeightsError(
        f"{recipe.name} needs the weights {recipe.file}, which are not in "
        f"{' or '.join(str(place) for place in places)}. To get them, {recipe.source}; then put "
        f"the file there or name its folder in NEURODECODE_WEIGHTS."
    )


def load_extractor(
    recipe: Recipe, folder: Any = None, device: str = "cpu"
) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """A callable from pictures (n, height, width, 3) to features (n, n_dims)."""
    path = weight_file(recipe, folder)
    import torch

    forward = _clip(recipe, path, device) if recipe.layer == "pooled" else _node(recipe, path)
    mean, std = (torch.tensor(one).reshape(1, 3, 1, 1) for one in recipe.normalise)

    def extract(pictures: NDArray[Any]) -> NDArray[Any]:
        parts = []
        for start in range(0, len(pictures), BATCH):
            sized = recipe.resize(pictures[start : start + BATCH])
            tensor = (torch.from_numpy(sized).permute(0, 3, 1, 2) - mean) / std
            with torch.inference_mode():
                parts.append(forward(tensor.to(device)).flatten(1).float().cpu().numpy())
        return np.concatenate(parts)

    if recipe.layer != "pooled":
        forward.to(device)
    return extract


def _default_folders() -> list[Path]:
    import torch

    named = os.environ.get("NEURODECODE_WEIGHTS")
    hub = Path(torch.hub.get_dir()) / "checkpoints"
    return [Path(named), hub] if named else [hub]


def _node(recipe: Recipe, path: Path) -> Any:
    """The network up to its layer."""
    from torchvision import models
    from torchvision.models.feature_extraction import create_feature_extractor

    # Inception's pre-trained weights want their input scaled once more, as torchvision does itself
    extra = (
        {"transform_input": True, "init_weights": False}
        if recipe.architecture == "inception_v3"
        else {}
    )
    model = models.get_model(recipe.architecture, weights=None, **extra)
    _fill(model, _read(path), path, recipe)
    nodes = create_feature_extractor(
        model.eval(), {recipe.layer: "out"}, suppress_diff_warning=True
    )
    return _Single(nodes)


class _Single:
    """One output instead of a dictionary of them."""

    def __init__(self, nodes: Any) -> None:
        self.nodes = nodes

    def __call__(self, tensor: Any) -> Any:
        return self.nodes(tensor)["out"]

    def to(self, device: str) -> None:
        self.nodes.to(device)


def _clip(recipe: Recipe, path: Path, device: str) -> Any:
    import open_clip

    model = open_clip.create_model(recipe.architecture, pretrained=None, load_weights=False)
    _fill(model, _read(path), path, recipe)
    return model.eval().to(device).encode_image


def _read(path: Path) -> dict[str, Any]:
    import torch
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CorruptFileError(
            f"{path} can't be read as a file of weights ({type(error).__name__}). "
            f"It may be cut off: get it again."
        ) from error
    return {key.removeprefix("module."): value for key, value in content.items()}


def _fill(model: Any, state: dict[str, Any], path: Path, recipe: Recipe) -> None:
    outcome = model.load_state_dict(state, strict=False)
    # SwAV has no classifier and brings its own projection, and none of it lies below our layer
    wanted = [key for key in outcome.missing_keys if not key.startswith("fc.")]
    if wanted:
        raise CorruptFileError(
            f"{path} does not hold the weights of {recipe.architecture}: {len(wanted)} tensors are "
            f"missing (first: '{wanted[0]}'). Get {recipe.file} again."
        )
