"""When a low-level and when a semantic target is decoded: sliding, growing and short windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from experiments._meeg_material import Material
from neurodecode.data import Embeddings, Responses
from neurodecode.encoders import Ridge
from neurodecode.evidence import ProtocolResult, Run
from neurodecode.gallery import Figure
from neurodecode.metrics import retrieval
from neurodecode.pipeline import Goal
from neurodecode.statistics import Sampling, mean_interval
from neurodecode.targets import PixelPCA

WINDOW_S, HOP_S = 0.25, 0.1
SHORT_S, EARLY_S, LATE_S = 0.06, 0.08, 0.18
"""Length and centres of the windows that are compared.

Chosen on simulated EEG of seed 98, before its dipoles pointed along folds: what primary areas
answer (85 ms) and what the areas of objects and places answer (150 to 200 ms) both lie within the
first window of 250 ms.
"""
LOW, SEMANTIC = "pixels", "clip"
Rows = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curves:
    """Identification (share of other pictures that lie further off) by target and window.

    ``sliding`` and ``growing``: (n_windows, n_items) for each target, by ridge; ``ends_s``: last
    samples of these windows. ``linear`` and ``deep``: the early and the late short window,
    (2, n_items) for each target.
    """

    ends_s: Rows
    sliding: dict[str, Rows]
    growing: dict[str, Rows]
    linear: dict[str, Rows]
    deep: dict[str, Rows]
    stimulus: NDArray[np.str_]
    subject: NDArray[np.str_]


def contrast(early_late: dict[str, Rows]) -> Rows:
    """By how much more the semantic target gains from early to late than the low-level one.

    Parameters
    ----------
    early_late : dict of array, shape (2, n_items)
        Identification in the early and in the late window, for both targets.
    """
    gain = {name: late - early for name, (early, late) in early_late.items()}
    return np.asarray(gain[SEMANTIC] - gain[LOW])


def over_time(material: Material, goal: Goal, run: Run, deep: Callable[[], Any]) -> Curves:
    """A decoder fitted anew for each window and target: ridge for all, ``deep`` for two windows."""
    run.look("over_time_large_set", material.people, [material.split])
    times = _times(material)
    ends = np.arange(times[0] + WINDOW_S, times[-1] + 1e-9, HOP_S)
    targets = _targets(material, goal)
    tests = [material.split.part(one, "test") for one in material.people]
    return Curves(
        ends,
        _ridge(material, targets, [(end - WINDOW_S, end) for end in ends]),
        _ridge(material, targets, [(times[0], end) for end in ends]),
        _ridge(material, targets, _short()),
        _deep(material, targets, deep),
        np.concatenate([one.stimulus for one in tests]),
        np.concatenate([one.groups("subject") for one in tests]),
    )


def _short() -> list[tuple[float, float]]:
    return [(centre - SHORT_S / 2, centre + SHORT_S / 2) for centre in (EARLY_S, LATE_S)]


def _targets(material: Material, goal: Goal) -> dict[str, Embeddings]:
    train = material.stimuli.select(material.train_ids())
    wanted = [*material.seen_ids(), *material.split.test.tolist()]
    pixels = PixelPCA(30, size=16).fit(train)
    return {
        LOW: pixels.embed(material.stimuli.select(wanted)),
        SEMANTIC: next(iter(goal.points(wanted).values())),
    }


def _ridge(
    material: Material, targets: dict[str, Embeddings], windows: list[tuple[float, float]]
) -> dict[str, Rows]:
    """For each target (n_windows, n_items)."""
    found: dict[str, list[Rows]] = {name: [] for name in targets}
    for window in windows:
        scores: dict[str, list[Rows]] = {name: [] for name in targets}
        for person in _cut(material, window):
            model = Ridge().fit(material.split.seen(person), targets, material.split.blind())
            test = material.split.part(person, "test")
            for name, target in targets.items():
                predicted = model.predict(test, head=name)
                scores[name].append(identified(material, target, predicted))
        for name, rows in scores.items():
            found[name].append(np.concatenate(rows))
    return {name: np.stack(rows) for name, rows in found.items()}


def _deep(
    material: Material, targets: dict[str, Embeddings], make: Callable[[], Any]
) -> dict[str, Rows]:
    """For each target (2, n_items): the early and the late window."""
    found = {}
    for name, target in targets.items():
        rows = []
        for window in _short():
            people = _cut(material, window)
            seen = [material.split.seen(one) for one in people]
            model = make().fit(seen, target.select(material.seen_ids()), material.split.blind())
            tests = [material.split.part(one, "test") for one in people]
            parts = [identified(material, target, model.predict(one)) for one in tests]
            rows.append(np.concatenate(parts))
        found[name] = np.stack(rows)
    return found


def identified(material: Material, target: Embeddings, predicted: Embeddings) -> Rows:
    """Of all other test pictures, the share that lies further from each prediction; chance .5.

    The mean training point is taken off both: what all pictures share tells nothing.
    """
    truth = target.rows(material.split.test)
    mean = target.rows(np.array(material.train_ids())).mean(axis=0)
    ranks = retrieval.rank(
        target.rows(predicted.stimulus) - mean, predicted.array() - mean, candidates=truth - mean
    )
    return np.asarray(1 - ranks / (len(truth) - 1))


def _cut(material: Material, window: tuple[float, float]) -> list[Responses]:
    times = _times(material)
    inside = (times >= window[0] - 1e-9) & (times <= window[1] + 1e-9)
    return [
        one.with_values(one.array()[:, :, inside], times=times[inside]) for one in material.people
    ]


def _times(material: Material) -> Rows:
    times = material.people[0].times
    if times is None:
        raise ValueError(f"Trials of subject '{material.people[0].subject}' have no times.")
    return np.asarray(times, dtype=np.float64)


def curves_result(curves: Curves) -> ProtocolResult:
    """The curves and the contrast of windows, with their intervals."""

    def told(rows: Rows) -> dict[str, list[float]]:
        bounds = [
            mean_interval(row, Sampling(curves.subject, curves.stimulus), share=True)
            for row in rows
        ]
        return {
            "value": [round(float(row.mean()), 4) for row in rows],
            "low": [round(one.low, 4) for one in bounds],
            "high": [round(one.high, 4) for one in bounds],
        }

    def compared(early_late: dict[str, Rows]) -> dict[str, Any]:
        gain = contrast(early_late)
        interval = mean_interval(gain, Sampling(curves.subject, curves.stimulus))
        return {"value": float(gain.mean()), "ci95": [interval.low, interval.high], "chance": 0.0}

    details = {
        "window_ends_s": [round(float(one), 3) for one in curves.ends_s],
        "sliding_250_ms": {name: told(rows) for name, rows in curves.sliding.items()},
        "growing": {name: told(rows) for name, rows in curves.growing.items()},
        "ridge_early_and_late_window": {name: told(rows) for name, rows in curves.linear.items()},
        "deep_early_and_late_window": {name: told(rows) for name, rows in curves.deep.items()},
        "late_minus_early_clip_minus_pixels": {
            "ridge": compared(curves.linear),
            "deep": compared(curves.deep),
        },
        "subjects": np.unique(curves.subject).tolist(),
        "kept_apart": "stimulus",
        "what": "identification among the large test set, single trials, chance .5",
    }
    return ProtocolResult("over_time_large_set", {}, {}, details)


def curve_figure(curves: Curves) -> Figure:
    """Sliding and growing windows for both targets; dots: the deep decoder."""
    figure, axes = plt.subplots(1, 3, figsize=(11, 3), layout="constrained", sharey=True)
    titled = {"250 ms windows": curves.sliding, "growing windows": curves.growing}
    for axis, (title, rows_of) in zip(axes[:2], titled.items(), strict=True):
        for name, rows in rows_of.items():
            axis.plot(curves.ends_s, rows.mean(axis=1), marker=".", label=f"{name}, ridge")
        axis.set(title=title, xlabel="end of window (s)")
    for how, both, style in (("ridge", curves.linear, ".-"), ("deep", curves.deep, "o:")):
        for place, (name, rows) in enumerate(both.items()):
            told = {"color": f"C{place}", "label": f"{name}, {how}"}
            axes[2].plot([EARLY_S, LATE_S], rows.mean(axis=1), style, **told)
    axes[2].set(title=f"{1000 * SHORT_S:.0f} ms windows", xlabel="middle of window (s)")
    for axis in axes:
        axis.axhline(0.5, color="0.5", lw=0.8)
    axes[0].set_ylabel("identification")
    axes[2].legend(fontsize="small")
    plt.close(figure)
    caption = (
        "A decoder fitted for each window and target space, large test set, single trials; "
        "chance .5. The deep decoder was fitted for the two short windows."
    )
    return Figure("Which target is decoded when", caption, figure)
