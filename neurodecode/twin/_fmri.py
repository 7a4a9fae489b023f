"""fMRI of simulated people, response by response (betas): no images, no time series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Responses
from neurodecode.twin._ceiling import ceiling_of
from neurodecode.twin._cortex import Cortex
from neurodecode.twin._design import Design, Trials
from neurodecode.twin._marking import simulated
from neurodecode.twin._noise import autoregress, smooth_maps
from neurodecode.twin._vision import Vision, look

MEAN_CEILING = 0.35
"""Mean noise ceiling of a voxel, as a share of variance, for the mean of three repeats."""
CEILING_REPEATS = 3
CEILING_SPREAD = 4.6
"""Sum of the two parameters of the beta distribution of ceilings: a broad one."""
# Shares of the noise variance; they add up to 1.
WHITE, NEARBY, COMMON, RUN_DRIFT, SESSION_DRIFT = 0.50, 0.28, 0.07, 0.10, 0.05
MEMORY = 0.3
"""Correlation of the nearby and common noise from one trial to the next."""
SMOOTHNESS_MM = 6.0
BAD_GAIN = 3.0


class FmriPerson:
    """One simulated person in a scanner.

    Parameters
    ----------
    number : int
        Which person, from 0.
    n_voxels : int
        Voxels of people differ around this number by up to a fifth.
    seed : int
    signal : float
        Multiplies the signal's size in every voxel; 0 takes all information away.

    Attributes
    ----------
    cortex : Cortex
        Where the voxels are and what they answer to.
    snr : float array, shape (n_voxels,)
        Standard deviation of the signal over that of one trial's noise.

    Examples
    --------
    >>> person = FmriPerson(0, n_voxels=50)
    >>> person.subject, 40 <= person.cortex.n_units <= 60
    ('sub-01', True)
    """

    def __init__(
        self, number: int, n_voxels: int = 1500, seed: int = 0, signal: float = 1.0
    ) -> None:
        if signal < 0:
            raise ValueError(f"signal must not be negative; got {signal}.")
        self.number, self.seed, self._settings = number, seed, (n_voxels, float(signal))
        rng = np.random.default_rng((seed, number, 7))
        self.cortex = Cortex(round(n_voxels * rng.uniform(0.8, 1.2)), seed=(seed, number, 1))
        ceiling = rng.beta(
            MEAN_CEILING * CEILING_SPREAD, (1 - MEAN_CEILING) * CEILING_SPREAD, self.cortex.n_units
        )
        self.snr = signal * np.sqrt(ceiling / (1 - ceiling) / CEILING_REPEATS)

    @property
    def subject(self) -> str:
        """``sub-01`` for person 0."""
        return f"sub-{self.number + 1:02d}"

    def noise_ceiling(self, n_repeats: int = CEILING_REPEATS) -> NDArray[np.float64]:
        """The true noise ceiling of each voxel for the mean of ``n_repeats`` good trials."""
        return ceiling_of(self.snr, n_repeats)

    def signal(self, vision: Vision) -> NDArray[np.float32]:
        """Noise-free responses in units of one trial's noise, shape (n_scenes, n_voxels)."""
        return self.cortex.respond(vision) * self.snr.astype(np.float32)

    def record(self, trials: Trials, vision: Vision | None = None) -> Responses:
        """What the scanner gives for these trials.

        Parameters
        ----------
        trials : Trials
        vision : Vision, optional
            What there is to see in the scenes shown, if it was computed before.
        """
        seen = look(np.unique(trials.stimulus).tolist()) if vision is None else vision
        clean = self.signal(seen)[seen.rows(trials.stimulus)]
        values = clean + self.noise(trials)
        return Responses(
            values.astype(np.float32),
            subject=self.subject,
            modality="fmri",
            positions=self.cortex.positions_mm,
            units=self.cortex.labels,
            provenance=simulated(
                "twin-fmri", self.seed, self.subject, self._settings, trials.stimulus.tolist()
            ),
            **trials.columns(),
        )

    def noise(self, trials: Trials) -> NDArray[np.float32]:
        """One trial's noise of variance 1 in each voxel, shape (n_trials, n_voxels)."""
        rng = np.random.default_rng((self.seed, self.number, 13))
        n_trials, n_voxels = len(trials), self.cortex.n_units
        positions = self.cortex.positions_mm
        nearby = autoregress(
            smooth_maps(positions, n_trials, SMOOTHNESS_MM, rng), MEMORY, trials.run
        )
        common = autoregress(
            rng.standard_normal((n_trials, 1), dtype=np.float32), MEMORY, trials.run
        )
        common = common * rng.choice([-1.0, 1.0], n_voxels, p=[0.1, 0.9]).astype(np.float32)
        noise = np.sqrt(WHITE) * rng.standard_normal((n_trials, n_voxels), dtype=np.float32)
        noise += np.sqrt(NEARBY) * nearby + np.sqrt(COMMON) * common
        noise[trials.bad] *= BAD_GAIN
        n_runs, n_sessions = trials.run.max() + 1, trials.session.max() + 1
        # a run has its own offset and slope, a session its own offset, alike in neighbouring voxels
        offset = smooth_maps(positions, n_runs, 3 * SMOOTHNESS_MM, rng)
        slope = smooth_maps(positions, n_runs, 3 * SMOOTHNESS_MM, rng)
        noise += np.sqrt(RUN_DRIFT / 2) * (
            offset[trials.run] + slope[trials.run] * _within(trials.run)[:, None]
        )
        session = smooth_maps(positions, n_sessions, 3 * SMOOTHNESS_MM, rng)
        noise += np.sqrt(SESSION_DRIFT) * session[trials.session]
        return np.asarray(noise)


def fmri(
    n_subjects: int = 4,
    n_trials: int = 1000,
    *,
    n_voxels: int = 1500,
    seed: int = 0,
    signal: float = 1.0,
    design: Design | None = None,
) -> list[Responses]:
    """Simulated fMRI responses (betas) of people who look at scenes.

    Parameters
    ----------
    n_subjects : int
    n_trials : int
        Training trials a person; test trials come on top (see ``design``).
    n_voxels : int
        About how many voxels a person has.
    seed : int
        Another seed: other people and other scenes.
    signal : float
        1 is the published strength: a mean noise ceiling of 35 % of the variance for means of
        three repeats (about 18 % for one trial). 0 takes all information away.
    design : Design, optional
        Test scenes, repeats, sessions; its ``n_trials`` is replaced.

    Returns
    -------
    list of Responses
        ``values`` (n_trials, n_voxels) in units of one trial's noise; `units` are areas.

    Examples
    --------
    >>> fmri(1, 6, n_voxels=40, design=Design(n_test=2, test_repeats=2))
    [Responses(sub-01, fmri, 10 trials of 8 stimuli, voxel: 34)]
    """
    plan = replace(design or Design(), n_trials=n_trials)
    people = [FmriPerson(number, n_voxels, seed, signal) for number in range(n_subjects)]
    return [
        person.record(plan.trials(seed, person.number), vision)
        for person, vision in _seen(people, plan, seed)
    ]


def _seen(people: Sequence[FmriPerson], plan: Design, seed: int) -> list[tuple[FmriPerson, Vision]]:
    """Look once at every scene, however many people see it."""
    ids = {one for person in people for one in plan.train_ids(seed, person.number)}
    vision = look(sorted(ids | set(plan.test_ids(seed))))
    return [(person, vision) for person in people]


def _within(run: NDArray[np.intp]) -> NDArray[np.float32]:
    """Place of each trial in its run, mean 0 and variance 1."""
    place = np.zeros(len(run), dtype=np.float32)
    for one in np.unique(run):
        rows = np.flatnonzero(run == one)
        line = np.linspace(-1, 1, len(rows)) if len(rows) > 1 else np.zeros(1)
        place[rows] = line / max(float(line.std()), 1e-6)
    return place
