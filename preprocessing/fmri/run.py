"""One run in memory: time series, events and what is to be taken out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.preprocessing.fmri.cleaning import Cleaning, residual
from neurodecode.preprocessing.fmri.events import Events


@dataclass(frozen=True, eq=False)
class Run:
    """One run of one person.

    Parameters
    ----------
    series : float array, shape (n_volumes, n_voxels)
    events : Events
    tr_s : float
    cleaning : Cleaning
    confounds : table, path or None
    where : str
        The run and its file, for messages.
    """

    series: NDArray[np.float32]
    events: Events
    tr_s: float
    cleaning: Cleaning
    confounds: Any
    where: str

    @property
    def n_volumes(self) -> int:
        """Number of volumes."""
        return len(self.series)

    @property
    def times(self) -> NDArray[np.floating[Any]]:
        """Seconds at which each volume starts."""
        return np.arange(self.n_volumes) * self.tr_s

    def nuisance(self) -> NDArray[Any]:
        """Drift, confounds and constant, shape (n_volumes, n_regressors)."""
        return self.cleaning.nuisance(self.n_volumes, self.tr_s, self.confounds, self.where)

    def cleaned(self) -> NDArray[np.float32]:
        """The series without nuisance, scaled."""
        return self.cleaning.scaled(residual(self.series, self.nuisance()), self.series)

    def without(self, voxels: NDArray[np.bool_]) -> Run:
        """The run without some voxels."""
        return replace(self, series=self.series[:, ~voxels]) if voxels.any() else self


@dataclass(frozen=True, eq=False)
class Trials:
    """What an estimate makes of a run.

    Parameters
    ----------
    values : float array, shape (n_trials, n_voxels)
    event : int array, shape (n_trials,)
        The event that each row belongs to.
    columns : mapping
        Further columns, such as ``'volume'``.
    """

    values: NDArray[np.float32]
    event: NDArray[np.intp]
    columns: dict[str, NDArray[Any]]
