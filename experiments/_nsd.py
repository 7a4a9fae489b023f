"""What the three NSD experiments share: data in a layout, few trials, scores over seeds.

With ``--twin`` four simulated people are written in the layout, prepared into a store and read back
as real ones would be. Everything that comes of them is called simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode import store
from neurodecode.data import Embeddings, Responses, Split, Stimuli
from neurodecode.datasets import nsd
from neurodecode.encoders import Ridge
from neurodecode.evidence import ProtocolResult, Score
from neurodecode.generators import SmallFlow
from neurodecode.metrics.identification import two_way_table
from neurodecode.metrics.retrieval import rank_table
from neurodecode.statistics import Null, bootstrap_interval
from neurodecode.targets import OpenClip
from neurodecode.twin.layouts import nsd as layouts

N_PERMUTATIONS = 1000
Writer = Callable[[Path, layouts.NsdDesign, Sequence[Responses]], Path]
WRITERS: dict[str, Writer] = {
    "raw": lambda root, design, people: layouts.write_raw(
        root, design, people, form="hdf5", picture_size=64, voxel_mm=4.0
    ),
    "webdataset": lambda root, design, people: layouts.write_webdataset(
        root, design, people, picture_size=64, n_validation=design.n_own // 10
    ),
    "mindeye2": lambda root, design, people: layouts.write_mindeye(
        root, design, people, picture_size=64
    ),
}


@dataclass(frozen=True, eq=False)
class Data:
    """What one seed (or the real data set) gives."""

    people: list[Responses]
    stimuli: Stimuli
    split: Split
    targets: dict[str, Embeddings]
    seed: int = 0

    @property
    def main(self) -> Embeddings:
        """The first target."""
        return next(iter(self.targets.values()))

    def test(self, person: Responses) -> Responses:
        """A person's test trials."""
        return self.split.part(person, "test")


@dataclass(frozen=True, eq=False)
class Block:
    """Every test stimulus of one person against every other: tables by metric."""

    subject: str
    seed: int
    stimulus: NDArray[np.str_]
    tables: dict[str, NDArray[np.float64]]


def simulated(folder: Path, layout: str, design: layouts.NsdDesign, n_voxels: int) -> Data:
    """Four people in a layout, through the store; targets by the shipped CLIP."""
    root = WRITERS[layout](folder / layout, design, design.people(n_voxels))
    opened = nsd.LAYOUTS[layout](folder / layout)
    written = nsd.prepare(opened, folder / "store", dtype="float32")
    people = [store.load(path) for path in written.values()]
    stimuli = opened.stimuli()
    targets = {"clip": OpenClip().embed(stimuli)}
    if stimuli.captions:
        targets["text"] = OpenClip(layer="text").embed(nsd.captioned(stimuli))
    assert root.exists()
    return Data(people, stimuli, nsd.official_split(people), targets, design.seed)


def recorded(root: Path, layout: str, out: Path, clip: str | Path) -> Data:
    """Real people from a layout; ``clip`` is a local CLIP whose image tokens are the target."""
    opened = nsd.LAYOUTS[layout](root)
    people = [store.load(path) for path in nsd.prepare(opened, out / "store").values()]
    stimuli = opened.stimuli()
    seen = stimuli.select(sorted({one for person in people for one in person.stimulus.tolist()}))
    targets = {"clip": OpenClip(clip, layer="tokens").embed(seen)}
    if seen.captions:
        said = nsd.captioned(seen)
        targets["text"] = OpenClip(clip, layer="text_tokens").embed(said)
    return Data(people, seen, nsd.official_split(people), targets)


def few(data: Data, person: Responses, share: float) -> Responses:
    """A person with only their first pictures, in time, of those that may be learned from."""
    ids = list(dict.fromkeys(data.split.seen(person).stimulus.tolist()))
    return person.select(ids[: max(10, round(share * len(ids)))])


def ridge_of(person: Responses, target: Embeddings, split: Split) -> Ridge:
    """Plain ridge on one person's averaged training pictures."""
    seen = split.seen(person).average_repeats()
    fitted: Ridge = Ridge().fit(seen, target, split.blind())
    return fitted


def compare(data: Data, person: Responses, predicted: Embeddings, *, draw: bool = False) -> Block:
    """Tables of top-1 retrieval and two-way identification; pictures are drawn if asked.

    The mean of the training targets is taken out of both sides.
    """
    mean = data.main.rows(data.split.train).reshape(len(data.split.train), -1).mean(axis=0)
    truth = data.main.rows(predicted.stimulus).reshape(len(predicted), -1)
    similar = _correlation(predicted.array().reshape(len(predicted), -1) - mean, truth - mean)
    tables = {"retrieval_top1": (rank_table(similar) < 1).astype(float)}
    tables["two_way_embedding"] = two_way_table(similar)
    if draw:
        drawn = pictures(predicted, data.seed)
        again = OpenClip().embed(drawn).array()
        tables["two_way_clip"] = two_way_table(_correlation(again - mean, truth - mean))
        tables |= _pixel_tables(data.stimuli, drawn)
    return Block(person.subject, data.seed, predicted.stimulus, tables)


def pictures(predicted: Embeddings, seed: int) -> Stimuli:
    """One picture an embedding, by the small generator."""
    made = SmallFlow().generate(predicted, seed=seed)
    return Stimuli.from_arrays(predicted.stimulus, made.values[:, 0])


def scores(blocks: Sequence[Block]) -> dict[str, Score]:
    """Means over people, seeds and stimuli; intervals over stimuli, nulls within each block."""
    return {name: _score(blocks, name) for name in blocks[0].tables}


def means(blocks: Sequence[Block]) -> dict[str, float]:
    """The same means alone, for controls."""
    return {name: score.value for name, score in scores(blocks).items()}


def difference(one: Sequence[Block], other: Sequence[Block], metric: str) -> dict[str, Any]:
    """Mean of one minus mean of the other on the same stimuli, with its interval over stimuli."""
    gap = _per_item(one, metric) - _per_item(other, metric)
    low, high = _interval(one, gap)
    return {"difference": float(gap.mean()), "ci95": [low, high]}


def result(
    name: str,
    blocks: Sequence[Block],
    others: Mapping[str, Sequence[Block]],
    details: Mapping[str, Any],
) -> ProtocolResult:
    """A protocol with its controls."""
    columns = {
        "subjects": sorted({one.subject for one in blocks}),
        "seeds": sorted({one.seed for one in blocks}),
        "n_test": len(blocks[0].stimulus),
        "n_samples": 1,
        "selection_rule": "none",
        "kept_apart": "stimulus",
        "metrics_left_out": "Alex(2), Alex(5), Incep, Eff, SwAV: their weights are not here",
    }
    controls = {key: means(value) for key, value in others.items()}
    return ProtocolResult(name, scores(blocks), controls, columns | dict(details))


def shuffled(block: Block) -> Block:
    """The same predictions given to other stimuli."""
    order = np.random.default_rng(block.seed).permutation(len(block.stimulus))
    return replace(block, tables={key: table[order] for key, table in block.tables.items()})


def ceiling(data: Data, person: Responses) -> Block:
    """The generator fed with the true embedding."""
    ids = list(dict.fromkeys(data.test(person).stimulus.tolist()))
    return compare(data, person, data.main.select(ids), draw=True)


def _pixel_tables(truth: Stimuli, drawn: Stimuli) -> dict[str, NDArray[np.float64]]:
    """Pixel correlation of every drawn picture with every true one."""
    flat = [
        np.stack([one[each] for each in drawn.ids.tolist()]).reshape(len(drawn), -1) / 255.0
        for one in (drawn, truth)
    ]
    return {"pixel_correlation": _correlation(*flat)}


def _correlation(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    rows = [part - part.mean(axis=1, keepdims=True) for part in (one, other)]
    unit = [part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-12) for part in rows]
    return np.asarray(unit[0] @ unit[1].T, dtype=np.float64)


def _per_item(blocks: Sequence[Block], metric: str) -> NDArray[np.float64]:
    return np.concatenate([one.tables[metric].diagonal() for one in blocks])


def _interval(blocks: Sequence[Block], per_item: NDArray[np.float64]) -> tuple[float, float]:
    items = np.concatenate([[f"{one.seed}/{each}" for each in one.stimulus] for one in blocks])
    found = bootstrap_interval(per_item, items=items)
    return found.low, found.high


def _score(blocks: Sequence[Block], metric: str) -> Score:
    per_item = _per_item(blocks, metric)
    rng = np.random.default_rng(0)
    values = np.empty(N_PERMUTATIONS)
    for number in range(N_PERMUTATIONS):
        parts = []
        for one in blocks:
            order = rng.permutation(len(one.stimulus))
            parts.append(one.tables[metric][np.arange(len(order)), order])
        values[number] = np.concatenate(parts).mean()
    items = np.concatenate([[f"{one.seed}/{each}" for each in one.stimulus] for one in blocks])
    chance = {"retrieval_top1": 1 / len(blocks[0].stimulus), "pixel_correlation": None}
    return Score(
        float(per_item.mean()),
        bootstrap_interval(per_item, items=items),
        chance.get(metric, 0.5),
        Null(values),
        len(per_item),
    )
