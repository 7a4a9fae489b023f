"""Figures of the deep decoder: the sensors that it reads, and what averaging repeats brings."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import mne
import numpy as np
import torch

from experiments._meeg_material import Material
from neurodecode.data import Embeddings
from neurodecode.encoders import SensorConv
from neurodecode.encoders.core.sensor_model import layout_of
from neurodecode.gallery import Figure
from neurodecode.metrics import retrieval
from neurodecode.pipeline import Goal

N_TRIALS = 64


def topography(material: Material, deep: SensorConv, goal: Goal) -> Figure:
    """Which sensors the deep decoder reads: gradient times input on validation trials."""
    people = material.people
    figure, axes = plt.subplots(
        1, len(people), figsize=(2.6 * len(people), 2.8), layout="constrained", squeeze=False
    )
    for axis, one in zip(axes[0], people, strict=True):
        person = material.split.part(one, "validation")
        person = person.take(np.arange(min(N_TRIALS, len(person))))
        [target] = goal.points(person.stimulus).values()
        weight = importance(deep, person, target)
        places = 0.18 * (layout_of(person).numpy() - 0.5)
        mne.viz.plot_topomap(
            weight / weight.max(), places, axes=axis, show=False, contours=0, cmap="viridis",
            sphere=0.1,
        )  # fmt: skip
        axis.set_title(one.subject)
    plt.close(figure)
    caption = (
        f"Gradient times input of the cosine with the true picture, up to {N_TRIALS} validation "
        f"trials a person, largest sensor 1; seen from above, nose up."
    )
    return Figure("Sensors that the decoder reads", caption, figure)


def importance(deep: SensorConv, person: Any, target: Embeddings) -> Any:
    """Mean over trials of |sum over time of gradient times input|, shape (n_channels,)."""
    model = deep.model_.cpu().eval()
    values = torch.from_numpy(person.array()).requires_grad_(True)
    out = model.network(values, layout_of(person), deep._person(person.subject))["retrieval"]
    truth = torch.from_numpy(target.rows(person.stimulus))
    torch.nn.functional.cosine_similarity(out, truth).sum().backward()
    if values.grad is None:
        raise ValueError("The network's answer does not depend on the responses.")
    return (values.grad * values).detach().sum(dim=2).abs().mean(dim=0).numpy()


def averaging(material: Material, goal: Goal, deep: Any, ridge: Any) -> dict[str, Any]:
    """Top-5 on the small set with 1, 2, ... predictions of a picture averaged, deep and ridge."""
    ids = material.test["small"]
    [truth] = goal.points(ids).values()
    found: dict[str, Any] = {"n_averaged": [], "deep": [], "ridge": []}
    tests = [one.take(np.flatnonzero(np.isin(one.stimulus, ids))) for one in material.people]
    repeats = min(int(np.unique(one.stimulus, return_counts=True)[1].min()) for one in tests)
    answers = {
        name: [model.predict(one) for one in tests]
        for name, model in (("deep", deep), ("ridge", ridge))
    }
    for n_averaged in range(1, repeats + 1):
        found["n_averaged"].append(n_averaged)
        for name, people in answers.items():
            hits = [
                retrieval.top_k(truth.rows(one.stimulus), one.array(), 5, candidates=truth.array())
                for one in (_first(each, n_averaged).average_repeats() for each in people)
            ]
            found[name].append(round(float(np.concatenate(hits).mean()), 4))
    return found


def _first(predicted: Embeddings, n_each: int) -> Embeddings:
    """The first so many trials of each picture."""
    order = np.argsort(predicted.stimulus, kind="stable")
    ids = predicted.stimulus[order]
    start = np.searchsorted(ids, ids)
    return predicted.take(np.sort(order[np.arange(len(ids)) - start < n_each]))


def averaging_figure(curve: dict[str, Any], n_pictures: int) -> Figure:
    """Single trials against averages."""
    figure, axis = plt.subplots(figsize=(4, 3), layout="constrained")
    for name in ("deep", "ridge"):
        axis.plot(curve["n_averaged"], curve[name], marker="o", label=name)
    axis.axhline(5 / n_pictures, color="0.5", lw=0.8, label="chance")
    axis.set(xlabel="predictions averaged", ylabel=f"top-5 of {n_pictures}", ylim=(0, None))
    axis.set_xticks(curve["n_averaged"])
    axis.legend()
    plt.close(figure)
    caption = "Small test set: predictions for the first trials of each picture, averaged."
    return Figure("Single trials and averages", caption, figure)
