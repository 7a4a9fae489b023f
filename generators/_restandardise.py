"""Undo the shrinking of predictions, with statistics of training or validation trials only."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from neurodecode.data import Embeddings, find_rows, listing
from neurodecode.errors import LeakageError


class Restandardise(BaseEstimator):  # type: ignore[misc]
    """Give predictions the mean and spread of true embeddings, dimension by dimension.

    A regression shrinks its predictions towards the mean, and generators were trained on points
    of full spread. Learn the statistics from predictions of validation trials (or of training
    trials, where a fitted model shrinks less), never of the trials to be drawn: those are refused.
    If the true points have unit length, so have the results.

    Parameters
    ----------
    allow_repeats : bool, default False
        Accept stimuli whose statistics were learned, for protocols that keep runs apart and repeat
        pictures.

    Attributes
    ----------
    unit_length_ : bool

    Examples
    --------
    >>> true = Embeddings([[2.0, 0.0], [-2.0, 4.0]], ["a", "b"], "toy")
    >>> shrunk = Embeddings([[0.5, 1.9], [-0.5, 2.1]], ["a", "b"], "toy")
    >>> seen = Embeddings([[0.5, 2.1]], ["c"], "toy")
    >>> Restandardise().fit(shrunk, true).apply(seen).values.round(3).tolist()
    [[2.0, 4.0]]
    """

    def __init__(self, allow_repeats: bool = False) -> None:
        self.allow_repeats = allow_repeats

    def fit(self, predicted: Embeddings, true: Embeddings) -> Self:
        """Learn both means and spreads; rows are matched by stimulus id.

        Parameters
        ----------
        predicted : Embeddings
            One row a trial.
        true : Embeddings
            One row a stimulus; holds all stimuli of ``predicted``.

        Raises
        ------
        ValueError
            If the spaces differ or a stimulus has no true embedding.
        """
        if predicted.space != true.space:
            raise ValueError(
                f"Predictions are of the space '{predicted.space}' but true embeddings of "
                f"'{true.space}'."
            )
        ids = np.unique(predicted.stimulus)
        find_rows(true.stimulus, ids, what="true embeddings")
        ours, theirs = predicted.array(np.float64), true.rows(ids, np.float64)
        self.predicted_ = (ours.mean(axis=0), ours.std(axis=0))
        self.true_ = (theirs.mean(axis=0), theirs.std(axis=0))
        length = np.linalg.norm(theirs.reshape(len(ids), -1), axis=1)
        self.unit_length_ = bool(np.allclose(length, 1.0, atol=1e-3))
        self.space_, self.seen_ = predicted.space, set(ids.tolist())
        return self

    def apply(self, embeddings: Embeddings) -> Embeddings:
        """Predictions with the learned mean and spread.

        Raises
        ------
        LeakageError
            If a stimulus was among those the statistics were learned from.
        ValueError
            If nothing was learned yet, or the space differs.
        """
        if not hasattr(self, "seen_"):
            raise ValueError(
                "This Restandardise has learned nothing yet. Call fit() with training predictions."
            )
        if embeddings.space != self.space_:
            raise ValueError(
                f"Restandardise was learned in the space '{self.space_}'; got embeddings of "
                f"'{embeddings.space}'."
            )
        both = sorted(self.seen_.intersection(embeddings.stimulus.tolist()))
        if both and not self.allow_repeats:
            raise LeakageError(
                f"Restandardise was learned from {len(both)} of the stimuli to be drawn "
                f"({listing(both)}). Learn it from training or validation trials only."
            )
        values = self._scaled(embeddings.array(np.float64))
        return Embeddings(values.astype(np.float32), embeddings.stimulus, embeddings.space)

    def _scaled(self, values: NDArray[Any]) -> NDArray[np.float64]:
        (mean, spread), (true_mean, true_spread) = self.predicted_, self.true_
        scaled = (values - mean) / np.where(spread > 0, spread, 1.0) * true_spread + true_mean
        if self.unit_length_:
            flat = np.linalg.norm(scaled.reshape(len(scaled), -1), axis=1)
            shape = (-1,) + (1,) * (scaled.ndim - 1)
            scaled = scaled / np.where(flat > 0, flat, 1.0).reshape(shape)
        return np.asarray(scaled)
