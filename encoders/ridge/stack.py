"""Ridge by regions, stacked by weights that people share: what pooling is worth in closed form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurodecode.data import Responses, blocks
from neurodecode.encoders.core.base import check_finite
from neurodecode.encoders.core.bridge import Scaling
from neurodecode.encoders.core.calibration import Calibration
from neurodecode.encoders.core.crossfit import (
    PENALTIES,
    TensorRows,
    cross_fit,
    stimulus_folds,
)
from neurodecode.encoders.core.regions import (
    Regions,
    part_means,
    region_columns,
    unit_columns,
)
from neurodecode.encoders.ridge.components import left_out_names
from neurodecode.encoders.ridge.token_ridge import Columns, TokenRidge


@dataclass(frozen=True, eq=False)
class AnyoneMap:
    """From means of regions to components: for people who have no map of their own.

    Parameters
    ----------
    mean, scale : Tensor, shape (n_features,)
        Of the training people, on average.
    weights : Tensor, shape (n_features, n_components)
    """

    mean: Tensor
    scale: Tensor
    weights: Tensor


class RegionStack(TokenRidge):
    """Ridge a region and person, joined by one ridge whose weights all people share.

    1. Each person has a ridge for each region and hemisphere and one for all units, cross-fitted
       by stimulus: every trial gets components predicted by each region, from maps that had not
       seen its stimulus. Regions are blocks of the person's Gram matrix: they cost little more.
    2. *Stack.* One ridge from these components, side by side, to the true ones, learned on all
       people's trials at once: which region knows what is the same in everyone.
    3. Gains and share of the mean as in `CalibratedRidge`, by left-out predictions of the stack.

    A person never seen is decoded by means of regions, and of quarters of them along x, y and z,
    through one more ridge that is learned on all people (far less is in them).

    Parameters
    ----------
    penalties, n_components, n_folds, dtype, device, max_memory, seed
        As in `CalibratedRidge`.
    n_places : int, optional
        Groups of units by position (mm, in a space that people share) even where there are region
        labels; default: labels if all people have them, else 16 places.

    Attributes
    ----------
    regions_ : Regions
    stack_ : Tensor, shape (n_tokens * n_components, n_components)
    anyone_ : AnyoneMap

    Sources
    -------
    Our own. Stacking: Wolpert 1992; Breiman 1996, "Stacked regressions".

    Examples
    --------
    >>> from neurodecode.data import Embeddings, Split
    >>> rng = np.random.default_rng(0)
    >>> truth = Embeddings(rng.normal(size=(60, 3)).astype(np.float32), range(60), "toy")
    >>> people = [
    ...     Responses(
    ...         truth.values @ rng.normal(size=(3, 20)), range(60), name, "fmri",
    ...         positions=rng.uniform(-50, 50, size=(20, 3)),
    ...     )
    ...     for name in ("anna", "ben")
    ... ]
    >>> split = Split(range(50), [], range(50, 60))
    >>> stack = RegionStack(n_places=2).fit(people, truth, split)
    >>> stack.predict(people[1])
    Embeddings(toy, 60 rows of (3,))
    """

    def __init__(
        self,
        penalties: Sequence[float] = PENALTIES,
        *,
        n_components: int = 64,
        n_folds: int = 5,
        n_places: int | None = None,
        dtype: Literal["auto", "float32", "float64"] = "auto",
        device: str = "auto",
        max_memory: int = 5 * 2**30,
        seed: int = 0,
    ) -> None:
        super().__init__(
            penalties,
            n_components=n_components,
            n_folds=n_folds,
            dtype=dtype,
            device=device,
            max_memory=max_memory,
            seed=seed,
        )
        self.n_places = n_places

    def _learn_groups(self, parts: Sequence[Responses]) -> None:
        self.regions_ = Regions.learn(parts, self.n_places)

    def _columns(self, responses: Responses) -> Columns:
        whole = np.arange(math.prod(responses.values.shape[1:]), dtype=np.intp)
        return [whole, *region_columns(self.regions_, responses)]

    def _join(self, parts: Sequence[Responses], left_out: list[Tensor], wanted: Tensor) -> Tensor:
        folds = stimulus_folds(left_out_names(parts), self.seed, self.n_folds)
        self.stack_, found = self._pooled(torch.cat(left_out).flatten(1), wanted, folds)
        return found

    def _learn_anyone(self, parts: Sequence[Responses], targets: dict[str, Tensor]) -> None:
        features = [self._means(one) for one in parts]
        scalings = [Scaling.learn(one) for one in features]
        x = torch.cat([scaling(one) for scaling, one in zip(scalings, features, strict=True)])
        folds = stimulus_folds(left_out_names(parts), self.seed, self.n_folds)
        weights, found = self._pooled(x, self._whiten(targets), folds)
        mean = torch.stack([one.mean for one in scalings]).mean(0)
        scale = torch.stack([one.scale for one in scalings]).mean(0)
        self.anyone_ = AnyoneMap(mean, scale, weights)
        self.anyone_calibrations_ = self._calibrate(found, targets)

    def _means(self, responses: Responses) -> NDArray[np.float32]:
        """Means of regions and their quarters, shape (n_trials, n_features)."""
        weights, columns = part_means(self.regions_, responses), unit_columns(responses)
        found = []
        for _, block in blocks(responses.values):
            check_finite(block, responses.subject)
            flat = np.asarray(block, dtype=np.float32).reshape(len(block), -1)[:, columns]
            found.append(np.einsum("nut,uf->nft", flat, weights).reshape(len(block), -1))
        if not found:
            return np.zeros((0, weights.shape[1] * columns.shape[1]), dtype=np.float32)
        return np.concatenate(found)

    def _answer(self, responses: Responses) -> tuple[Tensor, dict[str, Calibration]]:
        if responses.subject in self.maps_:
            return super()._answer(responses)
        anyone = self.anyone_
        scaling = Scaling(anyone.mean, anyone.scale)
        return scaling(self._means(responses)) @ anyone.weights, self.anyone_calibrations_

    def _pooled(self, x: Tensor, y: Tensor, folds: Any) -> tuple[Tensor, Tensor]:
        device, dtype = self._options.pick(min(x.shape))
        rows = TensorRows(x.to(device, dtype))
        [fit] = cross_fit(rows, y, folds, [np.arange(x.shape[1])], tuple(self.penalties))
        return fit.weights.cpu().float(), fit.left_out.cpu().float()

    def _components(self, tokens: Tensor) -> Tensor:
        return tokens.flatten(1) @ self.stack_

    def _state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        tensors, facts = super()._state()
        tensors["stack"] = self.stack_
        tensors["regions.centres"] = torch.from_numpy(self.regions_.centres)
        for one in fields(AnyoneMap):
            tensors[f"anyone.{one.name}"] = getattr(self.anyone_, one.name)
        for i, name in enumerate(self.heads_):
            tensors |= self.anyone_calibrations_[name].tensors(f"anyone.calibration.{i}")
        regions = {"names": list(self.regions_.names), "sided": self.regions_.sided}
        return tensors, facts | {"regions": regions}

    def _restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        super()._restore(tensors, facts)
        self.stack_ = tensors["stack"]
        regions = facts["regions"]
        self.regions_ = Regions(
            tuple(regions["names"]), tensors["regions.centres"].numpy(), bool(regions["sided"])
        )
        names = [one.name for one in fields(AnyoneMap)]
        self.anyone_ = AnyoneMap(*(tensors[f"anyone.{name}"] for name in names))
        self.anyone_calibrations_ = {
            name: Calibration.from_tensors(tensors, f"anyone.calibration.{i}")
            for i, name in enumerate(self.heads_)
        }
