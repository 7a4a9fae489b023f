"""Closed forms on simulated people: what a deep encoder has to beat, before it is trained.

    python -m benchmarks.closed_forms_twin --out benchmarks/results/closed_forms_twin.json

fMRI: four people, 300 training trials, 200 new scenes; top-1 retrieval among 200 (chance .005) of
the mean of three trials, and of single trials; a stranger: three people are fitted, the fourth has
no training trial. EEG: four people, 902 training trials, two-way identification (chance .5) of
single trials and of means of eight. Training means are taken from both sides. Penalties, windows
and calibration come from training and validation trials; the test part is opened here alone.

Cost: about 2 minutes of a CPU core. Figures stand in ``docs/closed_forms.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jsonargparse import auto_cli
from numpy.typing import NDArray

from neurodecode import scenes, targets, twin
from neurodecode.contracts import Encoder
from neurodecode.data import Embeddings, Responses, Split
from neurodecode.encoders import BinnedRidge, Bins, CalibratedRidge, RegionStack, Ridge
from neurodecode.store import write_json

FMRI: Mapping[str, Callable[[], Encoder]] = {
    "plain_ridge": lambda: Ridge(device="cpu"),
    "calibrated_ridge": lambda: CalibratedRidge(device="cpu"),
    "region_stack": lambda: RegionStack(device="cpu"),
}
EEG: Mapping[str, Callable[[], Encoder]] = {
    "plain_ridge": lambda: Ridge(device="cpu"),
    "binned_ridge, 50 to 350 ms by 20": lambda: BinnedRidge([Bins(0.05, 0.35, 0.02)], device="cpu"),
    "binned_ridge": lambda: BinnedRidge(device="cpu"),
}


def likeness(
    predicted: Embeddings, truth: Embeddings, mean: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Cosine of each prediction with each distinct test scene, and the column of its own."""
    ids, own = np.unique(predicted.stimulus, return_inverse=True)
    rows = [one - mean for one in (predicted.array(), truth.rows(ids))]
    unit = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in rows]
    return unit[0] @ unit[1].T, own


def top1(cosine: NDArray[np.float32], own: NDArray[np.intp]) -> float:
    """Share of trials whose own scene is nearest."""
    return float((cosine.argmax(axis=1) == own).mean())


def two_way(cosine: NDArray[np.float32], own: NDArray[np.intp]) -> float:
    """Share of other scenes that are less near than a trial's own."""
    mine = cosine[np.arange(len(own)), own][:, None]
    return float(((cosine < mine).sum(axis=1) / (cosine.shape[1] - 1)).mean())


def measured(
    encoder: Encoder,
    people: Sequence[Responses],
    truth: Embeddings,
    split: Split,
    measure: Callable[..., float],
) -> dict[str, float]:
    """Mean over people, of single trials and of means over repeats."""
    mean = truth.rows(split.train).mean(axis=0)
    found: dict[str, float] = {}
    for kind in ("single", "averaged"):
        values = []
        for one in people:
            test = split.part(one, "test")
            test = test.average_repeats() if kind == "averaged" else test
            values.append(measure(*likeness(encoder.predict(test), truth, mean)))
        found[kind] = round(float(np.mean(values)), 3)
    return found


def target_of(people: Sequence[Responses]) -> Embeddings:
    """CLIP embeddings of all scenes, by the small model that ships."""
    shown = sorted({one for person in people for one in person.stimulus.tolist()})
    return targets.OpenClip(targets.shipped("clip")).embed(scenes.stimuli(shown))


def study(seed: int) -> dict[str, Any]:
    """All closed forms on one draw of people and scenes."""
    found: dict[str, Any] = {}
    people = twin.fmri(4, 300, seed=seed)
    split, truth = twin.split(people), target_of(people)
    for name, make in FMRI.items():
        encoder = make().fit(people, truth, split)
        found[f"fmri, {name}"] = measured(encoder, people, truth, split, top1)
    strangers = []
    for i, one in enumerate(people):
        stack = RegionStack(device="cpu").fit([*people[:i], *people[i + 1 :]], truth, split)
        strangers.append(measured(stack, [one], truth, split, two_way)["averaged"])
    found["fmri, region_stack, strangers, two-way"] = round(float(np.mean(strangers)), 3)
    people = twin.eeg(4, 1000, seed=seed, design=twin.Design(test_repeats=8))
    split, truth = twin.split(people), target_of(people)
    for name, make in EEG.items():
        encoder = make().fit(people, truth, split)
        found[f"eeg, {name}"] = measured(encoder, people, truth, split, two_way)
        if isinstance(encoder, BinnedRidge):
            found[f"eeg, {name}"] |= {"window": encoder.windows_.name, "merits": encoder.merits_}
    return found


def main(out: Path | None = None, seeds: tuple[int, ...] = (0, 1, 2)) -> dict[str, Any]:
    """Measure each seed.

    Args:
        out: where to write the figures as JSON
        seeds: of people and scenes
    """
    result: dict[str, Any] = {"data": "simulated (twin.fmri, twin.eeg)"}
    for seed in seeds:
        result[str(seed)] = study(seed)
        print(seed, result[str(seed)], flush=True)
    if out is not None:
        write_json(out, result)
    return result


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
