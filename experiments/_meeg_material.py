"""What experiments on pictures seen in MEG and EEG work on: people, pictures, and their parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurodecode import scenes
from neurodecode.data import Responses, Split, Stimuli
from neurodecode.preprocessing import whiten_trials
from neurodecode.twin import Design, Machine, MeegPerson

N_PEOPLE = 4
N_TEST, N_REPEATS = 100, 4


@dataclass(frozen=True, eq=False)
class Material:
    """People, what they saw, and which pictures are for what.

    ``test`` names the parts: a large set of single trials and a small set of repeated pictures.
    """

    people: list[Responses]
    stimuli: Stimuli
    split: Split
    test: dict[str, NDArray[np.str_]]
    simulated: bool
    names: tuple[str, str] = ("large_set_single_trial", "small_set")

    def seen_ids(self) -> list[str]:
        """Stimuli that fitting may see."""
        return _ids(self.split.seen(one) for one in self.people)

    def train_ids(self) -> list[str]:
        """Stimuli of the training part."""
        return _ids(self.split.part(one, "train") for one in self.people)


def _ids(people: Iterable[Responses]) -> list[str]:
    return [str(one) for one in np.unique(np.concatenate([one.stimulus for one in people]))]


def twin_material(
    machine: Machine, n_trials: int, fast: bool, seed: int, *, validation: float = 0.15
) -> Material:
    """A twin as THINGS is built: a quarter of the scenes, seen once by all, is the large test set.

    Parameters
    ----------
    machine : Machine
        ``twin.MEG`` or ``twin.EEG``.
    n_trials : int
        Scenes that each person sees once; a quarter of them becomes the large test set.
    fast : bool
        A few trials of two people in their place.
    seed : int
    validation : float
        Share of the scenes that are left for training.
    """
    n_people, n_trials, n_test, repeats = (
        (2, 48, 12, 2) if fast else (N_PEOPLE, n_trials, N_TEST, N_REPEATS)
    )
    design = Design(n_trials, n_test, repeats, shared=0.25)
    asked = [(number, machine, seed, design) for number in range(n_people)]
    if fast:
        return twin_parts([_person(one) for one in asked], validation, seed, fast)
    with ProcessPoolExecutor(n_people, mp_context=get_context("spawn")) as pool:
        return twin_parts(list(pool.map(_person, asked)), validation, seed, fast)


def _person(asked: tuple[int, Machine, int, Design]) -> Responses:
    """One simulated person, as `neurodecode.twin.meg` and `eeg` make them."""
    number, machine, seed, design = asked
    person = MeegPerson(number, machine, seed, 1.0, design.n_sessions)
    return person.record(design.trials(seed, number))


def twin_parts(
    people: Sequence[Responses], validation: float, seed: int, fast: bool = False
) -> Material:
    """Scenes that all saw once: large set; repeated ones: small set; others: to learn from."""
    shown = [one.stimulus[one.groups("part") == "train"] for one in people]
    large = np.array(sorted(set.intersection(*(set(one.tolist()) for one in shown))))
    small = np.unique(people[0].stimulus[people[0].groups("part") == "test"])
    rest = np.setdiff1d(np.concatenate(shown), large)
    mixed = np.random.default_rng(seed).permutation(rest)
    n_validation = round(validation * len(mixed))
    split = Split(
        mixed[n_validation:], mixed[:n_validation], large,
        rule=f"scenes shown to all people for testing, {validation:g} of the others to validate",
    )  # fmt: skip
    ids = [*np.unique(rest).tolist(), *large.tolist(), *small.tolist()]
    # drawn once and kept: targets, controls and the gallery ask for them again and again
    stimuli = Stimuli.from_arrays(ids, scenes.render_many(ids, workers=1 if fast else -1))
    ready = [whiten_trials(one, split) for one in people]
    return Material(ready, stimuli, split, {"large": large, "small": small}, simulated=True)


def by_stimulus(people: Sequence[Responses], split: Split, test: NDArray[np.str_]) -> Split:
    """A split by concept as one of pictures, with some pictures of the test concepts."""
    parts = {
        name: np.unique(np.concatenate([split.part(one, name).stimulus for one in people]))
        for name in ("train", "validation")
    }
    return Split(parts["train"], parts["validation"], test, rule=split.rule)


def pictures_below(folder: Path, ids: NDArray[np.str_]) -> Stimuli:
    """Picture files by the names that the readers give them.

    Raises
    ------
    FileNotFoundError
        If a picture is not there.
    """
    files = {one.stem: one for one in sorted(folder.rglob("*.jpg"))}
    missing = [one for one in np.unique(ids).tolist() if one not in files]
    if missing:
        raise FileNotFoundError(
            f"{folder} lacks {len(missing)} pictures (such as {missing[0]}.jpg). Unpack the THINGS "
            f"pictures there."
        )
    return Stimuli.from_files({one: files[one] for one in np.unique(ids).tolist()})
