"""How sure is a score? Intervals over items, nulls by permutation or shift, analytic chance.

Scores are means of one value an item. Every p-value here is one-sided and counts the observed
arrangement itself: (1 + number of null values at least as good) / (1 + number of null values).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from math import factorial, prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Alternative = Literal["greater", "less"]
Score = Callable[[NDArray[np.intp]], float]
TWO_WAY_CHANCE = 0.5
BLOCK_VALUES = 2**22


@dataclass(frozen=True)
class Interval:
    """A confidence interval.

    Examples
    --------
    >>> Interval(0.2, 0.4).overlaps(Interval(0.5, 0.6))
    False
    """

    low: float
    high: float
    level: float = 0.95

    def overlaps(self, other: Interval) -> bool:
        """Do the two have a point in common?"""
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True, eq=False)
class Null:
    """What the score is when responses and stimuli do not belong together.

    Parameters
    ----------
    values : array, shape (n_arrangements,)
        The score of each other arrangement; the observed one is not among them.
    exact : bool
        True if all arrangements were made, so that the p-value has no sampling error.
    kind : str
        How they were made, in words.

    Examples
    --------
    >>> null = Null(np.array([0.1, 0.2, 0.3]))
    >>> null.p_value(0.25)
    0.5
    """

    values: NDArray[np.float64]
    exact: bool = False
    kind: str = "permutation"

    @property
    def mean(self) -> float:
        """Mean of the null scores."""
        return float(self.values.mean())

    @property
    def p95(self) -> float:
        """95th percentile of the null scores."""
        return float(np.percentile(self.values, 95))

    def p_value(self, observed: float, alternative: Alternative = "greater") -> float:
        """Share of arrangements, the observed one included, that score at least as well.

        Parameters
        ----------
        observed : float
        alternative : {'greater', 'less'}
            ``'less'`` for scores that are better when lower, such as ranks and distances.
        """
        if alternative not in ("greater", "less"):
            raise ValueError(f"alternative must be 'greater' or 'less'; got '{alternative}'.")
        slack = 1e-12 + 1e-10 * abs(observed)  # equal scores may differ by rounding
        if alternative == "greater":
            as_good = self.values >= observed - slack
        else:
            as_good = self.values <= observed + slack
        return float((1 + as_good.sum()) / (1 + len(self.values)))


def bootstrap_interval(
    per_item: Any,
    *,
    clusters: Any = None,
    items: Any = None,
    level: float = 0.95,
    n_resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap interval of the mean of one value an item.

    Parameters
    ----------
    per_item : float array, shape (n,)
    clusters : array, shape (n,), optional
        Usually the subject of each value: clusters are drawn with replacement, then items within
        each drawn cluster. One cluster only is the plain bootstrap.
    items : array, shape (n,), optional
        The stimulus of each value, where people saw the same ones: a stimulus is then drawn for all
        people (and trials) at once, so that what makes it easy for all is not counted as
        independent evidence.
    level : float
    n_resamples, seed : int

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If there is no value, one is not finite, or lengths differ.

    Notes
    -----
    With few people the interval is wide and still too narrow: give them all. If all values are 0,
    or all are 1, resampling sees no variation; the exact binomial interval of Clopper and Pearson
    over the distinct stimuli is given instead.
    Sources: Efron and Tibshirani 1993, chapter 13; clusters and items drawn independently: Owen
    2007, Annals of Applied Statistics 1, 386-411 (there shown to be conservative).

    Examples
    --------
    >>> interval = bootstrap_interval(np.arange(100.0))
    >>> 42 < interval.low < 45 < 54 < interval.high < 57
    True
    """
    values = np.asarray(per_item, dtype=np.float64)
    _check_values(values, clusters, items)
    if values.min() == values.max() and values[0] in (0.0, 1.0):
        n_independent = len(values) if items is None else len(np.unique(items))
        return _all_equal(values[0], n_independent, level)
    rng = np.random.default_rng(seed)
    cluster = _codes(clusters, len(values), default_one=True)
    stimulus = _codes(items, len(values), default_one=False)
    means = np.concatenate(
        [
            _resampled(values, cluster, stimulus, items is not None, count, rng)
            for count in _batches(n_resamples, len(values))
        ]
    )
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(means, [tail, 100 - tail])
    return Interval(float(low), float(high), level)


def permutation_null(
    score: Score, n_items: int, *, groups: Any = None, n_permutations: int = 1000, seed: int = 0
) -> Null:
    """The score under permuted order, within groups such as runs or people.

    Parameters
    ----------
    score : callable
        From an index array ``order``, shape (n_items,), to a number: item i gets the prediction of
        item ``order[i]``.
    n_items : int
    groups : array, shape (n_items,), optional
        Items change places within a group only: what is exchangeable under the null.
    n_permutations : int
        If there are no more arrangements than this, each is made once and the p-value is exact.
    seed : int

    Raises
    ------
    ValueError
        If no two items may change places.

    Notes
    -----
    Sources: Phipson and Smyth 2010 (the +1); COBIDAS appendix D.6 (permutation within exchangeable
    blocks).

    Examples
    --------
    >>> truth = np.array([0, 1, 2])
    >>> null = permutation_null(lambda order: np.mean(truth == truth[order]), 3)
    >>> null.exact, len(null.values), null.p_value(1.0)
    (True, 5, 0.16666666666666666)
    """
    members = _members(groups, n_items)
    n_arrangements = prod(factorial(len(one)) for one in members)
    if n_arrangements == 1:
        raise ValueError(
            f"None of {n_items} items can change places: each of the {len(members)} groups holds "
            f"one. A permutation null needs groups of two or more items."
        )
    exact = n_arrangements - 1 <= n_permutations
    orders = _all_orders(members, n_items) if exact else _some_orders(members, n_permutations, seed)
    values = np.array([score(order) for order in orders], dtype=np.float64)
    within = "" if groups is None else " within groups"
    return Null(values, exact, f"permutation{within}")


def circular_shift_null(
    score: Score,
    n_items: int,
    *,
    min_shift: int = 1,
    groups: Any = None,
    n_shifts: int = 1000,
    seed: int = 0,
) -> Null:
    """The score when predictions are shifted in time against their stimuli, and wrap around.

    For films and speech: neighbours are alike, so that permuted items are too easy a null. A shift
    keeps the slow drift of topic and signal and breaks only their meeting.

    Parameters
    ----------
    score : callable
        As in `permutation_null`.
    n_items : int
        Items in their order in time.
    min_shift : int
        Smallest shift in items, either way round. Leave it at 1 for p-values: only the full set of
        shifts is exact (see Notes).
    groups : array, shape (n_items,), optional
        Runs: each is shifted within itself, by an amount of its own.
    n_shifts, seed : int
        With one group and fewer possible shifts, each is made once.

    Raises
    ------
    ValueError
        If a group is too short to be shifted.

    Notes
    -----
    Source: the circular time-shift test of naturalistic imaging, e.g. Kauppi et al. 2010. Exact for
    signals that are stationary around the circle; the seam of the wrap is one false neighbourhood.
    Leaving out short shifts, which score nearly as high as the observed order, makes the test too
    easy: for two unrelated smooth series of 200 items, p < .05 came up in 5 % of cases with all
    shifts, 7 to 8 % without those below 8 and 10 to 13 % without those below 50 (600 simulations; a
    shorter one of them is a test). A permutation of single items gives over 20 %.

    Examples
    --------
    >>> circular_shift_null(lambda order: float(order[0]), 6, min_shift=2).values.tolist()
    [4.0, 3.0, 2.0]
    """
    members = _members(groups, n_items)
    shortest = min(len(one) for one in members)
    if min_shift < 1 or shortest < 2 * min_shift:
        raise ValueError(
            f"A series of {shortest} items can't be shifted by {min_shift} or more either way; "
            f"min_shift must be 1 to {shortest // 2}."
        )
    counts = [len(one) - 2 * min_shift + 1 for one in members]
    exact = prod(counts) <= n_shifts
    if exact:
        draws: Iterator[Sequence[int]] = iter(product(*(range(count) for count in counts)))
    else:
        rng = np.random.default_rng(seed)
        draws = (rng.integers(0, counts).tolist() for _ in range(n_shifts))
    values = []
    for draw in draws:
        order = np.arange(n_items, dtype=np.intp)
        for one, extra in zip(members, draw, strict=True):
            order[one] = np.roll(one, min_shift + extra)
        values.append(score(order))
    return Null(np.array(values, dtype=np.float64), exact, f"circular shift by {min_shift} or more")


def top_k_chance(n_candidates: int, k: int = 1) -> float:
    """Chance that the true one is among k of n candidates: k / n.

    Examples
    --------
    >>> top_k_chance(200, 5)
    0.025
    """
    if not 1 <= k <= n_candidates:
        raise ValueError(f"k must be 1 to {n_candidates} with {n_candidates} candidates; got {k}.")
    return k / n_candidates


def rank_chance(n_candidates: int) -> float:
    """Expected zero-based rank of a blind guess: (n - 1) / 2.

    Examples
    --------
    >>> rank_chance(201)
    100.0
    """
    return (n_candidates - 1) / 2


def _check_values(values: NDArray[np.float64], clusters: Any, items: Any) -> None:
    if values.ndim != 1 or not len(values):
        raise ValueError(f"A bootstrap needs one value an item; got shape {values.shape}.")
    if not np.isfinite(values).all():
        raise ValueError(
            f"{int((~np.isfinite(values)).sum())} of {len(values)} values are not finite; leave "
            f"those items out, and say so."
        )
    for name, column in (("clusters", clusters), ("items", items)):
        if column is not None and len(column) != len(values):
            raise ValueError(f"{name} has {len(column)} rows but there are {len(values)} values.")


def _all_equal(value: float, n: int, level: float) -> Interval:
    edge = ((1 - level) / 2) ** (1 / n)
    return Interval(0.0, 1 - edge, level) if value == 0 else Interval(edge, 1.0, level)


def _codes(labels: Any, n: int, *, default_one: bool) -> NDArray[np.intp]:
    if labels is None:
        return np.zeros(n, dtype=np.intp) if default_one else np.arange(n)
    _, codes = np.unique(np.asarray(labels), return_inverse=True)
    return np.asarray(codes, dtype=np.intp).reshape(-1)


def _batches(n_resamples: int, n: int) -> Iterator[int]:
    step = max(1, BLOCK_VALUES // n)
    for start in range(0, n_resamples, step):
        yield min(step, n_resamples - start)


def _resampled(
    values: NDArray[np.float64],
    cluster: NDArray[np.intp],
    stimulus: NDArray[np.intp],
    shared: bool,
    count: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Means of ``count`` resamples: weights say how often each value was drawn."""
    n_clusters = int(cluster.max()) + 1
    drawn = rng.multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), size=count)
    if shared:
        n_stimuli = int(stimulus.max()) + 1
        of_stimulus = rng.multinomial(n_stimuli, np.full(n_stimuli, 1 / n_stimuli), size=count)
        weights = (drawn[:, cluster] * of_stimulus[:, stimulus]).astype(np.float64)
    else:
        weights = np.zeros((count, len(values)))
        for one in range(n_clusters):
            inside = np.flatnonzero(cluster == one)
            even = np.full(len(inside), 1 / len(inside))
            weights[:, inside] = rng.multinomial(drawn[:, one] * len(inside), even)
    total = weights.sum(axis=1)
    # a resample may miss every cell of an incomplete table of people by stimuli
    kept = total > 0
    return np.asarray((weights[kept] @ values) / total[kept])


def _members(groups: Any, n_items: int) -> list[NDArray[np.intp]]:
    if n_items < 1:
        raise ValueError("A null distribution of no items can't be made.")
    if groups is None:
        return [np.arange(n_items)]
    labels = np.asarray(groups)
    if len(labels) != n_items:
        raise ValueError(f"groups has {len(labels)} rows but there are {n_items} items.")
    return [np.flatnonzero(labels == one) for one in np.unique(labels)]


def _all_orders(members: list[NDArray[np.intp]], n_items: int) -> Iterator[NDArray[np.intp]]:
    same = np.arange(n_items)
    for arranged in product(*(permutations(one.tolist()) for one in members)):
        order = same.copy()
        for one, new in zip(members, arranged, strict=True):
            order[one] = new
        if not np.array_equal(order, same):  # the observed order is counted by p_value
            yield order


def _some_orders(
    members: list[NDArray[np.intp]], n_permutations: int, seed: int
) -> Iterator[NDArray[np.intp]]:
    rng = np.random.default_rng(seed)
    for _ in range(n_permutations):
        order = np.empty(sum(len(one) for one in members), dtype=np.intp)
        for one in members:
            order[one] = rng.permutation(one)
        yield order
