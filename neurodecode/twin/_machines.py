"""MEG and EEG machines: sensors where real ones are, and what a dipole does to each of them.

The head is a sphere; sensors are those of MNE's CTF-275 and BioSemi-64 descriptions, moved and
turned with the person and the session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Modality

HEAD_CENTRE_M = (0.0, 0.0, 0.04)
"""Centre of the sphere in head coordinates, as MNE has it for spherical caps."""
HEAD_RADIUS_M = 0.09
BRAIN_CENTRE_MM = (0.0, -18.0, 0.0)
"""The point of MNI space that is put at the centre of the sphere."""
DEEPEST, HIGHEST = 0.15, 0.80
"""Dipoles stay between these shares of the head's radius."""
DIPOLE_AM = 1e-8


@dataclass(frozen=True)
class Machine:
    """How a recording is made.

    Parameters
    ----------
    modality : {'meg', 'eeg'}
    sensors : str
        ``'ctf275'`` or the name of one of MNE's montages, such as ``'biosemi64'``.
    sfreq : float
        Samples a second, Hz.
    window_s : tuple of 2 floats
        A trial's start and end, seconds from stimulus onset.
    duration_s : float
        How long a scene is shown.
    levels : tuple of 3 floats
        Standard deviation of ongoing brain activity, of alpha waves and of the sensors' own noise
        in a typical sensor: T or V.
    snr : float
        Standard deviation over scenes of the noise-free response, over that of one trial's noise:
        at the best moment, mean of the ten best sensors.
    """

    modality: Modality
    sensors: str
    sfreq: float
    window_s: tuple[float, float]
    duration_s: float
    levels: tuple[float, float, float]
    snr: float

    @property
    def times(self) -> NDArray[np.float64]:
        """Seconds from stimulus onset of each sample."""
        first, last = (round(one * self.sfreq) for one in self.window_s)
        return np.arange(first, last + 1) / self.sfreq


MEG = Machine("meg", "ctf275", 100.0, (-0.1, 0.7), 0.5, (200e-15, 100e-15, 40e-15), 0.25)
EEG = Machine("eeg", "biosemi64", 100.0, (-0.1, 0.7), 0.1, (8e-6, 4e-6, 0.7e-6), 0.20)


def make_info(machine: Machine, sfreq: float, rng: np.random.Generator) -> Any:
    """Sensors round one head, as MNE's measurement info: one more draw is another placing.

    The helmet or cap is moved by about 3 mm and turned by about 2 degrees.

    Returns
    -------
    mne.Info
    """
    import mne
    from mne.transforms import Transform

    shift = rng.normal(0, 0.003, 3)
    turn = _turn(rng.normal(0, np.deg2rad(2.0), 3))
    if machine.modality == "eeg":
        montage = mne.channels.make_standard_montage(machine.sensors)
        info = mne.create_info(montage.ch_names, sfreq, "eeg", verbose="error")
        info.set_montage(montage, verbose="error")
        known = info.get_montage().get_positions()
        places = {name: _on_head(place, turn) for name, place in known["ch_pos"].items()}
        marks = {name: known[name] for name in ("nasion", "lpa", "rpa")}
        info.set_montage(mne.channels.make_dig_montage(places, **marks, coord_frame="head"))
        return info
    known = mne.channels.read_meg_canonical_info(machine.sensors, verbose="error")
    info = mne.create_info(known["ch_names"], sfreq, "mag", verbose="error")
    for channel, sensor in zip(info["chs"], known["chs"], strict=True):
        channel.update({key: sensor[key] for key in ("loc", "coil_type", "coord_frame", "unit")})
    place = np.eye(4)
    place[:3, :3] = turn
    place[:3, 3] = np.asarray(HEAD_CENTRE_M) - turn @ _helmet_centre(known) + shift
    info["dev_head_t"] = Transform("meg", "head", place)
    return info


def sensor_positions_mm(info: Any) -> NDArray[np.float64]:
    """Where the sensors are in head coordinates, shape (n_sensors, 3)."""
    places = np.array([channel["loc"][:3] for channel in info["chs"]])
    if info["dev_head_t"] is not None:
        move = info["dev_head_t"]["trans"]
        places = places @ move[:3, :3].T + move[:3, 3]
    return np.asarray(places * 1e3)


def leadfield(
    info: Any, positions_mm: NDArray[np.float64], directions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What dipoles of 10 nA m do to each sensor: T or V.

    Parameters
    ----------
    info : mne.Info
    positions_mm : float array, shape (n_dipoles, 3)
        MNI space; moved into the sphere.
    directions : float array, shape (n_dipoles, 3)
        Unit vectors.

    Returns
    -------
    float array, shape (n_sensors, n_dipoles)
        EEG is referenced to the average.
    """
    import mne

    sphere = mne.make_sphere_model(HEAD_CENTRE_M, head_radius=HEAD_RADIUS_M, verbose="error")
    n_dipoles = len(positions_mm)
    dipole = mne.Dipole(
        np.arange(n_dipoles) * 1e-3,
        in_head_m(positions_mm),
        np.full(n_dipoles, DIPOLE_AM),
        directions,
        np.full(n_dipoles, 100.0),
    )
    solution, _ = mne.make_forward_dipole(dipole, sphere, info, verbose="error")
    field = np.asarray(solution["sol"]["data"], dtype=np.float64) * DIPOLE_AM
    if mne.channel_type(info, 0) == "eeg":
        field -= field.mean(axis=0)
    return field


def in_head_m(positions_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """From MNI space (mm) into the sphere (m, head coordinates)."""
    away = (positions_mm - np.asarray(BRAIN_CENTRE_MM)) * 1e-3
    radius = np.linalg.norm(away, axis=1, keepdims=True) + 1e-9
    away *= np.clip(radius, DEEPEST * HEAD_RADIUS_M, HIGHEST * HEAD_RADIUS_M) / radius
    return np.asarray(away + np.asarray(HEAD_CENTRE_M))


def random_directions(n_dipoles: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Unit vectors to all sides, shape (n_dipoles, 3)."""
    vectors = rng.normal(0, 1, (n_dipoles, 3))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _helmet_centre(info: Any) -> NDArray[np.float64]:
    """Centre of the sphere that fits the sensors best (least squares)."""
    places = np.array([channel["loc"][:3] for channel in info["chs"]])
    table = np.column_stack([2 * places, np.ones(len(places))])
    solved, *_ = np.linalg.lstsq(table, (places**2).sum(axis=1), rcond=None)
    return np.asarray(solved[:3])


def _on_head(place: NDArray[np.float64], turn: NDArray[np.float64]) -> NDArray[np.float64]:
    centre = np.asarray(HEAD_CENTRE_M)
    return np.asarray(turn @ (place - centre) + centre)


def _turn(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation about x, then y, then z."""
    turn = np.eye(3)
    for axis, angle in enumerate(angles):
        one = np.eye(3)
        first, second = (axis + 1) % 3, (axis + 2) % 3
        one[first, first] = one[second, second] = np.cos(angle)
        one[first, second], one[second, first] = -np.sin(angle), np.sin(angle)
        turn = one @ turn
    return turn
