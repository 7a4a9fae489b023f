"""Figures of the small models on scenes that none of them was trained on, through the library.

Cost: about 3 minutes on 2 cores.

    python -m experiments.train_small.evaluate --json FIGURES.json

Wanted: text to picture top-1 among 1,000 above .9; a sample's own embedding finds its scene among
100 with top-1 above .8; kind and colour of the main object right in more than 90 % of captions;
less than .5 s a picture on the CPU (seconds of one core are counted, so that other work on the
machine does not matter). What was measured last stands in the model cards.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.train_small.data import TEST, ids_of
from neurodecode import scenes
from neurodecode.data import Embeddings
from neurodecode.generators import Captioner, SmallFlow
from neurodecode.metrics import pixel_correlation
from neurodecode.targets import Latent, OpenClip


def top1(queries: NDArray[Any], candidates: NDArray[Any]) -> float:
    """Share of rows whose nearest candidate by cosine is their own."""
    a, b = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (queries, candidates))
    return float(((a @ b.T).argmax(axis=1) == np.arange(len(a))).mean())


def clip_figures(n_scenes: int) -> dict[str, float]:
    """Retrieval in both directions; scenes with a caption that another has are left out."""
    ids = ids_of(TEST, n_scenes)
    first = {scenes.captions(one)[0]: one for one in reversed(ids)}
    stimuli = scenes.stimuli(sorted(first.values()))
    image = OpenClip(device="cpu").embed(stimuli).array()
    text = OpenClip(layer="text", device="cpu").embed(stimuli).array()
    return {
        "candidates": len(stimuli),
        "text_to_image_top1": round(top1(text, image), 4),
        "image_to_text_top1": round(top1(image, text), 4),
    }


def generator_figures(n_scenes: int, seen: Embeddings) -> dict[str, float]:
    """What samples show, by their own embedding, in sets of 100 scenes; and their cost."""
    stimuli = scenes.stimuli(seen.stimulus)
    start = time.process_time()
    drawn = SmallFlow(device="cpu").generate(seen, seed=0).values[:, 0]
    seconds = time.process_time() - start
    again = OpenClip(device="cpu").embed(type(stimuli).from_arrays(seen.stimulus, drawn)).array()
    sets = [slice(i, i + 100) for i in range(0, n_scenes - 99, 100)]
    through = Latent(device="cpu")
    kept = through.pictures(through.embed(stimuli).array()) / 255.0
    truth = stimuli.stack() / 255.0
    wrong = ((kept - truth) ** 2).mean(axis=(1, 2, 3))
    return {
        "sample_top1_of_100": round(
            float(np.mean([top1(again[one], seen.array()[one]) for one in sets])), 4
        ),
        "pixel_correlation": round(float(pixel_correlation(truth, drawn / 255.0).mean()), 4),
        "autoencoder_psnr_db": round(float((-10 * np.log10(wrong)).mean()), 2),
        "core_seconds_a_picture": round(seconds / n_scenes, 4),
    }


def caption_figures(n_scenes: int, seen: Embeddings) -> dict[str, float]:
    """Kind and colour of the main object in the first noun phrase of the caption."""
    start = time.process_time()
    texts = Captioner(device="cpu").generate(seen).values[:, 0].tolist()
    seconds = time.process_time() - start
    facts = [scenes.attributes(one) for one in seen.stimulus.tolist()]
    phrases = [main_object(one) for one in texts]
    kind = np.array([fact["kind"] in one for fact, one in zip(facts, phrases, strict=True)])
    colour = np.array([fact["colour"] in one for fact, one in zip(facts, phrases, strict=True)])
    return {
        "kind": round(float(kind.mean()), 4),
        "colour": round(float(colour.mean()), 4),
        "kind_and_colour": round(float((kind & colour).mean()), 4),
        "core_seconds_a_caption": round(seconds / n_scenes, 4),
    }


def main_object(caption: str) -> list[str]:
    """Words of the first phrase that names an object with its size: size, colour, [texture,] kind.

    Examples
    --------
    >>> main_object("In the snow in dim light, a small red striped cup on the left, in front.")
    ['small', 'red', 'striped', 'cup']
    """
    words = caption.lower().replace(",", " ").replace(".", " ").split()
    start = next((i for i, word in enumerate(words) if word in scenes.SIZES), len(words))
    kind = next((i for i in range(start, len(words)) if words[i] in scenes.KINDS), start + 3)
    return words[start : min(kind + 1, start + 4)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=400)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    figures: dict[str, dict[str, float]] = {"clip": clip_figures(1000)}
    print(figures, flush=True)
    seen = OpenClip(device="cpu").embed(scenes.stimuli(ids_of(TEST, given.scenes)))
    figures["generator"] = generator_figures(given.scenes, seen)
    print(figures["generator"], flush=True)
    figures["captioner"] = caption_figures(given.scenes, seen)
    print(figures["captioner"], flush=True)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
