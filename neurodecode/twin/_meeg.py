"""MEG and EEG of simulated people, trial by trial: sensors x times."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Responses
from neurodecode.twin._ceiling import ceiling_of
from neurodecode.twin._cortex import AREAS, Cortex
from neurodecode.twin._design import Design, Trials
from neurodecode.twin._folding import directions
from neurodecode.twin._machines import (
    EEG,
    MEG,
    Machine,
    leadfield,
    make_info,
    random_directions,
    sensor_positions_mm,
)
from neurodecode.twin._marking import simulated
from neurodecode.twin._noise import pink
from neurodecode.twin._vision import Vision, look, reference

N_DIPOLES = 240
N_BACKGROUND = 90
N_ALPHA = 12
BEST_SENSORS = 10
ONSET_LEVEL = 1.5
"""What every scene evokes, in standard deviations of what differs between scenes."""
RUN_OFFSET = 0.3
"""A run's own offset, in standard deviations of the ongoing activity."""
RUN_GAIN = 0.1
BAD_GAIN = 4.0
CHUNK = 128
EYES_MM = ((-32.0, 50.0, -36.0), (32.0, 50.0, -36.0))


class MeegPerson:
    """One simulated person in an MEG helmet or under an EEG cap.

    Parameters
    ----------
    number : int
        Which person, from 0.
    machine : Machine
    seed : int
    signal : float
        Multiplies what differs between scenes; 0 takes all information away.
    n_sessions : int
        Sensors are placed anew in each.

    Attributes
    ----------
    cortex : Cortex
        Dipoles along the ventral stream and what they answer to.
    infos : list of mne.Info
        Sensors of each session.

    Examples
    --------
    >>> person = MeegPerson(0, EEG)
    >>> person.subject, person.course.shape
    ('sub-01', (240, 81))
    """

    def __init__(
        self,
        number: int,
        machine: Machine = MEG,
        seed: int = 0,
        signal: float = 1.0,
        n_sessions: int = 1,
    ) -> None:
        if signal < 0:
            raise ValueError(f"signal must not be negative; got {signal}.")
        self.number, self.machine, self.seed, self.strength = number, machine, seed, float(signal)
        self.cortex = Cortex(N_DIPOLES, seed=(seed, number, 2))
        rng = np.random.default_rng((seed, number, 17))
        self._directions = directions(self.cortex.average_mm, rng)
        self._latency = self._draw_latencies(rng)
        self._background = (_in_brain(N_BACKGROUND, rng), random_directions(N_BACKGROUND, rng))
        posterior = np.array([0.0, -70.0, 25.0]) + rng.normal(0, 15, (N_ALPHA, 3))
        self._alpha = (posterior, random_directions(N_ALPHA, rng))
        self.alpha_hz = float(rng.uniform(8.5, 11.5))
        self._common = ONSET_LEVEL * rng.uniform(0.3, 1.0, N_DIPOLES)
        self.infos: list[Any] = [make_info(machine, machine.sfreq, rng) for _ in range(n_sessions)]

    @property
    def subject(self) -> str:
        """``sub-01`` for person 0."""
        return f"sub-{self.number + 1:02d}"

    @cached_property
    def course(self) -> NDArray[np.float64]:
        """Time course of each dipole at the machine's samples, shape (n_dipoles, n_times)."""
        return self.course_at(self.machine.times)

    def course_at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Time course of each dipole: onset, rebound, sustained part and offset.

        Parameters
        ----------
        times : float array, shape (n_times,)
            Seconds from stimulus onset.
        """
        since, peak = times[None, :], self._latency[:, None]
        width = 0.012 + 0.15 * peak
        end = peak + self.machine.duration_s

        def bump(centre: NDArray[np.float64], wide: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.exp(-(((since - centre) / wide) ** 2) / 2)

        rise = 1 / (1 + np.exp(-(since - peak) / (0.3 * width)))
        fall = 1 / (1 + np.exp((since - end) / width))
        course = bump(peak, width) - 0.5 * bump(peak + 2.5 * width, 1.6 * width)
        course = course + 0.3 * rise * fall + 0.4 * bump(end, 1.3 * width)
        # nothing reaches the cortex in the first 40 ms
        return np.asarray(course * (since > 0.04))

    @cached_property
    def fields(self) -> list[NDArray[np.float64]]:
        """For each session, what one standard deviation of each dipole does to each sensor."""
        raw = [leadfield(info, self.cortex.positions_mm, self._directions) for info in self.infos]
        spread = self._spread_of(raw[0])
        best = np.sort((spread / self.noise_level(0)[:, None]).max(axis=1))[-BEST_SENSORS:].mean()
        return [one * (self.machine.snr / best) for one in raw]

    @cached_property
    def noise_fields(self) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """For each session, what ongoing activity and alpha sources do, at their levels."""
        fields = []
        for info in self.infos:
            pair = []
            for source, level in zip(
                (self._background, self._alpha), self.machine.levels, strict=False
            ):
                field = leadfield(info, *source)
                pair.append(field * (level / np.median(np.sqrt((field**2).sum(axis=1)))))
            fields.append((pair[0], pair[1]))
        return fields

    @property
    def evoked(self) -> NDArray[np.float64]:
        """What all scenes evoke in the first session, shape (n_sensors, n_times): T or V."""
        return np.asarray(self.fields[0] @ (self._common[:, None] * self.course))

    def noise_level(self, session: int = 0) -> NDArray[np.float64]:
        """Standard deviation of one good trial's noise in each sensor: T or V."""
        ongoing, alpha = self.noise_fields[session]
        square = (ongoing**2).sum(axis=1) * (1 + RUN_OFFSET**2) * np.exp(2 * RUN_GAIN**2)
        square = square + (alpha**2).sum(axis=1) + self.machine.levels[2] ** 2
        return np.asarray(np.sqrt(square))

    def snr(self, session: int = 0) -> NDArray[np.float64]:
        """Spread of the signal over scenes, over the noise: shape (n_sensors, n_times)."""
        spread = self.strength * self._spread_of(self.fields[session])
        return spread / self.noise_level(session)[:, None]

    def noise_ceiling(self, n_repeats: int = 1, session: int = 0) -> NDArray[np.float64]:
        """True noise ceiling of means of ``n_repeats`` good trials, (n_sensors, n_times)."""
        return ceiling_of(self.snr(session), n_repeats)

    def amplitudes(self, vision: Vision) -> NDArray[np.float32]:
        """How strongly each dipole answers to each scene, shape (n_scenes, n_dipoles)."""
        return (self._common + self.strength * self.cortex.respond(vision)).astype(np.float32)

    def record(self, trials: Trials, vision: Vision | None = None) -> Responses:
        """What the machine gives for these trials, cut around stimulus onset.

        Parameters
        ----------
        trials : Trials
        vision : Vision, optional
            What there is to see in the scenes shown, if it was computed before.
        """
        if trials.session.max() >= len(self.infos):
            raise ValueError(
                f"{self.subject} has sensors for {len(self.infos)} sessions; the trials have "
                f"{trials.session.max() + 1}. Make the person with n_sessions of the design."
            )
        seen = look(np.unique(trials.stimulus).tolist()) if vision is None else vision
        amplitude = self.amplitudes(seen)[seen.rows(trials.stimulus)]
        shape = (len(trials), len(self.infos[0]["ch_names"]), len(self.machine.times))
        values = np.empty(shape, dtype=np.float32)
        rng = np.random.default_rng((self.seed, self.number, 19))
        run_offset = rng.normal(0, RUN_OFFSET, (trials.run.max() + 1, N_BACKGROUND))
        run_gain = np.exp(rng.normal(0, RUN_GAIN, trials.run.max() + 1))
        for session in np.unique(trials.session):
            field, course = self.fields[session].astype(np.float32), self.course.astype(np.float32)
            rows = np.flatnonzero(trials.session == session)
            for start in range(0, len(rows), CHUNK):
                some = rows[start : start + CHUNK]
                values[some] = field @ (amplitude[some][:, :, None] * course)
                gain = np.where(trials.bad[some], BAD_GAIN, 1.0) * run_gain[trials.run[some]]
                values[some] += self._noise(rng, gain, run_offset[trials.run[some]], session)
        return Responses(
            values,
            subject=self.subject,
            modality=self.machine.modality,
            dims=("trial", "channel", "time"),
            sfreq=self.machine.sfreq,
            times=self.machine.times,
            positions=sensor_positions_mm(self.infos[0]),
            units=self.infos[0]["ch_names"],
            provenance=simulated(
                f"twin-{self.machine.modality}",
                self.seed,
                self.subject,
                (self.machine, self.strength, len(self.infos)),
                trials.stimulus.tolist(),
            ),
            **trials.columns(),
        )

    def _noise(
        self,
        rng: np.random.Generator,
        gain: NDArray[np.float64],
        offset: NDArray[np.float64],
        session: int,
    ) -> NDArray[np.float32]:
        ongoing, alpha = (one.astype(np.float32) for one in self.noise_fields[session])
        n_trials, n_times = len(gain), len(self.machine.times)
        wave = pink((n_trials, N_BACKGROUND, n_times), 1.0, rng, self.machine.sfreq)
        wave = (wave + offset[:, :, None].astype(np.float32)) * gain[:, None, None].astype(
            np.float32
        )
        noise = ongoing @ wave + alpha @ self._alpha_waves(rng, n_trials)
        white = rng.standard_normal(noise.shape, dtype=np.float32)
        return np.asarray(noise + np.float32(self.machine.levels[2]) * white)

    def _alpha_waves(self, rng: np.random.Generator, n_trials: int) -> NDArray[np.float32]:
        """Waves of variance 1 that come and go from trial to trial."""
        phase = rng.uniform(0, 2 * np.pi, (n_trials, N_ALPHA, 1))
        hertz = self.alpha_hz + rng.normal(0, 0.4, (n_trials, 1, 1))
        size = np.sqrt(rng.exponential(1.0, (n_trials, N_ALPHA, 1)))
        waves = np.sqrt(2) * size * np.cos(2 * np.pi * hertz * self.machine.times + phase)
        return np.asarray(waves, dtype=np.float32)

    def _spread_of(self, field: NDArray[np.float64]) -> NDArray[np.float64]:
        """Standard deviation over the reference scenes in each sensor at each time."""
        answers = self.cortex.respond(reference()).astype(np.float64)
        # spread of field @ (course * answer): through the square root of the answers' covariance
        _, size, axes = np.linalg.svd(answers - answers.mean(axis=0), full_matrices=False)
        root = (axes.T * size) / np.sqrt(len(answers))
        columns = [np.sqrt((((field * one) @ root) ** 2).sum(axis=1)) for one in self.course.T]
        return np.stack(columns, axis=1)

    def _draw_latencies(self, rng: np.random.Generator) -> NDArray[np.float64]:
        area = np.array([one.latency_s for one in AREAS])
        person = rng.normal(0, 0.006)
        return np.asarray(area[self.cortex.area] + person + rng.normal(0, 0.010, N_DIPOLES)).clip(
            0.06
        )


def meg(
    n_subjects: int = 4,
    n_trials: int = 1000,
    *,
    seed: int = 0,
    signal: float = 1.0,
    design: Design | None = None,
    machine: Machine = MEG,
) -> list[Responses]:
    """Simulated MEG of people who look at scenes for 500 ms: 274 axial gradiometers.

    Parameters
    ----------
    n_subjects : int
    n_trials : int
        Training trials a person; test trials come on top (see ``design``).
    seed : int
        Another seed: other people and other scenes.
    signal : float
        Multiplies what differs between scenes; at 1, one trial's signal has a standard deviation
        of a quarter of the noise in the best sensors at the best moment. 0: no information.
    design : Design, optional
        Test scenes, repeats, sessions; its ``n_trials`` is replaced. By default 200 test scenes,
        4 times each.
    machine : Machine
        Sensors, sampling, noise.

    Returns
    -------
    list of Responses
        ``values`` (n_trials, n_channels, n_times) in T, not filtered, no baseline taken off.

    Examples
    --------
    >>> meg(1, 6, design=Design(n_test=2, test_repeats=2))
    [Responses(sub-01, meg, 10 trials of 8 stimuli, channel: 274, time: 81)]
    """
    return _people(machine, n_subjects, n_trials, seed, signal, design)


def eeg(
    n_subjects: int = 4,
    n_trials: int = 1000,
    *,
    seed: int = 0,
    signal: float = 1.0,
    design: Design | None = None,
    machine: Machine = EEG,
) -> list[Responses]:
    """Simulated EEG of people who look at scenes for 100 ms: 64 electrodes, average reference.

    Parameters and result are those of `meg`; ``values`` are in V, and one trial's signal has a
    standard deviation of a fifth of the noise in the best electrodes at the best moment.

    Examples
    --------
    >>> eeg(1, 6, design=Design(n_test=2, test_repeats=2))
    [Responses(sub-01, eeg, 10 trials of 8 stimuli, channel: 64, time: 81)]
    """
    return _people(machine, n_subjects, n_trials, seed, signal, design)


def _people(
    machine: Machine,
    n_subjects: int,
    n_trials: int,
    seed: int,
    signal: float,
    design: Design | None,
) -> list[Responses]:
    plan = replace(design or Design(test_repeats=4), n_trials=n_trials)
    ids = {one for number in range(n_subjects) for one in plan.train_ids(seed, number)}
    vision = look(sorted(ids | set(plan.test_ids(seed))))
    return [
        MeegPerson(number, machine, seed, signal, plan.n_sessions).record(
            plan.trials(seed, number), vision
        )
        for number in range(n_subjects)
    ]


def _in_brain(n_dipoles: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Places all over the brain, in mm."""
    away = random_directions(n_dipoles, rng) * 70 * rng.uniform(0.3, 1, (n_dipoles, 1)) ** (1 / 3)
    return np.asarray(away + np.array([0.0, -18.0, 10.0]))
