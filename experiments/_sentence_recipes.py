"""Reading EEG for `zuco_glim`: recipes, and the people who read, simulated or recorded."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from neurodecode import twin as simulated
from neurodecode.data import Responses, Split
from neurodecode.datasets import zuco
from neurodecode.encoders import GlimLosses, GlimSize
from neurodecode.preprocessing import (
    ReadingRecipe,
    SentenceScale,
    glim_recipe,
    sentence_responses,
)
from neurodecode.training import Plan, pick_device

TWIN_S = 8.0
"""Simulated sentences are padded to this length, in seconds."""


@dataclass(frozen=True)
class Recipe:
    """Preprocessing, network, losses and training of one system.

    ``n_epochs``: passes over the training sentences.
    """

    name: str
    reading: ReadingRecipe
    scaled: bool
    losses: GlimLosses
    size: GlimSize
    plan: Plan
    n_epochs: int = 200

    def planned(self, *, fast: bool) -> Plan:
        """Full precision where there is no CUDA; ``fast`` is one pass."""
        cuda = pick_device("auto").type == "cuda"
        kind = self.plan.precision if cuda else "32-true"
        return replace(self.plan, max_epochs=1 if fast else self.n_epochs, precision=kind)


OURS = Recipe(
    "ours",
    ReadingRecipe(band_hz=(0.5, 20.0), sfreq=50.0),
    True,
    GlimLosses(),
    GlimSize(500, 128, n_queries=24, merger_width=128, depth=2, n_heads=4, width=96, stride=4),
    Plan(learning_rate=2e-3, weight_decay=0.05, schedule="one_cycle"),
)
PUBLISHED = Recipe(
    "published",
    glim_recipe(),
    False,
    GlimLosses.published(),
    GlimSize(),
    Plan(
        learning_rate=1e-4,
        weight_decay=0.0,
        schedule="constant",
        gradient_clip=None,
        precision="bf16-mixed",
    ),
)
RECIPES = (OURS, PUBLISHED)
SMALL = GlimSize(1024, 32, n_queries=24, merger_width=128, depth=1, n_heads=2)
"""On the twin the published network is smaller, so that a CPU can train it."""
TWIN_RECIPES = (
    replace(OURS, size=replace(OURS.size, n_channels=32), n_epochs=6),
    replace(PUBLISHED, size=SMALL, n_epochs=6),
)


@dataclass(frozen=True)
class Twin:
    """How much is simulated; all else, such as the strength of the signal, is the twin's default.

    Parameters
    ----------
    n_subjects, n_sentences : int
        Everybody reads all sentences, as many as in ZuCo 1.0 (2.0: 18 people and 739).
    signal : float
        1: the twin's default. 0: nothing but length and what goes with the task.
    seed : int
    """

    n_subjects: int = 12
    n_sentences: int = 1107
    signal: float = 1.0
    seed: int = 1


def simulated_people(twin: Twin, recipes: Sequence[Recipe]) -> dict[str, list[Responses]]:
    """The same people through each recipe, by its name; a process a person."""
    made = partial(_person, twin, tuple(recipes))
    n_workers = min(twin.n_subjects, os.cpu_count() or 1)
    if n_workers == 1:
        people = [made(number) for number in range(twin.n_subjects)]
    else:
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(n_workers, mp_context=spawn) as pool:
            people = list(pool.map(made, range(twin.n_subjects)))
    return {one.name: [found[row] for found in people] for row, one in enumerate(recipes)}


def _person(twin: Twin, recipes: Sequence[Recipe], number: int) -> list[Responses]:
    (one,) = simulated.reading(
        twin.n_subjects, twin.n_sentences, signal=twin.signal, seed=twin.seed, only=number
    )
    assert one.valid is not None, "sentences are padded"
    signals = [row[:, kept] for row, kept in zip(one.array(), one.valid, strict=True)]
    return [
        sentence_responses(
            signals,
            one.stimulus.tolist(),
            one.subject,
            sfreq=float(one.sfreq or 0),
            recipe=replace(recipe.reading, seconds=(recipe.reading.seconds[0], TWIN_S)),
            metadata=one.metadata,
            provenance=one.provenance,
        )
        for recipe in recipes
    ]


def recorded_people(data: Path, recipe: ReadingRecipe) -> list[Responses]:
    """ZuCo's people, through a recipe, with labels where the task materials are there."""
    labels: dict[str, dict[str, str]] = {}
    for folder in {file.parent for file in data.rglob("*labels_task*.csv")}:
        labels |= zuco.read_labels(folder)
    people = []
    for files in zuco.find_files(data).values():
        one, _ = zuco.read_subject(
            files, sfreq=recipe.sfreq, seconds=recipe.seconds, prepare=recipe.prepare
        )
        told = [labels.get(text, {}) for text in one.stimulus.tolist()]
        columns = {name: [row.get(name, "") for row in told] for name in ("sentiment", "relation")}
        people.append(one.with_values(one.values, metadata={**one.metadata, **columns}))
    return people


def scaled_people(people: Sequence[Responses], split: Split) -> list[Responses]:
    """Each person scaled by the training sentences."""
    return [
        SentenceScale().fit(split.part(one, "train")).transform(one) for one in people
    ]  # fmt: skip


def windows(people: Sequence[Responses], n_windows: int) -> list[Responses]:
    """Each channel's sum over equal parts of a sentence, and how long it is: for plain ridge."""
    made = []
    for one in people:
        kept = np.ones((len(one), one.values.shape[2]), bool) if one.valid is None else one.valid
        rows = [
            np.append(
                [part.sum(axis=1) for part in np.array_split(row[:, held], n_windows, axis=1)],
                [held.sum(), np.log(held.sum())],
            )
            for row, held in zip(one.array(), kept, strict=True)
        ]
        made.append(
            Responses(
                np.array(rows, dtype=np.float32), one.stimulus, one.subject, "eeg",
                dims=("trial", "channel"), metadata=one.metadata, provenance=one.provenance,
            )
        )  # fmt: skip
    return made
