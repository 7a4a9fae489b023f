"""The shared space: main directions of each target space, and the way back from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from neurodecode.data import Embeddings

FLOOR = 0.03
"""Directions with less than this share of the largest variance are not sharpened further."""
EXACT = 2048
"""Up to so many stimuli or dimensions the singular value decomposition is exact."""


@dataclass(frozen=True, eq=False)
class HeadSpace:
    """Principal components of one target space, learned from training stimuli.

    Parameters
    ----------
    mean : Tensor, shape (n_dims,)
        Flattened over tokens.
    basis : Tensor, shape (n_components, n_dims)
    spread : Tensor, shape (n_components,)
        Standard deviation along each component.
    norm : Tensor, shape ()
        Mean length of a target.

    Examples
    --------
    >>> rows = torch.tensor([[0.0, 1.0], [0.0, 3.0], [0.0, 5.0]])
    >>> space = HeadSpace.learn(rows, 2)
    >>> torch.allclose(space.back(space.whiten(rows)), rows)
    True
    """

    mean: Tensor
    basis: Tensor
    spread: Tensor
    norm: Tensor

    @classmethod
    def learn(cls, rows: Tensor, n_components: int) -> HeadSpace:
        """From one row for each training stimulus."""
        mean = rows.mean(dim=0)
        size, basis = _main_directions(rows - mean, n_components)
        spread = size / max(1.0, (len(rows) - 1) ** 0.5)
        kept = max(1, min(n_components, int((spread > 1e-5 * spread[0]).sum())))
        return cls(mean, basis[:kept].contiguous(), spread[:kept], rows.norm(dim=1).mean())

    def whiten(self, rows: Tensor) -> Tensor:
        """Components of variance 1 of rows, shape (n, n_components)."""
        return (rows - self.mean) @ self.basis.T / self.spread

    def back(self, components: Tensor) -> Tensor:
        """Rows with these components, shape (n, n_dims)."""
        return self.mean + (components * self.spread) @ self.basis

    def gains(self, sharpness: float) -> Tensor:
        """Factors on whitened components: spread * (variance + floor) ** -sharpness.

        0 gives the conditional mean, .5 weighs all components by their reliability alone.
        """
        variance = self.spread.square() / self.spread[0].square()
        return self.spread / self.spread[0] * (variance + FLOOR) ** -sharpness


def _main_directions(centred: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """Singular values and right vectors; of large matrices the first ones, by random projection.

    Sources
    -------
    Halko, Martinsson & Tropp 2011, algorithm 4.4, with 4 power iterations.
    """
    if min(centred.shape) <= EXACT:
        _, size, basis = torch.linalg.svd(centred, full_matrices=False)
        return size, basis
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        _, size, basis = torch.svd_lowrank(centred, q=2 * number + 10, niter=4)
    return size, basis.T


def learn_spaces(
    targets: Mapping[str, Embeddings], stimulus: Sequence[str], n_components: int
) -> dict[str, HeadSpace]:
    """A space for each head, from training stimuli."""
    spaces = {}
    for head, one in targets.items():
        rows = torch.from_numpy(one.rows(stimulus)).flatten(1)
        if not torch.isfinite(rows).all():
            raise ValueError(
                f"Targets of head '{head}' have values that are not finite. Repair those "
                f"embeddings or drop their stimuli."
            )
        spaces[head] = HeadSpace.learn(rows, n_components)
    return spaces


def space_tensors(space: HeadSpace, prefix: str) -> dict[str, Tensor]:
    """All that a space has learned, by name."""
    return {f"{prefix}.{one.name}": getattr(space, one.name) for one in fields(space)}


def space_from(tensors: dict[str, Tensor], prefix: str) -> HeadSpace:
    """What `space_tensors` named."""
    return HeadSpace(**{one.name: tensors[f"{prefix}.{one.name}"] for one in fields(HeadSpace)})
