"""Where dipoles point: out of a folded cortex, whose folds are alike in all people.

Pyramidal cells stand upright on the cortex, so that neighbours point the same way and the two banks
of a fold to opposite sides. Areas lie at the same folds in everybody (V1 in the calcarine sulcus)
and on both sides of the brain, which is why averages over people show one topography. There is no
surface here: the direction is a smooth field over space, in part everybody's, in part a person's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FOLD_MM = 6.0
"""Over this length directions stay alike (correlation .6); banks 10 mm apart hardly (.25)."""
OWN_SHARE = 0.3
"""Weight of a person's own folds beside the common ones: a deviation of about 15 degrees."""
N_WAVES = 256
EVERYBODY = 41
"""Seed of the folds that all people share."""


class Folds:
    """A smooth random field of vectors, the same on both sides of the brain but mirrored.

    A sum of waves whose values at two places x and y are correlated by
    exp(-|x - y|^2 / (2 ``FOLD_MM``^2)).

    Parameters
    ----------
    rng : numpy Generator

    Examples
    --------
    >>> folds = Folds(np.random.default_rng(0))
    >>> right, left = folds.at(np.array([[30.0, -70, 5], [-30.0, -70, 5]]))
    >>> bool(np.allclose(right * [-1, 1, 1], left))
    True
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._waves = rng.normal(0, 1 / FOLD_MM, (3, N_WAVES))
        self._phases = rng.uniform(0, 2 * np.pi, N_WAVES)
        self._sizes = rng.normal(0, np.sqrt(2 / N_WAVES), (N_WAVES, 3))

    def at(self, positions_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Vectors at places, shape (n_places, 3) both, each entry of variance 1 over fields."""
        mirrored = positions_mm * [-1, 1, 1]
        left = positions_mm[:, :1] < 0
        phase = np.where(left, mirrored, positions_mm) @ self._waves + self._phases
        vectors = np.cos(phase) @ self._sizes
        return np.asarray(np.where(left, vectors * [-1, 1, 1], vectors))


def directions(positions_mm: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Unit vectors along which a person's dipoles point.

    Parameters
    ----------
    positions_mm : float array, shape (n_dipoles, 3)
        MNI space; where the dipoles lie in the average person, since folds move with the areas.
    rng : numpy Generator
        Draws what is the person's own.

    Returns
    -------
    float array, shape (n_dipoles, 3)

    Examples
    --------
    >>> near = np.array([[30.0, -70, 5], [30.5, -70, 5]])
    >>> one, other = directions(near, np.random.default_rng(0))
    >>> bool(one @ other > 0.95)
    True
    """
    shared = Folds(np.random.default_rng(EVERYBODY)).at(positions_mm)
    vectors = shared + OWN_SHARE * Folds(rng).at(positions_mm)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
