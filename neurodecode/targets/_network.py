"""What all targets made of a network share: batches, the cache, one shape of result."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from neurodecode.data import Embeddings, Stimuli
from neurodecode.targets._cache import Computed, cache_folder, cached, content_key
from neurodecode.targets._device import pick_device, track
from neurodecode.targets._frames import check_kind

GREY = np.full((32, 32, 3), 128, dtype=np.uint8)


class NetworkTarget(BaseEstimator):  # type: ignore[misc]
    """A pre-trained network as a target space.

    A subclass names its space (model, layer, options and a fingerprint of the weights), loads the
    network with its own preprocessing in ``_load``, and gives the values of a batch in ``_run``.
    Subclasses have the parameters ``device`` and ``batch_size``.
    """

    kinds: ClassVar[tuple[str, ...]] = ("image",)
    device: str
    batch_size: int

    @property
    @abstractmethod
    def space(self) -> str:
        """Model, layer, options and fingerprint of the weights."""

    @abstractmethod
    def _load(self, device: torch.device) -> Any:
        """The network and what prepares its input, on the device."""

    @abstractmethod
    def _run(self, network: Any, batch: list[Any], device: torch.device) -> torch.Tensor:
        """Values of one batch of stimuli, first axis the batch."""

    def embed(self, stimuli: Stimuli) -> Embeddings:
        """Stimuli as points of this space.

        Computed once: the result is kept under ``NEURODECODE_CACHE`` (else the platform's cache
        folder) by the content of the stimuli, this space's options and the weights. Memory stays
        bounded: large results are written block by block and stay in the file.

        Parameters
        ----------
        stimuli : Stimuli

        Returns
        -------
        Embeddings
            One row a stimulus, float32.

        Raises
        ------
        ValueError
            If the stimuli are of a kind that this target can't embed.
        MissingWeightsError
            If the weights are not on this machine.
        """
        check_kind(type(self).__name__, stimuli, self.kinds)
        space = self.space
        if len(stimuli) == 0:
            return self._fresh(stimuli, space, lazy=False)
        path = self._path(content_key(stimuli, space))
        found = cached(path, lambda: self._fresh(stimuli, space, lazy=True))
        return replace(found, source=stimuli.source)

    def _path(self, key: str) -> Path:
        return cache_folder() / "targets" / f"{type(self).__name__.lower()}-{key}.h5"

    def _fresh(self, stimuli: Stimuli, space: str, *, lazy: bool) -> Embeddings:
        device = pick_device(self.device)
        network = self._network(device)
        row_shape = tuple(self._values(network, [self._example()], device).shape[1:])

        def compute(rows: slice) -> NDArray[np.float32]:
            part = stimuli.select(stimuli.ids[rows])
            values = np.empty((len(part), *row_shape), dtype=np.float32)
            ids = part.ids.tolist()
            starts = range(0, len(ids), self.batch_size)
            for start in track(starts, type(self).__name__, len(starts)):
                batch = [self._item(part, one) for one in ids[start : start + self.batch_size]]
                values[start : start + len(batch)] = self._values(network, batch, device)
            return values

        if lazy:
            return Embeddings(Computed(len(stimuli), row_shape, compute), stimuli.ids, space)
        return Embeddings(compute(slice(0, len(stimuli))), stimuli.ids, space, stimuli.source)

    def _network(self, device: torch.device) -> Any:
        """The loaded network, kept for the next call with the same options."""
        key = (self.space, str(device))
        kept = self.__dict__.get("_kept")
        if kept is None or kept[0] != key:
            kept = (key, self._load(device))
            self.__dict__["_kept"] = kept
        return kept[1]

    def __getstate__(self) -> dict[str, Any]:
        """Without the loaded network, which is read again where it is needed."""
        state: dict[str, Any] = dict(super().__getstate__())
        state.pop("_kept", None)
        return state

    def _values(self, network: Any, batch: list[Any], device: torch.device) -> NDArray[np.float32]:
        with torch.inference_mode():
            return np.asarray(self._run(network, batch, device).float().cpu().numpy())

    def _item(self, stimuli: Stimuli, one: str) -> Any:
        return stimuli.load(one)

    def _example(self) -> Any:
        return GREY


def text_of(stimuli: Stimuli, one: str, wording: int) -> str:
    """The sentence of a stimulus: itself, or one of its captions.

    Raises
    ------
    ValueError
        If a picture or clip has no caption.
    """
    if stimuli.kind == "text":
        return str(stimuli.load(one))
    captions = stimuli.captions.get(one, ())
    if not len(captions):
        raise ValueError(
            f"Stimulus '{one}' has no caption, so it has no place in a space of texts. Give "
            f"Stimuli(captions=...), or take a target of pictures."
        )
    return str(captions[wording % len(captions)])
