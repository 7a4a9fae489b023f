"""Directions of dipoles: smooth, mirrored, and alike in different people."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.twin import EEG, MEG, MeegPerson
from neurodecode.twin._folding import FOLD_MM, Folds, directions
from neurodecode.twin._machines import random_directions


def test_a_field_is_as_smooth_as_it_says():
    """The correlation at one length, over many fields, is that of the formula."""
    places = np.array([[40.0, -60, 0], [40.0, -60, FOLD_MM], [40.0, -60, 4 * FOLD_MM]])
    drawn = np.stack([Folds(np.random.default_rng(one)).at(places) for one in range(600)])
    here, near, far = (drawn[:, place].ravel() for place in range(3))
    assert abs(here.std() - 1) < 0.08
    assert abs(np.corrcoef(here, near)[0, 1] - np.exp(-0.5)) < 0.08
    assert abs(np.corrcoef(here, far)[0, 1]) < 0.08


def test_people_point_alike_but_not_the_same():
    places = np.random.default_rng(0).uniform([5, -90, -20], [50, -45, 20], (400, 3))
    one, other = (directions(places, np.random.default_rng(seed)) for seed in (1, 2))
    np.testing.assert_allclose(np.linalg.norm(one, axis=1), 1)
    angle = np.degrees(np.arccos((one * other).sum(axis=1).clip(-1, 1)))
    assert 8 < np.median(angle) < 30


def _alike(people):
    """Mean correlation of what all scenes evoke, over pairs of people and five moments."""
    moments = np.searchsorted(people[0].machine.times, [0.09, 0.11, 0.15, 0.18, 0.22])
    maps = [np.corrcoef([one.evoked[:, now] for one in people]) for now in moments]
    return np.mean([one[np.triu_indices(len(people), 1)] for one in maps])


@pytest.mark.parametrize("machine", [MEG, EEG])
def test_evoked_topographies_of_different_people_look_alike(machine):
    """As in any average over people; not so where each dipole points its own way."""
    alike, apart = [], []
    for seed in (1, 2):
        alike.append(_alike([MeegPerson(number, machine, seed=seed) for number in range(4)]))
        people = [MeegPerson(number, machine, seed=seed) for number in range(4)]
        for one in people:
            one._directions = random_directions(
                one.cortex.n_units, np.random.default_rng((seed, one.number))
            )
        apart.append(_alike(people))
    assert np.mean(alike) > 0.25
    assert np.mean(apart) < np.mean(alike) - 0.15
