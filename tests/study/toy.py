"""A small source whose truth is known, for tests: linear people, some stimuli shared by all."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from neurodecode.data import Embeddings, Responses, Split, Stimuli
from neurodecode.encoders import Ridge
from neurodecode.study import (
    Contender,
    Material,
    Needs,
    NewSubject,
    Pooled,
    Source,
    Study,
    Within,
    better,
    not_worse,
)

SUBJECTS = ("anna", "ben", "cleo")
N_STIMULI, N_TEST, N_DIMS = 40, 12, 4


def read(seed: int, folder: Path, noise: float = 0.5) -> Material:
    """Three people who saw the same stimuli twice."""
    rng = np.random.default_rng(seed)
    ids = [f"s{i:02d}" for i in range(N_STIMULI)]
    points = rng.normal(size=(N_STIMULI, N_DIMS)).astype(np.float32)
    people = []
    for number, subject in enumerate(SUBJECTS):
        shown = np.repeat(np.arange(N_STIMULI), 2)
        weights = rng.normal(size=(N_DIMS, 15 + number))
        values = points[shown] @ weights + noise * rng.normal(size=(len(shown), 15 + number))
        stimulus = [ids[i] for i in shown]
        people.append(Responses(values.astype(np.float32), stimulus, subject, "fmri"))
    stimuli = Stimuli.from_texts({one: f"text {one}" for one in ids})
    split = Split(ids[N_TEST + 4 :], ids[N_TEST : N_TEST + 4], ids[:N_TEST], rule="toy")
    return Material(people, stimuli, split, Embeddings(points, ids, "toy"), {"sessions": 1})


class Fails(Ridge):
    """Fails until the environment says otherwise."""

    def fit(self, responses, targets, split):
        if os.environ.get("NEURODECODE_TEST_FAILS", "1") == "1":
            raise ValueError("no fit today")
        return super().fit(responses, targets, split)


def source(**settings) -> Source:
    return Source("toy", read, SUBJECTS, "fmri", settings)


def study(noise: float = 0.5, fails: bool = False) -> Study:
    """Two contenders, three protocols, two seeds."""
    contenders = {
        "ridge": Contender(Ridge(), needs=Needs(memory_gb=0.1, minutes=1)),
        "strong": Contender(Ridge(penalties=(1e4,)), closed_form=True),
    }
    if fails:
        contenders["fails"] = Contender(Fails())
    return Study(
        "toy_study",
        "Does ridge decode the toy?",
        source(noise=noise),
        contenders,
        [Within(), Pooled(), NewSubject((20,))],
        claims=[
            better("ridge", "strong", "two_way", "pooled"),
            not_worse(
                "ridge", "ridge", "two_way", "pooled", protocol_b="within_subject", margin=0.02
            ),
        ],
        seeds=(0, 1),
    )
