"""Sensors are where real ones are; dipoles do what dipoles do."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.twin import EEG, MEG
from neurodecode.twin._machines import (
    HEAD_CENTRE_M,
    HEAD_RADIUS_M,
    _turn,
    in_head_m,
    leadfield,
    make_info,
    sensor_positions_mm,
)


@pytest.mark.parametrize(("machine", "n_sensors"), [(MEG, 274), (EEG, 64)])
def test_sensors_are_outside_the_head_and_placed_anew_each_time(machine, n_sensors):
    rng = np.random.default_rng(0)
    first, second = (sensor_positions_mm(make_info(machine, 100.0, rng)) for _ in range(2))
    assert first.shape == (n_sensors, 3)
    away = np.linalg.norm(first / 1e3 - np.asarray(HEAD_CENTRE_M), axis=1)
    assert away.min() > HEAD_RADIUS_M
    moved = np.linalg.norm(first - second, axis=1)
    assert 0.5 < moved.mean() < 20


def test_an_occipital_dipole_is_strongest_at_the_back():
    for machine in (MEG, EEG):
        info = make_info(machine, 100.0, np.random.default_rng(0))
        field = leadfield(info, np.array([[9.0, -90.0, 2.0]]), np.array([[0.0, 0.0, 1.0]]))
        best = np.argsort(np.abs(field[:, 0]))[-10:]
        assert sensor_positions_mm(info)[best, 1].mean() < 0


def test_a_radial_dipole_is_silent_in_a_sphere_for_meg_only():
    """The textbook property of a sphere: MEG does not see radial sources."""
    place = np.array([[0.0, -78.0, 0.0]])
    radial = (in_head_m(place) - np.asarray(HEAD_CENTRE_M)) / 0.06
    radial /= np.linalg.norm(radial)
    tangential = np.array([[1.0, 0.0, 0.0]])
    strength = {}
    for machine in (MEG, EEG):
        info = make_info(machine, 100.0, np.random.default_rng(0))
        strength[machine.modality] = [
            np.abs(leadfield(info, place, one)).max() for one in (radial, tangential)
        ]
    assert strength["meg"][0] < 1e-3 * strength["meg"][1]
    assert strength["eeg"][0] > 0.5 * strength["eeg"][1]


def test_eeg_has_the_average_reference_and_turns_are_rotations():
    info = make_info(EEG, 100.0, np.random.default_rng(0))
    field = leadfield(info, np.array([[20.0, -60.0, 10.0]]), np.array([[0.0, 1.0, 0.0]]))
    assert abs(field.mean()) < 1e-9 * np.abs(field).max()
    turn = _turn(np.array([0.1, -0.2, 0.3]))
    assert np.allclose(turn @ turn.T, np.eye(3))
