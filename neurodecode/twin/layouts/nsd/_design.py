"""Which simulated person sees which picture when, in the way of the Natural Scenes Dataset."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode import scenes
from neurodecode.data import Responses
from neurodecode.twin._design import FIRST, WORLD, Trials
from neurodecode.twin._fmri import FmriPerson

RUNS_PER_SESSION = 12


@dataclass(frozen=True)
class NsdDesign:
    """NSD's design in small: every person sees the shared pictures and pictures of their own.

    Parameters
    ----------
    n_subjects : int
        Real: 8.
    n_shared, n_own : int
        Shared pictures and pictures of one person alone. Real: 1000 and 9000.
    n_repeats : int
        How often each picture is shown. Real: 3.
    n_sessions : int
        Real: 40 (some people 30 or 32) of 750 trials.
    seed : int

    Examples
    --------
    >>> design = NsdDesign(n_subjects=2, n_shared=4, n_own=6, n_sessions=3)
    >>> design.n_pictures, design.masterordering.shape, design.subjectim.shape
    (16, (1, 30), (2, 10))
    """

    n_subjects: int = 4
    n_shared: int = 20
    n_own: int = 60
    n_repeats: int = 3
    n_sessions: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_trials % self.n_sessions:
            raise ValueError(
                f"{self.n_trials} trials a person can't be spread evenly over {self.n_sessions} "
                f"sessions. Change n_sessions, n_shared or n_own."
            )

    @property
    def n_trials(self) -> int:
        """Trials of one person."""
        return (self.n_shared + self.n_own) * self.n_repeats

    @property
    def n_pictures(self) -> int:
        """Pictures of all people (NSD: 73000)."""
        return self.n_shared + self.n_subjects * self.n_own

    @cached_property
    def masterordering(self) -> NDArray[np.uint16]:
        """1-based places in a person's list, the same order for all people, (1, n_trials)."""
        rng = np.random.default_rng((self.seed, 1))
        ids = np.repeat(np.arange(1, self.n_shared + self.n_own + 1), self.n_repeats)
        return rng.permutation(ids)[None].astype(np.uint16)

    @cached_property
    def subjectim(self) -> NDArray[np.int32]:
        """Each person's list: 1-based picture numbers, shared ones first."""
        rng = np.random.default_rng((self.seed, 2))
        pictures = rng.permutation(np.arange(1, self.n_pictures + 1))
        shared, own = np.sort(pictures[: self.n_shared]), pictures[self.n_shared :]
        lists = own.reshape(self.n_subjects, self.n_own)
        return np.concatenate(
            [np.tile(shared, (self.n_subjects, 1)), lists], axis=1, dtype=np.int32
        )

    @property
    def sharedix(self) -> NDArray[np.int32]:
        """1-based numbers of the shared pictures, (1, n_shared)."""
        return self.subjectim[:1, : self.n_shared]

    def shown(self, subject: int) -> NDArray[np.int32]:
        """1-based picture of each trial of a person (from 1), shape (n_trials,)."""
        shown: NDArray[np.int32] = self.subjectim[subject - 1][
            self.masterordering[0].astype(int) - 1
        ]
        return shown

    @property
    def session(self) -> NDArray[np.intp]:
        """Session of each trial, from 1."""
        return np.arange(self.n_trials) // (self.n_trials // self.n_sessions) + 1

    @property
    def run(self) -> NDArray[np.intp]:
        """Run within the session of each trial, from 1."""
        per_session = self.n_trials // self.n_sessions
        per_run = -(-per_session // min(RUNS_PER_SESSION, per_session))
        return np.arange(self.n_trials) % per_session // per_run + 1

    def scene(self, picture: int) -> str:
        """The scene that is picture number ``picture`` (0-based)."""
        return scenes.scene_id(FIRST + WORLD * self.seed + int(picture))

    def pictures(self, size: int) -> NDArray[np.uint8]:
        """All pictures, uint8 (n_pictures, size, size, 3)."""
        return np.stack([resized(self.scene(one), size) for one in range(self.n_pictures)])

    def people(self, n_voxels: int = 60, signal: float = 1.0) -> list[Responses]:
        """Simulated responses of all people, in the order of their trials.

        Ids are those of NSD's readers: ``'nsd-00007'`` for picture 7 (0-based).
        """
        return [self._record(person, n_voxels, signal) for person in range(self.n_subjects)]

    def _record(self, number: int, n_voxels: int, signal: float) -> Responses:
        shown = self.shown(number + 1)
        per_session = self.run.max()
        trials = Trials(
            np.array([self.scene(one - 1) for one in shown]),
            (self.session - 1) * per_session + self.run - 1,
            self.session - 1,
            np.where(np.isin(shown, self.sharedix), "test", "train"),
            np.zeros(len(shown), dtype=bool),
        )
        recorded = FmriPerson(number, n_voxels, self.seed, signal).record(trials)
        named: dict[str, Any] = {
            "stimulus": np.array([f"nsd-{one - 1:05d}" for one in shown]),
            "subject": f"subj{number + 1:02d}",
            "session": self.session.astype(str),
        }
        return recorded.with_values(recorded.values, **named)


def resized(scene: str, size: int) -> NDArray[np.uint8]:
    """A scene as a picture of another size, by nearest neighbour."""
    picture = scenes.render(scene)
    place = np.arange(size) * len(picture) // size
    return np.asarray(picture[place][:, place])
