"""Multi-target ridge regression: the plain linear decoder that stands beside every deep one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from neurodecode.contracts import Targets
from neurodecode.data import (
    Embeddings,
    Responses,
    Split,
    blocks,
    left_out_together,
    listing,
)
from neurodecode.encoders.core.base import BaseEncoder, as_people, as_targets, check_finite
from neurodecode.encoders.core.rows import StandardRows, lazy_part
from neurodecode.encoders.ridge.fit import RidgeMap, fit_map, plan_memory
from neurodecode.encoders.ridge.targets import TargetColumns
from neurodecode.training import pick_device

PENALTIES = tuple(10.0 ** (half / 2) for half in range(15))
SMALL = 2048
"""Up to this many rows (or features) the decomposition is cheap enough for float64."""


class Ridge(BaseEncoder):
    r"""Ridge regression from responses to a target space, one map a person.

    For each target ``y`` it minimises :math:`\|y - Xw - b\|^2 + \alpha \|w\|^2`, where the columns
    of ``X`` are the features (voxels, or channels by time points) centred, and divided by their
    standard deviation, over the training trials. One eigendecomposition of ``X X'`` (fewer trials
    than features) or ``X'X`` serves all penalties, all left-out folds and all targets. Lazy
    responses are read in blocks.

    Parameters
    ----------
    penalties : sequence of float
        Candidates for alpha, on the scale of scikit-learn's ``Ridge(alpha=...)``. With one there
        is nothing to choose.
    leave_out : str
        What is left out together to choose the penalty: ``'trial'``, ``'stimulus'`` (the default:
        the same as trials unless stimuli repeat; where ids are classes, runs or trials, see
        `neurodecode.data.left_out_together`), ``'run'``, ``'session'`` or a column of the metadata.
        Always within the training part, always exact, with the intercept learned anew.
    n_folds : int, optional
        Join neighbouring groups into that many folds.
    per : {'target', 'head', 'all'} or sequence of int
        Which targets share a penalty.
    standardise : bool
        Divide features by their standard deviation over training trials.
    dtype : {'auto', 'float32', 'float64'}
        ``'auto'`` takes float64 where the decomposition is small.
    device : str
    max_memory : int
        Bytes for the fit, beside the weights that come out; what does not fit is read and solved
        in blocks.

    Attributes
    ----------
    maps_ : dict of str to RidgeMap
        By subject: mean, weights, intercept, chosen penalty and left-out R2 of each target.

    Sources
    -------
    Hoerl & Kennard 1970. Left-out errors: see `leave_out_errors`. The interface follows
    scikit-learn's ``RidgeCV``; checked against it and against himalaya (Dupre la Tour et al. 2022).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(30, 5))
    >>> names = [f"picture-{i}" for i in range(30)]
    >>> responses = Responses(x, names, "sub-01", "fmri")
    >>> targets = Embeddings(x @ rng.normal(size=(5, 2)), names, "toy")
    >>> split = Split(names[:25], [], names[25:], rule="the last five")
    >>> ridge = Ridge(penalties=[1e-6, 1.0]).fit(responses, targets, split)
    >>> predicted = ridge.predict(split.part(responses, "test"))
    >>> bool(np.allclose(predicted.array(), targets.rows(names[25:]), atol=1e-4))
    True
    """

    closed_form = True

    def __init__(
        self,
        penalties: Sequence[float] = PENALTIES,
        *,
        leave_out: str = "stimulus",
        n_folds: int | None = None,
        per: str | Sequence[int] = "target",
        standardise: bool = True,
        dtype: Literal["auto", "float32", "float64"] = "auto",
        device: str = "auto",
        max_memory: int = 4 * 2**30,
    ) -> None:
        self.penalties = penalties
        self.leave_out = leave_out
        self.n_folds = n_folds
        self.per = per
        self.standardise = standardise
        self.dtype = dtype
        self.device = device
        self.max_memory = max_memory

    def fit(
        self, responses: Responses | Sequence[Responses], targets: Targets, split: Split
    ) -> Self:
        """Fit one map a person on the training part; validation and test parts are not used.

        Raises
        ------
        ValueError
            If values are not finite, a training stimulus has no target, there are fewer than two
            training trials or folds, or the memory given is too small.
        """
        self._check_parameters()
        people, heads = as_people(responses), as_targets(targets)
        fitted = {one.subject: self._fit_person(one, heads, split) for one in people}
        self.heads_ = {name: (one.row_shape, one.space) for name, one in heads.items()}
        self.row_shapes_ = {one.subject: tuple(one.values.shape[1:]) for one in people}
        self.maps_ = fitted
        return self

    def adapt(self, responses: Responses, targets: Targets, split: Split) -> Self:
        """Fit the map of one more person; the others' maps stay as they are.

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
        self.maps_ = self.maps_ | {responses.subject: self._fit_person(responses, heads, split)}
        self.row_shapes_ = self.row_shapes_ | {responses.subject: responses.values.shape[1:]}
        return self

    def predict(self, responses: Responses, head: str | None = None) -> Embeddings:
        """One row a trial in the target space, under the trial's stimulus id.

        Raises
        ------
        ValueError
            If the person is unknown, the number of features is another, or values are not finite.
        """
        check_is_fitted(self, "maps_")
        one = self._map_of(responses.subject)
        expected, got = self.row_shapes_[responses.subject], tuple(responses.values.shape[1:])
        if got != expected:
            raise ValueError(
                f"Responses of subject '{responses.subject}' have rows of shape {got} but were "
                f"fitted with {expected}. Use the same voxels or channels in the same order."
            )
        columns, row_shape, space = self._head(head)
        device = pick_device(self.device)
        weights = one.weights[:, columns].to(device)
        values = np.empty((len(responses), weights.shape[1]), dtype=np.float32)
        for rows, block in blocks(responses.values):
            check_finite(block, responses.subject)
            flat = torch.tensor(block.reshape(len(block), -1), dtype=torch.float32, device=device)
            shown = flat.sub_(one.mean.to(device)) @ weights
            values[rows] = shown.cpu().numpy() + one.intercept[columns].numpy()
        return Embeddings(values.reshape(len(values), *row_shape), responses.stimulus, space)

    def weights(self, subject: str, head: str | None = None) -> NDArray[np.float32]:
        """The map of one person, for brain maps: shape (target row ..., response row ...).

        For voxels and a flat target that is (n_targets, n_voxels), which a masker's
        ``inverse_transform`` takes. Target units per unit of the response. Weights of a decoder
        are filters: a large weight does not say that a voxel carries the information (Haufe et
        al. 2014).
        """
        columns, row_shape, _ = self._head(head)
        weights = self._map_of(subject).weights[:, columns].numpy()
        return weights.T.reshape(*row_shape, *self.row_shapes_[subject])

    def _fit_person(
        self, responses: Responses, heads: dict[str, Embeddings], split: Split
    ) -> RidgeMap:
        train = lazy_part(responses, split)
        if len(train) < 2:
            raise ValueError(
                f"Subject '{responses.subject}' has {len(train)} training trials in the split "
                f"({split.rule}); ridge needs two or more."
            )
        targets = TargetColumns(heads, train.stimulus)
        group = targets.groups(self.per if isinstance(self.per, str) else list(self.per))
        folds = self._folds(train) if len(self.penalties) > 1 else None
        n_dims = math.prod(train.values.shape[1:])
        device = pick_device(self.device)
        dtype = self._pick_dtype(min(len(train), n_dims), device)
        plan = plan_memory((len(train), n_dims, targets.n_targets), dtype.itemsize, self.max_memory)
        rows = StandardRows(
            train.values,
            device=device,
            dtype=dtype,
            keep_bytes=plan.keep_bytes,
            block_bytes=plan.block_bytes,
        ).learn(standardise=self.standardise, subject=responses.subject)
        return fit_map(rows, targets, self.penalties, folds, group, plan)

    def _folds(self, train: Responses) -> NDArray[np.intp]:
        groups = self._left_out(train)
        _, first, code = np.unique(groups, return_index=True, return_inverse=True)
        rank = np.argsort(np.argsort(first))[code]
        n_groups = len(first)
        n_folds = n_groups if self.n_folds is None else min(self.n_folds, n_groups)
        if n_folds < 2:
            raise ValueError(
                f"The training trials of subject '{train.subject}' make {n_folds} fold by "
                f"{self.leave_out}; choosing a penalty needs two or more. Give one penalty, or "
                f"another leave_out."
            )
        return np.asarray(rank * n_folds // n_groups, dtype=np.intp)

    def _left_out(self, train: Responses) -> NDArray[np.str_]:
        if self.leave_out == "trial":
            return np.arange(len(train)).astype(np.str_)
        if self.leave_out == "stimulus":
            return left_out_together(train)
        return train.groups(self.leave_out)

    def _pick_dtype(self, size: int, device: torch.device) -> torch.dtype:
        if self.dtype == "auto":
            exact = size <= SMALL and device.type != "mps"
            return torch.float64 if exact else torch.float32
        return torch.float64 if self.dtype == "float64" else torch.float32

    def _check_parameters(self) -> None:
        values = list(self.penalties)
        if not values or not all(math.isfinite(one) and one > 0 for one in values):
            raise ValueError(f"penalties must be positive numbers; got {values}.")
        if self.dtype not in ("auto", "float32", "float64"):
            raise ValueError(f"dtype must be 'auto', 'float32' or 'float64'; got '{self.dtype}'.")

    def _map_of(self, subject: str) -> RidgeMap:
        if subject not in self.maps_:
            raise ValueError(
                f"This {type(self).__name__} has no map for subject '{subject}'; it knows "
                f"{listing(self.maps_)}. Add the person with adapt()."
            )
        return self.maps_[subject]

    def _head(self, head: str | None) -> tuple[slice, tuple[int, ...], str]:
        name = next(iter(self.heads_)) if head is None else head
        if name not in self.heads_:
            raise ValueError(f"There is no head '{name}'; there are {listing(self.heads_)}.")
        widths = {other: math.prod(shape) for other, (shape, _) in self.heads_.items()}
        before = list(widths).index(name)
        start = sum(list(widths.values())[:before])
        return slice(start, start + widths[name]), *self.heads_[name]

    def _state(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        check_is_fitted(self, "maps_")
        tensors: dict[str, torch.Tensor] = {}
        for i, one in enumerate(self.maps_.values()):
            tensors |= one.tensors(str(i))
        facts = {
            "subjects": list(self.maps_),
            "row_shapes": [list(self.row_shapes_[one]) for one in self.maps_],
            "heads": [[name, list(shape), space] for name, (shape, space) in self.heads_.items()],
        }
        return tensors, facts

    def _restore(self, tensors: dict[str, torch.Tensor], facts: dict[str, Any]) -> None:
        names = facts["subjects"]
        self.maps_ = {name: RidgeMap.from_tensors(tensors, str(i)) for i, name in enumerate(names)}
        shapes = (tuple(shape) for shape in facts["row_shapes"])
        self.row_shapes_ = dict(zip(names, shapes, strict=True))
        self.heads_ = {name: (tuple(shape), space) for name, shape, space in facts["heads"]}
