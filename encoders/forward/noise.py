"""The noise of single trials: its covariance over voxels, shrunk, and distances under it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Noise:
    """A shrunk covariance of noise, kept as ``shrinkage * I`` and a few directions.

    Parameters
    ----------
    directions : array, shape (n_voxels, n_directions)
        Orthonormal.
    gains : array, shape (n_directions,)
        Inverse variance along each direction, above that of all others.
    floor : float
        Inverse variance elsewhere.
    """

    directions: Array
    gains: Array
    floor: float

    def whiten(self, patterns: Array) -> Array:
        """``patterns @ covariance^-1``, shape (n, n_voxels)."""
        along = (patterns @ self.directions) * self.gains
        return np.asarray(self.floor * patterns + along @ self.directions.T)


def residuals(x: Array, code: NDArray[np.intp]) -> tuple[Array, int]:
    """Trials minus the mean of their stimulus, and their degrees of freedom.

    Examples
    --------
    >>> residuals(np.array([[1.0], [3.0], [5.0]]), np.array([0, 0, 1]))[0].tolist()
    [[-1.0], [1.0], [0.0]]
    """
    count = np.bincount(code)
    mean = np.zeros((len(count), x.shape[1]))
    np.add.at(mean, code, x)
    mean /= count[:, None]
    return x - mean[code], len(x) - len(count)


def shrunk_noise(rest: Array, n_free: int) -> Noise:
    """Covariance of residuals, shrunk to the identity by the amount that Ledoit & Wolf derive.

    Parameters
    ----------
    rest : array, shape (n_trials, n_voxels)
        Residuals, each voxel of unit variance.
    n_free : int
        Their degrees of freedom.

    Sources
    -------
    Ledoit & Wolf 2004, "A well-conditioned estimator for large-dimensional covariance matrices",
    equations 14 and section 3.3. The inverse is made from the singular vectors of the residuals:
    no matrix of voxels by voxels is formed.

    Examples
    --------
    >>> rest = np.random.default_rng(0).normal(size=(50, 3))
    >>> noise = shrunk_noise(rest, 50)
    >>> bool(np.allclose(noise.whiten(np.eye(3)), np.eye(3), atol=0.2))
    True
    """
    n_voxels = rest.shape[1]
    gram = rest @ rest.T / n_free
    mean = np.trace(gram) / n_voxels
    spread = float((gram**2).sum() - n_voxels * mean**2)
    square = float((gram**2).sum())
    error = float((np.diag(gram) ** 2).sum() - square / n_free)
    share = min(max(error / spread, 1e-3), 1.0) if spread > 0 else 1.0
    values, vectors = np.linalg.eigh(gram)
    kept = values > 1e-9 * max(values[-1], 1e-30)
    values = values[kept]
    directions = rest.T @ vectors[:, kept] / np.sqrt(values * n_free)
    floor = 1 / (share * mean)
    return Noise(directions, 1 / ((1 - share) * values + share * mean) - floor, floor)
