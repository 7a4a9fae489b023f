"""What a score is when responses and stimuli do not belong together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations, product
from math import factorial, prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import whole

Alternative = Literal["greater", "less"]
Score = Callable[[NDArray[np.intp]], float]


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
    least_p : float
        No p-value is smaller than this: what another null already left open.

    Examples
    --------
    >>> null = Null(np.array([0.1, 0.2, 0.3]))
    >>> null.p_value(0.25)
    0.5
    """

    values: NDArray[np.float64]
    exact: bool = False
    kind: str = "permutation"
    least_p: float = 0.0

    def __post_init__(self) -> None:
        bad = int((~np.isfinite(self.values)).sum())
        if bad:
            raise ValueError(
                f"{bad} of {len(self.values)} null scores are not finite. Mend the score: it must "
                f"give a number for every arrangement."
            )

    def widened(self, inflation: float) -> Null:
        """The same null with its variance times ``inflation``, about the same mean.

        Examples
        --------
        >>> Null(np.array([0.0, 1.0])).widened(4.0).values.tolist()
        [-0.5, 1.5]
        """
        mean = self.mean
        return replace(
            self,
            values=mean + np.sqrt(inflation) * (self.values - mean),
            kind=f"{self.kind}, variance x {inflation:.2f} for training sets that overlap",
        )

    def of_few(self, df: float) -> Null:
        """The same null as wide as Student's t of so many independent values.

        A series that is shifted falls in two pieces and shares only slow waves with another one, so
        that shifted scores spread less than those of two series that have nothing to do with each
        other: of 600 simulated films without a signal 8 % had p <= .05 (`benchmarks/calibration`).

        Examples
        --------
        >>> wide = Null(np.array([-1.0, 1.0])).of_few(8.0)
        >>> round(float(wide.values[1]), 2)
        1.13
        """
        from scipy.stats import norm, t

        factor = float((t.ppf(0.95, df) / norm.ppf(0.95)) ** 2)
        kind = f"{self.kind}, variance x {factor:.2f} for {df:.0f} independent waves"
        return replace(self.widened(factor), kind=kind)

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
        if not np.isfinite(observed):
            raise ValueError(
                f"A score of {observed} has no p-value: it is no finite number. Mend what made it."
            )
        slack = 1e-12 + 1e-10 * abs(observed)  # equal scores may differ by rounding
        if alternative == "greater":
            as_good = self.values >= observed - slack
        else:
            as_good = self.values <= observed + slack
        return max(self.least_p, float((1 + as_good.sum()) / (1 + len(self.values))))


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
    whole("n_permutations", n_permutations)
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
    together: Any = None,
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
        Runs (of people): each is shifted within itself.
    together : array, shape (n_items,), optional
        Groups of equal length that are shifted by the same amount, such as the people of one run of
        a film, whose drifts may be alike. Default: each by an amount of its own.
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
    whole("n_shifts", n_shifts)
    members = _members(groups, n_items)
    shortest = min(len(one) for one in members)
    if min_shift < 1 or shortest < 2 * min_shift:
        raise ValueError(
            f"A series of {shortest} items can't be shifted by {min_shift} or more either way; "
            f"min_shift must be 1 to {shortest // 2}."
        )
    bound = _bound(members, together)
    counts = [min(len(members[row]) for row in rows) - 2 * min_shift + 1 for rows in bound]
    exact = prod(counts) <= n_shifts
    if exact:
        draws: Iterator[Sequence[int]] = iter(product(*(range(count) for count in counts)))
    else:
        rng = np.random.default_rng(seed)
        draws = (rng.integers(0, counts).tolist() for _ in range(n_shifts))
    values = []
    for draw in draws:
        order = np.arange(n_items, dtype=np.intp)
        for rows, extra in zip(bound, draw, strict=True):
            for row in rows:
                order[members[row]] = np.roll(members[row], min_shift + extra)
        values.append(score(order))
    return Null(np.array(values, dtype=np.float64), exact, f"circular shift by {min_shift} or more")


def _bound(members: list[NDArray[np.intp]], together: Any) -> list[list[int]]:
    """Which groups are shifted alike."""
    if together is None:
        return [[row] for row in range(len(members))]
    labels = np.asarray(together).astype(np.str_)
    of_group = [str(labels[one[0]]) for one in members]
    return [
        [row for row, own in enumerate(of_group) if own == one] for one in dict.fromkeys(of_group)
    ]


def _members(groups: Any, n_items: int) -> list[NDArray[np.intp]]:
    whole("n_items", n_items)
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
