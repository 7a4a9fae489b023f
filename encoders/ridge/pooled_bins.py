"""One map for all people from binned sensors, and maps of each person's own shrunk towards it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurodecode.data import Responses
from neurodecode.encoders.core.bridge import Scaling
from neurodecode.encoders.core.crossfit import (
    TensorRows,
    TokenFit,
    correlation,
    cross_fit,
    stimulus_folds,
)
from neurodecode.encoders.core.time_bins import Windows, binned
from neurodecode.encoders.ridge.components import left_out_names
from neurodecode.encoders.ridge.person import FitOptions

WEAKEST = (100.0, 300.0, 1000.0)
"""Further penalties of own maps: at these a person's map is the shared one, nearly."""


@dataclass(frozen=True, eq=False)
class PooledFit:
    """A fit with one window.

    Parameters
    ----------
    windows : Bins or Parts
    scalings : list of Scaling
        Of each person's features.
    features : list of Tensor, each (n_trials, n_features)
        Standardised, of training trials.
    shared : Tensor, shape (n_features, n_components)
    weights : list of Tensor
        The map of each person.
    left_out : Tensor, shape (n_all_trials, n_components)
        Training trials of all people, predicted without their stimuli.
    held : list of (int, Tensor)
        Person and features of validation trials.
    """

    windows: Windows
    scalings: list[Scaling]
    features: list[Tensor]
    shared: Tensor
    weights: list[Tensor]
    left_out: Tensor
    held: list[tuple[int, Tensor]]

    def merit(self, wanted: Tensor, true: Tensor | None) -> float:
        """Correlation on validation trials; where there are none, on left-out training trials."""
        if true is None:
            return float(correlation(self.left_out, wanted))
        found = torch.cat([x @ self.weights[person] for person, x in self.held])
        return float(correlation(found, true - true.mean(dim=0)))


def fit_pooled(
    windows: Windows,
    parts: Sequence[Responses],
    held: Sequence[tuple[int, Responses]],
    wanted: Tensor,
    options: FitOptions,
) -> PooledFit:
    """Fit the shared map.

    Parameters
    ----------
    windows : Bins or Parts
    parts : sequence of Responses
        Training trials of each person.
    held : sequence of (int, Responses)
        Person and validation trials.
    wanted : Tensor, shape (n_all_trials, n_components)
    options : FitOptions
    """
    raw = [binned(one, windows) for one in parts]
    scalings = [Scaling.learn(one) for one in raw]
    features = [scaling(one) for scaling, one in zip(scalings, raw, strict=True)]
    fit = _ridge(torch.cat(features), wanted, left_out_names(parts), options)
    tested = [(person, scalings[person](binned(one, windows))) for person, one in held]
    everyone = [fit.weights] * len(parts)
    return PooledFit(windows, scalings, features, fit.weights, everyone, fit.left_out, tested)


def fit_own(
    pooled: PooledFit, parts: Sequence[Responses], wanted: Tensor, options: FitOptions
) -> PooledFit:
    """Give each person a map of their own: the shared one and a ridge on what it leaves."""
    wider = replace(options, penalties=(*options.penalties, *WEAKEST))
    ends = np.cumsum([len(one) for one in parts])[:-1].tolist()
    rest = torch.tensor_split(wanted - pooled.left_out, ends)
    fits = [
        _ridge(x, y, left_out_names([one]), wider)
        for x, y, one in zip(pooled.features, rest, parts, strict=True)
    ]
    left_out = pooled.left_out + torch.cat([one.left_out for one in fits])
    weights = [pooled.shared + one.weights for one in fits]
    return replace(pooled, weights=weights, left_out=left_out)


def fit_newcomer(
    features: Tensor,
    shared: Tensor,
    wanted: Tensor,
    stimulus: NDArray[np.str_],
    options: FitOptions,
) -> Tensor:
    """The map of one more person, shrunk towards the shared one, which has not seen the person."""
    wider = replace(options, penalties=(*options.penalties, *WEAKEST))
    return shared + _ridge(features, wanted - features @ shared, stimulus, wider).weights


def _ridge(x: Tensor, y: Tensor, stimulus: NDArray[np.str_], options: FitOptions) -> TokenFit:
    device, dtype = options.pick(min(x.shape))
    folds = stimulus_folds(stimulus, options.seed, options.n_folds)
    rows = TensorRows(x.to(device, dtype))
    [fit] = cross_fit(rows, y, folds, [np.arange(x.shape[1])], options.penalties, correlation)
    return TokenFit(fit.penalty, fit.weights.cpu().float(), fit.left_out.cpu().float())
