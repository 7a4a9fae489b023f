"""A film that people watched: patterns of scenes, their texts, and folds of unseen scenes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer

from neurodecode.data import Provenance, Responses, Stimuli
from neurodecode.evidence import Score, compare
from neurodecode.evidence.pairs import PairFolds, TwoAgainstTwo, pair_interval, ridge_weights

BUFFER = 2


@dataclass(frozen=True, eq=False)
class Film:
    """What all people saw, and how they responded to it."""

    scenes: Stimuli
    people: list[Responses]


def mean_patterns(people: Sequence[Responses], ids: NDArray[np.str_]) -> NDArray[np.float64]:
    """The mean over people of each scene's pattern, over those who have it."""
    total = np.zeros((len(ids), people[0].n_units))
    count = np.zeros(len(ids))
    for one in people:
        known = one.take(np.isin(one.stimulus, ids))
        rows = places(ids, known.stimulus)
        total[rows] += known.array(np.float64)
        count[rows] += 1
    if not count.all():
        raise ValueError(f"Nobody has a response to scene '{ids[count == 0][0]}'.")
    return np.asarray(total / count[:, None])


def mean_provenance(people: Sequence[Responses], ids: NDArray[np.str_]) -> Provenance:
    """Where `mean_patterns` come from: the trials of all people."""
    known = [one.take(np.isin(one.stimulus, ids)) for one in people]
    rows = places(ids, np.concatenate([one.stimulus for one in known]))
    return Provenance.join([one.provenance for one in known]).merge(rows, len(ids))


def unseen(film: Film) -> tuple[PairFolds, Responses, list[str]]:
    """Folds, the group's mean patterns and the texts; a text that was shown twice counts once."""
    texts = [str(film.scenes[one]) for one in film.scenes.ids.tolist()]
    kept = np.array(
        sorted({text: place for place, text in reversed(list(enumerate(texts)))}.values())
    )
    ids, run = film.scenes.ids[kept], np.asarray(film.scenes.metadata["run"])[kept]
    means, told = mean_patterns(film.people, ids), mean_provenance(film.people, ids)
    group = Responses(means, ids, "group mean", "fmri", run=run, provenance=told)
    return PairFolds(ids, run, BUFFER), group, [texts[place] for place in kept]


def text_grams(texts: Sequence[str], folds: PairFolds) -> NDArray[np.float32]:
    """Inner products of all texts in the space learned on each fold's training texts.

    TF-IDF: ``(1 + log count) * (1 + log((1 + n) / (1 + document frequency)))`` for words of the
    training texts, rows of length 1, minus the mean of the training texts.

    Returns
    -------
    float array, shape (n_pairs, n_scenes, n_scenes)
    """
    counts = CountVectorizer(stop_words="english").fit_transform(texts).toarray().astype(float)
    frequency = np.where(counts > 0, 1.0 + np.log(np.maximum(counts, 1.0)), 0.0)
    training = folds.training()
    grams = np.empty((len(training), len(texts), len(texts)), dtype=np.float32)
    for row, train in enumerate(training):
        documents = (counts[train] > 0).sum(axis=0)
        weight = np.where(documents > 0, 1 + np.log((1 + train.sum()) / (1 + documents)), 0.0)
        values = frequency * weight
        values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
        values -= values[train].mean(axis=0)
        grams[row] = values @ values.T
    return grams


def clock_of(film: Film, ids: NDArray[np.str_]) -> NDArray[np.float64]:
    """A parabola of each scene's time in the film: all that a clock knows, shape (n_scenes, 2)."""
    start = np.asarray(film.scenes.metadata["start"])[places(film.scenes.ids, ids)]
    return standard(np.stack([start, start**2], axis=1).astype(float))


def standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns with mean 0 and spread 1."""
    return np.asarray((values - values.mean(axis=0)) / values.std(axis=0))


def told_apart(score: Score, model: TwoAgainstTwo, others: Mapping[str, TwoAgainstTwo]) -> Score:
    """The score of `model` with its comparison with what tells the same pairs without a brain."""
    same = np.arange(len(model.folds.ids), dtype=np.intp)
    comparison = compare(
        model.hits(same),
        {name: one.hits(same) for name, one in others.items()},
        lambda apart: pair_interval(apart, model.pairs, model.folds.run, share=False),
    )
    return replace(score, comparison=comparison)


def model_of(
    features: NDArray[np.float64], folds: PairFolds, grams: NDArray[np.float32]
) -> TwoAgainstTwo:
    """From features of scenes to their texts."""
    return TwoAgainstTwo(folds, ridge_weights(features, folds), grams)


def places(ids: NDArray[np.str_], wanted: NDArray[np.str_]) -> NDArray[np.intp]:
    order = np.argsort(ids)
    return np.asarray(order[np.searchsorted(ids, wanted, sorter=order)], dtype=np.intp)
