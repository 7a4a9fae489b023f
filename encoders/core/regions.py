"""Regions that mean the same in all people: labels, places, hemispheres, and means within them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Responses
from neurodecode.encoders.core.unit_groups import cluster, nearest, positions_of, region_labels

N_PLACES = 16
"""Groups by place, where units have no region labels."""
N_PARTS = 4


@dataclass(frozen=True, eq=False)
class Regions:
    """Groups of units, the same for all people.

    Parameters
    ----------
    names : tuple of str
        Region labels; empty where groups are places.
    centres : float array, shape (n_places, 3)
        Middle of each place, mm; empty where groups are labels.
    sided : bool
        The left (x < 0) and the right part of a label are two groups.

    Examples
    --------
    >>> places = np.array([[-9.0, 0, 0], [9.0, 0, 0], [8.0, 0, 0], [-8.0, 0, 0]])
    >>> one = Responses(
    ...     np.zeros((2, 4)), ["a", "b"], "anna", "fmri", positions=places, units=list("VVWW")
    ... )
    >>> regions = Regions.learn([one])
    >>> len(regions), regions.group_of(one).tolist()
    (4, [0, 1, 3, 2])
    """

    names: tuple[str, ...]
    centres: NDArray[np.float64]
    sided: bool

    @classmethod
    def learn(cls, people: Sequence[Responses], n_places: int | None = None) -> Regions:
        """Region labels if all people have them (and ``n_places`` is None), else places.

        Raises
        ------
        ValueError
            If a person has neither labels nor positions.
        """
        names = region_labels(people) if n_places is None else ()
        placed = all(one.positions is not None for one in people)
        if names:
            return cls(names, np.zeros((0, 3)), placed)
        for one in people:
            if one.positions is None:
                raise ValueError(
                    f"Responses of subject '{one.subject}' have neither region labels in units "
                    f"nor positions, so nobody knows which units of people belong together. Give "
                    f"one of them, or use CalibratedRidge."
                )
        return cls((), cluster(people, n_places or N_PLACES), False)

    def __len__(self) -> int:
        return (len(self.names) or len(self.centres)) * (2 if self.sided else 1)

    def group_of(self, responses: Responses) -> NDArray[np.intp]:
        """The group of each unit; -1 for a label that nobody had in training.

        Raises
        ------
        ValueError
            If the person lacks the labels or positions that groups are made of.
        """
        if not self.names:
            return nearest(positions_of(responses), self.centres)
        if responses.units is None:
            raise ValueError(
                f"Responses of subject '{responses.subject}' have no region labels in units, by "
                f"which groups were made. Give the labels that the other people have."
            )
        place = {name: i for i, name in enumerate(self.names)}
        group = np.array([place.get(one, -1) for one in np.asarray(responses.units).tolist()])
        if self.sided:
            right = positions_of(responses)[:, 0] > 0
            group = np.where(group < 0, -1, 2 * group + right)
        return np.asarray(group, dtype=np.intp)


def unit_columns(responses: Responses) -> NDArray[np.intp]:
    """The columns of flattened trials that belong to each unit, shape (n_units, n_samples).

    Examples
    --------
    >>> one = Responses(np.zeros((1, 2, 3)), ["a"], "s", "eeg", dims=("trial", "channel", "time"))
    >>> unit_columns(one).tolist()
    [[0, 1, 2], [3, 4, 5]]
    """
    shape = tuple(responses.values.shape[1:])
    grid = np.arange(int(np.prod(shape)), dtype=np.intp).reshape(shape)
    if responses.unit_axis is None:
        return grid.reshape(-1, 1)
    return np.moveaxis(grid, responses.unit_axis - 1, 0).reshape(shape[responses.unit_axis - 1], -1)


def region_columns(regions: Regions, responses: Responses) -> list[NDArray[np.intp]]:
    """The columns of flattened trials that belong to each region, ascending; empty if it lacks."""
    columns, group = unit_columns(responses), regions.group_of(responses)
    return [np.sort(columns[group == one].ravel()) for one in range(len(regions))]


def part_means(regions: Regions, responses: Responses) -> NDArray[np.float32]:
    """Weights that average the units of each region, and of quarters of it along x, y and z.

    Quarters hold equally many units; with no positions, or no units there, they are zero.

    Returns
    -------
    float32 array, shape (n_units, n_regions * 13)

    Examples
    --------
    >>> places = np.array([[1.0, 0, 0], [2.0, 0, 0]])
    >>> one = Responses(np.zeros((2, 2)), ["a", "b"], "anna", "fmri", positions=places)
    >>> weights = part_means(Regions((), np.zeros((1, 3)), False), one)
    >>> weights[:, :3].tolist()
    [[0.5, 1.0, 0.0], [0.5, 0.0, 0.0]]
    """
    group = regions.group_of(responses)
    n_parts = 1 + (3 * N_PARTS if responses.positions is not None else 0)
    weights = np.zeros((responses.n_units, len(regions), 1 + 3 * N_PARTS), dtype=np.float32)
    for region in range(len(regions)):
        units = np.flatnonzero(group == region)
        weights[units, region, 0] = 1.0
        if n_parts > 1:
            _quarters(weights[:, region, 1:], units, positions_of(responses)[units])
    total = weights.sum(axis=0)
    flat: NDArray[np.float32] = (weights / np.maximum(total, 1)).reshape(len(weights), -1)
    return flat


def _quarters(
    weights: NDArray[np.float32], units: NDArray[np.intp], places: NDArray[np.float64]
) -> None:
    for axis in range(3):
        rank = np.argsort(np.argsort(places[:, axis], kind="stable"), kind="stable")
        part = rank * N_PARTS // max(1, len(units))
        weights[units, N_PARTS * axis + part] = 1.0
