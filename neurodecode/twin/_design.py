"""Who sees what and when: trials, runs, sessions, repeats, and the split that goes with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode import scenes
from neurodecode.data import Responses, Split

FIRST, WORLD = 100_000_000, 10_000_000
"""A twin with seed s shows scenes from FIRST + WORLD * s on; the shipped models saw lower ones."""
TEST_OFFSET = 9_000_000
PERSON_STEP = 100_000


@dataclass(frozen=True)
class Design:
    """How an experiment is built.

    Parameters
    ----------
    n_trials : int
        Training trials of each person, each with a scene of its own.
    n_test : int
        Test scenes, the same for all people.
    test_repeats : int
        How often each test scene is shown to each person, in different runs where possible.
    shared : float
        Share of the training scenes that all people see; 0 gives each person scenes of their own.
    n_sessions, runs_per_session : int
        Trials are spread evenly.
    bad : float
        Share of trials spoiled by movement, a blink or a jump.

    Examples
    --------
    >>> Design(n_trials=4, n_test=2, test_repeats=3).trials(0, 0).stimulus.shape
    (10,)
    """

    n_trials: int = 1000
    n_test: int = 200
    test_repeats: int = 3
    shared: float = 0.25
    n_sessions: int = 2
    runs_per_session: int = 5
    bad: float = 0.02

    def __post_init__(self) -> None:
        for name in ("n_trials", "n_test", "test_repeats", "n_sessions", "runs_per_session"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)}.")
        for name in ("shared", "bad"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share from 0 to 1; got {getattr(self, name)}.")
        if self.n_trials > PERSON_STEP:
            raise ValueError(f"n_trials goes up to {PERSON_STEP} a person; got {self.n_trials}.")

    @property
    def total(self) -> int:
        """All trials of one person."""
        return self.n_trials + self.n_test * self.test_repeats

    def test_ids(self, seed: int) -> list[str]:
        """Ids of the test scenes."""
        first = FIRST + WORLD * seed + TEST_OFFSET
        return [scenes.scene_id(first + i) for i in range(self.n_test)]

    def train_ids(self, seed: int, person: int) -> list[str]:
        """Ids of one person's training scenes: first those that all see."""
        first = FIRST + WORLD * seed
        n_shared = round(self.shared * self.n_trials)
        own = first + PERSON_STEP * (person + 1)
        numbers = [*range(first, first + n_shared), *range(own, own + self.n_trials - n_shared)]
        return [scenes.scene_id(number) for number in numbers]

    def trials(self, seed: int, person: int) -> Trials:
        """One person's trials in the order shown."""
        rng = np.random.default_rng((seed, person, 101))
        n_runs = self.n_sessions * self.runs_per_session
        train = self.train_ids(seed, person)
        test = self.test_ids(seed)
        run_of = [rng.permutation(np.arange(self.n_trials) % n_runs)]
        # the repeats of a test scene go to different runs
        start = rng.permutation(np.arange(self.n_test) % n_runs)
        step = max(1, n_runs // self.test_repeats)
        run_of += [(start + step * repeat) % n_runs for repeat in range(self.test_repeats)]
        run = np.concatenate(run_of)
        stimulus = np.array(train + test * self.test_repeats)
        part = np.array(["train"] * len(train) + ["test"] * (len(stimulus) - len(train)))
        order = np.lexsort((rng.random(len(run)), run))
        run = run[order]
        bad = rng.random(len(run)) < self.bad
        return Trials(stimulus[order], run, run // self.runs_per_session, part[order], bad)


@dataclass(frozen=True, eq=False)
class Trials:
    """The trial table of one person; ``run`` and ``session`` count from 0."""

    stimulus: NDArray[np.str_]
    run: NDArray[np.intp]
    session: NDArray[np.intp]
    part: NDArray[np.str_]
    bad: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.stimulus)

    def columns(self) -> dict[str, Any]:
        """What `Responses` takes: stimulus, run, session and further columns."""
        facts = [scenes.attributes(one) for one in self.stimulus.tolist()]
        more = {
            key: np.array([fact[key] for fact in facts]) for key in ("kind", "colour", "background")
        }
        return {
            "stimulus": self.stimulus,
            "run": [f"run-{number + 1:02d}" for number in self.run],
            "session": [f"ses-{number + 1:02d}" for number in self.session],
            "metadata": {"part": self.part, "bad": self.bad, **more},
        }


def split(
    responses: Responses | Sequence[Responses], *, validation: float = 0.1, seed: int = 0
) -> Split:
    """Test scenes as designed; of the training scenes a random share for validation.

    Parameters
    ----------
    responses : Responses or sequence of them
        From `fmri`, `meg` or `eeg`.
    validation : float
        Share of the training scenes.
    seed : int

    Raises
    ------
    ValueError
        If the trials do not say which part they belong to.

    Examples
    --------
    >>> from neurodecode import twin
    >>> people = twin.fmri(1, 10, n_voxels=30, design=twin.Design(n_test=4, test_repeats=2))
    >>> split(people)
    Split(by stimulus: 9 train, 1 validation, 4 test; the twin's design, validation 0.1, seed 0)
    """
    people = [responses] if isinstance(responses, Responses) else list(responses)
    parts: dict[str, set[str]] = {"train": set(), "test": set()}
    for person in people:
        for name, ids in parts.items():
            ids.update(person.stimulus[person.groups("part") == name].tolist())
    train = np.random.default_rng(seed).permutation(np.array(sorted(parts["train"])))
    n_validation = round(validation * len(train))
    return Split(
        train[n_validation:],
        train[:n_validation],
        np.array(sorted(parts["test"])),
        rule=f"the twin's design, validation {validation:g}, seed {seed}",
    )
