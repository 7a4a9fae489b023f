"""Which of 20 shapes does a person look at, and what does it look like? Miyawaki et al. 2008.

Data: 119 single trials of 20 pictures in 12 runs, V1 of one person; see
``neurodecode.datasets.miyawaki``. ``--data`` is the ``.mat`` file or a folder that holds it.

Cost: about 3 minutes and 1 GB on one core; ``--fast`` (one penalty and share of voxels for the
forward model, not chosen) about 20 s. Numbers to expect (single trials, 20 candidates, chance .05
and .5; `EXPECTED` below, which a test reads): leave-one-run-out identification .882, two-way .987,
pixel r .911 (mean picture .681); leave-one-picture-out .824, .985, .874 (mean picture .663).
Shuffled brain .008 and .000, noise .017 and .050, plain ridge .790 and .714.

Identification is by a forward model (`ForwardRidge`: pixels to voxels, matched filter with the
shrunk noise covariance of repeats); the pictures are drawn by plain ridge from voxels to pixels
(`Ridge`), whose own identification, with the training mean removed from prediction and candidates,
stands beside as the control ``plain_ridge``. Penalties and the share of voxels are chosen inside
the training part of each fold, by leaving out a picture (or a run) of it. Responses are taken as
they come: no scaling by run, since a run shows 5 of the 20 pictures only and its mean tells which.

How this was developed. All comparisons were made on trials left out *inside* training parts (two
pictures or two runs left out, one of them never looked at), with 18 pictures or 10 runs to learn
from. Top-1 there, by picture / by run:

- backward ridge, training mean removed .69 / .77; the same per-run centred .00 / .47 and z-scored
  .00 / .48 (see above why); voxels weighted by reliability .47 / .71; voxels divided by their noise
  .68 / .79; whitened by half-shrunk noise .67 / .78
- forward model, noise independent over voxels .63 / .58; noise covariance shrunk by .3, .1, .03 or
  by Ledoit & Wolf's .11: .83 / .78 to .79; smooth receptive fields as a prior .79 / .77; a penalty
  for each voxel .77 / .78; the best-predicted half or quarter of the voxels .79 / .86 or .71 / .86
- Gaussian likelihood with predictive variance .80 to .998 / .83: refused. A picture that was not
  shown in training is told by its novelty alone, and the test picture is the only such candidate.
  The matched filter chooses the novel candidate for noise in 3 % of the trials (chance 5 %).

Some 90 settings of these were looked at inside; the test parts were opened for the last one only:
one look. What was seen inside covers the same pictures, so it is no independent confirmation: other
people's recordings are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jsonargparse import auto_cli
from numpy.typing import NDArray

from neurodecode.data import Embeddings, LeaveOneOut, Responses, Split, Stimuli
from neurodecode.datasets import miyawaki
from neurodecode.encoders import ForwardRidge, Ridge
from neurodecode.evidence import (
    Items,
    ProtocolResult,
    Run,
    TestLooks,
    nearest_training,
    noise_responses,
    score_table,
    shuffled_order,
    write_results,
)
from neurodecode.gallery import Figure, GalleryItem, write_gallery
from neurodecode.generators import DirectImage
from neurodecode.metrics.similarity import correlate_pairs
from neurodecode.targets import Pixels

PROTOCOLS = {"leave_one_run_out": "run", "leave_one_picture_out": "stimulus"}
TARGET = Pixels(28, grey=True)
EXPECTED = {
    "leave_one_run_out": {
        "identification_top1": 0.882,
        "identification_two_way": 0.987,
        "pixel_correlation": 0.911,
    },
    "leave_one_picture_out": {
        "identification_top1": 0.824,
        "identification_two_way": 0.985,
        "pixel_correlation": 0.874,
    },
}

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Fold:
    """What the models of one fold say of its test trials.

    Each mapping has the keys ``decoded`` and ``noise`` (the same models fed with noise).
    ``match`` is how well each of the 20 pictures explains a trial; ``pictures`` are drawn by ridge.
    """

    rows: NDArray[np.intp]
    match: dict[str, Array]
    pictures: dict[str, Array]
    train_mean: Array
    nearest: NDArray[np.str_]
    chosen: tuple[float, float]


def main(data: Path, out: Path, fast: bool = False, seed: int = 0) -> None:
    """Decode the recording in ``data``; write ``results.json`` and a gallery to ``out``."""
    responses, stimuli = miyawaki.read(data), miyawaki.stimuli(data)
    truth = TARGET.embed(stimuli)
    protocols, cards = [], []
    with Run(seed=seed, looks=TestLooks(mirror=out)) as run:
        for name, by in PROTOCOLS.items():
            splits = list(LeaveOneOut(by, validation=0).split(responses))
            run.look(name, responses, splits)
            folds = [decode(responses, truth, split, fast, seed) for split in splits]
            joined = join(folds)
            protocols.append(evidence(name, responses, truth, joined, seed))
            cards += items(name, responses, stimuli, joined)
    results = write_results(out, "miyawaki2008_pictures", protocols, run)
    page = write_gallery(
        out, cards, results, title="Shapes seen and decoded", figures=[figure(protocols)]
    )
    for protocol in protocols:
        for metric, score in protocol.scores.items():
            low, high = score.ci95.low, score.ci95.high
            print(
                f"{protocol.name} {metric} {score.value:.3f} [{low:.3f}, {high:.3f}], "
                f"null mean {score.null.mean:.3f}, p {score.p:.4f}"
            )
    print(page)


def decode(responses: Responses, truth: Embeddings, split: Split, fast: bool, seed: int) -> Fold:
    """Fit on the training part of a fold, then say what its test trials show."""
    train, test = split.part(responses, "train"), split.part(responses, "test")
    settings = {"penalties": (0.3,), "shares": (0.5,)} if fast else {}
    forward = ForwardRidge(leave_out=split.by, **settings).fit(truth, train)
    ridge = Ridge(leave_out=split.by, per="all").fit(train, truth, split.blind())
    inputs = {"decoded": test, "noise": noise_responses(test, train, seed=seed)}
    drawn = {name: ridge.predict(one) for name, one in inputs.items()}
    shown = truth.select(np.unique(train.stimulus))
    return Fold(
        np.flatnonzero(split.mask(responses, "test")),
        {name: forward.identify(one, truth) for name, one in inputs.items()},
        {name: one.array(np.float64) for name, one in drawn.items()},
        np.repeat(truth.rows(train.stimulus).mean(axis=0, dtype=np.float64)[None], len(test), 0),
        nearest_training(drawn["decoded"], shown),
        (forward.penalty_, forward.share_),
    )


def join(folds: Sequence[Fold]) -> Fold:
    """The test trials of all folds in the order of the recording."""
    rows = np.concatenate([one.rows for one in folds])
    order = np.argsort(rows)

    def stack(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
        return np.asarray(np.concatenate(parts)[order])

    keys = ("decoded", "noise")
    return Fold(
        rows[order],
        {key: stack([one.match[key] for one in folds]) for key in keys},
        {key: stack([one.pictures[key] for one in folds]) for key in keys},
        stack([one.train_mean for one in folds]),
        stack([one.nearest for one in folds]),
        tuple(np.median([one.chosen for one in folds], axis=0).tolist()),
    )


def first(match: Array) -> Array:
    """Table (n, 20): is this candidate the one best match? Ties fail."""
    best = match.max(axis=1, keepdims=True)
    return np.asarray((match == best) & ((match == best).sum(axis=1, keepdims=True) == 1), float)


def beaten(match: Array) -> Array:
    """Table (n, 20): share of the other candidates that match less. Ties fail."""
    less = (match[:, None, :] < match[:, :, None]).sum(axis=2)
    return np.asarray(less / (match.shape[1] - 1))


def tables(match: Array, pictures: Array, truth: Embeddings) -> dict[str, Array]:
    """Every score of every trial against every picture, shape (n_trials, 20) each."""
    return {
        "identification_top1": first(match),
        "identification_two_way": beaten(match),
        "pixel_correlation": correlate_pairs(pictures, truth.array()),
    }


def centred_match(pictures: Array, train_mean: Array, truth: Embeddings) -> Array:
    """Correlation of drawn pictures with candidates, the training mean removed from both."""
    rows = zip(pictures, train_mean, strict=True)
    candidates = truth.array(np.float64)
    return np.concatenate(
        [correlate_pairs((one - mean)[None], candidates - mean) for one, mean in rows]
    )


def evidence(
    name: str, responses: Responses, truth: Embeddings, fold: Fold, seed: int
) -> ProtocolResult:
    """Scores with interval and a null that permutes trials within runs; controls beside them."""
    column = np.searchsorted(truth.stimulus, responses.stimulus)
    items_ = Items(responses.stimulus, responses.groups("subject"), responses.run)
    decoded = tables(fold.match["decoded"], fold.pictures["decoded"], truth)
    chances = (1 / len(truth), 0.5, None)
    scores = {
        metric: score_table(table, column, items_, chance=chance, seed=seed)
        for (metric, table), chance in zip(decoded.items(), chances, strict=True)
    }
    return ProtocolResult(
        name,
        scores,
        controls(fold, truth, column, shuffled_order(responses.stimulus, seed=seed)),
        {
            "n_test": len(column),
            "subjects": [responses.subject],
            "kept_apart": PROTOCOLS[name],
            "repeats_averaged": False,
            "candidates": len(truth),
            "identified_by": "forward model, matched filter; pictures drawn by ridge",
            "median_penalty_and_share_of_voxels": list(fold.chosen),
        },
    )


def controls(
    fold: Fold, truth: Embeddings, column: NDArray[np.intp], shuffled: NDArray[np.intp]
) -> dict[str, dict[str, float]]:
    """The same scores for inputs that hold no brain, and for plain ridge."""
    match, pictures, mean = fold.match["decoded"], fold.pictures["decoded"], fold.train_mean
    nearest = truth.rows(fold.nearest).astype(np.float64)
    own = truth.array(np.float64)[column]
    given: Mapping[str, tuple[Array, Array]] = {
        "plain_ridge": (centred_match(pictures, mean, truth), pictures),
        "noise": (fold.match["noise"], fold.pictures["noise"]),
        "shuffled_brain": (match[shuffled], pictures[shuffled]),
        "mean_picture": (correlate_pairs(mean, truth.array()), mean),
        "nearest_training": (centred_match(nearest, mean, truth), nearest),
        "ceiling": (centred_match(own, mean, truth), own),
    }
    rows = np.arange(len(column))
    return {
        control: {
            metric: float(table[rows, column].mean())
            for metric, table in tables(*pair, truth).items()
        }
        for control, pair in given.items()
    }


def items(name: str, responses: Responses, stimuli: Stimuli, fold: Fold) -> list[GalleryItem]:
    """One card a trial."""
    generator = DirectImage(TARGET)

    def draw(values: Array) -> NDArray[np.uint8]:
        made = Embeddings(values.astype(np.float32), responses.stimulus, TARGET.space)
        return generator.generate(made).values[:, 0]

    decoded, noise, mean = map(
        draw, (fold.pictures["decoded"], fold.pictures["noise"], fold.train_mean)
    )
    column = np.searchsorted(stimuli.ids, responses.stimulus)
    truth = TARGET.embed(stimuli)
    scored = tables(fold.match["decoded"], fold.pictures["decoded"], truth)
    assert responses.run is not None
    return [
        GalleryItem(
            stimulus=str(responses.stimulus[i]),
            subject=responses.subject,
            truth=stimuli[responses.stimulus[i]],
            decoded=[decoded[i]],
            controls={
                "noise": noise[i],
                "mean training picture": mean[i],
                "nearest training picture": stimuli[fold.nearest[i]],
                "identified as": stimuli[stimuli.ids[fold.match["decoded"][i].argmax()]],
            },
            scores={metric: float(table[i, column[i]]) for metric, table in scored.items()},
            tags={"protocol": name, "run": str(responses.run[i])},
        )
        for i in range(len(responses))
    ]


def figure(protocols: Sequence[ProtocolResult]) -> Figure:
    """Top-1 identification of all protocols beside their controls."""
    import matplotlib.pyplot as plt

    made, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
    names = list(protocols[0].controls)
    width = 0.8 / len(protocols)
    for i, one in enumerate(protocols):
        score = one.scores["identification_top1"]
        values = [score.value, *(one.controls[key]["identification_top1"] for key in names)]
        axes.bar(np.arange(len(values)) + i * width, values, width, label=one.name)
    axes.axhline(0.05, color="grey", linestyle=":", label="chance")
    axes.set_xticks(np.arange(len(names) + 1), ["decoded", *names], rotation=30, ha="right")
    axes.set_ylabel("identified, of 20")
    axes.legend(frameon=False, fontsize=8)
    plt.close(made)
    return Figure("Identification", "Share of single trials identified among 20 pictures.", made)


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
