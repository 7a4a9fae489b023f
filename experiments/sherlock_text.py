"""Sentences about unseen scenes of a film from fMRI: the group, and people one by one.

    python -m experiments.sherlock_text --data DATA --out results/sherlock_text

Data: people who watched 50 minutes of a film (Chen et al. 2017); ``neurodecode.datasets.sherlock``
says how to obtain them. From the pattern of a scene (the mean of all people, or one person's own)
a ridge map predicts its description in a TF-IDF space that is learned anew on each fold's training
texts. Scenes are left out in pairs, with two scenes around each not learned from; two against two.

The sentence shown for a scene is the nearest of all texts that were not learned from, so it is
found, not written: the shipped writer knows only simulated scenes.

The null shifts the film against the brain within each run, and learns everything anew; it keeps the
slow drift of topic and signal, which a permutation of scenes would not.

Cost: 2 minutes on a busy machine (199 shifts; 39 with ``--fast``), .4 GB. Numbers to expect from 8
people, 65 texts, posterior medial cortex; chance is .5:

============  ==================  ===========================
who           two against two     shifted null: mean, 95 %, p
============  ==================  ===========================
group         .798 [.73, .85]     .487, .578, .005
sherlock-1    .644 [.56, .73]     .494, .588, .010
sherlock-2    .714 [.63, .78]     .456, .537, .005
sherlock-3    .740 [.66, .81]     .466, .552, .005
sherlock-4    .615 [.52, .71]     .465, .574, .010
sherlock-5    .656 [.57, .74]     .482, .572, .005
sherlock-6    .676 [.59, .76]     .475, .570, .005
sherlock-7    .516 [.42, .61]     .452, .543, .125
sherlock-8    .740 [.67, .81]     .483, .586, .005
============  ==================  ===========================

7 of 8 single people are above their own shifted null. See ``sherlock_scenes`` for how much of this
the scene's time in the film or its length can do alone. Looks while this was written: 2, unchanged
but for the number of shifts; features and penalty are those of ``sherlock_scenes``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from experiments._film import BUFFER, Film, model_of, text_grams, unseen
from neurodecode.cli.script import run_script
from neurodecode.data import Responses
from neurodecode.datasets import sherlock
from neurodecode.evidence import ProtocolResult, Run, Score, TestLooks, write_results
from neurodecode.evidence.pairs import PairFolds, TwoAgainstTwo, pair_interval
from neurodecode.gallery import GalleryItem, write_gallery
from neurodecode.metrics.text import content_word_f1
from neurodecode.statistics import circular_shift_null

GROUP = "group"
METRIC = "two_vs_two"


def main(data: Path, out: Path, fast: bool = False, seed: int = 0) -> None:
    """Decode the film below ``data``; write ``results.json`` and a gallery to ``out``."""
    n_shifts = 39 if fast else 199
    film = Film(sherlock.scenes(data), sherlock.read(data))
    folds, group, texts = unseen(film)
    grams = text_grams(texts, folds)
    with Run(seed=seed, looks=TestLooks(mirror=out)) as run:
        run.look(GROUP, group, folds.splits())
        model = model_of(group.array(np.float64), folds, grams)
        scores = {GROUP: score_of(model, n_shifts, seed)}
        for one in film.people:
            own, own_folds, own_texts = person(one, folds, texts)
            run.look(one.subject, own, own_folds.splits())
            own_grams = grams if len(own_texts) == len(texts) else text_grams(own_texts, own_folds)
            single = model_of(own.array(np.float64), own_folds, own_grams)
            scores[one.subject] = score_of(single, n_shifts, seed)
        noise = np.random.default_rng(seed).normal(size=group.values.shape)
        control = model_of(noise, folds, grams).score(np.arange(len(texts)))
    protocols = [
        ProtocolResult(
            name,
            {METRIC: score},
            {"noise": {METRIC: control}} if name == GROUP else {},
            {"kept_apart": f"both scenes of a pair and {BUFFER} scenes on either side"},
        )
        for name, score in scores.items()
    ]
    protocols[0] = replace(
        protocols[0], details={**protocols[0].details, "single_people": counted(scores)}
    )
    results = write_results(out, "sherlock_text", protocols, run, {"fast": fast})
    write_gallery(out, cards(model, texts), results, title="Sentences about scenes of a film")
    for name, score in scores.items():
        print(
            f"{name}: {METRIC} {score.value:.3f} [{score.ci95.low:.3f}, {score.ci95.high:.3f}], "
            f"shifted null mean {score.null.mean:.3f}, 95 % below {score.null.p95:.3f}, "
            f"p {score.p:.3f}"
        )
    print(counted(scores))


def person(
    one: Responses, folds: PairFolds, texts: list[str]
) -> tuple[Responses, PairFolds, list[str]]:
    """One person's scenes, those of the folds that were recorded, with folds of their own."""
    kept = np.isin(folds.ids, one.stimulus)
    ids = folds.ids[kept]
    row = {name: place for place, name in enumerate(one.stimulus.tolist())}
    own = one.take([row[name] for name in ids.tolist()])
    some = [text for text, there in zip(texts, kept, strict=True) if there]
    return own, PairFolds(ids, folds.run[kept], BUFFER), some


def score_of(model: TwoAgainstTwo, n_shifts: int, seed: int) -> Score:
    """Two against two with its shifted null."""
    same = np.arange(len(model.folds.ids), dtype=np.intp)
    null = circular_shift_null(
        model.score, len(same), groups=model.folds.run, n_shifts=n_shifts, seed=seed
    )
    hits = model.hits(same)
    interval = pair_interval(hits, model.pairs, seed=seed)
    return Score(float(hits.mean()), interval, 0.5, null, len(hits))


def counted(scores: Mapping[str, Score]) -> dict[str, int]:
    """How many single people are above their own shifted null."""
    single = [score for name, score in scores.items() if name != GROUP]
    return {"people": len(single), "above_the_shifted_null": sum(one.p < 0.05 for one in single)}


def cards(model: TwoAgainstTwo, texts: list[str]) -> list[GalleryItem]:
    """A card a scene: its text, and the nearest of the texts that were not learned from."""
    nearest = model.similarity().argmax(axis=1)
    alike = content_word_f1(texts, [texts[place] for place in nearest])
    return [
        GalleryItem(
            stimulus=str(one),
            subject="mean of all people",
            truth=texts[row],
            decoded=[texts[nearest[row]]],
            controls={},
            scores={"content_word_f1": float(alike[row])},
            tags={"run": str(model.folds.run[row])},
        )
        for row, one in enumerate(model.folds.ids.tolist())
    ]


if __name__ == "__main__":
    run_script(main)
