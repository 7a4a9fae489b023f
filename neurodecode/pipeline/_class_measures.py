"""What is measured of classification: accuracy, balanced accuracy, area under the ROC curve.

Each gives one value a trial whose mean is the score. For accuracy that is the hit; for the others
it is the score plus what the trial adds to it (its influence), so that one interval serves all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Codes = NDArray[np.intp]
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Decisions:
    """How much each trial was taken for each class.

    Parameters
    ----------
    scores : float array, shape (n, n_classes)
        The largest of a row is what was decided for.
    group : int array, shape (n,)
        Trials whose scores may be compared: those of one fitted model and person.
    """

    scores: Values
    group: Codes

    @property
    def decided(self) -> Codes:
        """The class that each trial was taken for, shape (n,)."""
        return np.asarray(self.scores.argmax(axis=1), dtype=np.intp)


class ClassMeasure(Protocol):
    """A score of decisions against the true classes."""

    @property
    def name(self) -> str: ...

    @property
    def variant(self) -> str: ...

    def chance(self, n_classes: int) -> float:
        """What a guess that knows nothing gets."""
        ...

    def each(self, decisions: Decisions, true: Codes) -> Values:
        """One value a trial, whose mean is the score."""
        ...

    def scorer(self, decisions: Decisions) -> Callable[[Codes], float]:
        """The score as a function of the true classes: what a null asks a thousand times."""
        ...


@dataclass(frozen=True)
class Accuracy:
    """Share of trials that were taken for their own class.

    Examples
    --------
    >>> scores = np.array([[0.9, 0.1], [0.6, 0.4]])
    >>> Accuracy().each(Decisions(scores, np.zeros(2, int)), np.array([0, 1])).tolist()
    [1.0, 0.0]
    """

    name: str = "accuracy"
    variant: str = "share of trials decoded as their own class"

    def chance(self, n_classes: int) -> float:
        """One in as many as there are classes; see the majority control where they are unequal."""
        return 1 / n_classes

    def each(self, decisions: Decisions, true: Codes) -> Values:
        """1 for a hit."""
        return np.asarray(decisions.decided == true, dtype=np.float64)

    def scorer(self, decisions: Decisions) -> Callable[[Codes], float]:
        """The share of hits."""
        decided = decisions.decided
        return lambda true: float((decided == true).mean())


@dataclass(frozen=True)
class BalancedAccuracy:
    """Mean over classes of the share of their trials that were taken for them.

    Sources
    -------
    Brodersen et al. 2010, "The balanced accuracy and its posterior distribution". Values a trial:
    the linearised form of a mean of ratios (Särndal et al. 1992, result 5.6.1).

    Examples
    --------
    >>> scores = np.array([[0.9, 0.1]] * 3 + [[0.6, 0.4]])
    >>> decided = Decisions(scores, np.zeros(4, int))
    >>> float(BalancedAccuracy().each(decided, np.array([0, 0, 0, 1])).mean())
    0.5
    """

    name: str = "balanced_accuracy"
    variant: str = "mean over classes of the share of their trials decoded as them"

    def chance(self, n_classes: int) -> float:
        """One in as many as there are classes, however unequal they are."""
        return 1 / n_classes

    def each(self, decisions: Decisions, true: Codes) -> Values:
        """The score plus the weighted distance of each hit from the share of its class."""
        hit = (decisions.decided == true).astype(np.float64)
        _, code, counts = np.unique(true, return_inverse=True, return_counts=True)
        recall = np.bincount(code, weights=hit) / counts
        weight = len(true) / (len(counts) * counts)
        return np.asarray(recall.mean() + weight[code] * (hit - recall[code]))

    def scorer(self, decisions: Decisions) -> Callable[[Codes], float]:
        """The mean share of hits."""
        decided = decisions.decided

        def score(true: Codes) -> float:
            counts = np.bincount(true)
            hits = np.bincount(true, weights=decided == true)
            return float((hits[counts > 0] / counts[counts > 0]).mean())

        return score


@dataclass(frozen=True)
class Auc:
    """Area under the ROC curve of each class against the others, averaged over classes.

    The share of pairs (a trial of the class, a trial of another one) in which the first has the
    higher score for the class; a tie is half. Only scores of one model and person are compared,
    since those of different folds have no common scale.

    Sources
    -------
    One against the rest, unweighted mean: as scikit-learn's ``roc_auc_score(average='macro',
    multi_class='ovr')``. Values a trial: DeLong, DeLong and Clarke-Pearson 1988, "Comparing the
    areas under two or more correlated ROC curves". Why not to pool folds: Forman and Scholz 2010,
    "Apples-to-apples in cross-validation studies".

    Examples
    --------
    >>> scores = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3]])
    >>> values = Auc().each(Decisions(scores, np.zeros(3, int)), np.array([0, 1, 1]))
    >>> round(float(values.mean()), 3)
    1.0
    """

    name: str = "auc"
    variant: str = "area under the ROC curve, one class against the rest, within folds and people"

    def chance(self, n_classes: int) -> float:
        """One half."""
        return 0.5

    def applies(self, decisions: Decisions, true: Codes) -> bool:
        """Is there a pair to compare: two classes among the trials of one model and person?"""
        return any(len(np.unique(true[decisions.group == g])) > 1 for g in set(decisions.group))

    def each(self, decisions: Decisions, true: Codes) -> Values:
        """The score plus the influence of each trial."""
        rows = [np.flatnonzero(decisions.group == one) for one in np.unique(decisions.group)]
        parts = [
            self._of_class(decisions.scores[:, one], true == one, rows)
            for one in range(decisions.scores.shape[1])
        ]
        known = [part for part in parts if part is not None]
        return np.asarray(np.mean(known, axis=0))

    def scorer(self, decisions: Decisions) -> Callable[[Codes], float]:
        """Areas from ranks within models and people (Mann and Whitney 1947)."""
        n_classes = decisions.scores.shape[1]
        _, group = np.unique(decisions.group, return_inverse=True)
        rank = np.empty_like(decisions.scores)
        for one in range(group.max() + 1):
            rank[group == one] = rankdata(decisions.scores[group == one], axis=0)
        rows, n_groups = np.arange(len(rank)), int(group.max()) + 1

        def score(true: Codes) -> float:
            counts = np.bincount(group * n_classes + true, minlength=n_groups * n_classes)
            counts = counts.reshape(n_groups, n_classes)
            pairs = (counts * (counts.sum(axis=1, keepdims=True) - counts)).sum(axis=0)
            sums = np.bincount(true, weights=rank[rows, true], minlength=n_classes)
            won = sums - (counts * (counts + 1) / 2).sum(axis=0)
            return float((won[pairs > 0] / pairs[pairs > 0]).mean())

        return score

    def _of_class(
        self, score: Values, own: NDArray[np.bool_], rows: Sequence[NDArray[np.intp]]
    ) -> Values | None:
        """For each trial the pairs that it wins, less those expected; None without a pair."""
        won, faced = np.zeros((2, len(score)))
        for inside in rows:
            mine = own[inside]
            n_own, n_other = int(mine.sum()), int((~mine).sum())
            if not n_own or not n_other:
                continue
            of_all = rankdata(score[inside])
            below = of_all[mine] - rankdata(score[inside][mine])
            above = n_own - (of_all[~mine] - rankdata(score[inside][~mine]))
            won[inside[mine]], faced[inside[mine]] = below, n_other
            won[inside[~mine]], faced[inside[~mine]] = above, n_own
        n_pairs = faced[own].sum()
        if not n_pairs:
            return None
        area = won[own].sum() / n_pairs
        return np.asarray(area + len(score) / n_pairs * (won - area * faced))


MEASURES: tuple[ClassMeasure, ...] = (Accuracy(), BalancedAccuracy(), Auc())
