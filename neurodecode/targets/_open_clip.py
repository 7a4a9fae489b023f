"""CLIP as a target space, through open_clip: pictures or texts, pooled or as tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from neurodecode.data import Stimuli
from neurodecode.errors import MissingWeightsError
from neurodecode.targets._network import NetworkTarget, text_of
from neurodecode.targets._shipped import shipped
from neurodecode.targets._weights import find_file, find_folder, fingerprint

Layer = Literal["pooled", "tokens", "text", "text_tokens"]
WEIGHTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.bin",
    "model.safetensors",
    "pytorch_model.bin",
)
CONFIG = "open_clip_config.json"


class Loaded(NamedTuple):
    """A CLIP model with what prepares its input."""

    model: Any
    preprocess: Any
    tokenizer: Any


class OpenClip(NetworkTarget):
    """Pooled embedding or tokens of a CLIP model, of the picture or of its caption.

    With ``layer='tokens'`` the values are the last hidden states of all tokens, through the final
    norm and the projection, divided by the length of the pooled token: 257 x 768 for ViT-L/14, the
    target of MindBridge and the condition of Versatile Diffusion. ``'text_tokens'`` is the same of
    the text tower.

    Parameters
    ----------
    name : str or path, optional
        A local folder with ``open_clip_config.json`` and weights; a model of open_clip by name,
        such as ``'ViT-L-14'``, with ``pretrained``; or ``org/name`` on the hub. By default the
        small model that ships with this package, trained on scenes.
    pretrained : str or path, optional
        With a model's name: a local weights file, or a tag of open_clip such as ``'openai'``.
    layer : {'pooled', 'tokens', 'text', 'text_tokens'}
    normalise : bool, default True
        Unit length of the pooled vector; tokens are divided by the same length.
    wording : int, default 0
        Which caption of a picture is embedded by the text layers.
    download : bool, default False
        Fetch missing weights.
    device : str, default 'auto'
    batch_size : int, default 64

    Examples
    --------
    >>> from neurodecode import scenes
    >>> OpenClip(device="cpu").embed(scenes.stimuli([1, 2])).row_shape
    (256,)

    Sources
    -------
    Radford et al. 2021, "Learning transferable visual models from natural language supervision".
    MindBridge (Wang et al., CVPR 2024), section 3.3 and the released code, for the token target.
    """

    def __init__(
        self,
        name: str | Path | None = None,
        layer: Layer = "pooled",
        *,
        pretrained: str | Path | None = None,
        normalise: bool = True,
        wording: int = 0,
        download: bool = False,
        device: str = "auto",
        batch_size: int = 64,
    ) -> None:
        self.name = name
        self.layer = layer
        self.pretrained = pretrained
        self.normalise = normalise
        self.wording = wording
        self.download = download
        self.device = device
        self.batch_size = batch_size

    @property
    def kinds(self) -> tuple[str, ...]:  # type: ignore[override]
        """Pictures; for the text layers texts too."""
        return ("text", "image", "video") if self._is_text else ("image",)

    @property
    def space(self) -> str:
        """Such as ``'open_clip:ViT-L-14/tokens@1a2b3c4d'``."""
        source, _, files = self._source()
        label = Path(source).name if files[0].name == CONFIG else source
        options = ("" if self.normalise else "-raw") + (f"-{self.wording}" if self.wording else "")
        return f"open_clip:{label}/{self.layer}{options}@{fingerprint(files)}"

    @property
    def _is_text(self) -> bool:
        if self.layer not in ("pooled", "tokens", "text", "text_tokens"):
            raise ValueError(
                f"layer must be 'pooled', 'tokens', 'text' or 'text_tokens'; got '{self.layer}'."
            )
        return self.layer.startswith("text")

    def _source(self) -> tuple[str, Path | None, list[Path]]:
        """Name or folder, weights file if the name is open_clip's own, files to fingerprint."""
        name = shipped("clip") if self.name is None else self.name
        if self.pretrained is not None:
            file = _weights_file(str(name), self.pretrained, download=self.download)
            return str(name), file, [file]
        folder = find_folder(
            name, [CONFIG, "|".join(WEIGHTS)], download=self.download, what="OpenClip"
        )
        return str(folder), None, [folder / CONFIG, find_file(folder, WEIGHTS)]

    def _load(self, device: torch.device) -> Loaded:
        import open_clip

        source, file, _ = self._source()
        name = source if file is not None else f"local-dir:{source}"
        model, preprocess = open_clip.create_model_from_pretrained(
            name, pretrained=None if file is None else str(file), device=device
        )
        return Loaded(model.eval(), preprocess, open_clip.get_tokenizer(name))

    def _item(self, stimuli: Stimuli, one: str) -> Any:
        return text_of(stimuli, one, self.wording) if self._is_text else stimuli.load(one)

    def _example(self) -> Any:
        return "a" if self._is_text else super()._example()

    def _run(self, network: Loaded, batch: list[Any], device: torch.device) -> Tensor:
        model = network.model
        if self._is_text:
            ids = network.tokenizer(batch).to(device)
            tower = model.text if hasattr(model, "text") else model
            pooled, hidden = _watched(tower.ln_final, lambda: model.encode_text(ids))
            tokens = _projected(hidden, tower.text_projection)
        else:
            from PIL import Image

            pictures = [network.preprocess(Image.fromarray(one)) for one in batch]
            seen = torch.stack(pictures).to(device)
            pooled, hidden = _watched(model.visual.ln_post, lambda: model.encode_image(seen))
            tokens = _projected(hidden, model.visual.proj)
        values = tokens if self.layer.endswith("tokens") else pooled
        if not self.normalise:
            return values
        length = pooled.norm(dim=-1, keepdim=True)
        return values / (length[:, None] if values.ndim == 3 else length)  # type: ignore[no-any-return]


def _watched(norm: nn.Module, run: Any) -> tuple[Tensor, Tensor]:
    """The result of a run, and what the tower's last norm gave meanwhile."""
    seen: list[Tensor] = []
    handle = norm.register_forward_hook(lambda _module, _input, output: seen.append(output))
    try:
        return run(), seen[-1]
    finally:
        handle.remove()


def _projected(hidden: Tensor, projection: Any) -> Tensor:
    """Token states in the shared space; models without a projection keep their states."""
    if projection is None:
        return hidden
    if isinstance(projection, nn.Module):
        return projection(hidden)  # type: ignore[no-any-return]
    return hidden @ projection  # type: ignore[no-any-return]


def _weights_file(model: str, pretrained: str | Path, *, download: bool) -> Path:
    """The weights of one of open_clip's own models: a local file, or a tag's file."""
    if Path(pretrained).expanduser().is_file():
        return Path(pretrained).expanduser()
    import open_clip
    from huggingface_hub import try_to_load_from_cache

    known = open_clip.pretrained.get_pretrained_cfg(model, str(pretrained))
    repo = str(known.get("hf_hub", "")).rstrip("/")
    for one in WEIGHTS if repo else ():
        found = try_to_load_from_cache(repo, one)
        if isinstance(found, str):
            return Path(found)
    if download and known:
        return Path(open_clip.download_pretrained(known))
    raise MissingWeightsError(
        f"OpenClip needs the weights '{pretrained}' of {model} ({repo or 'no known hub folder'}), "
        f"which are not on this machine: no such file, and no copy in the hub's cache. Give "
        f"pretrained=<path of a weights file>, or download=True to fetch them."
    )
