"""Scores of the NSD experiments: over people, seeds and stimuli, each with its null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments._nsd import Data, Way
from neurodecode.data import Embeddings, Responses
from neurodecode.evidence import ProtocolResult, Score, shuffled_order
from neurodecode.metrics.identification import two_way_table
from neurodecode.metrics.retrieval import Way as Direction
from neurodecode.metrics.retrieval import drawn_retrieval, rank_table
from neurodecode.statistics import Null, Sampling, mean_interval

N_PERMUTATIONS = 1000
N_CANDIDATES, N_DRAWS = 300, 30
TOP1 = "retrieval_all_forward"
CENTRED = "the mean of the training targets is taken out of both sides"


@dataclass(frozen=True, eq=False)
class Metric:
    """One score of each stimulus of one person.

    Parameters
    ----------
    own : array, shape (n,)
        With its own truth.
    wrong : array, shape (n, n) or (n_wrong,)
        With every truth (the own one on the diagonal), or with some that are not its own.
    chance : float or None
    higher_is_better : bool
    details : mapping
        The exact variant.
    """

    own: NDArray[np.float64]
    wrong: NDArray[Any]
    chance: float | None = None
    higher_is_better: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_table(cls, table: NDArray[np.float64], **facts: Any) -> Metric:
        """From every prediction (row) with every truth (column)."""
        return cls(table.diagonal().copy(), table.astype(np.float32), **facts)

    def shuffled(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """A value an item as if the truths were another's."""
        if self.wrong.ndim == 2:
            order = rng.permutation(len(self.own))
            return np.asarray(self.wrong[np.arange(len(order)), order], dtype=np.float64)
        return np.asarray(rng.choice(self.wrong, len(self.own)), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Block:
    """All scores of one person; a metric of fewer stimuli is of the first of them."""

    subject: str
    seed: int
    stimulus: NDArray[np.str_]
    metrics: dict[str, Metric]

    def value(self, metric: str) -> float:
        """The mean over stimuli."""
        return float(self.metrics[metric].own.mean())

    def items(self, metric: str) -> list[str]:
        """Seed and stimulus of each value."""
        n_items = len(self.metrics[metric].own)
        return [f"{self.seed}/{each}" for each in self.stimulus[:n_items].tolist()]


def in_order(way: Way, trials: Responses) -> Embeddings:
    """One prediction a stimulus, by the stimuli's names: alike for all people."""
    predicted = way(trials)
    return predicted.select(sorted(predicted.stimulus.tolist()))


def compare(data: Data, person: Responses, predicted: Embeddings) -> Block:
    """Retrieval and two-way identification of predictions, among all predicted stimuli."""
    mean = data.main.rows(data.split.train).reshape(len(data.split.train), -1).mean(axis=0)
    truth = data.main.rows(predicted.stimulus).reshape(len(predicted), -1)
    found = predicted.array().reshape(len(predicted), -1)
    similar = correlation(found - mean, truth - mean)
    about = {"variant": CENTRED, "n_candidates": len(found)}
    one_in = {"chance": 1 / len(found), "details": about}
    metrics = {
        TOP1: Metric.of_table(top1(similar), **one_in),
        "retrieval_all_backward": Metric.of_table(top1(similar.T), **one_in),
        "two_way_embedding": Metric.of_table(two_way_table(similar), chance=0.5, details=about),
    }
    if len(found) >= N_CANDIDATES:
        metrics |= drawn_metrics(truth, found)
    return Block(person.subject, data.seed, predicted.stimulus, metrics)


def drawn_metrics(truth: NDArray[Any], found: NDArray[Any]) -> dict[str, Metric]:
    """Retrieval among 300, as published: plain cosine, 30 draws; per item over all draws."""
    metrics = {}
    similar = unit(found) @ unit(truth).T
    tables: dict[Direction, NDArray[Any]] = {"forward": similar, "backward": similar.T}
    for way, table in tables.items():
        published = drawn_retrieval(truth, found, way, n_candidates=N_CANDIDATES, n_draws=N_DRAWS)
        details = {
            "variant": f"cosine, expected over all draws of {N_CANDIDATES}",
            "mean_of_30_draws": published.value,
            "half_width_over_draws": published.half_width,
        }
        metrics[f"retrieval_{N_CANDIDATES}way_{way}"] = Metric.of_table(
            expected_hits(rank_table(table), N_CANDIDATES),
            chance=1 / N_CANDIDATES,
            details=details,
        )
    return metrics


def expected_hits(ranks: NDArray[np.float64], n_candidates: int) -> NDArray[np.float64]:
    """Chance that none of the better ones is drawn among ``n_candidates`` of all.

    Examples
    --------
    >>> expected_hits(np.array([[0.0, 1.0, 2.0]]), 2).round(3).tolist()
    [[1.0, 0.5, 0.0]]
    """
    n_all = ranks.shape[1]
    better = np.ceil(ranks).astype(int)
    hits = np.array(
        [
            comb(n_all - 1 - one, n_candidates - 1) / comb(n_all - 1, n_candidates - 1)
            for one in range(n_all)
        ]
    )
    return np.asarray(hits[better])


def top1(similar: NDArray[np.float64]) -> NDArray[np.float64]:
    """Whether each candidate would come first, for each prediction; ties fail."""
    return np.asarray((rank_table(similar) == 0).astype(float))


def scores(blocks: Sequence[Block]) -> dict[str, Score]:
    """Means over people, seeds and stimuli; intervals over stimuli, nulls within each block."""
    return {name: _score(blocks, name) for name in blocks[0].metrics}


def means(blocks: Sequence[Block]) -> dict[str, float]:
    """The same means alone, for controls."""
    return {name: float(per_item(blocks, name).mean()) for name in blocks[0].metrics}


def difference(one: Sequence[Block], other: Sequence[Block], metric: str) -> dict[str, Any]:
    """Mean of one minus mean of the other on the same stimuli, with its interval over stimuli."""
    gap = per_item(one, metric) - per_item(other, metric)
    found = mean_interval(gap, _sampling(one, metric))
    return {"difference": float(gap.mean()), "ci95": [found.low, found.high]}


def result(
    name: str,
    blocks: Sequence[Block],
    others: Mapping[str, Sequence[Block]],
    details: Mapping[str, Any],
) -> ProtocolResult:
    """A protocol with its controls and the columns of a leaderboard."""
    columns = {
        "subjects": sorted({one.subject for one in blocks}),
        "seeds": sorted({one.seed for one in blocks}),
        "n_test": len(blocks[0].stimulus),
        "n_samples": 1,
        "selection_rule": "none",
        "kept_apart": "stimulus",
    }
    controls = {key: means(value) for key, value in others.items()}
    return ProtocolResult(name, scores(blocks), controls, columns | dict(details))


def shuffled(blocks: Sequence[Block]) -> list[Block]:
    """The same predictions given to other stimuli; what has no full table is left out."""
    out = []
    for one in blocks:
        full = {key: each for key, each in one.metrics.items() if each.wrong.ndim == 2}
        mixed = {key: replace(each, own=_moved(each, one.seed)) for key, each in full.items()}
        out.append(replace(one, metrics=mixed))
    return out


def correlation(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    """Pearson correlation of every row of one with every row of the other."""
    centred = [part - part.mean(axis=1, keepdims=True) for part in (one, other)]
    return np.asarray(unit(centred[0]) @ unit(centred[1]).T, dtype=np.float64)


def unit(rows: NDArray[Any]) -> NDArray[Any]:
    """Rows of length one."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def per_item(blocks: Sequence[Block], metric: str) -> NDArray[np.float64]:
    """All values of a metric, block after block."""
    return np.concatenate([one.metrics[metric].own for one in blocks])


def _moved(metric: Metric, seed: int) -> NDArray[np.float64]:
    order = shuffled_order(np.arange(len(metric.own)).astype(np.str_), seed=seed)
    return np.asarray(metric.wrong[np.arange(len(order)), order], dtype=np.float64)


def _sampling(blocks: Sequence[Block], metric: str) -> Sampling:
    stimuli = [each for one in blocks for each in one.items(metric)]
    people = [one.subject for one in blocks for _ in one.items(metric)]
    return Sampling(people, stimuli)


def _score(blocks: Sequence[Block], metric: str) -> Score:
    values = per_item(blocks, metric)
    parts = [one.metrics[metric] for one in blocks]
    rng = np.random.default_rng(0)
    null = np.array(
        [np.concatenate([one.shuffled(rng) for one in parts]).mean() for _ in range(N_PERMUTATIONS)]
    )
    kind = "permutation" if parts[0].wrong.ndim == 2 else "drawn from some wrong pairs"
    return Score(
        float(values.mean()),
        mean_interval(values, _sampling(blocks, metric), share=parts[0].chance is not None),
        parts[0].chance,
        Null(null, kind=kind),
        len(values),
        parts[0].higher_is_better,
        _mean_details(parts),
    )


def _mean_details(parts: Sequence[Metric]) -> dict[str, Any]:
    """Details of the first; numbers that differ between people and seeds are averaged."""
    out = dict(parts[0].details)
    for key in ("mean_of_30_draws", "half_width_over_draws"):
        if key in out:
            out[key] = float(np.mean([one.details[key] for one in parts]))
    return out
