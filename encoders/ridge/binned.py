"""Ridge on sensors by bins of time, pooled over people: what deep encoders of MEG and EEG face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from neurodecode.contracts import Targets
from neurodecode.data import Embeddings, Responses, Split
from neurodecode.encoders.core.base import as_people, as_targets
from neurodecode.encoders.core.bridge import Scaling
from neurodecode.encoders.core.calibration import Calibration
from neurodecode.encoders.core.crossfit import PENALTIES
from neurodecode.encoders.core.time_bins import (
    Parts,
    Windows,
    as_windows,
    binned,
    default_windows,
)
from neurodecode.encoders.ridge.components import (
    ComponentEncoder,
    joined,
    left_out_names,
    training_part,
    trial_targets,
)
from neurodecode.encoders.ridge.person import FitOptions
from neurodecode.encoders.ridge.pooled_bins import (
    PooledFit,
    fit_newcomer,
    fit_own,
    fit_pooled,
)

ANYONE = ""
"""Under this name stands the map of people who have none of their own."""


@dataclass(frozen=True, eq=False)
class BinnedMap:
    """From one person's bins to components: standardised, then a linear map.

    Parameters
    ----------
    mean, scale : Tensor, shape (n_features,)
    weights : Tensor, shape (n_features, n_components)
    """

    mean: Tensor
    scale: Tensor
    weights: Tensor

    def __call__(self, features: NDArray[np.float32]) -> Tensor:
        """Components of trials, shape (n_trials, n_components)."""
        return Scaling(self.mean, self.scale)(features) @ self.weights


class BinnedRidge(ComponentEncoder):
    r"""Ridge from sensors by bins of time to the targets' main components, pooled over people.

    1. Each sensor is averaged within bins of a window; each person is standardised.
    2. One map :math:`W` is learned on all people's trials at once. A person's own map
       :math:`W + D` is shrunk towards it: :math:`D` is a ridge on what left-out predictions of
       :math:`W` leave. Own maps are taken if they are better on validation trials.
    3. Of the candidate windows the one is taken that is best on validation trials (without any,
       on left-out training trials). Penalties are chosen by left-out training stimuli.
    4. Gains and share of the mean as in `CalibratedRidge`.

    A person never seen is decoded by :math:`W`, with the mean and spread of the training people.

    Parameters
    ----------
    windows : sequence of Bins or Parts, optional
        Candidates. Default: 50 to 350 ms, 50 to 600 ms and all after onset, in bins of 20 and
        40 ms; for trials that differ in length 1, 2, 4 or 8 equal parts of each.
    penalties : sequence of float
        Candidates, in units of the mean squared length of a standardised trial.
    n_components : int
        Main directions of each target space.
    n_folds : int
        Of training stimuli.
    device : str
    seed : int
        Of the folds.

    Attributes
    ----------
    windows_ : Bins or Parts
        The one chosen.
    merits_ : dict of str to float
        By name of the window, correlation on validation trials; ``'own maps'`` for those.
    maps_ : dict of str to BinnedMap
        By subject; under ``''`` the one for people who have none.

    Sources
    -------
    Our own. Shrinkage towards a shared map: Evgeniou & Pontil 2004, "Regularized multi-task
    learning".

    Examples
    --------
    >>> import numpy as np
    >>> from neurodecode.encoders import Bins
    >>> rng = np.random.default_rng(0)
    >>> truth = Embeddings(rng.normal(size=(60, 3)).astype(np.float32), range(60), "toy")
    >>> values = np.einsum("nd,dc,t->nct", truth.values, rng.normal(size=(3, 8)), np.hanning(40))
    >>> trials = Responses(
    ...     values, range(60), "anna", "eeg", dims=("trial", "channel", "time"), sfreq=100.0
    ... )
    >>> split = Split(range(40), range(40, 50), range(50, 60))
    >>> ridge = BinnedRidge([Bins(0.1, 0.3, 0.02)]).fit(trials, truth, split)
    >>> ridge.windows_.name, ridge.predict(trials)
    ('100 to 300 ms by 20', Embeddings(toy, 60 rows of (3,)))
    """

    maps_: dict[str, BinnedMap]

    def __init__(
        self,
        windows: Sequence[Windows] | None = None,
        *,
        penalties: Sequence[float] = PENALTIES,
        n_components: int = 64,
        n_folds: int = 5,
        device: str = "auto",
        seed: int = 0,
    ) -> None:
        self.windows = windows
        self.penalties = penalties
        self.n_components = n_components
        self.n_folds = n_folds
        self.device = device
        self.seed = seed

    def fit(
        self, responses: Responses | Sequence[Responses], targets: Targets, split: Split
    ) -> Self:
        """Learn from the training part; windows and own maps are chosen on the validation part.

        Raises
        ------
        ValueError
            If people differ in sensors or length of trials, values are not finite, a stimulus has
            no target, or a person has fewer than two training stimuli.
        """
        people, heads = as_people(responses), as_targets(targets)
        self._options.check()
        _check_alike(people)
        parts = [training_part(one, split) for one in people]
        self._learn_spaces(parts, heads)
        rows = joined([trial_targets(one, heads) for one in parts])
        wanted = self._whiten(rows)
        held = [(i, split.part(one, "validation")) for i, one in enumerate(people)]
        held = [(i, one) for i, one in held if len(one)]
        true = self._true(held, heads)
        tried = [
            fit_pooled(one, parts, held, wanted, self._options)
            for one in self._candidates(parts[0])
        ]
        best = max(tried, key=lambda one: one.merit(wanted, true))
        self.merits_ = {one.windows.name: one.merit(wanted, true) for one in tried}
        if len(parts) > 1:
            own = fit_own(best, parts, wanted, self._options)
            self.merits_["own maps"] = own.merit(wanted, true)
            best = max((best, own), key=lambda one: one.merit(wanted, true))
        self._keep(best, parts)
        self.calibrations_ = self._calibrate(best.left_out, rows)
        return self

    def adapt(self, responses: Responses, targets: Targets, split: Split) -> Self:
        """Give one more person a map shrunk towards the shared one, from their training trials.

        Raises
        ------
        ValueError
            If the target space or the sensors are others than those fitted, or as `fit`.
        """
        check_is_fitted(self, "maps_")
        heads = as_targets(targets)
        self._check_heads(heads)
        part = training_part(responses, split)
        self._check_shape(part)
        raw = binned(part, self.windows_)
        scaling = Scaling.learn(raw)
        wanted = self._whiten(trial_targets(part, heads))
        shared = self.maps_[ANYONE].weights
        weights = fit_newcomer(scaling(raw), shared, wanted, left_out_names([part]), self._options)
        own = BinnedMap(scaling.mean, scaling.scale, weights)
        self.maps_ = self.maps_ | {part.subject: own}
        return self

    @property
    def _options(self) -> FitOptions:
        return FitOptions(tuple(self.penalties), self.n_folds, "auto", self.device, 0, self.seed)

    def _candidates(self, like: Responses) -> tuple[Windows, ...]:
        if self.windows is None:
            return default_windows(like)
        if not self.windows:
            raise ValueError("windows holds no candidate. Give Bins or Parts, or None for all.")
        return tuple(as_windows(one) for one in self.windows)

    def _true(
        self, held: Sequence[tuple[int, Responses]], heads: dict[str, Embeddings]
    ) -> Tensor | None:
        if not held:
            return None
        return self._whiten(joined([trial_targets(one, heads) for _, one in held]))

    def _keep(self, best: PooledFit, parts: Sequence[Responses]) -> None:
        self.windows_ = best.windows
        self.row_shape_ = tuple(parts[0].values.shape[1:])
        self.maps_ = {
            one.subject: BinnedMap(scaling.mean, scaling.scale, weights)
            for one, scaling, weights in zip(parts, best.scalings, best.weights, strict=True)
        }
        mean = torch.stack([one.mean for one in best.scalings]).mean(0)
        scale = torch.stack([one.scale for one in best.scalings]).mean(0)
        self.maps_[ANYONE] = BinnedMap(mean, scale, best.shared)

    def _answer(self, responses: Responses) -> tuple[Tensor, dict[str, Calibration]]:
        self._check_shape(responses)
        own = self.maps_.get(responses.subject, self.maps_[ANYONE])
        return own(binned(responses, self.windows_)), self.calibrations_

    def _check_shape(self, responses: Responses) -> None:
        got = tuple(responses.values.shape[1:])
        # trials of variable length may be padded to another length
        free = isinstance(self.windows_, Parts) and got[:-1] == self.row_shape_[:-1]
        if got != self.row_shape_ and not free:
            raise ValueError(
                f"Responses of subject '{responses.subject}' have rows of shape {got} but were "
                f"fitted with {self.row_shape_}. Use the same sensors and the same samples."
            )

    def _state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        tensors, facts = super()._state()
        for i, one in enumerate(self.maps_.values()):
            # people who share a map hold the same tensor; a file needs one for each
            named = {each.name: getattr(one, each.name).clone() for each in fields(one)}
            tensors |= {f"map.{i}.{name}": values for name, values in named.items()}
        known = {
            "subjects": list(self.maps_),
            "row_shape": list(self.row_shape_),
            "windows": asdict(self.windows_),
            "merits": self.merits_,
        }
        return tensors, facts | known

    def _restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        super()._restore(tensors, facts)
        names = [one.name for one in fields(BinnedMap)]
        self.maps_ = {
            subject: BinnedMap(*(tensors[f"map.{i}.{name}"] for name in names))
            for i, subject in enumerate(facts["subjects"])
        }
        self.row_shape_ = tuple(facts["row_shape"])
        self.windows_ = as_windows(facts["windows"])
        self.merits_ = dict(facts["merits"])


def _check_alike(people: Sequence[Responses]) -> None:
    first = people[0]
    for one in people[1:]:
        # trials of variable length may be padded to another length
        axes = 2 if one.valid is not None and first.valid is not None else None
        here, there = (tuple(each.values.shape[1:axes]) for each in (one, first))
        if here != there:
            raise ValueError(
                f"BinnedRidge learns one map for all people, but rows of subject '{one.subject}' "
                f"have shape {here} and those of '{first.subject}' {there}. Give all people the "
                f"same sensors and samples, or fit one for each."
            )
