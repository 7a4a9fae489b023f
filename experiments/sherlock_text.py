"""Sentences about unseen scenes of a film from fMRI: the group, and people one by one.

    python -m experiments.sherlock_text --data DATA --out results/sherlock_text

Data: people who watched 50 minutes of a film (Chen et al. 2017); ``neurodecode.datasets.sherlock``
says how to obtain them. From the pattern of a scene (the mean of all people, or one person's own)
a ridge map predicts its description in a TF-IDF space that is learned anew on each fold's training
texts. Scenes are left out in pairs, with two scenes around each not learned from; two against two.

Sentences are also written, by ``neurodecode.generators.Captioner``. The shipped small writer knows
simulated scenes alone, so a T5 of a few hundred thousand weights is trained on the texts of the
training scenes, in six folds of neighbouring scenes (``experiments/_film_writer.py``). Ridge gives
it a point in a space of topics, learned on the same texts. It can say but what was said of other
scenes: names, places, everyday acts. Its steps and beams were set by what it writes of scenes that
it had learned from (true topics: .109 of content words right, topics of another scene: .051).
``written_two_way``: is the sentence nearer to the scene's text than to another's of its block?
Beside it stand the constant sentence that is best on training scenes, sentences of other scenes of
the block, noise in place of the brain, and the upper bound, written from the true topics.
``found, not written`` in the gallery is the nearest of all texts that were not learned from.

What was written (one look): group two-way .571 [.49, .65], shifted null .501, 95 % .536, p .025;
but not surely above the constant best sentence (+.071, p .053). Content words .065 against .101 of
that sentence. One of 8 people is above both. The upper bound, written from the true topics, reaches
.540: with so few training texts the writer is too weak to carry what ridge finds.

The null shifts the film against the brain within each run, and learns everything anew; it keeps the
slow drift of topic and signal, which a permutation of scenes would not.

Cost: 2 minutes on a busy machine (199 shifts; 39 with ``--fast``), .4 GB, and about 6 minutes of
one free core for the writers (39 shifts; 3 with ``--fast``). Numbers to expect from 8 people, 65
texts, posterior medial cortex; chance is .5:

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

7 of 8 single people are above their own shifted null, and nobody is above the clock: the scene's
time in the film alone tells .746 of the group's pairs apart. Over it the group is +.052
[-.149, .253]: *not shown*; single people are -.005 at best (``sherlock_scenes`` has what a scene's
length can do alone). Looks while this was written: 2, unchanged but for the number of shifts;
features and penalty are those of ``sherlock_scenes``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments._film import BUFFER, Film, clock_of, model_of, text_grams, told_apart, unseen
from experiments._film_writer import N_STEPS
from experiments._film_written import CEILING, CONSTANT, PERMUTED, Watcher, Written, write_film
from neurodecode.cli.script import run_script
from neurodecode.data import Responses
from neurodecode.datasets import sherlock
from neurodecode.evidence import (
    Items,
    ProtocolResult,
    Run,
    Score,
    TestLooks,
    compare,
    gain_over_controls,
    verdict_lines,
    write_results,
)
from neurodecode.evidence.pairs import PairFolds, TwoAgainstTwo, pair_interval
from neurodecode.gallery import GalleryItem, write_gallery
from neurodecode.metrics.text import content_word_f1
from neurodecode.statistics import Null, Sampling, circular_shift_null, mean_interval

GROUP = "group"
METRIC = "two_vs_two"
NOISE = "noise"
CLOCK = "clock"
MEASURES = ("written_two_way", "written_content_word_f1")


def main(data: Path, out: Path, fast: bool = False, seed: int = 0) -> None:
    """Decode the film below ``data``; write ``results.json`` and a gallery to ``out``."""
    n_shifts, n_written = (39, 3) if fast else (199, 39)
    film = Film(sherlock.scenes(data), sherlock.read(data))
    folds, group, texts = unseen(film)
    grams = text_grams(texts, folds)
    with Run(seed=seed, looks=TestLooks(mirror=out)) as run:
        run.look(GROUP, group, folds.splits())
        model = model_of(group.array(np.float64), folds, grams)
        noise = np.random.default_rng(seed).normal(size=group.values.shape)
        blind = {
            NOISE: model_of(noise, folds, grams),
            CLOCK: model_of(clock_of(film, folds.ids), folds, grams),
        }
        scores = {GROUP: told_apart(score_of(model, n_shifts, seed), model, blind)}
        for one in film.people:
            own, own_folds, own_texts = person(one, folds, texts)
            run.look(one.subject, own, own_folds.splits())
            own_grams = grams if len(own_texts) == len(texts) else text_grams(own_texts, own_folds)
            single = model_of(own.array(np.float64), own_folds, own_grams)
            clock = model_of(clock_of(film, own_folds.ids), own_folds, own_grams)
            found = told_apart(score_of(single, n_shifts, seed), single, {CLOCK: clock})
            scores[one.subject] = found
        same = np.arange(len(texts), dtype=np.intp)
        controls = {name: one.score(same) for name, one in blind.items()}
        told = write(film, group, folds, texts, n_written, seed)
    protocols = [
        ProtocolResult(
            name,
            {METRIC: score, **told.judged(name)},
            controls_of(told, name, controls),
            {
                "kept_apart": f"both scenes of a pair and {BUFFER} scenes on either side",
                "kept_apart_written": f"blocks of scenes and {BUFFER} scenes on either side",
                "written_gain_over_best_control": told.gains(name),
            },
        )
        for name, score in scores.items()
    ]
    protocols[0] = replace(
        protocols[0], details={**protocols[0].details, "single_people": counted(scores)}
    )
    results = write_results(out, "sherlock_text", protocols, run, {"fast": fast})
    write_gallery(out, cards(model, texts, told), results, title="Sentences about scenes of a film")
    for name, score in scores.items():
        print(
            f"{name}: {METRIC} {score.value:.3f} [{score.ci95.low:.3f}, {score.ci95.high:.3f}], "
            f"shifted null mean {score.null.mean:.3f}, 95 % below {score.null.p95:.3f}, "
            f"p {score.p:.3f}"
        )
        for measure, one in told.scores[name].items():
            gain = told.gains(name)[measure]
            print(
                f"  {measure} {one.value:.3f} [{one.ci95.low:.3f}, {one.ci95.high:.3f}], shifted "
                f"null mean {one.null.mean:.3f}, 95 % below {one.null.p95:.3f}, p {one.p:.3f}; "
                f"{gain['verdict']}"
            )
    print("\n".join(verdict_lines(results)))
    print(counted(scores))
    for key, one in told.others[GROUP].items():
        print(f"{key}: { {name: round(float(one.values(name).mean()), 3) for name in MEASURES} }")


@dataclass(frozen=True, eq=False)
class Told:
    """What was written for everybody, its scores, and what takes no brain."""

    found: Mapping[str, list[Written]]
    others: Mapping[str, Mapping[str, Written]]
    scores: Mapping[str, Mapping[str, Score]]

    def gains(self, name: str) -> dict[str, dict[str, Any]]:
        """Gain over the best control, for each measure."""
        said = self.found[name][0]
        rows = sorted(said.said)
        items = Items([f"scene-{row}" for row in rows], [name] * len(rows), time=rows)
        return {
            measure: gain_over_controls(
                said.values(measure), self.control_values(name, measure), items
            ).as_json()
            for measure in MEASURES
        }

    def control_values(self, name: str, measure: str) -> dict[str, NDArray[np.float64]]:
        """Per scene: constant, permuted, and noise or time through the same map and writer."""
        rows = sorted(self.found[name][0].said)
        blind = {key: self.found[key][0].scores[measure] for key in (NOISE, CLOCK)}
        return {
            **{key: self.others[name][key].values(measure) for key in (CONSTANT, PERMUTED)},
            **{key: np.array([one[row] for row in rows]) for key, one in blind.items()},
        }

    def judged(self, name: str) -> dict[str, Score]:
        """The scores of what was written, with their comparison with all controls."""
        said = self.found[name][0]
        rows = sorted(said.said)
        items = Items([f"scene-{row}" for row in rows], [name] * len(rows), time=rows)
        return {
            measure: replace(
                score,
                comparison=compare(
                    said.values(measure), self.control_values(name, measure), items.interval
                ),
            )
            for measure, score in self.scores[name].items()
        }


def write(
    film: Film, group: Responses, folds: PairFolds, texts: list[str], n_shifts: int, seed: int
) -> Told:
    """Sentences from the group, from everybody, and from noise."""
    noise = np.random.default_rng(seed + 1).normal(size=group.values.shape)
    people = {GROUP: (group, folds)} | {
        one.subject: person(one, folds, texts)[:2] for one in film.people
    }
    watchers = {
        name: Watcher(
            np.flatnonzero(np.isin(folds.ids, own_folds.ids)),
            one.array(np.float64),
            shifts_of(own_folds, n_shifts, seed),
        )
        for name, (one, own_folds) in people.items()
    }
    everybody = np.arange(len(texts), dtype=np.intp)
    watchers[NOISE] = Watcher(everybody, noise, [])
    watchers[CLOCK] = Watcher(everybody, clock_of(film, folds.ids), [])
    found, others = write_film(watchers, texts, folds.run, seed=seed, n_steps=N_STEPS)
    return Told(found, others, {name: written_scores(found[name]) for name in people})


def shifts_of(folds: PairFolds, n_shifts: int, seed: int) -> list[NDArray[np.intp]]:
    """The shifts of `circular_shift_null`: texts for all of them are written at once."""
    orders: list[NDArray[np.intp]] = []

    def noted(order: NDArray[np.intp]) -> float:
        orders.append(order)
        return 0.0

    circular_shift_null(noted, len(folds.ids), groups=folds.run, n_shifts=n_shifts, seed=seed)
    return orders


def written_scores(found: list[Written]) -> dict[str, Score]:
    """Means over scenes, against the same with the film shifted."""
    scores = {}
    for measure in MEASURES:
        values = found[0].values(measure)
        shifted = np.array([one.values(measure).mean() for one in found[1:]])
        null = Null(shifted, kind="circular shift")
        chance = 0.5 if measure == "written_two_way" else None
        interval = mean_interval(values, Sampling(time=np.arange(len(values))))
        scores[measure] = Score(float(values.mean()), interval, chance, null, len(values))
    return scores


def controls_of(told: Told, name: str, pairs: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Means of all controls; the upper bound writes from the true topics."""
    means = {
        key: {measure: float(one.values(measure).mean()) for measure in MEASURES}
        for key, one in told.others[name].items()
    }
    for blind in (NOISE, CLOCK):
        means[blind] = {
            measure: float(told.control_values(name, measure)[blind].mean()) for measure in MEASURES
        }
        if name == GROUP:
            means[blind][METRIC] = pairs[blind]
    return means


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
    interval = pair_interval(hits, model.pairs, model.folds.run)
    return Score(float(hits.mean()), interval, 0.5, null, len(hits))


def counted(scores: Mapping[str, Score]) -> dict[str, int]:
    """How many single people are above their own shifted null."""
    single = [score for name, score in scores.items() if name != GROUP]
    return {"people": len(single), "above_the_shifted_null": sum(one.p < 0.05 for one in single)}


def cards(model: TwoAgainstTwo, texts: list[str], told: Told) -> list[GalleryItem]:
    """A card a scene: its text, the sentence written, and the nearest of the unlearned texts."""
    nearest = model.similarity().argmax(axis=1)
    alike = content_word_f1(texts, [texts[place] for place in nearest])
    return [
        GalleryItem(
            stimulus=str(one),
            subject="mean of all people",
            truth=texts[row],
            decoded=[told.found[GROUP][0].said[row]],
            controls={
                "found, not written": texts[nearest[row]],
                NOISE: told.found[NOISE][0].said[row],
                **{key: told.others[GROUP][key].said[row] for key in (CONSTANT, CEILING)},
            },
            scores={
                "content_word_f1": told.found[GROUP][0].scores["written_content_word_f1"][row],
                "content_word_f1 of the text found": float(alike[row]),
            },
            tags={"run": str(model.folds.run[row])},
        )
        for row, one in enumerate(model.folds.ids.tolist())
    ]


if __name__ == "__main__":
    run_script(main)
