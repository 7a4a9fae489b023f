"""What is measured: each gives the score that every test item would have with every truth.

A table of n answers by m truths holds the scores (item i with its own truth), the permutation null
(item i with another's) and, computed for controls, what they reach. Truths with the same point are
one candidate: who finds it has found the truth, whichever of the ids it has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from neurodecode.metrics.identification import two_way_table
from neurodecode.metrics.retrieval import rank_table
from neurodecode.metrics.similarity import correlate_pairs, cosine_pairs
from neurodecode.pipeline._answers import Answers, Shown
from neurodecode.statistics import TWO_WAY_CHANCE, top_k_chance

Table = NDArray[np.float64]


class Measure(Protocol):
    """A named score of answers against truths."""

    @property
    def name(self) -> str: ...

    @property
    def variant(self) -> str: ...

    @property
    def of(self) -> Literal["embedding", "output"]: ...

    @property
    def higher_is_better(self) -> bool: ...

    def chance(self, n_truths: int) -> float | None:
        """Analytic chance, where there is one."""
        ...

    def applies(self, answers: Answers) -> bool:
        """Do these answers hold what is measured?"""
        ...

    def table(self, shown: Shown, answers: Answers) -> Table:
        """Scores, shape (n items or drawn items, m truths)."""
        ...


def n_candidates(measure: Measure, shown: Shown) -> int:
    """Among how many a measure chooses: distinct points where it compares points, else stimuli.

    Raises
    ------
    ValueError
        If all points are the same, so that there is nothing to tell apart.
    """
    if measure.of != "embedding":
        return len(shown)
    head = getattr(measure, "head", None)
    n_points = len(shown.distinct(head)[0])
    if n_points < 2 <= len(shown):
        raise ValueError(
            f"'{measure.name}' can't be measured: all {len(shown)} test stimuli have the same "
            f"point in the target space '{shown.points[head or next(iter(shown.points))].space}'. "
            f"Test stimuli of two or more kinds."
        )
    return n_points


class PairMeasure(Measure, Protocol):
    """A measure that is too costly for all pairs; its null has fewer permutations.

    Any measure may have ``pairs``; it is then used for controls, which need no null.
    """

    @property
    def n_permutations(self) -> int: ...

    def pairs(self, shown: Shown, answers: Answers, column: NDArray[np.intp]) -> Table:
        """Scores of item i with truth ``column[i]``, shape (n,)."""
        ...


@dataclass(frozen=True)
class RetrievalTopK:
    """Is the true test stimulus among the k nearest to the prediction?

    Parameters
    ----------
    k : int
    head : str, optional
        Default is the first target space.
    similarity : {'cosine', 'correlation'}
        Identification of pictures by their pixels is by correlation.
    centred : bool
        Remove the mean training point of the fold from prediction and candidates first: what all
        stimuli share tells nothing about which one it was.
    label : str, optional
        The name, in place of ``'retrieval_top1'``.

    Examples
    --------
    >>> RetrievalTopK(5).name, RetrievalTopK(5).chance(200)
    ('retrieval_top5', 0.025)
    """

    k: int = 1
    head: str | None = None
    similarity: Literal["cosine", "correlation"] = "cosine"
    centred: bool = False
    label: str | None = None
    of: ClassVar[Literal["embedding"]] = "embedding"
    higher_is_better: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """``'retrieval_top1'`` for k = 1, or the label."""
        return self.label or f"retrieval_top{self.k}"

    @property
    def variant(self) -> str:
        """What exactly is computed."""
        centred = ", training mean removed" if self.centred else ""
        return (
            f"{self.similarity} among the distinct test points{centred}; a tie for the last "
            f"place is a miss"
        )

    def chance(self, n_truths: int) -> float:
        """Give k / m."""
        return top_k_chance(n_truths, self.k)

    def applies(self, answers: Answers) -> bool:
        """Where the head is answered."""
        return self.head is None or self.head in answers.embeddings

    def table(self, shown: Shown, answers: Answers) -> Table:
        """1 where a truth is among the k nearest."""
        compare = cosine_pairs if self.similarity == "cosine" else correlate_pairs
        similarity, code = _similarity(compare, shown, answers, self.head, self.centred)
        return np.asarray(rank_table(similarity) <= self.k - 1, dtype=np.float64)[:, code]


@dataclass(frozen=True)
class TwoWay:
    """Share of the other test points that are less like the prediction than the true one.

    Parameters
    ----------
    head : str, optional
        Default is the first target space.
    name : str
    centred : bool
        As in `RetrievalTopK`.

    Examples
    --------
    >>> TwoWay().chance(200)
    0.5
    """

    head: str | None = None
    name: str = "two_way"
    centred: bool = False
    of: ClassVar[Literal["embedding"]] = "embedding"
    higher_is_better: ClassVar[bool] = True

    @property
    def variant(self) -> str:
        """What exactly is computed."""
        centred = ", training mean removed" if self.centred else ""
        return f"correlation of embeddings, among true embeddings{centred}; ties fail"

    def chance(self, n_truths: int) -> float:
        """One half."""
        return TWO_WAY_CHANCE

    def applies(self, answers: Answers) -> bool:
        """Where the head is answered."""
        return self.head is None or self.head in answers.embeddings

    def table(self, shown: Shown, answers: Answers) -> Table:
        """Share of others below each truth."""
        similarity, code = _similarity(correlate_pairs, shown, answers, self.head, self.centred)
        return two_way_table(similarity)[:, code]


def _similarity(
    compare: Callable[[Any, Any], Table],
    shown: Shown,
    answers: Answers,
    head: str | None,
    centred: bool,
) -> tuple[Table, NDArray[np.intp]]:
    """Similarity of predictions and candidates, and the candidate that each truth is."""
    name = next(iter(shown.points)) if head is None else head
    first, code = shown.distinct(name)
    predicted, truth = answers.embeddings[name].array(), shown.points[name].array()[first]
    if not centred:
        return compare(predicted, truth), code
    table = np.empty((len(predicted), len(truth)))
    for fold, mean in enumerate(shown.train_means[name]):
        rows = shown.fold_of == fold
        table[rows] = compare(predicted[rows] - mean, truth - mean)
    return table, code
