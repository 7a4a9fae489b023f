"""Single-trial responses from a general linear model with one regressor a trial.

Sources
-------
J. A. Mumford, B. O. Turner, F. G. Ashby, R. A. Poldrack, Deconvolving BOLD activation in
event-related designs for multivoxel pattern classification analyses, NeuroImage 59 (2012): "least
squares all" and "least squares separate". Regressors, drift and haemodynamic responses are
nilearn's. We deviate in fitting by ordinary least squares (nilearn's default is an AR(1) model),
so that both have a closed form.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode.preprocessing.fmri.cleaning import residual
from neurodecode.preprocessing.fmri.run import Run, Trials

Hrf = Literal["glover", "spm"]
LATE = 0.1
"""An event whose regressor stays below this share of the largest is reported as too late."""


@dataclass(frozen=True)
class LeastSquaresAll:
    """One model a run with a regressor for each trial.

    ``b = argmin |y - X b - N c|^2``, X one column a trial, N drift, confounds and constant.

    Parameters
    ----------
    hrf : {'glover', 'spm'}
        Haemodynamic response, nilearn's.
    slice_time_ref : float
        Where within a repetition time a volume was taken, 0 (start) to 1; fMRIPrep's default is .5.

    Examples
    --------
    >>> LeastSquaresAll().hrf
    'glover'
    """

    hrf: Hrf = "glover"
    slice_time_ref: float = 0.0

    def __call__(self, run: Run) -> Trials:
        """One row an event, in order of onset."""
        order = run.events.order()
        design = trial_regressors(run, self.hrf, self.slice_time_ref)[:, order]
        nuisance = run.nuisance()
        _check_size(run, design.shape[1], nuisance.shape[1])
        values = least_squares_all(scaled_series(run), design, nuisance)
        return Trials(values.astype(np.float32), order, {})


@dataclass(frozen=True)
class LeastSquaresSeparate:
    """One model a trial: this trial's regressor beside one for all others.

    Steadier than `LeastSquaresAll` where trials follow each other quickly.

    Parameters
    ----------
    hrf, slice_time_ref
        As in `LeastSquaresAll`.
    others : {'one', 'condition'}
        The other trials as one regressor, or as one for each ``trial_type`` (or stimulus).

    Examples
    --------
    >>> LeastSquaresSeparate(others="condition").others
    'condition'
    """

    hrf: Hrf = "glover"
    slice_time_ref: float = 0.0
    others: Literal["one", "condition"] = "one"

    def __call__(self, run: Run) -> Trials:
        """One row an event, in order of onset."""
        order = run.events.order()
        design = trial_regressors(run, self.hrf, self.slice_time_ref)[:, order]
        condition = np.zeros(len(order), dtype=np.intp)
        if self.others == "condition":
            names = run.events.columns.get("trial_type", run.events.stimulus)
            condition = np.unique(np.asarray(names).astype(str)[order], return_inverse=True)[1]
        nuisance = run.nuisance()
        _check_size(run, int(condition.max()) + 2, nuisance.shape[1])
        values = least_squares_separate(scaled_series(run), design, nuisance, condition)
        return Trials(values.astype(np.float32), order, {})


def trial_regressors(run: Run, hrf: Hrf, slice_time_ref: float) -> NDArray[np.float64]:
    """Each event convolved with the haemodynamic response, shape (n_volumes, n_events)."""
    from nilearn.glm.first_level import compute_regressor

    times = run.times + slice_time_ref * run.tr_s
    spans = zip(run.events.onset, run.events.duration, strict=True)
    design = np.column_stack(
        [
            compute_regressor(np.array([[onset], [duration], [1.0]]), hrf, times)[0][:, 0]
            for onset, duration in spans
        ]
    )
    size = np.abs(design).max(axis=0)
    late = int((size < LATE * size.max()).sum())
    if late:
        warnings.warn(
            f"{late} of {len(size)} events of {run.where} come so late that their response lies "
            f"beyond the scan: their estimates are unreliable. Drop these events.",
            stacklevel=5,
        )
    return design


def scaled_series(run: Run) -> NDArray[np.float64]:
    """The series in the unit asked for, with their drift, which the model itself takes out."""
    series = run.series.astype(np.float64)
    if run.cleaning.scale == "none":
        return series
    if run.cleaning.scale == "zscore":
        spread = residual(series, run.nuisance()).std(axis=0, ddof=1)
        return np.asarray(series / np.where(spread > 0, spread, 1.0))
    mean = np.abs(series.mean(axis=0))
    return np.asarray(100.0 * series / np.where(mean > 0, mean, 1.0))


def least_squares_all(
    series: NDArray[np.float64], design: NDArray[np.float64], nuisance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weights of all trials from one model, shape (n_trials, n_voxels).

    Examples
    --------
    >>> design = np.array([[1.0, 0], [0, 1], [0, 0]])
    >>> least_squares_all(np.array([[3.0], [2], [1]]), design, np.ones((3, 1))).round(9).tolist()
    [[2.0], [1.0]]
    """
    x, y = residual(design, nuisance), residual(series, nuisance)
    return np.asarray(np.linalg.lstsq(x, y, rcond=None)[0])


def least_squares_separate(
    series: NDArray[np.float64],
    design: NDArray[np.float64],
    nuisance: NDArray[np.float64],
    condition: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Weight of each trial from a model of its own, shape (n_trials, n_voxels).

    Nuisance is projected out once; then a trial's model needs only products of the trial
    regressors: with ``T`` (n_trials, k) picking this trial and the sums of the others,
    ``b = (T'X'X T)^+ T'X'y``.

    Parameters
    ----------
    series : float array, shape (n_volumes, n_voxels)
    design : float array, shape (n_volumes, n_trials)
    nuisance : float array, shape (n_volumes, n_regressors)
    condition : int array, shape (n_trials,)
        Other trials of one number share a regressor.

    Examples
    --------
    >>> design = np.array([[1.0, 0], [0, 1], [0, 0]])
    >>> one = np.zeros(2, dtype=int)
    >>> y = np.array([[3.0], [2], [1]])
    >>> least_squares_separate(y, design, np.ones((3, 1)), one).round(9).tolist()
    [[2.0], [1.0]]
    """
    x, y = residual(design, nuisance), residual(series, nuisance)
    gram, cross = x.T @ x, x.T @ y
    groups = (condition[:, None] == np.unique(condition)).astype(np.float64)
    weights = np.empty_like(cross)
    for trial in range(len(cross)):
        others = groups.copy()
        others[trial] = 0.0
        pick = np.column_stack([np.eye(len(cross))[trial], others[:, others.any(axis=0)]])
        solve = np.linalg.pinv(pick.T @ gram @ pick, hermitian=True) @ pick.T
        weights[trial] = solve[0] @ cross
    return weights


def _check_size(run: Run, n_regressors: int, n_nuisance: int) -> None:
    if n_regressors + n_nuisance >= run.n_volumes:
        raise ValueError(
            f"{run.where} has {run.n_volumes} volumes for {n_regressors} trial regressors and "
            f"{n_nuisance} of drift and confounds; more volumes than regressors are needed. Use "
            f"LeastSquaresSeparate, fewer confounds or a lower high_pass_hz."
        )
