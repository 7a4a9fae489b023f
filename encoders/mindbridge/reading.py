"""What a fitted MindBridge gives: targets from responses, and responses from targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurodecode.data import Embeddings, Provenance, Responses, listing
from neurodecode.encoders.core.base import BaseEncoder, check_finite
from neurodecode.encoders.mindbridge.inverse import Inverse, head_features
from neurodecode.encoders.mindbridge.loss import BridgeLoss
from neurodecode.encoders.mindbridge.model import BridgeModel
from neurodecode.encoders.mindbridge.parts import BridgeSizes
from neurodecode.encoders.mindbridge.pooling import Pooling
from neurodecode.training import Plan

Repeats = Literal["before", "pooled", "after"]
PREDICT_ROWS = 256


class BridgeReader(BaseEncoder):
    """The part of `MindBridge` that uses what was learned, and saves it."""

    grouped: ClassVar[Mapping[str, type]] = {"sizes": BridgeSizes, "loss": BridgeLoss, "plan": Plan}

    sizes: BridgeSizes
    pooling: Pooling
    model_: BridgeModel
    inverse_: Inverse
    centres_: NDArray[np.float64] | None
    shapes_: dict[str, list[int]]
    spaces_: dict[str, str]
    norms_: dict[str, float]

    @property
    def subjects_(self) -> list[str]:
        """The people known."""
        return list(self.model_.n_voxels)

    def predict(self, responses: Responses, head: str | None = None) -> Embeddings:
        """One point a trial of a known person, in the space of a head (default: the first)."""
        chosen = self._head(head)
        rows = [self._read_out(hidden, chosen) for hidden in self._hidden(responses)]
        return self._as_embeddings(rows, responses, chosen)

    def predict_repeats(
        self, responses: Responses, repeats: Repeats = "pooled", head: str | None = None
    ) -> Embeddings:
        """One point a stimulus: repeats averaged before the model, after pooling, or after it.

        ``'pooled'`` is the published way: pool each repeat, then average the bins.
        """
        if repeats == "before":
            return self.predict(responses.average_repeats(), head)
        if repeats == "after":
            return self.predict(responses, head).average_repeats()
        chosen = self._head(head)
        pooled = np.concatenate([one.cpu().numpy() for one in self._pooled(responses)])
        mean = responses.with_values(pooled, positions=None, units=None).average_repeats()
        person = self.model_.person(responses.subject)
        with torch.no_grad():
            hidden = self.model_.net.embed(person, torch.from_numpy(mean.array()).to(self._device))
            return self._as_embeddings([self._read_out(hidden, chosen)], mean, chosen)

    def synthesise(
        self, source: Responses | Embeddings, subject: str, head: str | None = None
    ) -> Responses:
        """A person's responses to what another person saw, or to stimuli by their targets.

        Parameters
        ----------
        source : Responses or Embeddings
            Responses of a known person, or targets of the default head's space.
        subject : str
            Whose responses to make. What differs between voxels of one bin can't be had.

        Returns
        -------
        Responses
            Simulated: one row for each row of ``source``, in the units of the real responses.
        """
        self._known(subject)
        if isinstance(source, Responses):
            points: Iterator[Tensor] = self._hidden(source)
        else:
            points = self._imagined(source)
        person = self.model_.person(subject)
        pool = self.model_.pool_of(person)
        with torch.no_grad():
            rows = [pool.spread(self.model_.net.build(person, one)).cpu().numpy() for one in points]
        told = Provenance("simulated", f"synthesised/{subject}")
        values = np.concatenate(rows)
        return Responses(values, source.stimulus, subject, "fmri", provenance=told)

    def _known(self, subject: str) -> None:
        if subject not in self.subjects_:
            raise ValueError(
                f"Subject '{subject}' is not known; this model was fitted on "
                f"{listing(self.subjects_)}. Call adapt() with responses of '{subject}' first."
            )

    def _head(self, head: str | None) -> str:
        chosen = next(iter(self.shapes_)) if head is None else head
        if chosen not in self.shapes_:
            raise ValueError(f"There is no head '{head}'; the heads are {listing(self.shapes_)}.")
        return chosen

    @property
    def _device(self) -> torch.device:
        return next(self.model_.parameters()).device

    def _pooled(self, responses: Responses) -> Iterator[Tensor]:
        self._known(responses.subject)
        expected = self.model_.n_voxels[responses.subject]
        if responses.dims != ("trial", "voxel") or responses.n_units != expected:
            raise ValueError(
                f"Subject '{responses.subject}' was learned with {expected} voxels, but these "
                f"responses have shape {tuple(responses.values.shape)} with dims "
                f"{responses.dims}. Use the mask that the model was fitted with."
            )
        self.model_.eval()
        for start in range(0, len(responses), PREDICT_ROWS):
            block = np.asarray(responses.values[start : start + PREDICT_ROWS], dtype=np.float32)
            check_finite(block, responses.subject)
            with torch.no_grad():
                yield self.model_.pool(responses.subject, torch.from_numpy(block))[1]

    def _hidden(self, responses: Responses) -> Iterator[Tensor]:
        for pooled in self._pooled(responses):
            with torch.no_grad():
                yield self.model_.net.embed(self.model_.person(responses.subject), pooled)

    def _read_out(self, hidden: Tensor, head: str) -> NDArray[Any]:
        with torch.no_grad():
            flat = self.model_.net.predict(hidden)[head]
            scaled = torch.nn.functional.normalize(flat, dim=1) * self.norms_[head]
        return scaled.reshape(-1, *self.shapes_[head]).cpu().numpy()

    def _as_embeddings(
        self, rows: list[NDArray[Any]], responses: Responses, head: str
    ) -> Embeddings:
        values = np.concatenate(rows) if rows else np.zeros((0, *self.shapes_[head]), np.float32)
        return Embeddings(values, responses.stimulus, self.spaces_[head])

    def _imagined(self, targets: Embeddings) -> Iterator[Tensor]:
        head = self._head(None)
        if list(targets.row_shape) != list(self.shapes_[head]):
            raise ValueError(
                f"synthesise() needs targets of '{head}' with rows of shape "
                f"{tuple(self.shapes_[head])}; got {targets.row_shape} in space '{targets.space}'."
            )
        for start in range(0, len(targets), PREDICT_ROWS):
            block = np.asarray(targets.values[start : start + PREDICT_ROWS], dtype=np.float32)
            yield self._inverse(torch.from_numpy(block))

    def _inverse(self, block: Tensor) -> Tensor:
        with torch.no_grad():
            features = head_features(self.model_.first_head, block.to(self._device))
            hidden: Tensor = self.inverse_(features)
        return hidden

    def _state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        tensors = {f"model.{name}": one for name, one in self.model_.state_dict().items()}
        tensors |= {f"inverse.{name}": one for name, one in self.inverse_.state_dict().items()}
        if self.centres_ is not None:
            tensors["centres"] = torch.from_numpy(self.centres_)
        facts = {
            "subjects": self.subjects_,
            "n_voxels": dict(self.model_.n_voxels),
            "heads": self.shapes_,
            "spaces": self.spaces_,
            "norms": self.norms_,
        }
        return tensors, facts

    def _restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        self.shapes_, self.spaces_ = facts["heads"], facts["spaces"]
        self.norms_ = facts["norms"]
        self.model_ = BridgeModel(facts["n_voxels"], self.shapes_, self.sizes, self.pooling)
        self.inverse_ = Inverse(self.sizes.n_hidden)
        self.model_.load_state_dict(_under("model.", tensors))
        self.inverse_.load_state_dict(_under("inverse.", tensors))
        self.centres_ = tensors["centres"].numpy() if "centres" in tensors else None
        self.model_.eval()


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): one for name, one in tensors.items() if name.startswith(prefix)
    }
