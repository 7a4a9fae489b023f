"""Pictures from an image embedding, through any small or large diffusers network and scheduler."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurodecode.contracts import Target
from neurodecode.data import Embeddings, Stimuli
from neurodecode.generators._base import BaseGenerator, space_of
from neurodecode.generators._diffusers import Parts, draw, load_parts, pipeline_folder
from neurodecode.generators._restandardise import Restandardise
from neurodecode.targets import shipped
from neurodecode.targets._device import pick_device, track
from neurodecode.targets._latent import decoded


class SmallFlow(BaseGenerator):
    """Draw pictures by a diffusion or flow model that is led by an image embedding.

    Reads any diffusers pipeline folder whose network takes the embedding as class label (Stable
    unCLIP), as image embedding (Kandinsky 2.2) or as tokens to attend to (PixArt, Stable Diffusion
    3), with its scheduler and autoencoder. By default the small model that ships with this
    package: 64 pixels, trained on scenes, led by ``OpenClip()``.

    Parameters
    ----------
    model : str or path, optional
        A pipeline folder (``model_index.json``), or ``org/name`` on the hub.
    n_steps : int, default 6
        Steps of the scheduler.
    restandardise : Restandardise, optional
        Fitted on training or validation predictions; applied before drawing.
    judge : target, optional
        With it, ``n_candidates`` pictures are drawn for each sample, and the one is kept whose own
        embedding by this target lies nearest (cosine) to the *predicted* embedding, which comes
        from the brain. The true stimulus is never looked at.
    n_candidates : int, default 4
        Only with a judge.
    download : bool, default False
        Fetch a missing model from the hub.
    device : str, default 'auto'
    batch_size : int, default 32

    Examples
    --------
    >>> from neurodecode import scenes
    >>> from neurodecode.targets import OpenClip
    >>> seen = OpenClip(device="cpu").embed(scenes.stimuli([1]))
    >>> SmallFlow(n_steps=1, device="cpu").generate(seen, seed=0)
    Generated(1 x 1 images by SmallFlow(generator))

    Sources
    -------
    Lipman et al. 2023, "Flow matching for generative modeling" (the shipped model); Ramesh et al.
    2022 (unCLIP) for pictures led by a CLIP image embedding.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        n_steps: int = 6,
        *,
        restandardise: Restandardise | None = None,
        judge: Target | None = None,
        n_candidates: int = 4,
        download: bool = False,
        device: str = "auto",
        batch_size: int = 32,
    ) -> None:
        self.model = model
        self.n_steps = n_steps
        self.restandardise = restandardise
        self.judge = judge
        self.n_candidates = n_candidates
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
        return f"SmallFlow({self._folder().name})"

    def _folder(self) -> Path:
        given = shipped("generator") if self.model is None else self.model
        return pipeline_folder(given, download=self.download)

    def _draw(self, embeddings: Embeddings, seeds: NDArray[np.uint64]) -> NDArray[np.uint8]:
        points = self.restandardise.apply(embeddings) if self.restandardise else embeddings
        device = pick_device(self.device)
        parts = self._parts(device)
        drawn = [
            self._sample(parts, points, seeds[:, sample], device)
            for sample in range(seeds.shape[1])
        ]
        return np.stack(drawn, axis=1)

    def _sample(
        self, parts: Parts, points: Embeddings, seeds: NDArray[np.uint64], device: torch.device
    ) -> NDArray[np.uint8]:
        """One picture a row, (n, height, width, 3)."""
        values = torch.from_numpy(points.array()).to(device)
        if self.judge is None:
            return self._pictures(parts, values, seeds)
        tries = np.stack(
            [self._pictures(parts, values, seeds ^ np.uint64(k)) for k in range(self.n_candidates)]
        )
        return chosen(tries, points, self.judge)

    def _pictures(
        self, parts: Parts, values: Tensor, seeds: NDArray[np.uint64]
    ) -> NDArray[np.uint8]:
        starts = range(0, len(values), self.batch_size)
        drawn = []
        with torch.inference_mode():
            for start in track(starts, "Drawing pictures", len(starts)):
                rows = slice(start, start + self.batch_size)
                latent = draw(parts, values[rows], seeds[rows].tolist(), self.n_steps)
                drawn.append(decoded(parts.autoencoder, latent))
        if not drawn:
            return np.zeros((0, 64, 64, 3), np.uint8)
        return np.concatenate(drawn)

    def _parts(self, device: torch.device) -> Parts:
        """The loaded model, kept for the next call."""
        folder = self._folder()
        return self._kept((folder, device), lambda: load_parts(folder, device))


def chosen(tries: NDArray[np.uint8], points: Embeddings, judge: Target) -> NDArray[np.uint8]:
    """Of several pictures a row, the one whose embedding is nearest to the predicted one.

    Parameters
    ----------
    tries : array, shape (n_candidates, n, height, width, 3)
    points : Embeddings
        Predicted, n rows, of the judge's space.
    judge : target

    Raises
    ------
    ValueError
        If the judge embeds into another space.
    """
    if judge.space != points.space:
        raise ValueError(
            f"The judge embeds into '{judge.space}' but the predictions are of '{points.space}'. "
            f"Take the target that the encoder was fitted on."
        )
    ids = [f"{k}-{row}" for k in range(len(tries)) for row in range(tries.shape[1])]
    flat = tries.reshape(-1, *tries.shape[2:])
    found = judge.embed(Stimuli.from_arrays(ids, flat)).array(np.float64)
    found = found.reshape(*tries.shape[:2], -1)
    wanted = points.array(np.float64).reshape(len(points), -1)
    cosine = (found * wanted).sum(-1) / (
        np.linalg.norm(found, axis=-1) * np.linalg.norm(wanted, axis=-1) + 1e-12
    )
    return np.asarray(tries[cosine.argmax(axis=0), np.arange(tries.shape[1])])
