"""Pictures of the NSD experiments: drawn from predictions, scored by the eight metrics, shown.

On simulated people the small generator draws; on real ones each prediction shows the nearest
training picture, since no large generator is assumed to be here. Networks whose weights are absent
are left out and named in the results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments._nsd import Data, Way
from experiments._nsd_scores import Block, Metric, compare, correlation, in_order
from neurodecode.data import Embeddings, Responses, Stimuli
from neurodecode.evidence import nearest_training
from neurodecode.gallery import GalleryItem
from neurodecode.generators import Restandardise, Retrieval, SmallFlow
from neurodecode.metrics.identification import two_way_table
from neurodecode.metrics.images import Resize, Variant, ssim
from neurodecode.metrics.networks import Network, load_networks
from neurodecode.targets import OpenClip

N_DRAWN = 40
"""Test pictures that are drawn, for each person: the first by name."""
N_WRONG = 60
"""Pictures compared with another's truth for the null of SSIM, which is slow at 425 px."""
SIZE = 425
TWO_WAY = "two_way_clip_small"


def evaluate(data: Data, person: Responses, way: Way, *, draw: bool = False) -> Block:
    """Scores of one way for one person's test pictures; with pictures if asked."""
    predicted = in_order(way, data.test(person))
    block = compare(data, person, predicted)
    if not draw:
        return block
    held_out = in_order(way, data.split.part(person, "validation"))
    return with_pictures(data, block, drawn(data, predicted, held_out))


def ceiling(data: Data, person: Responses) -> Block:
    """The generator fed with the true embedding."""
    true = data.main.select(sorted(set(data.test(person).stimulus.tolist())))
    return with_pictures(data, compare(data, person, true), drawn(data, true))


def nearest(data: Data, person: Responses, way: Way) -> Block:
    """The nearest training picture in place of a drawn one, and its embedding of the predicted."""
    predicted = in_order(way, data.test(person))
    found = nearest_training(predicted, data.main.select(data.split.train))
    answer = Embeddings(data.main.rows(found), predicted.stimulus, data.main.space)
    return with_pictures(data, compare(data, person, answer), looked_up(data, predicted))


def drawn(data: Data, predicted: Embeddings, held_out: Embeddings | None = None) -> Stimuli:
    """One picture for each of the first predictions.

    Predictions are given the spread of true embeddings, learned from validation pictures.
    """
    first = predicted.select(predicted.stimulus[:N_DRAWN])
    if not data.simulated:
        return looked_up(data, first)
    if held_out is not None and len(held_out) > 1:
        first = Restandardise().fit(held_out, data.main).apply(first)
    made = SmallFlow().generate(first, seed=data.seed)
    return Stimuli.from_arrays(first.stimulus, made.values[:, 0])


def looked_up(data: Data, predicted: Embeddings) -> Stimuli:
    """The training picture nearest to each of the first predictions."""
    first = predicted.select(predicted.stimulus[:N_DRAWN])
    known = data.main.select(data.split.train)
    size = None if data.simulated else SIZE
    made = Retrieval(known, data.stimuli, size=size).generate(first, seed=0)
    return Stimuli.from_arrays(first.stimulus, made.values[:, 0])


def with_pictures(data: Data, block: Block, made: Stimuli) -> Block:
    """A block with all picture metrics that can be computed here."""
    ids = made.ids.tolist()
    decoded, truth = (np.stack([one[each] for each in ids]) for one in (made, data.stimuli))
    metrics = pixel_metrics(decoded, truth) | network_metrics(decoded, truth)
    if data.simulated:
        metrics[TWO_WAY] = small_clip(data, made)
    return replace(block, metrics=block.metrics | metrics)


def pixel_metrics(decoded: NDArray[Any], truth: NDArray[Any]) -> dict[str, Metric]:
    """PixCorr and both kinds of SSIM at 425 px."""
    resize = Resize(SIZE)
    flat = [resize(one).reshape(len(one), -1) for one in (decoded, truth)]
    about = {"variant": f"{SIZE} px, torch bilinear"}
    metrics = {"PixCorr": Metric.of_table(correlation(*flat), details=about)}
    other = np.roll(truth, 1, axis=0)[:N_WRONG]
    kinds: dict[str, Variant] = {"SSIM": "2d", "SSIM_legacy": "legacy"}
    for name, kind in kinds.items():
        metrics[name] = Metric(
            one_by_one(truth, decoded, kind),
            one_by_one(other, decoded, kind),
            details={"variant": f"{kind}, {SIZE} px, torch bilinear"},
        )
    return metrics


def one_by_one(truth: NDArray[Any], decoded: NDArray[Any], variant: Variant) -> NDArray[np.float64]:
    """SSIM of each pair by itself: eight times as fast as 16 together, which leave the cache."""
    pairs = zip(truth, decoded[: len(truth)], strict=True)
    return np.concatenate([ssim(one[None], made[None], variant, size=SIZE) for one, made in pairs])


def network_metrics(decoded: NDArray[Any], truth: NDArray[Any]) -> dict[str, Metric]:
    """Alex(2), Alex(5), Incep, CLIP, Eff and SwAV, as far as their weights are here."""
    metrics = {}
    for name, network in networks()[0].items():
        rows = [network.extract(one).reshape(len(one), -1) for one in (decoded, truth)]
        similar = correlation(*rows)
        table = two_way_table(similar) if network.kind == "two_way" else 1.0 - similar
        metrics[name] = Metric.of_table(
            table,
            chance=network.chance,
            higher_is_better=network.higher_is_better,
            details={"variant": network.details},
        )
    return metrics


@lru_cache(maxsize=1)
def networks() -> tuple[dict[str, Network], dict[str, str]]:
    """The published networks that are here, and for each of the others how to get it."""
    return load_networks()


def small_clip(data: Data, made: Stimuli) -> Metric:
    """Two-way identification by the shipped CLIP, training mean taken out: for scenes only."""
    mean = data.main.rows(data.split.train).mean(axis=0)
    again = OpenClip().embed(made).array() - mean
    truth = data.main.rows(made.ids) - mean
    about = {"variant": "the small CLIP shipped here, not ViT-L/14; training mean taken out"}
    table = two_way_table(correlation(again, truth))
    return Metric.of_table(table, chance=0.5, details=about)


def cards(data: Data, person: Responses, ways: Mapping[str, Way]) -> list[GalleryItem]:
    """Gallery items of one person: the first way is the model, the others stand beside it."""
    name, *_ = ways
    predicted = {key: in_order(way, data.test(person)) for key, way in ways.items()}
    held = {key: in_order(way, data.split.part(person, "validation")) for key, way in ways.items()}
    pictures = {key: drawn(data, one, held[key]) for key, one in predicted.items()}
    shown = pictures.pop(name)
    true = data.main.select(predicted[name].stimulus)
    known = data.main.select(data.split.train)
    near = nearest_training(predicted[name].select(shown.ids), known)
    pictures["ceiling (true embedding)"] = drawn(data, true)
    block = compare(data, person, predicted[name])
    return [
        GalleryItem(
            stimulus=one,
            subject=person.subject,
            truth=data.stimuli[one],
            decoded=[shown[one]],
            controls={key: made[one] for key, made in pictures.items()}
            | {"nearest training picture": data.stimuli[near[row]]},
            scores={key: float(each.own[row]) for key, each in block.metrics.items()},
            tags={"seed": str(data.seed)},
        )
        for row, one in enumerate(shown.ids.tolist())
    ]


def picture_facts(blocks: Sequence[Block], simulated: bool) -> dict[str, Any]:
    """What the results must say of the pictures."""
    n_drawn = [len(one.metrics["PixCorr"].own) for one in blocks if "PixCorr" in one.metrics]
    by = "SmallFlow, spread by validation pictures" if simulated else "nearest training picture"
    return {"n_drawn": n_drawn[0], "generator": by} if n_drawn else {}
