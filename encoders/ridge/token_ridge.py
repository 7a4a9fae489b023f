"""What closed forms share: cross-fitted maps of each person to the targets' main components."""

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
from neurodecode.data import Embeddings, Responses, Split, blocks, listing
from neurodecode.encoders.core.base import BaseEncoder, as_people, as_targets, check_finite
from neurodecode.encoders.core.bridge import Bridge, bridge_from, bridge_tensors
from neurodecode.encoders.core.calibration import Calibration, calibrate
from neurodecode.encoders.core.crossfit import PENALTIES
from neurodecode.encoders.core.rows import lazy_part
from neurodecode.encoders.core.target_space import (
    HeadSpace,
    learn_spaces,
    space_from,
    space_tensors,
)
from neurodecode.encoders.ridge.person import FitOptions, fit_person

Columns = list[NDArray[np.intp]]


class TokenRidge(BaseEncoder):
    """Ridge maps of tokens, joined in closed form; see `CalibratedRidge` and `RegionStack`."""

    closed_form = True

    maps_: dict[str, Bridge]
    spaces_: dict[str, HeadSpace]
    calibrations_: dict[str, Calibration]
    heads_: dict[str, tuple[tuple[int, ...], str]]
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
        parts = [_training_part(one, split) for one in people]
        ids = np.unique(np.concatenate([one.stimulus for one in parts]))
        self.spaces_ = learn_spaces(heads, ids.tolist(), min(self.n_components, len(ids) - 1))
        self.heads_ = {name: (one.row_shape, one.space) for name, one in heads.items()}
        self._learn_groups(parts)
        maps, left_out, rows = {}, [], []
        for one in parts:
            rows.append(_targets(one, heads))
            wanted = _whiten(rows[-1], self.spaces_)
            maps[one.subject], tokens = fit_person(one, wanted, self._columns(one), self._options)
            left_out.append(tokens)
        self.maps_ = maps
        self.row_shapes_ = {one.subject: tuple(one.values.shape[1:]) for one in parts}
        joined = {name: torch.cat([one[name] for one in rows]) for name in heads}
        found = self._join(parts, left_out, _whiten(joined, self.spaces_))
        self.calibrations_ = self._calibrate(found, joined)
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
        given = {name: (one.row_shape, one.space) for name, one in heads.items()}
        if given != self.heads_:
            raise ValueError(
                f"adapt() got targets {given} but this {type(self).__name__} was fitted to "
                f"{self.heads_}. Give the same target space, or fit a new one."
            )
        part = _training_part(responses, split)
        wanted = _whiten(_targets(part, heads), self.spaces_)
        own, _ = fit_person(part, wanted, self._columns(part), self._options)
        self.maps_ = self.maps_ | {part.subject: own}
        self.row_shapes_ = self.row_shapes_ | {part.subject: tuple(part.values.shape[1:])}
        return self

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

    def _decode(self, responses: Responses, head: str | None, *, search: bool) -> Embeddings:
        check_is_fitted(self, "maps_")
        name = next(iter(self.heads_)) if head is None else head
        if name not in self.heads_:
            raise ValueError(f"There is no head '{name}'; there are {listing(self.heads_)}.")
        shape, space = self.heads_[name]
        components, calibrations = self._answer(responses)
        widths = [len(one.spread) for one in self.spaces_.values()]
        own = components.split(widths, dim=1)[list(self.spaces_).index(name)]
        how = calibrations[name].search if search else calibrations[name].expected
        values = how(own, self.spaces_[name]).numpy()
        return Embeddings(values.reshape(len(values), *shape), responses.stimulus, space)

    def _answer(self, responses: Responses) -> tuple[Tensor, dict[str, Calibration]]:
        return self.components(responses), self.calibrations_

    def _calibrate(self, found: Tensor, targets: dict[str, Tensor]) -> dict[str, Calibration]:
        widths = [len(one.spread) for one in self.spaces_.values()]
        parts = zip(self.spaces_.items(), found.split(widths, dim=1), strict=True)
        return {
            name: calibrate(part, targets[name], space, seed=self.seed)
            for (name, space), part in parts
        }

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
        check_is_fitted(self, "maps_")
        tensors: dict[str, Tensor] = {}
        for i, one in enumerate(self.maps_.values()):
            tensors |= bridge_tensors(one, f"map.{i}")
        for i, name in enumerate(self.heads_):
            tensors |= space_tensors(self.spaces_[name], f"space.{i}")
            tensors |= self.calibrations_[name].tensors(f"calibration.{i}")
        facts = {
            "subjects": list(self.maps_),
            "n_tokens": [len(one.columns) for one in self.maps_.values()],
            "row_shapes": [list(self.row_shapes_[one]) for one in self.maps_],
            "heads": [[name, list(shape), space] for name, (shape, space) in self.heads_.items()],
        }
        return tensors, facts

    def _restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        names = facts["subjects"]
        self.heads_ = {name: (tuple(shape), space) for name, shape, space in facts["heads"]}
        self.maps_ = {
            name: bridge_from(tensors, f"map.{i}", n_tokens)
            for i, (name, n_tokens) in enumerate(zip(names, facts["n_tokens"], strict=True))
        }
        shapes = (tuple(shape) for shape in facts["row_shapes"])
        self.row_shapes_ = dict(zip(names, shapes, strict=True))
        self.spaces_, self.calibrations_ = {}, {}
        for i, name in enumerate(self.heads_):
            self.spaces_[name] = space_from(tensors, f"space.{i}")
            self.calibrations_[name] = Calibration.from_tensors(tensors, f"calibration.{i}")


def _training_part(responses: Responses, split: Split) -> Responses:
    part = lazy_part(responses, split)
    n_stimuli = len(set(part.stimulus.tolist()))
    if n_stimuli < 2:
        raise ValueError(
            f"Subject '{responses.subject}' has trials of {n_stimuli} training stimuli in the "
            f"split ({split.rule}); cross-fitting needs two or more."
        )
    return part


def _targets(part: Responses, heads: dict[str, Embeddings]) -> dict[str, Tensor]:
    return {
        name: torch.from_numpy(one.rows(part.stimulus)).flatten(1) for name, one in heads.items()
    }


def _whiten(targets: dict[str, Tensor], spaces: dict[str, HeadSpace]) -> Tensor:
    """Components of variance 1 of all heads, side by side."""
    return torch.cat([spaces[name].whiten(one) for name, one in targets.items()], dim=1)
