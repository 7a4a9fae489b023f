"""What both experiments on pictures seen in MEG and EEG do; the data set is all that differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import mne
import numpy as np
from numpy.typing import NDArray

from neurodecode import scenes
from neurodecode.data import Embeddings, Responses, Split, Stimuli
from neurodecode.encoders import Ridge, SensorConv, SensorConvSize
from neurodecode.evidence import ProtocolResult, Run, TestLooks, write_results
from neurodecode.gallery import Figure, GalleryItem, write_gallery
from neurodecode.generators import Restandardise, Retrieval, SmallFlow
from neurodecode.metrics import retrieval
from neurodecode.pipeline import Evaluation, Goal, Protocol, RetrievalTopK, decode, evaluate
from neurodecode.preprocessing import RobustScale
from neurodecode.statistics import bootstrap_interval
from neurodecode.targets import OpenClip, PixelPCA
from neurodecode.training import Plan

MEASURES = (RetrievalTopK(1), RetrievalTopK(5), RetrievalTopK(10))
WINDOW_S, HOP_S = 0.25, 0.05
EARLY_S, LATE_S = 0.15, 0.45
"""Centres of the sliding windows that are compared; fixed before any score was seen."""


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
    names: tuple[str, str] = ("large_set_single_trial", "small_set_averaged")


@dataclass(frozen=True)
class Effort:
    """How much is computed."""

    size: SensorConvSize = SensorConvSize()
    max_epochs: int = 50
    weights: tuple[float, ...] = (0.25, 0.5, 0.75)
    n_drawn: int = 24
    batch_size: int = 128
    learning_rate: float = 3e-4
    device: str = "auto"

    def encoder(self, *, subject_layer: bool, seed: int) -> SensorConv:
        """The deep decoder."""
        plan = Plan(
            max_epochs=self.max_epochs,
            learning_rate=self.learning_rate,
            patience=10,
            weight_decay=0.0,
            device=self.device,
        )
        return SensorConv(
            subject_layer=subject_layer,
            contrastive_weight=self.weights if subject_layer else self.weights[-1],
            size=self.size,
            plan=plan,
            batch_size=self.batch_size,
            seed=seed,
        )


class RegressionHead:
    """The regression head of a fitted SensorConv, as an encoder of its own."""

    def __init__(self, encoder: SensorConv) -> None:
        self.encoder = encoder

    def predict(self, responses: Responses, head: str | None = None) -> Embeddings:
        """Points in the units of the target."""
        return self.encoder.predict(responses, head="regression")


def scaled(person: Responses, split: Split) -> Responses:
    """Baseline taken off each trial; median, range and clip learned from training trials."""
    assert person.times is not None
    before = person.times <= 0
    values = person.array()
    person = person.with_values(values - values[:, :, before].mean(axis=2, keepdims=True))
    return RobustScale(clip=5.0).fit(split.part(person, "train")).transform(person)


def twin_material(people: Sequence[Responses], *, validation: float, seed: int) -> Material:
    """A twin as THINGS is built: scenes that all people saw once are the large test set."""
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
    stimuli = scenes.stimuli([*rest.tolist(), *large.tolist(), *small.tolist()])
    ready = [scaled(one, split) for one in people]
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


def study(material: Material, effort: Effort, out: Path, name: str, seed: int) -> None:
    """All protocols; write ``results.json`` and a gallery to ``out``."""
    clip = OpenClip(device=effort.device)
    goal = Goal(material.stimuli, clip)
    with Run(seed=seed, looks=TestLooks(mirror=out)) as run:
        generator = nearest_training(material, goal)
        large = decode(
            material.people,
            goal,
            encoder=effort.encoder(subject_layer=True, seed=seed),
            generator=generator,
            protocol=protocol(material, "large", material.names[0], seed),
            run=run,
        )
        deep: Any = large.encoder
        ridge = Ridge(device="cpu").fit(
            [material.split.seen(one) for one in material.people],
            goal.for_fit(seen_ids(material)),
            material.split.blind(),
        )
        small = evaluate(
            material.people,
            goal,
            encoder={"decoded": [deep], "plain_ridge": [ridge]},
            generator=generator,
            protocol=protocol(material, "small", material.names[1], seed),
            run=run,
        )
        unseen = unseen_person(material, goal, effort, generator, run)
        drawn = generated(material, goal, deep, effort, run)
        curves = over_time(material, goal, run)
        protocols = [
            with_factor(large, seed),
            with_factor(small, seed),
            unseen.result,
            drawn.result,
            curves_result(curves, seed),
        ]
    details = {"simulated": True} if material.simulated else {}
    results = write_results(out, name, protocols, run, details)
    pages = (GalleryItem(**vars(view)) for view in drawn.views(limit=effort.n_drawn))
    figures = [curve_figure(curves), topography(material, deep, goal)]
    page = write_gallery(
        out, pages, results, title=name.replace("_", " ").capitalize(), figures=figures
    )
    for one in protocols:
        for metric, score in one.scores.items():
            print(
                f"{one.name} {metric} {score.value:.3f} [{score.ci95.low:.3f}, "
                f"{score.ci95.high:.3f}] chance {score.chance} null 95 % {score.null.p95:.3f}"
            )
    print(f"contrastive weight {deep.contrastive_weight_}\n{page}")


def protocol(material: Material, test: str, name: str, seed: int, **more: Any) -> Protocol:
    """One test set: single trials of the large one, averaged predictions of the small one."""
    part = replace(material.split, test=material.test[test]) if test == "small" else material.split
    repeats: Any = "single" if test == "large" else "predictions"
    return Protocol(part, name, measures=MEASURES, repeats=repeats, seed=seed, n_drawn=8, **more)


def seen_ids(material: Material) -> list[str]:
    """Stimuli that fitting may see."""
    ids = [material.split.seen(one).stimulus for one in material.people]
    return [str(one) for one in np.unique(np.concatenate(ids))]


def train_ids(material: Material) -> list[str]:
    """Stimuli of the training part."""
    ids = [material.split.part(one, "train").stimulus for one in material.people]
    return [str(one) for one in np.unique(np.concatenate(ids))]


def nearest_training(material: Material, goal: Goal) -> Retrieval:
    """Shows the training picture that lies nearest to a prediction."""
    ids = train_ids(material)
    [points] = goal.points(ids).values()
    return Retrieval(points, material.stimuli.select(ids), size=64)


def unseen_person(
    material: Material, goal: Goal, effort: Effort, generator: Any, run: Run
) -> Evaluation:
    """The last person, decoded by a network without subject layer that never met this person."""
    met = [material.split.seen(one) for one in material.people[:-1]]
    encoder = effort.encoder(subject_layer=False, seed=run.seed)
    ids = np.unique(np.concatenate([one.stimulus for one in met])).tolist()
    encoder.fit(met, goal.for_fit(ids), material.split.blind())
    return evaluate(
        material.people[-1:],
        goal,
        encoder=encoder,
        generator=generator,
        protocol=protocol(material, "large", "new_subject_zero_shot", run.seed),
        run=run,
    )


def generated(
    material: Material, goal: Goal, deep: SensorConv, effort: Effort, run: Run
) -> Evaluation:
    """Pictures from the regression head, its predictions re-standardised on validation trials."""
    head = RegressionHead(deep)
    parts = [material.split.part(one, "validation") for one in material.people]
    known = [head.predict(one) for one in parts]
    rows = Embeddings(
        np.concatenate([one.array() for one in known]),
        np.concatenate([one.stimulus for one in known]),
        known[0].space,
    )
    [true] = goal.points(np.unique(rows.stimulus)).values()
    flow = SmallFlow(restandardise=Restandardise().fit(rows, true), device=effort.device)
    asked = replace(
        protocol(material, "small", "generation_small_set", run.seed),
        measures=None,
        n_drawn=effort.n_drawn,
    )
    chosen: Any = {"decoded": [head]}
    return evaluate(material.people, goal, encoder=chosen, generator=flow, protocol=asked, run=run)


def with_factor(evaluation: Evaluation, seed: int) -> ProtocolResult:
    """The result, with deep over ridge on top-5: the ratio of hit rates, bootstrapped together."""
    deep = evaluation.per_item["retrieval_top5"]
    [head] = evaluation.answers.embeddings
    ridge_rows = evaluation.controls["plain_ridge"].embeddings[head]
    truth = evaluation.shown.points[head]
    ridge = retrieval.top_k(
        truth.rows(evaluation.items.stimulus), ridge_rows.array(), 5, candidates=truth.array()
    )
    ids, code = np.unique(evaluation.items.stimulus, return_inverse=True)
    rng = np.random.default_rng(seed)
    both = np.stack([np.bincount(code, one, len(ids)) for one in (deep, ridge)])
    ratios = []
    for _ in range(2000):
        sums = both[:, rng.integers(0, len(ids), len(ids))].sum(axis=1)
        ratios.append(sums[0] / max(sums[1], 1.0))
    details = {
        "deep_over_ridge_top5": float(deep.sum() / max(float(ridge.sum()), 1.0)),
        "deep_over_ridge_top5_ci95": [float(one) for one in np.quantile(ratios, [0.025, 0.975])],
        "ridge_top5": float(ridge.mean()),
        "relative_median_rank": retrieval.relative_median_rank(
            retrieval.rank(
                truth.rows(evaluation.items.stimulus),
                evaluation.answers.embeddings[head].array(),
                candidates=truth.array(),
            ),
            len(truth),
        ),
    }
    return replace(evaluation.result, details={**evaluation.result.details, **details})


@dataclass(frozen=True, eq=False)
class Curves:
    """Identification (share of other pictures that lie further off) by target and window.

    ``sliding`` and ``growing``: (n_windows, n_items) for each target; ``ends_s``: last samples.
    """

    ends_s: NDArray[np.float64]
    sliding: dict[str, NDArray[np.float64]]
    growing: dict[str, NDArray[np.float64]]
    stimulus: NDArray[np.str_]
    subject: NDArray[np.str_]


def over_time(material: Material, goal: Goal, run: Run) -> Curves:
    """Ridge on 250 ms windows and on growing windows, each fitted anew, for two target spaces."""
    run.look("over_time_large_set", material.people, [material.split])
    times = material.people[0].times
    assert times is not None
    ends = np.arange(times[0] + WINDOW_S, times[-1] + 1e-9, HOP_S)
    ids = seen_ids(material)
    pixels = PixelPCA(30, size=16).fit(material.stimuli.select(train_ids(material)))
    wanted = [*ids, *material.split.test.tolist()]
    targets = {
        "pixels": pixels.embed(material.stimuli.select(wanted)),
        "clip": next(iter(goal.points(wanted).values())),
    }
    found: dict[str, dict[str, list[NDArray[np.float64]]]] = {
        kind: {name: [] for name in targets} for kind in ("sliding", "growing")
    }
    for end in ends:
        for kind, start in (("sliding", end - WINDOW_S), ("growing", times[0])):
            inside = (times >= start - 1e-9) & (times <= end + 1e-9)
            for name, one in identified(material, targets, inside).items():
                found[kind][name].append(one)
    tests = [material.split.part(one, "test") for one in material.people]
    joined = {
        kind: {name: np.stack(rows) for name, rows in by_name.items()}
        for kind, by_name in found.items()
    }
    return Curves(
        ends,
        joined["sliding"],
        joined["growing"],
        np.concatenate([one.stimulus for one in tests]),
        np.concatenate([one.groups("subject") for one in tests]),
    )


def identified(
    material: Material, targets: dict[str, Embeddings], inside: NDArray[np.bool_]
) -> dict[str, NDArray[np.float64]]:
    """For each target, the identification score of every test trial of all people."""
    people = [one.with_values(one.array()[:, :, inside], times=None) for one in material.people]
    scores: dict[str, list[NDArray[np.float64]]] = {name: [] for name in targets}
    for person in people:
        model = Ridge(device="cpu").fit(
            material.split.seen(person), targets, material.split.blind()
        )
        test = material.split.part(person, "test")
        for name, target in targets.items():
            truth = target.rows(material.split.test)
            mean = target.rows(np.unique(material.split.part(person, "train").stimulus)).mean(0)
            ranks = retrieval.rank(
                target.rows(test.stimulus) - mean,
                model.predict(test, head=name).array() - mean,
                candidates=truth - mean,
            )
            scores[name].append(1 - ranks / (len(truth) - 1))
    return {name: np.concatenate(rows) for name, rows in scores.items()}


def contrast(curves: Curves) -> NDArray[np.float64]:
    """By how much more the semantic target gains from early to late than the low-level one."""
    early = int(np.argmin(np.abs(curves.ends_s - EARLY_S - WINDOW_S / 2)))
    late = int(np.argmin(np.abs(curves.ends_s - LATE_S - WINDOW_S / 2)))
    gain = {name: one[late] - one[early] for name, one in curves.sliding.items()}
    return np.asarray(gain["clip"] - gain["pixels"])


def curves_result(curves: Curves, seed: int) -> ProtocolResult:
    """The curves and the contrast of windows, with their intervals."""

    def told(rows: NDArray[np.float64]) -> dict[str, list[float]]:
        bounds = [
            bootstrap_interval(row, clusters=None, items=curves.stimulus, n_resamples=300,
                               seed=seed)
            for row in rows
        ]  # fmt: skip
        return {
            "value": [round(float(row.mean()), 4) for row in rows],
            "low": [round(one.low, 4) for one in bounds],
            "high": [round(one.high, 4) for one in bounds],
        }

    gain = contrast(curves)
    interval = bootstrap_interval(gain, clusters=None, items=curves.stimulus, seed=seed)
    details = {
        "window_ends_s": [round(float(one), 3) for one in curves.ends_s],
        "sliding_250_ms": {name: told(rows) for name, rows in curves.sliding.items()},
        "growing": {name: told(rows) for name, rows in curves.growing.items()},
        "late_minus_early_clip_minus_pixels": {
            "value": float(gain.mean()),
            "ci95": [interval.low, interval.high],
            "chance": 0.0,
        },
        "subjects": np.unique(curves.subject).tolist(),
        "kept_apart": "stimulus",
        "what": "identification among the large test set by ridge, chance .5",
    }
    return ProtocolResult("over_time_large_set", {}, {}, details)


def curve_figure(curves: Curves) -> Figure:
    """Sliding and growing windows for both targets."""
    figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained", sharey=True)
    for axis, (title, kind) in zip(
        axes, (("250 ms windows", curves.sliding), ("growing windows", curves.growing)), strict=True
    ):
        for name, rows in kind.items():
            axis.plot(curves.ends_s, rows.mean(axis=1), marker=".", label=name)
        axis.axhline(0.5, color="0.5", lw=0.8)
        axis.set(title=title, xlabel="end of window (s)")
    axes[0].set_ylabel("identification")
    axes[0].legend()
    plt.close(figure)
    caption = "Ridge for each window and target space, large test set, single trials; chance .5."
    return Figure("Which target is decoded when", caption, figure)


def topography(material: Material, deep: SensorConv, goal: Goal) -> Figure:
    """Which sensors the deep decoder reads: gradient times input on validation trials."""
    import torch

    from neurodecode.encoders._sensor_conv_model import layout_of

    person = material.split.part(material.people[0], "validation")
    person = person.take(np.arange(min(64, len(person))))
    layout = layout_of(person)
    model = deep.model_.cpu().eval()
    values = torch.from_numpy(person.array()).requires_grad_(True)
    out = model.network(values, layout, deep._person(person.subject))["retrieval"]
    [target] = goal.points(person.stimulus).values()
    truth = torch.from_numpy(target.rows(person.stimulus))
    torch.nn.functional.cosine_similarity(out, truth).sum().backward()
    assert values.grad is not None
    weight = (values.grad * values).detach().sum(dim=2).abs().mean(dim=0).numpy()
    figure, axis = plt.subplots(figsize=(3.6, 3.4), layout="constrained")
    places = 0.18 * (layout.numpy() - 0.5)
    mne.viz.plot_topomap(
        weight / weight.max(), places, axes=axis, show=False, contours=0, cmap="viridis",
        sphere=0.1,
    )  # fmt: skip
    plt.close(figure)
    caption = (
        f"Gradient times input of the cosine with the true picture, {len(person)} validation "
        f"trials of {person.subject}, largest sensor 1; seen from above, nose up."
    )
    return Figure("Sensors that the decoder reads", caption, figure)
