"""From units to groups of units that mean the same in all people: regions, places, times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from neurodecode.data import Responses

MAX_LABELS = 64
"""With more labels than this, units are named one by one and not by region."""
VOXEL_GROUPS, VOXEL_BUMPS, SENSOR_BUMPS = 8, 256, 64


@dataclass(frozen=True, eq=False)
class Layout:
    """Where tokens come from, the same for all people.

    Parameters
    ----------
    names : tuple of str
        Region labels of the groups; empty where groups are places.
    centres : float array, shape (n_groups, 3)
        Middle of each group, mm; zeros where nobody has positions.
    patches : int array, shape (n_patches + 1,)
        Limits of the time patches in samples; (0, 1) where there is no time axis.
    patch_times : float array, shape (n_patches,)
        Middle of each patch, s.
    bumps : float array, shape (n_bumps, 3), or None
        Centres of the position functions that stand for units where people share all weights, mm.
    """

    names: tuple[str, ...]
    centres: NDArray[np.float64]
    patches: NDArray[np.intp]
    patch_times: NDArray[np.float64]
    bumps: NDArray[np.float64] | None

    @property
    def n_tokens(self) -> int:
        """One of all units and times, then group by group and patch by patch."""
        return 1 + len(self.centres) * len(self.patch_times)

    def group_of(self, responses: Responses) -> NDArray[np.intp]:
        """The group of each unit; -1 for a region that nobody had in training."""
        if self.names:
            place = {name: i for i, name in enumerate(self.names)}
            return np.array([place.get(one, -1) for one in np.asarray(responses.units).tolist()])
        if len(self.centres) == 1:
            return np.zeros(responses.n_units, dtype=np.intp)
        return nearest(positions_of(responses), self.centres)

    def columns(self, groups: NDArray[np.intp], n_times: int) -> list[NDArray[np.intp]]:
        """For each token the columns of the flattened (unit, time) values that it reads."""
        grid = np.arange(len(groups) * n_times).reshape(len(groups), n_times)
        tokens = [grid.ravel()]
        for group in range(len(self.centres)):
            for start, stop in pairwise(self.patches):
                tokens.append(grid[groups == group, start:stop].ravel())
        return tokens


def make_layout(
    people: Sequence[Responses], n_groups: int | None, patch_s: float, *, shared: bool
) -> Layout:
    """Groups, time patches and, where people share all weights, position functions.

    Raises
    ------
    ValueError
        If positions are needed and missing, or people have different time axes.
    """
    names = region_labels(people) if n_groups is None else ()
    if names:
        centres = np.stack([_middle(people, name) for name in names])
    else:
        voxels = people[0].modality == "fmri"
        number = n_groups or (VOXEL_GROUPS if voxels and _placed(people) else 1)
        centres = cluster(people, number) if number > 1 else np.zeros((1, 3))
    patches, times = _patches(people, patch_s)
    bumps = None
    if shared:
        most = VOXEL_BUMPS if people[0].modality == "fmri" else SENSOR_BUMPS
        bumps = cluster(people, min(most, *(one.n_units for one in people)))
    return Layout(names, centres, patches, times, bumps)


def bump_weights(positions: NDArray[np.float64], bumps: NDArray[np.float64]) -> NDArray[np.float32]:
    """How much each unit contributes to each position function: a Gaussian of its distance.

    The width is the median distance of neighbouring bumps; columns have length 1, so that the
    number of units nearby does not matter.

    Returns
    -------
    float32 array, shape (n_units, n_bumps)

    Examples
    --------
    >>> places = np.array([[0.0, 0, 0], [9.0, 0, 0]])
    >>> bump_weights(places, places).astype(float).round(1).tolist()
    [[0.9, 0.5], [0.5, 0.9]]
    """
    between = np.sqrt(_squares(bumps, bumps))
    np.fill_diagonal(between, np.inf)
    width = float(np.median(between.min(axis=1))) if len(bumps) > 1 else 10.0
    weights = np.exp(-_squares(positions, bumps) / (2 * max(width, 1e-3) ** 2))
    scaled = weights / (np.sqrt((weights**2).sum(axis=0)) + 1e-6)
    return np.asarray(scaled, dtype=np.float32)


def cluster(people: Sequence[Responses], number: int) -> NDArray[np.float64]:
    """Centres of units that lie together in all people, sorted, mm."""
    places = np.concatenate([positions_of(one) for one in people])
    distinct = len(np.unique(places, axis=0))
    found = KMeans(min(number, distinct), n_init=1, random_state=0).fit(places).cluster_centers_
    return np.asarray(found[np.lexsort(found.T)], dtype=np.float64)


def nearest(positions: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.intp]:
    """The nearest centre of each position."""
    return np.asarray(_squares(positions, centres).argmin(axis=1))


def positions_of(responses: Responses) -> NDArray[np.float64]:
    """Positions of the units, mm.

    Raises
    ------
    ValueError
        If there are none.
    """
    if responses.positions is None:
        raise ValueError(
            f"Responses of subject '{responses.subject}' have no positions, and units are grouped "
            f"by position here. Give responses.positions in mm, or region labels in "
            f"responses.units."
        )
    return np.asarray(responses.positions, dtype=np.float64)


def _squares(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    product = one @ other.T
    square = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * product
    return np.asarray(np.maximum(square, 0.0))


def _placed(people: Sequence[Responses]) -> bool:
    return all(one.positions is not None for one in people)


def region_labels(people: Sequence[Responses]) -> tuple[str, ...]:
    """Region labels, if units have them: fewer labels than units, in fMRI."""
    if people[0].modality != "fmri" or any(one.units is None for one in people):
        return ()
    found = sorted({label for one in people for label in np.asarray(one.units).tolist()})
    few = all(2 * len(set(np.asarray(one.units).tolist())) <= one.n_units for one in people)
    return tuple(found) if 1 < len(found) <= MAX_LABELS and few else ()


def _middle(people: Sequence[Responses], name: str) -> NDArray[np.float64]:
    if not _placed(people):
        return np.zeros(3)
    inside = [np.asarray(one.positions)[np.asarray(one.units) == name] for one in people]
    return np.asarray(np.concatenate(inside).mean(axis=0))


def _patches(
    people: Sequence[Responses], patch_s: float
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    lengths = {time_length(one) for one in people}
    if len(lengths) > 1:
        raise ValueError(
            f"People have time axes of different lengths ({sorted(lengths)} samples). Crop or "
            f"resample them to one."
        )
    n_times, times = lengths.pop(), people[0].times
    if n_times == 1:
        return np.array([0, 1]), np.zeros(1)
    if times is None:
        number = min(n_times, 10)
        times = np.arange(n_times, dtype=np.float64)
    else:
        step = float(times[1] - times[0])
        number = max(1, min(n_times, round(n_times * step / patch_s)))
    limits = np.linspace(0, n_times, number + 1).round().astype(np.intp)
    middles = [float(np.mean(times[a:b])) for a, b in pairwise(limits)]
    return limits, np.array(middles)


def time_length(responses: Responses) -> int:
    """Samples of a trial; 1 where there is no time axis."""
    for name in ("time", "tr"):
        if name in responses.dims:
            return int(responses.values.shape[responses.dims.index(name)])
    return 1


def flat_values(responses: Responses, rows: Any = slice(None)) -> NDArray[np.float32]:
    """Values as (trial, unit, time), float32; padded samples are not-a-number."""
    values = np.asarray(responses.values[rows]).astype(np.float32, copy=False)
    if responses.unit_axis is None:
        return values.reshape(len(values), -1, 1)
    if values.ndim == 2:
        return values[:, :, None]
    if responses.unit_axis == 2:
        values = values.transpose(0, 2, 1)
    if responses.valid is not None:
        values = np.where(responses.valid[rows][:, None, :], values, np.float32(np.nan))
    return values
