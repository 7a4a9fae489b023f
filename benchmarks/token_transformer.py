"""One pooled TokenTransformer against a ridge for each person, on simulated fMRI.

    python -m benchmarks.token_transformer --out benchmarks/results/token_transformer.json

Four simulated people with 300 training trials each; 200 test scenes that nobody saw in training,
the mean of three trials each. Retrieval: is the prediction closest, by cosine, to the embedding of
its own scene, among 200 (chance .005)? Intervals are bootstrapped over scenes. Ridge chooses its
penalties within each person's training trials. ``centred`` takes the training mean from both
sides first, which helps ridge most: both ways are reported, so that what is gained by pooling, by
sharpening and by the mean can be told apart; ``one person`` is the same TokenTransformer without
the others' trials.

Cost on 2 CPU cores: about 1 minute. Settings were chosen on seeds 1 and 2; seed 0 is reported.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from jsonargparse import auto_cli
from numpy.typing import NDArray

from benchmarks._record import write_record
from neurodecode import scenes, targets, twin
from neurodecode.data import Embeddings, Responses, Split
from neurodecode.encoders import Ridge, TokenTransformer
from neurodecode.metrics.retrieval import top_k
from neurodecode.statistics import Sampling, mean_interval


def retrieval(
    predicted: list[Embeddings], truth: Embeddings, mean: NDArray[np.float32]
) -> dict[str, Any]:
    """Top-1 over people and scenes, with a 95 % interval over scenes."""
    hits, scene = [], []
    for one in predicted:
        hits.append(top_k(truth.rows(one.stimulus) - mean, one.array() - mean, 1))
        scene.append(one.stimulus)
    items = np.concatenate(hits)
    interval = mean_interval(items, Sampling(cluster=np.concatenate(scene)), share=True)
    return {
        "top1": float(items.mean()),
        "ci95": [interval.low, interval.high],
        "people": [float(one.mean()) for one in hits],
    }


def fit_all(
    people: list[Responses], truth: Embeddings, split: Split, device: str
) -> dict[str, tuple[list[Embeddings], float]]:
    """Predictions of each contender for the test scenes, and the seconds of its fit."""
    tests = [split.part(one, "test").average_repeats() for one in people]
    found = {}
    start = time.perf_counter()
    ridge = Ridge(device=device).fit(people, truth, split)
    found["ridge"] = ([ridge.predict(one) for one in tests], time.perf_counter() - start)
    for bridge in ("linear", "low_rank", "none"):
        start = time.perf_counter()
        pooled = TokenTransformer(bridge).fit(people, truth, split)  # type: ignore[arg-type]
        seconds = time.perf_counter() - start
        found[f"pooled, {bridge} bridge"] = ([pooled.predict(one) for one in tests], seconds)
    start = time.perf_counter()
    alone = [
        TokenTransformer().fit(one, truth, split).predict(test)
        for one, test in zip(people, tests, strict=True)
    ]
    found["one person"] = (alone, time.perf_counter() - start)
    strangers = []
    for i, test in enumerate(tests):
        others = people[:i] + people[i + 1 :]
        strangers.append(TokenTransformer("none").fit(others, truth, split).predict(test))
    found["new person, no bridge"] = (
        strangers,
        time.perf_counter() - start - found["one person"][1],
    )
    return found


def main(
    out: Path | None = None, seed: int = 0, n_trials: int = 300, device: str = "cpu"
) -> dict[str, Any]:
    """Compare on one simulated experiment.

    Parameters
    ----------
    out : path, optional
        Where to write the figures as JSON.
    seed : int
        Of the simulated people and scenes.
    n_trials : int
        Training trials a person.
    device : str
    """
    people = twin.fmri(4, n_trials, seed=seed)
    split = twin.split(people)
    shown = sorted({one for person in people for one in person.stimulus.tolist()})
    truth = targets.OpenClip(targets.shipped("clip")).embed(scenes.stimuli(shown))
    mean = truth.rows(split.train).mean(axis=0)
    result: dict[str, Any] = {"seed": seed, "n_trials": n_trials, "data": "simulated (twin.fmri)"}
    for name, (predicted, seconds) in fit_all(people, truth, split, device).items():
        result[name] = {
            "plain": retrieval(predicted, truth, 0 * mean),
            "centred": retrieval(predicted, truth, mean),
            "seconds": round(seconds, 1),
        }
    if out is not None:
        write_record(__file__, out, result)
    return result


if __name__ == "__main__":
    print(auto_cli(main))
