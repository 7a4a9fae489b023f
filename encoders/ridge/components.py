"""What closed forms share: targets as components, calibrated, and the way back to points."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from neurodecode.data import (
    Embeddings,
    Responses,
    Split,
    are_classes,
    left_out_together,
    listing,
)
from neurodecode.encoders.core.base import BaseEncoder
from neurodecode.encoders.core.calibration import Calibration, calibrate
from neurodecode.encoders.core.rows import lazy_part
from neurodecode.encoders.core.target_space import (
    HeadSpace,
    learn_spaces,
    space_from,
    space_tensors,
)


class ComponentEncoder(BaseEncoder):
    """Predicts main components of the target spaces; gains are undone by left-out predictions."""

    closed_form: ClassVar[bool] = True

    n_components: int
    seed: int
    spaces_: dict[str, HeadSpace]
    calibrations_: dict[str, Calibration]
    heads_: dict[str, tuple[tuple[int, ...], str]]

    @abstractmethod
    def _answer(self, responses: Responses) -> tuple[Tensor, dict[str, Calibration]]:
        """Components of all heads side by side, and the calibration that suits them."""

    def predict(self, responses: Responses, head: str | None = None) -> Embeddings:
        """The point to search with, one a trial: gains undone, of the targets' mean length.

        Raises
        ------
        ValueError
            If the person is unknown, the number of features is another, or values are not finite.
        """
        return self._decode(responses, head, search=True)

    def expect(self, responses: Responses, head: str | None = None) -> Embeddings:
        """The expected target of each trial (conditional mean): for generators and regression.

        Raises
        ------
        ValueError
            As `predict`.
        """
        return self._decode(responses, head, search=False)

    def _decode(self, responses: Responses, head: str | None, *, search: bool) -> Embeddings:
        check_is_fitted(self, "calibrations_")
        name = next(iter(self.heads_)) if head is None else head
        if name not in self.heads_:
            raise ValueError(f"There is no head '{name}'; there are {listing(self.heads_)}.")
        shape, space = self.heads_[name]
        components, calibrations = self._answer(responses)
        own = components.split(self._widths, dim=1)[list(self.spaces_).index(name)]
        how = calibrations[name].search if search else calibrations[name].expected
        values = how(own, self.spaces_[name]).numpy()
        return Embeddings(values.reshape(len(values), *shape), responses.stimulus, space)

    @property
    def _widths(self) -> list[int]:
        return [len(one.spread) for one in self.spaces_.values()]

    def _learn_spaces(self, parts: list[Responses], heads: dict[str, Embeddings]) -> None:
        ids = np.unique(np.concatenate([one.stimulus for one in parts]))
        self.spaces_ = learn_spaces(heads, ids.tolist(), min(self.n_components, len(ids) - 1))
        self.heads_ = {name: (one.row_shape, one.space) for name, one in heads.items()}

    def _calibrate(self, found: Tensor, targets: dict[str, Tensor]) -> dict[str, Calibration]:
        parts = zip(self.spaces_.items(), found.split(self._widths, dim=1), strict=True)
        return {
            name: calibrate(part, targets[name], space, seed=self.seed)
            for (name, space), part in parts
        }

    def _whiten(self, targets: dict[str, Tensor]) -> Tensor:
        """Components of variance 1 of all heads, side by side."""
        return torch.cat([self.spaces_[name].whiten(one) for name, one in targets.items()], dim=1)

    def _check_heads(self, heads: dict[str, Embeddings]) -> None:
        given = {name: (one.row_shape, one.space) for name, one in heads.items()}
        if given != self.heads_:
            raise ValueError(
                f"adapt() got targets {given} but this {type(self).__name__} was fitted to "
                f"{self.heads_}. Give the same target space, or fit a new one."
            )

    def _state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        check_is_fitted(self, "calibrations_")
        tensors: dict[str, Tensor] = {}
        for i, name in enumerate(self.heads_):
            tensors |= space_tensors(self.spaces_[name], f"space.{i}")
            tensors |= self.calibrations_[name].tensors(f"calibration.{i}")
        heads = [[name, list(shape), space] for name, (shape, space) in self.heads_.items()]
        return tensors, {"heads": heads}

    def _restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        self.heads_ = {name: (tuple(shape), space) for name, shape, space in facts["heads"]}
        self.spaces_, self.calibrations_ = {}, {}
        for i, name in enumerate(self.heads_):
            self.spaces_[name] = space_from(tensors, f"space.{i}")
            self.calibrations_[name] = Calibration.from_tensors(tensors, f"calibration.{i}")


def training_part(responses: Responses, split: Split) -> Responses:
    """The training trials, read when needed.

    Raises
    ------
    ValueError
        If they show fewer than two stimuli.
    """
    part = lazy_part(responses, split)
    n_stimuli = len(set(part.stimulus.tolist()))
    if n_stimuli < 2:
        raise ValueError(
            f"Subject '{responses.subject}' has trials of {n_stimuli} training stimuli in the "
            f"split ({split.rule}); cross-fitting needs two or more."
        )
    return part


def left_out_names(parts: Sequence[Responses]) -> NDArray[np.str_]:
    """What is left out together of all people's trials: stimuli; for classes, runs or trials."""
    named = []
    for one in parts:
        names = left_out_together(one)
        # a run or a trial is one person's, a stimulus is the same for all
        own = are_classes(one.stimulus)
        named.append(np.char.add(f"{one.subject}: ", names) if own else names)
    return np.concatenate(named)


def trial_targets(part: Responses, heads: dict[str, Embeddings]) -> dict[str, Tensor]:
    """The target of each trial, by head, shape (n_trials, n_dims)."""
    return {
        name: torch.from_numpy(one.rows(part.stimulus)).flatten(1) for name, one in heads.items()
    }


def joined(rows: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The targets of several people under one another."""
    return {name: torch.cat([one[name] for one in rows]) for name in rows[0]}
