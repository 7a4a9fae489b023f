"""Two against two: targets of items that were left out of training, told apart pair by pair.

For every pair of items both are left out, with their neighbours in time; a ridge map from responses
to targets is learned on the others; then ``cos(p1, t1) + cos(p2, t2)`` is compared with
``cos(p1, t2) + cos(p2, t1)`` (Mitchell et al. 2008, Science 320, 1191-1195, there with two left out
and no neighbours).

Ridge predictions are weighted sums of the training targets, ``p = A T``, and the weights ``A`` come
from the responses alone. So all that is needed of the targets is their Gram matrix in each fold,
and a null that pairs responses and targets wrongly and learns everything anew costs a few matrix
products.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Split
from neurodecode.statistics import Interval, Sampling, interval_inflation, mean_interval

PENALTY = 1.0
"""Ridge penalty, in units of the mean squared length of a training response."""


@dataclass(frozen=True, eq=False)
class PairFolds:
    """Each pair of items with the items that may be learned from.

    Parameters
    ----------
    ids : str array, shape (n_items,)
        In order of time.
    run : str array, shape (n_items,)
    buffer : int
        Items left out on either side of a test item, within its run. The run is closed to a
        circle, so that a run shifted against another one has the same folds.

    Examples
    --------
    >>> folds = PairFolds(np.array(list("abcde")), np.array(["1"] * 5), buffer=1)
    >>> folds.pairs[1].tolist(), folds.ids[folds.training()[1]].tolist()
    ([0, 2], [])
    >>> folds.ids[folds.training()[0]].tolist()
    ['d']
    """

    ids: NDArray[np.str_]
    run: NDArray[np.str_]
    buffer: int

    @property
    def pairs(self) -> NDArray[np.intp]:
        """Shape (n_pairs, 2)."""
        return np.array(list(combinations(range(len(self.ids)), 2)), dtype=np.intp)

    def training(self) -> NDArray[np.bool_]:
        """Which items a pair's model is learned from, shape (n_pairs, n_items)."""
        near = np.zeros((len(self.ids), len(self.ids)), dtype=bool)
        for one in np.unique(self.run):
            inside = np.flatnonzero(self.run == one)
            for place, item in enumerate(inside):
                around = np.arange(place - self.buffer, place + self.buffer + 1) % len(inside)
                near[item, inside[around]] = True
        pairs = self.pairs
        return ~(near[pairs[:, 0]] | near[pairs[:, 1]])

    def splits(self) -> list[Split]:
        """The folds as splits by stimulus."""
        rule = f"leave two stimuli out, {self.buffer} around each not learned from"
        return [
            Split(self.ids[train], np.array([]), self.ids[pair], rule=rule)
            for pair, train in zip(self.pairs, self.training(), strict=True)
        ]


def ridge_weights(features: NDArray[np.float64], folds: PairFolds) -> NDArray[np.float32]:
    """Weight of each training target in the prediction for both test items.

    ``A = x_test X' (X X' + a I)^-1``, X centred on training items, ``a`` the mean of the diagonal
    of ``X X'`` times `PENALTY`.

    Parameters
    ----------
    features : float array, shape (n_items, n_voxels)

    Returns
    -------
    float array, shape (n_pairs, 2, n_items)
        0 for items not learned from.

    Raises
    ------
    ValueError
        If a fold leaves fewer than two items to learn from.

    Examples
    --------
    >>> folds = PairFolds(np.array(list("abcd")), np.array(["1"] * 4), buffer=0)
    >>> ridge_weights(np.array([[2.0], [0], [1], [3]]), folds)[0, 1].astype(float).round(3).tolist()
    [0.0, 0.0, 0.667, -0.667]
    """
    pairs, training = folds.pairs, folds.training()
    if training.sum(axis=1).min() < 2:
        raise ValueError(
            f"{len(features)} items with {folds.buffer} left out around each leave fewer than two "
            f"to learn from. Give more items, or a smaller buffer."
        )
    weights = np.zeros((len(pairs), 2, len(features)), dtype=np.float32)
    for row, (pair, train) in enumerate(zip(pairs, training, strict=True)):
        centred = features - features[train].mean(axis=0)
        x = centred[train]
        gram = x @ x.T
        gram[np.diag_indices(len(gram))] += PENALTY * np.trace(gram) / len(gram)
        weights[row][:, train] = np.linalg.solve(gram, x @ centred[pair].T).T
    return weights


class TwoAgainstTwo:
    """Scores of ridge weights against target Gram matrices, under any pairing of the two.

    Parameters
    ----------
    folds : PairFolds
    weights : float array, shape (n_pairs, 2, n_items)
    grams : float array, shape (n_pairs, n_items, n_items)
        Inner products of all targets, centred on (and learned from) each fold's training items.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> folds = PairFolds(np.arange(12).astype(str), np.array(["1"] * 12), buffer=0)
    >>> truth = rng.normal(size=(12, 3))
    >>> means = np.stack([truth[train].mean(axis=0) for train in folds.training()])
    >>> centred = truth - means[:, None]
    >>> grams = centred @ centred.transpose(0, 2, 1)
    >>> TwoAgainstTwo(folds, ridge_weights(truth, folds), grams).score(np.arange(12)) > 0.9
    True
    """

    def __init__(
        self, folds: PairFolds, weights: NDArray[np.float32], grams: NDArray[np.float32]
    ) -> None:
        self.folds = folds
        self.pairs = folds.pairs
        self.weights = weights
        self.grams = grams
        n_items = len(folds.ids)
        self._fold = np.zeros((n_items, n_items), dtype=np.intp)
        self._fold[tuple(self.pairs.T)] = np.arange(len(self.pairs))
        self._fold[tuple(self.pairs[:, ::-1].T)] = np.arange(len(self.pairs))

    def cosines(self, order: NDArray[np.intp]) -> NDArray[np.float32]:
        """Cosine of both predictions with both targets, shape (n_pairs, 2, 2).

        Parameters
        ----------
        order : int array, shape (n_items,)
            Item i has the target ``order[i]``, in training and test. Only shifts within runs keep
            neighbours neighbours, as the folds assume.
        """
        targets = order[self.pairs]
        grams = self.grams[self._fold[targets[:, 0], targets[:, 1]]]
        weights = np.zeros_like(self.weights)
        weights[:, :, order] = self.weights
        products = weights @ grams
        cross = np.take_along_axis(products, np.repeat(targets[:, None], 2, axis=1), axis=2)
        predicted = np.sqrt(np.maximum((products * weights).sum(axis=2), 1e-12))
        fold = np.arange(len(grams))[:, None]
        true = np.sqrt(np.maximum(grams[fold, targets, targets], 1e-12))
        return np.asarray(cross / predicted[:, :, None] / true[:, None, :])

    def hits(self, order: NDArray[np.intp]) -> NDArray[np.float64]:
        """1 where a pair is told apart, .5 for a tie, shape (n_pairs,)."""
        cosine = self.cosines(order).astype(np.float64)
        gain = cosine[:, 0, 0] + cosine[:, 1, 1] - cosine[:, 0, 1] - cosine[:, 1, 0]
        return np.asarray((gain > 0) + 0.5 * (gain == 0), dtype=np.float64)

    def score(self, order: NDArray[np.intp]) -> float:
        """Share of pairs that are told apart."""
        return float(self.hits(order).mean())

    def similarity(self) -> NDArray[np.float64]:
        """Cosine of each item's prediction with each target that was not learned from.

        Shape (n_items, n_items). The item's own is the mean over the folds that it is in.
        """
        n_items = len(self._fold)
        cosine = self.cosines(np.arange(n_items, dtype=np.intp))
        table = np.zeros((n_items, n_items))
        first, second = self.pairs.T
        table[first, second], table[second, first] = cosine[:, 0, 1], cosine[:, 1, 0]
        np.add.at(table, (first, first), cosine[:, 0, 0] / (n_items - 1))
        np.add.at(table, (second, second), cosine[:, 1, 1] / (n_items - 1))
        return table


def pair_interval(
    hits: NDArray[np.float64],
    pairs: NDArray[np.intp],
    run: NDArray[np.str_] | None = None,
    *,
    share: bool = True,
) -> Interval:
    """95 % interval of a mean over pairs of items in time; items are drawn anew, not pairs.

    Each item has its pseudo-value, ``n U - (n - 1) U_without_it``; their mean is the mean over
    pairs and their interval that of a series (`neurodecode.statistics.mean_interval`).

    Parameters
    ----------
    hits : array, shape (n_pairs,)
    pairs : int array, shape (n_pairs, 2)
        Items by their place in time.
    run : str array, shape (n_items,), optional
    share : bool
        Hits, whose mean lies in 0 to 1 and is .5 by chance; False for differences from the hits of
        something else.

    Sources
    -------
    Arvesen 1969, "Jackknifing U-statistics", Annals of Mathematical Statistics 40, 2076-2100.

    Examples
    --------
    >>> pairs = np.array([[0, 1], [0, 2], [1, 2]])
    >>> interval = pair_interval(np.array([1.0, 1.0, 0.0]), pairs)
    >>> interval.low < 2 / 3 < interval.high
    True
    """
    n_items = int(pairs.max()) + 1
    sampling = Sampling(time=np.arange(n_items), run=run)
    if share and hits.min() == hits.max() and hits[0] in (0.0, 1.0):
        return mean_interval(np.full(n_items, hits[0]), sampling, share=True)
    per_item = sum(np.bincount(one, weights=hits, minlength=n_items) for one in pairs.T)
    partners = np.bincount(pairs.ravel(), minlength=n_items)
    without = (hits.sum() - per_item) / (len(hits) - partners)
    pseudo = n_items * hits.mean() - (n_items - 1) * without
    centre = 0.5 if share else 0.0
    effect = (hits.mean() - centre) / pseudo.std() if pseudo.std() > 0 else 0.0
    # each item is learned from when another one is tested, as in folds
    inflation = interval_inflation(pseudo, float(effect))
    whole = mean_interval(pseudo, sampling, inflation=inflation)
    if not share:
        return whole
    return replace(whole, low=max(whole.low, 0.0), high=min(whole.high, 1.0))
