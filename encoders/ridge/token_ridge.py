"""Ridge maps of each person's columns, group by group, joined in closed form."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from neurodecode.contracts import Targets
from neurodecode.data import Responses, Split, blocks, listing
from neurodecode.encoders.core.base import as_people, as_targets, check_finite
from neurodecode.encoders.core.bridge import Bridge, bridge_from, bridge_tensors
from neurodecode.encoders.core.calibration import Calibration
from neurodecode.encoders.core.crossfit import PENALTIES
from neurodecode.encoders.ridge.components import (
    ComponentEncoder,
    joined,
    training_part,
    trial_targets,
)
from neurodecode.encoders.ridge.person import FitOptions, fit_person

Columns = list[NDArray[np.intp]]


class TokenRidge(ComponentEncoder):
    """Ridge maps of tokens, joined in closed form; see `CalibratedRidge` and `RegionStack`."""

    maps_: dict[str, Bridge]
    row_shapes_: dict[str, tuple[int, ...]]

    def __init__(
        self,
        penalties: Sequence[float] = PENALTIES,
        *,
        n_components: int = 64,
        n_folds: int = 5,
        dtype: Literal["auto", "float32", "float64"] = "auto",
        device: str = "auto",
        max_memory: int = 5 * 2**30,
        seed: int = 0,
    ) -> None:
        self.penalties = penalties
        self.n_components = n_components
        self.n_folds = n_folds
        self.dtype = dtype
        self.device = device
        self.max_memory = max_memory
        self.seed = seed

    @property
    def _options(self) -> FitOptions:
        return FitOptions(
            tuple(self.penalties), self.n_folds, self.dtype, self.device, self.max_memory, self.seed
        )

    @abstractmethod
    def _learn_groups(self, parts: Sequence[Responses]) -> None:
        """What tokens there are, from the training parts of all people."""

    @abstractmethod
    def _columns(self, responses: Responses) -> Columns:
        """The columns of flattened responses that each token reads."""

    @abstractmethod
    def _join(self, parts: Sequence[Responses], left_out: list[Tensor], wanted: Tensor) -> Tensor:
        """Learn how tokens make components; components of all trials, left out."""

    @abstractmethod
    def _components(self, tokens: Tensor) -> Tensor:
        """Components from tokens (n, n_tokens, n_components)."""

    def _learn_anyone(self, parts: Sequence[Responses], targets: dict[str, Tensor]) -> None:
        """Learn what serves people who have no map; nothing by default."""

    def fit(
        self, responses: Responses | Sequence[Responses], targets: Targets, split: Split
    ) -> Self:
        """Learn from the training part; validation and test parts are not used.

        Raises
        ------
        ValueError
            If values are not finite, a training stimulus has no target, a person has fewer than
            two training stimuli, or the memory given is too small.
        """
        people, heads = as_people(responses), as_targets(targets)
        parts = [training_part(one, split) for one in people]
        self._learn_spaces(parts, heads)
        self._learn_groups(parts)
        rows = [trial_targets(one, heads) for one in parts]
        fitted = [
            fit_person(one, self._whiten(wanted), self._columns(one), self._options)
            for one, wanted in zip(parts, rows, strict=True)
        ]
        self.maps_ = {one.subject: own for one, (own, _) in zip(parts, fitted, strict=True)}
        self.row_shapes_ = {one.subject: tuple(one.values.shape[1:]) for one in parts}
        wanted = joined(rows)
        found = self._join(parts, [left_out for _, left_out in fitted], self._whiten(wanted))
        self.calibrations_ = self._calibrate(found, wanted)
        self._learn_anyone(parts, wanted)
        return self

    def adapt(self, responses: Responses, targets: Targets, split: Split) -> Self:
        """Fit the maps of one more person; all that people share stays as it is.

        Raises
        ------
        ValueError
            If the target space is another than the one fitted, or as `fit`.
        """
        check_is_fitted(self, "maps_")
        heads = as_targets(targets)
        self._check_heads(heads)
        part = training_part(responses, split)
        wanted = self._whiten(trial_targets(part, heads))
        own, _ = fit_person(part, wanted, self._columns(part), self._options)
        self.maps_ = self.maps_ | {part.subject: own}
        self.row_shapes_ = self.row_shapes_ | {part.subject: tuple(part.values.shape[1:])}
        return self

    def components(self, responses: Responses) -> Tensor:
        """Components of all heads side by side, before calibration, shape (n, n_components).

        Raises
        ------
        ValueError
            As `predict`.
        """
        check_is_fitted(self, "maps_")
        own = self._map_of(responses)
        found = [torch.zeros(0, sum(len(one.spread) for one in self.spaces_.values()))]
        for _, block in blocks(responses.values):
            check_finite(block, responses.subject)
            flat = np.asarray(block, dtype=np.float32).reshape(len(block), -1)
            found.append(self._components(own.tokens(flat)))
        return torch.cat(found)

    def _answer(self, responses: Responses) -> tuple[Tensor, dict[str, Calibration]]:
        return self.components(responses), self.calibrations_

    def _map_of(self, responses: Responses) -> Bridge:
        subject = responses.subject
        if subject not in self.maps_:
            raise ValueError(
                f"This {type(self).__name__} has no map for subject '{subject}'; it knows "
                f"{listing(self.maps_)}. Add the person with adapt()."
            )
        expected, got = self.row_shapes_[subject], tuple(responses.values.shape[1:])
        if got != expected:
            raise ValueError(
                f"Responses of subject '{subject}' have rows of shape {got} but were "
                f"fitted with {expected}. Use the same voxels or channels in the same order."
            )
        return self.maps_[subject]

    def _state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        tensors, facts = super()._state()
        for i, one in enumerate(self.maps_.values()):
            tensors |= bridge_tensors(one, f"map.{i}")
        known = {
            "subjects": list(self.maps_),
            "n_tokens": [len(one.columns) for one in self.maps_.values()],
            "row_shapes": [list(self.row_shapes_[one]) for one in self.maps_],
        }
        return tensors, facts | known

    def _restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        super()._restore(tensors, facts)
        names = facts["subjects"]
        self.maps_ = {
            name: bridge_from(tensors, f"map.{i}", n_tokens)
            for i, (name, n_tokens) in enumerate(zip(names, facts["n_tokens"], strict=True))
        }
        shapes = (tuple(shape) for shape in facts["row_shapes"])
        self.row_shapes_ = dict(zip(names, shapes, strict=True))
