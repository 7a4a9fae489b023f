"""Where does the true stimulus rank among candidates, by cosine similarity of embeddings?

Tie rule, everywhere: the rank is the mean of the strict rank (how many are closer) and the
non-strict one (how many are at least as close, itself apart), counted from zero. A prediction
that likes all n candidates the same thus ranks (n - 1) / 2, in the middle, and hits nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import as_values, whole
from neurodecode.metrics.similarity import (
    TIE,
    as_rows,
    check_finite,
    check_pairs,
    compare,
    cosine_pairs,
    cosine_rows,
    distinct,
    same_rows,
)

Way = Literal["forward", "backward"]


def rank(truth: Any, predicted: Any, *, candidates: Any = None) -> NDArray[np.float64]:
    """Rank of each item's own embedding among the candidates, 0 is best; ties share their mean.

    Parameters
    ----------
    truth, predicted : array, shape (n, ...)
        Row i of both belongs to item i; tokens are flattened into one row.
    candidates : array, shape (n_candidates, ...), optional
        Default is the distinct truths, so that repeated trials of a stimulus do not compete.

    Returns
    -------
    array, shape (n,)
        0 to n_candidates - 1, chance (n_candidates - 1) / 2.

    Notes
    -----
    Sources: Benchetrit et al. 2024, section 2.5 (retrieval); tie rule of the `Rank` metric in their
    group's neuraltrain code.

    Examples
    --------
    >>> truth = [[1.0, 0], [0.0, 1]]
    >>> rank(truth, [[0.9, 0.1], [1.0, 1.0]]).tolist()
    [0.0, 0.5]
    """
    x, y = check_pairs(truth, predicted)
    others = distinct(x) if candidates is None else as_rows(candidates, "the candidates")
    own = cosine_rows(y, x)
    distractor = ~same_rows(x, others)
    similar = cosine_pairs(y, others)
    strict = ((similar > own[:, None] + TIE) & distractor).sum(axis=1)
    loose = ((similar >= own[:, None] - TIE) & distractor).sum(axis=1)
    return np.asarray((strict + loose) / 2.0)


def rank_table(similarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each prediction the rank that each candidate has, by the same tie rule.

    Parameters
    ----------
    similarity : array, shape (n, n_candidates)
        Candidates that are distinct; larger is more alike.

    Returns
    -------
    array, shape (n, n_candidates)
        0 is best. ``rank_table(s)[i, j]`` is the rank of item i if candidate j were its own, so
        that a permutation null needs no second look at the embeddings.

    Examples
    --------
    >>> rank_table(np.array([[0.9, 0.1, 0.1]])).tolist()
    [[0.0, 1.5, 1.5]]
    """
    above, _, ties = compare(similarity)
    return np.asarray(above + ties / 2.0)


def top_k(truth: Any, predicted: Any, k: int = 1, *, candidates: Any = None) -> NDArray[np.float64]:
    """Does its own rank among the k best (`rank` at most k - 1)? 0 or 1 per item.

    Chance is k / n_candidates. A tie for the last place is a miss.

    Examples
    --------
    >>> truth = [[1.0, 0], [0.0, 1]]
    >>> top_k(truth, [[0.9, 0.1], [1.0, 1.0]]).tolist()
    [1.0, 0.0]
    """
    n_candidates = len(distinct(as_rows(truth)) if candidates is None else candidates)
    if not 1 <= whole("k", k) < n_candidates:
        raise ValueError(
            f"k must be 1 to {n_candidates - 1} with {n_candidates} candidates; got {k}."
        )
    return (rank(truth, predicted, candidates=candidates) <= k - 1).astype(np.float64)


def relative_median_rank(ranks: Any, n_candidates: int) -> float:
    """Median rank over the number of candidates: 0 is best, about .5 chance.

    Source: Benchetrit et al. 2024, section 2.5.

    Examples
    --------
    >>> relative_median_rank([0, 10, 50], 100)
    0.1
    """
    values = np.asarray(as_values("Ranks", ranks), dtype=np.float64)
    if not len(values) or n_candidates < 1:
        raise ValueError("The median rank of nothing is not defined: give ranks and candidates.")
    check_finite(values, "the ranks")
    return float(np.median(values) / n_candidates)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Top-1 retrieval over repeated draws of a smaller candidate set.

    Parameters
    ----------
    per_draw : array, shape (n_draws,)
        Share of hits in each draw; the published value is their mean.
    per_item : array, shape (n,)
        Share of hits of each item over the draws it was in; not-a-number if it was in none.
    n_candidates : int

    Examples
    --------
    >>> Drawn(np.array([0.5, 0.7]), np.array([1.0, 0.2]), 10).value
    0.6
    """

    per_draw: NDArray[np.float64]
    per_item: NDArray[np.float64]
    n_candidates: int

    @property
    def value(self) -> float:
        """Mean over the draws."""
        return float(self.per_draw.mean())

    @property
    def chance(self) -> float:
        """1 / n_candidates."""
        return 1.0 / self.n_candidates

    @property
    def half_width(self) -> float:
        """1.96 standard errors over draws, as published; it says nothing about new stimuli."""
        n_draws = len(self.per_draw)
        return float(1.96 * self.per_draw.std(ddof=1) / np.sqrt(n_draws)) if n_draws > 1 else 0.0


def drawn_retrieval(
    truth: Any,
    predicted: Any,
    way: Way = "forward",
    *,
    n_candidates: int = 300,
    n_draws: int = 30,
    seed: int = 0,
) -> Drawn:
    """Top-1 among ``n_candidates`` drawn test items, ``n_draws`` times.

    Parameters
    ----------
    truth, predicted : array, shape (n, ...)
        Distinct stimuli, one row each.
    way : {'forward', 'backward'}
        ``'forward'``: given the brain, find the picture ("image retrieval"); ``'backward'``: given
        the picture, find the brain ("brain retrieval").
    n_candidates, n_draws, seed : int

    Raises
    ------
    ValueError
        If there are fewer items than candidates, or two items are the same stimulus.

    Notes
    -----
    Sources: MindEye 1 (section 4.1) and MindEye 2 (appendix, `final_evaluations`): 300 of the test
    items without replacement, 30 times; rows flattened and L2-normalised; chance 1/300.

    Examples
    --------
    >>> drawn_retrieval(np.eye(6), np.eye(6), n_candidates=3, n_draws=2).value
    1.0
    """
    x, y = check_pairs(truth, predicted)
    _check_draw(x, whole("n_candidates", n_candidates), way)
    whole("n_draws", n_draws)
    similar = cosine_pairs(y, x) if way == "forward" else cosine_pairs(x, y)
    rng = np.random.default_rng(seed)
    hits, seen, per_draw = np.zeros(len(x)), np.zeros(len(x)), np.zeros(n_draws)
    for draw in range(n_draws):
        chosen = rng.choice(len(x), n_candidates, replace=False)
        block = similar[np.ix_(chosen, chosen)]
        # the diagonal is at least as close as itself: one such column means no rival
        won = (block >= np.diag(block)[:, None] - TIE).sum(axis=1) == 1
        hits[chosen] += won
        seen[chosen] += 1
        per_draw[draw] = won.mean()
    per_item = np.where(seen > 0, hits / np.maximum(seen, 1), np.nan)
    return Drawn(per_draw, per_item, n_candidates)


def _check_draw(truth: NDArray[Any], n_candidates: int, way: str) -> None:
    if way not in ("forward", "backward"):
        raise ValueError(f"way must be 'forward' or 'backward'; got '{way}'.")
    n_distinct = len(distinct(truth))
    if n_distinct < len(truth):
        raise ValueError(
            f"Draws need distinct stimuli: {len(truth)} rows show {n_distinct}. "
            f"Average the repeats first."
        )
    if not 2 <= n_candidates <= len(truth):
        raise ValueError(
            f"{n_candidates} candidates can't be drawn from {len(truth)} items; "
            f"give n_candidates from 2 to {len(truth)}."
        )
