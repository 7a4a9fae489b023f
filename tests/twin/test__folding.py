"""Directions of dipoles: smooth, mirrored, and alike in different people."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.twin import EEG, MEG, MeegPerson
from neurodecode.twin._folding import FOLD_MM, Folds, directions


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
    assert 20 < np.median(angle) < 60


@pytest.mark.parametrize("machine", [MEG, EEG])
def test_evoked_topographies_of_different_people_look_alike(machine):
    """What all scenes evoke between 90 and 220 ms, as in any average over people."""
    alike = []
    for now in np.searchsorted(machine.times, [0.09, 0.15, 0.22]):
        people = [MeegPerson(number, machine, seed=2) for number in range(4)]
        maps = [one.evoked[:, now] for one in people]
        alike.append(np.corrcoef(maps)[np.triu_indices(4, 1)])
    assert np.mean(alike) > 0.4
    assert np.max(alike) < 0.999
