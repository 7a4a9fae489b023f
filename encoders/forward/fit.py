"""What a linear forward model learns of one person, for any penalty and share of voxels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from neurodecode.encoders.core.ridge_solver import decompose, fold_batches, leave_out_errors
from neurodecode.encoders.forward.noise import Array, Noise, residuals, shrunk_noise


@dataclass(frozen=True, eq=False)
class Trials:
    """Trials, the embeddings of all stimuli, and what is left out together.

    Parameters
    ----------
    x : array, shape (n_trials, n_voxels)
    z : array, shape (n_stimuli, n_dims)
    code : int array, shape (n_trials,)
        The row of ``z`` that each trial showed.
    group : int array, shape (n_trials,)
    """

    x: Array
    z: Array
    code: NDArray[np.intp]
    group: NDArray[np.intp]

    def take(self, mask: NDArray[np.bool_]) -> Trials:
        """These trials; all embeddings stay."""
        return Trials(self.x[mask], self.z, self.code[mask], self.group[mask])


@dataclass(frozen=True, eq=False)
class ForwardFit:
    """A forward model before its penalty and share of voxels are chosen.

    Voxels are in units of the standard deviation of their noise. ``r2`` is that of left-out
    trials; ``unit`` the mean squared length of the centred embeddings; ``rest`` the noise.
    """

    trials: Trials
    x_mean: Array
    deviation: Array
    z_mean: Array
    rest: Array
    n_free: int
    r2: Array
    unit: float

    def best(self, share: float) -> NDArray[np.intp]:
        """The voxels predicted best when left out."""
        n_kept = max(2, round(share * len(self.r2)))
        return np.sort(np.argsort(-self.r2, kind="stable")[:n_kept])

    def noise(self, voxels: NDArray[np.intp]) -> Noise:
        """The noise of these voxels."""
        return shrunk_noise(self.rest[:, voxels], self.n_free)

    def dual(self, penalty: float) -> Array:
        """Ridge coefficients of the trials, shape (n_trials, n_voxels)."""
        z = self.trials.z[self.trials.code] - self.z_mean
        x = (self.trials.x - self.x_mean) / self.deviation
        kernel = z @ z.T + penalty * self.unit * np.eye(len(z))
        return np.asarray(np.linalg.solve(kernel, x))

    def expected(self, penalty: float, candidates: Array) -> Array:
        """Predicted responses less their mean, shape (n_candidates, n_voxels)."""
        z = self.trials.z[self.trials.code] - self.z_mean
        return np.asarray((candidates - self.z_mean) @ z.T @ self.dual(penalty))

    def standardise(self, x: Array) -> Array:
        """Responses in units of the noise."""
        return np.asarray((x - self.x_mean) / self.deviation)


def matched_filter(x: Array, expected: Array, noise: Noise) -> Array:
    """``x' C^-1 m / sqrt(m' C^-1 m)`` for each trial x and each expected response m.

    Examples
    --------
    >>> noise = Noise(np.zeros((2, 0)), np.zeros(0), 1.0)
    >>> matched_filter(np.array([[2.0, 0.0]]), np.array([[3.0, 0.0], [0.0, 1.0]]), noise).tolist()
    [[2.0, 0.0]]
    """
    filters = noise.whiten(expected)
    length = np.sqrt(np.einsum("cv,cv->c", expected, filters))
    return np.asarray(x @ (filters / np.maximum(length, 1e-30)[:, None]).T)


def fit_forward(trials: Trials, penalties: Sequence[float]) -> ForwardFit:
    """Learn means, noise and left-out R2; penalties in units of the embeddings' squared length."""
    rest, n_free = residuals(trials.x, np.unique(trials.code, return_inverse=True)[1])
    deviation = np.sqrt((rest**2).sum(axis=0) / max(n_free, 1))
    deviation = np.where(deviation > 0, deviation, np.inf)
    shown = trials.z[trials.code]
    z_mean, x_mean = shown.mean(axis=0), trials.x.mean(axis=0)
    centred = shown - z_mean
    unit = float((centred**2).sum() / len(centred))
    x = (trials.x - x_mean) / deviation
    r2 = _left_out_r2(centred, x, [one * unit for one in penalties], trials.group)
    return ForwardFit(trials, x_mean, deviation, z_mean, rest / deviation, n_free, r2, unit)


def choose_forward(
    trials: Trials, penalties: Sequence[float], shares: Sequence[float]
) -> tuple[float, float]:
    """Penalty and share with the best mean reciprocal rank of left-out trials among all stimuli."""
    merit = np.zeros((len(shares), len(penalties)))
    if merit.size == 1:
        return penalties[0], shares[0]
    for group in np.unique(trials.group):
        out = trials.group == group
        model, test = fit_forward(trials.take(~out), penalties), trials.take(out)
        x = model.standardise(test.x)
        expected = [model.expected(penalty, trials.z) for penalty in penalties]
        for i, share in enumerate(shares):
            voxels = model.best(share)
            noise = model.noise(voxels)
            for j, one in enumerate(expected):
                scores = matched_filter(x[:, voxels], one[:, voxels], noise)
                own = scores[np.arange(len(scores)), test.code]
                merit[i, j] += (1 / (scores >= own[:, None]).sum(axis=1)).sum()
    best_share, best_penalty = np.unravel_index(np.argmax(merit), merit.shape)
    return penalties[int(best_penalty)], shares[int(best_share)]


def _left_out_r2(z: Array, x: Array, penalties: Sequence[float], group: NDArray[np.intp]) -> Array:
    """Of each voxel, at the penalty that suits it best."""
    targets = torch.from_numpy(x)
    basis = decompose(torch.from_numpy(z @ z.T), kernel=True, n_rows=len(z))
    errors = leave_out_errors(
        basis,
        lambda index: basis.vectors[index],
        targets,
        basis.project(targets),
        penalties,
        fold_batches(group, len(z)),
    )
    variance = x.var(axis=0)
    return np.asarray(1 - errors.min(axis=0) / np.where(variance > 0, variance, 1.0))
