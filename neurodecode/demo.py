"""The whole chain on simulated people: recording, encoder, generator, evidence, gallery."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np

from neurodecode import scenes, twin
from neurodecode._demo_figures import figures
from neurodecode.data import Modality, Responses
from neurodecode.encoders import TokenTransformer
from neurodecode.evidence import Run, TestLooks, write_results
from neurodecode.gallery import GalleryItem, write_gallery
from neurodecode.generators import Captioner, SmallFlow
from neurodecode.pipeline import (
    CaptionAccuracy,
    Evaluation,
    FeatureTwoWay,
    Goal,
    Output,
    PixelCorrelation,
    Protocol,
    RetrievalTopK,
    decode,
)
from neurodecode.preprocessing import whiten_trials
from neurodecode.targets import OpenClip

logger = logging.getLogger("neurodecode")

MODALITIES: tuple[Modality, ...] = ("fmri", "meg", "eeg")
N_DRAWN = 72
"""Each is drawn ten times over: by the model, by closed forms, and by what knows no brain."""
N_CANDIDATES = 2
N_TRIALS = {"fmri": 300, "meg": 1000, "eeg": 1000}
"""Training trials a person: single trials of MEG and EEG hold far less than those of fMRI."""
TEST_REPEATS = 8
"""How often each person of MEG and EEG sees a test scene."""
N_KINDS = 12
TAGS = ("kind", "background")


def demo(
    out: str | Path,
    modality: Modality | Literal["all"] = "fmri",
    *,
    n_subjects: int = 4,
    n_trials: int | None = None,
    signal: float = 1.0,
    seed: int = 0,
) -> dict[str, Any]:
    """Decode scenes from simulated people, and write ``results.json`` and a gallery.

    One `TokenTransformer` is trained on all people; a picture and a sentence are made from each
    decoded embedding by the small models of this package. Nothing is downloaded.

    Parameters
    ----------
    out : path
    modality : {'fmri', 'meg', 'eeg', 'all'}
    n_subjects : int
        Simulated people.
    n_trials : int, optional
        Training trials of each; default 300 of fMRI, 1,000 of MEG or EEG.
    signal : float
        1 is the strength of published recordings, 0 takes all information away.
    seed : int
        Another seed: other people, other scenes. The same seed on one machine: the same digits.

    Returns
    -------
    dict
        The content of ``results.json``: a protocol for each modality, with the scores
        ``retrieval_top1`` (of 200 scenes), ``clip_two_way``, ``caption_object_accuracy`` and
        ``pixel_correlation``.
    """
    wanted = MODALITIES if modality == "all" else (modality,)
    with Run(seed, TestLooks(mirror=out)) as run:
        decoded = {}
        for one in wanted:
            logger.info("%s: %d simulated people look at scenes", one, n_subjects)
            with run.step(f"simulate {one}"):
                people = simulate(one, n_subjects, n_trials or N_TRIALS[one], signal, seed)
            decoded[one] = (people, evaluate(people, one, run, seed))
    results = write_results(
        out,
        "demo",
        [evaluation.result for _, evaluation in decoded.values()],
        run,
        {"signal": signal},
    )
    title = f"Scenes seen by {_number(n_subjects)} simulated people"
    drawn = [one for people, evaluation in decoded.values() for one in figures(people, evaluation)]
    write_gallery(out, _items(decoded), results, title=title, figures=drawn)
    return results


def simulate(
    modality: Modality, n_subjects: int, n_trials: int, signal: float, seed: int
) -> list[Responses]:
    """Simulated people of one modality, with 200 test scenes; sensors are scaled and whitened."""
    if modality == "fmri":
        return twin.fmri(n_subjects, n_trials, seed=seed, signal=signal)
    record = twin.meg if modality == "meg" else twin.eeg
    design = twin.Design(test_repeats=TEST_REPEATS)
    people = record(n_subjects, n_trials, seed=seed, signal=signal, design=design)
    split = twin.split(people, seed=seed)
    return [whiten_trials(one, split) for one in people]


def evaluate(people: Sequence[Responses], modality: Modality, run: Run, seed: int) -> Evaluation:
    """Train one model on all people and score it on scenes that nobody was trained on."""
    ids = np.unique(np.concatenate([one.stimulus for one in people]))
    stimuli = scenes.stimuli(ids.tolist())
    clip = OpenClip()
    measures = (
        RetrievalTopK(1),
        FeatureTwoWay(clip, variant="the small CLIP of this package, which is decoded into too"),
        CaptionAccuracy("kind", chance_level=1 / N_KINDS),
        PixelCorrelation(),
    )
    return decode(
        people,
        Goal(stimuli, clip),
        encoder=TokenTransformer(seed=seed),
        generator={
            "picture": Output(SmallFlow(judge=clip, n_candidates=N_CANDIDATES), restandardise=True),
            "caption": Output(Captioner(), restandardise=True),
        },
        protocol=Protocol(
            twin.split(people, seed=seed),
            name=modality,
            measures=measures,
            n_drawn=N_DRAWN,
            seed=seed,
        ),
        run=run,
    )


def _items(
    decoded: dict[Modality, tuple[list[Responses], Evaluation]],
) -> Iterator[GalleryItem]:
    several = len(decoded) > 1

    def of(modality: str, evaluation: Evaluation) -> Iterator[GalleryItem]:
        for view in evaluation.views(tags=TAGS):
            fields = vars(view)
            if several:
                fields = {**fields, "tags": {**view.tags, "modality": modality}}
            yield GalleryItem(**fields)

    return chain.from_iterable(of(name, evaluation) for name, (_, evaluation) in decoded.items())


def _number(n: int) -> str:
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return words[n] if n < len(words) else str(n)
