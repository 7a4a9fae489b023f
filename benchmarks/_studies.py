"""Simulated studies whose true score is known, one function a design, for `calibration.py`.

Responses are ``signal Y B / sqrt(d) + noise``: targets Y, a map B of each person's own, and a ridge
of scikit-learn as the decoder. The true score is what the fitted decoders reach on other stimuli of
the same kind: the mean over 30 fresh test sets (12 for each of several
folds).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from sklearn.linear_model import Ridge

from neurodecode.evidence import Items
from neurodecode.metrics.identification import two_way_table
from neurodecode.metrics.retrieval import rank_table
from neurodecode.metrics.similarity import correlate_pairs

Values = NDArray[np.float64]
N_DIMS, N_VOXELS, N_FRESH = 8, 40, 30
N_FRESH_OF_FOLD = 12


@dataclass(frozen=True, eq=False)
class Study:
    """One metric of one simulated study: what `score_table` takes, and the true score.

    ``truth`` is None where only the mean over all studies is the truth (people drawn anew).
    """

    metric: str
    table: Values
    column: NDArray[np.intp]
    items: Items
    chance: float | None
    truth: float | None


@dataclass(frozen=True, eq=False)
class World:
    """A person: how targets become responses."""

    rng: np.random.Generator
    signal: float
    weights: Values

    @classmethod
    def of(cls, rng: np.random.Generator, signal: float) -> World:
        """With a map of its own."""
        return cls(rng, signal, rng.normal(size=(N_DIMS, N_VOXELS)) / np.sqrt(N_DIMS))

    def respond(self, targets: Values) -> Values:
        """Responses with noise of variance 1."""
        noise = self.rng.normal(size=(len(targets), N_VOXELS))
        return self.signal * targets @ self.weights + noise


def targets(rng: np.random.Generator, n: int) -> Values:
    """Stimuli that have nothing to do with one another."""
    return np.asarray(rng.normal(size=(n, N_DIMS)))


def fitted(x: Values, y: Values) -> Ridge:
    """The decoder."""
    return Ridge(alpha=float(N_VOXELS)).fit(x, y)


def metrics(predicted: Values, truth: Values) -> dict[str, tuple[Values, float | None]]:
    """Tables of all answers against all truths, with their chance."""
    similar, n = correlate_pairs(predicted, truth), len(truth)
    return {
        "two_way": (two_way_table(similar), 0.5),
        "top5": ((rank_table(similar) <= 4).astype(np.float64), 5 / n),
        "correlation": (similar, None),
    }


def fresh_scores(
    world: World, model: Ridge, n: int, others: Values, n_fresh: int = N_FRESH
) -> dict[str, float]:
    """Mean scores of a fitted decoder on other stimuli, among ``others`` too."""
    found: dict[str, list[float]] = {}
    for _ in range(n_fresh):
        y = targets(world.rng, n)
        predicted = model.predict(world.respond(y))
        for name, (table, _) in metrics(predicted, np.concatenate([y, others])).items():
            found.setdefault(name, []).append(float(table[np.arange(n), np.arange(n)].mean()))
    return {name: float(np.mean(values)) for name, values in found.items()}


def one_split(rng: np.random.Generator, signal: float) -> Iterator[Study]:
    """60 stimuli to learn from, 60 to test."""
    world, n = World.of(rng, signal), 60

    def seen() -> tuple[Values, Values]:
        y = targets(rng, n)
        return world.respond(y), y

    def items() -> Items:
        return Items(np.arange(n), ["p"] * n)

    yield from tested(fitted(*seen()), seen, items)


def folds(rng: np.random.Generator, signal: float, n_folds: int = 4) -> Iterator[Study]:
    """80 stimuli in four folds, each the test part once; all 80 are candidates."""
    world, n = World.of(rng, signal), 80
    y = targets(rng, n)
    x, fold, predicted = world.respond(y), rng.permutation(n) % n_folds, np.empty_like(y)
    truths = []
    for one in range(n_folds):
        test = fold == one
        model = fitted(x[~test], y[~test])
        predicted[test] = model.predict(x[test])
        truths.append(fresh_scores(world, model, int(test.sum()), y[~test], N_FRESH_OF_FOLD))
    items = Items(np.arange(n), ["p"] * n, fold=fold)
    for name, (table, chance) in metrics(predicted, y).items():
        truth = float(np.mean([one[name] for one in truths]))
        yield Study(name, table, np.arange(n), items, chance, truth)


def ten_folds(rng: np.random.Generator, signal: float) -> Iterator[Study]:
    """The same in ten folds."""
    return folds(rng, signal, 10)


def people(rng: np.random.Generator, signal: float, n_people: int = 4) -> Iterator[Study]:
    """People at the same stimuli, with signals that differ by a factor of two either way."""
    n, tables, truths = 40, {}, []
    y = targets(rng, 60 + n)
    for _ in range(n_people):
        world = World.of(rng, signal * np.exp(0.35 * rng.normal()))
        x = world.respond(y)
        model = fitted(x[:60], y[:60])
        if n_people < 6:
            truths.append(fresh_scores(world, model, n, np.zeros((0, N_DIMS))))
        for name, (table, chance) in metrics(model.predict(x[60:]), y[60:]).items():
            tables.setdefault(name, (chance, []))[1].append(table)
    column = np.tile(np.arange(n), n_people)
    items = Items(column, np.repeat(np.arange(n_people), n))
    for name, (chance, parts) in tables.items():
        truth = float(np.mean([one[name] for one in truths])) if truths else None
        yield Study(name, np.concatenate(parts), column, items, chance, truth)


def many_people(rng: np.random.Generator, signal: float) -> Iterator[Study]:
    """Eight people: the truth is that of all people, the mean over all studies."""
    return people(rng, signal, 8)


def repeats(rng: np.random.Generator, signal: float) -> Iterator[Study]:
    """Three repeats each in the runs of a stimulus' group; runs and targets differ by group."""
    world, n, n_groups = World.of(rng, signal), 60, 4
    centres, offsets = rng.normal(size=(n_groups, N_DIMS)), rng.normal(size=(n_groups, N_VOXELS))
    group = np.zeros(n, dtype=int)

    def seen() -> tuple[Values, Values]:
        group[:] = rng.integers(0, n_groups, n)
        y = targets(rng, n) + centres[group]
        return np.mean([world.respond(y) + offsets[group] for _ in range(3)], axis=0), y

    def items() -> Items:
        return Items(np.arange(n), ["p"] * n, run=group)

    yield from tested(fitted(*seen()), seen, items)


def classes(rng: np.random.Generator, signal: float) -> Iterator[Study]:
    """120 trials of three classes in five folds: accuracy, an item a trial."""
    n, n_classes = 120, 3
    label, fold = rng.permutation(n) % n_classes, rng.permutation(n) % 5
    means = rng.normal(size=(n_classes, N_VOXELS)) * signal / np.sqrt(N_DIMS)
    x, hot = means[label] + rng.normal(size=(n, N_VOXELS)), np.eye(n_classes)
    table, truths = np.zeros((n, n_classes)), []
    fresh = np.repeat(np.arange(n_classes), 700)
    unseen = means[fresh] + rng.normal(size=(len(fresh), N_VOXELS))
    for one in range(5):
        test = fold == one
        model = fitted(x[~test], hot[label[~test]])
        table[test] = hot[model.predict(x[test]).argmax(axis=1)]
        truths.append(float((model.predict(unseen).argmax(axis=1) == fresh).mean()))
    items = Items(label, ["p"] * n, fold=fold, cluster=np.arange(n))
    yield Study("accuracy", table, label, items, 1 / n_classes, float(np.mean(truths)))


def slow(rng: np.random.Generator, n: int, width: int, keep: float = 0.7) -> Values:
    """Series in which each moment keeps a share of the one before, variance 1."""
    noise = np.sqrt(1 - keep**2) * rng.normal(size=(n + 50, width))
    return np.asarray(lfilter([1.0], [1.0, -keep], noise, axis=0)[50:])


def film(rng: np.random.Generator, signal: float) -> Iterator[Study]:
    """A film of 100 scenes to learn from and one of 100 to test; topics and noise change slowly."""
    n = 100
    weights = rng.normal(size=(N_DIMS, N_VOXELS)) / np.sqrt(N_DIMS)

    def seen() -> tuple[Values, Values]:
        y = slow(rng, n, N_DIMS)
        return signal * y @ weights + slow(rng, n, N_VOXELS), y

    def items() -> Items:
        return Items(np.arange(n), ["p"] * n, time=np.arange(n))

    yield from tested(fitted(*seen()), seen, items)


def tested(
    model: Ridge, seen: Callable[[], tuple[Values, Values]], items: Callable[[], Items]
) -> Iterator[Study]:
    """A fitted decoder at one test set, its true score from many others."""
    truths = dict[str, list[float]]()
    for _ in range(N_FRESH):
        x, y = seen()
        for name, (table, _) in metrics(model.predict(x), y).items():
            truths.setdefault(name, []).append(float(np.diag(table).mean()))
    x, y = seen()
    for name, (table, chance) in metrics(model.predict(x), y).items():
        own = np.arange(len(x))
        yield Study(name, table, own, items(), chance, float(np.mean(truths[name])))


DESIGNS: dict[str, Callable[[np.random.Generator, float], Iterator[Study]]] = {
    "one split": one_split,
    "four folds": folds,
    "ten folds": ten_folds,
    "four people": people,
    "eight people": many_people,
    "repeats in runs": repeats,
    "classes": classes,
    "film": film,
}
