"""Intervals of a mean of one value an item, by closed forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import as_values
from neurodecode.statistics._variance import Variance, clustered, codes, crossed, n_waves, ordered

HITS_PER_ITEM = 5.0
"""A share of many pairs is worth no more hits than this: near 1 its spread is seen too rarely."""
FEW_PEOPLE = 6
"""With fewer people nothing is said about other people."""


@dataclass(frozen=True)
class Interval:
    """A confidence interval.

    Parameters
    ----------
    low, high, level : float
    method : str
        How it was made, in words.
    scope : str
        For whom it holds, in words.

    Examples
    --------
    >>> Interval(0.2, 0.4).overlaps(Interval(0.5, 0.6))
    False
    """

    low: float
    high: float
    level: float = 0.95
    method: str = field(default="", repr=False, compare=False)
    scope: str = field(default="", repr=False, compare=False)

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low) and np.isfinite(self.high)):
            raise ValueError(
                f"The ends of an interval must be finite numbers; got {self.low} and {self.high}."
            )

    def overlaps(self, other: Interval) -> bool:
        """Do the two have a point in common?"""
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True, eq=False)
class Sampling:
    """What the values of a mean share, each an array of shape (n,) or None.

    Parameters
    ----------
    person : array, optional
    cluster : array, optional
        What would be drawn anew, usually the stimulus; default is each value by itself.
    time : float array, optional
        Place in time, where values of neighbours may be alike (films, speech).
    run : array, optional
        Series in time that are not continued in one another.

    Examples
    --------
    >>> Sampling(person=["a", "a", "b"]).few_people
    True
    """

    person: Any = None
    cluster: Any = None
    time: Any = None
    run: Any = None

    @property
    def n_people(self) -> int:
        """Number of different people, 1 if they are not told apart."""
        return 1 if self.person is None else len(np.unique(np.asarray(self.person)))

    @property
    def few_people(self) -> bool:
        """Are there too few people to say anything of others?"""
        return self.n_people < FEW_PEOPLE

    @property
    def n_waves(self) -> int:
        """How many independent values a series in time is worth, over all its runs."""
        time = np.asarray(self.time)
        run = np.zeros(len(time)) if self.run is None else np.asarray(self.run)
        lengths = [len(np.unique(time[run == one])) for one in np.unique(run)]
        return sum(n_waves(n) for n in lengths if n > 1)

    def variance(self, values: NDArray[np.float64], inflation: float = 1.0) -> Variance:
        """Variance of the mean, with people fixed where they are few.

        Parameters
        ----------
        values : array, shape (n,)
        inflation : float
            Factor for the variance within people, such as that of folds.
        """
        n = len(values)
        person = np.zeros(n, dtype=np.intp) if self.person is None else codes(self.person)
        if self.time is None:
            cluster = np.arange(n) if self.cluster is None else codes(self.cluster)
            within = clustered(values, cluster, person)
        else:
            run = np.zeros(n, dtype=np.intp) if self.run is None else codes(self.run)
            within = ordered(values, person, np.asarray(self.time, dtype=np.float64), run)
        within = Variance(within.value * inflation, within.df)
        return within if self.few_people else crossed(values, person, within)

    def method(self, inflation: float = 1.0) -> str:
        """How the variance is made, in words."""
        what = "moments of the series" if self.time is not None else "stimuli"
        if self.cluster is None and self.time is None:
            what = "items"
        means = "cosine transforms of the series, " if self.time is not None else ""
        fixed = "people fixed" if self.few_people and self.n_people > 1 else ""
        who = f"people and {what}" if not self.few_people else what
        told = [f"{means}t interval over {who}", fixed]
        if inflation != 1.0:
            told.append(f"variance x {inflation:.2f} for training sets that overlap")
        return ", ".join(one for one in told if one)

    def scope(self) -> str:
        """For whom it holds, in words."""
        n = self.n_people
        if not self.few_people:
            return f"people and stimuli like these {n} people and their stimuli"
        who = "this person" if n == 1 else f"these {n} people"
        return f"other stimuli of the same kind in {who}; nothing follows for other people"


def mean_interval(
    per_item: Any,
    sampling: Sampling | None = None,
    *,
    share: bool = False,
    inflation: float = 1.0,
    level: float = 0.95,
) -> Interval:
    """Interval of the mean of one value an item.

    Parameters
    ----------
    per_item : float array, shape (n,)
    sampling : Sampling, optional
        What values have in common; default: nothing.
    share : bool
        The values lie in 0 to 1 (hits, shares of pairs): Wilson's interval, which stays inside and
        has ends of its own where all values are 0 or all 1. Not for differences.
    inflation : float
        Factor for the variance within people (`interval_inflation`).
    level : float

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If there is no value, one is not finite, lengths differ, or a share leaves 0 to 1.

    Notes
    -----
    ``mean +- t(df) SE`` (`Sampling.variance`). Few people (under 6) are fixed: stimuli (or moments)
    are what is drawn anew, and the interval says so in ``scope``. Differences that are all equal
    have the interval of that one value: two things that never differ are not told apart, however
    many items there are, and a low end of 0 is no gain. For shares: Wilson 1927 with the effective
    number of items ``p (1 - p) / SE^2`` (as in surveys: Dean and Pagano 2015, "Evaluating
    confidence interval methods for binomial proportions in clustered surveys"); all 0 or all 1: the
    number of clusters. A share of pairs near 1 is skewed, and items that show how far it spreads
    are rare: the effective number is at most `HITS_PER_ITEM` times that of the items (without,
    84 % of the intervals of a true .992 of 60 items held it).

    Examples
    --------
    >>> interval = mean_interval(np.arange(100.0))
    >>> round(interval.low, 1), round(interval.high, 1), interval.method
    (43.7, 55.3, 't interval over items')
    >>> mean_interval(np.zeros(10)).high, round(mean_interval(np.zeros(10), share=True).high, 2)
    (0.0, 0.34)
    """
    from scipy.stats import t

    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, such as 0.95; got {level}.")
    values = np.asarray(as_values("Values of items", per_item), dtype=np.float64)
    given = Sampling() if sampling is None else sampling
    _check_values(values, given, share)
    mean = float(values.mean())
    variance = given.variance(values, inflation)
    method, scope = given.method(inflation), given.scope()
    if values.min() == values.max() and not (share and mean in (0.0, 1.0)):
        return Interval(mean, mean, level, "all values are equal", scope)
    if variance.df < 1 and values.min() != values.max():
        raise ValueError(
            f"An interval needs two or more stimuli (or moments) that could be drawn anew; got 1 "
            f"for {len(values)} values. Give more, or name what else is independent as cluster."
        )
    quantile = float(t.ppf((1 + level) / 2, max(variance.df, 1.0)))
    if share:
        worth = mean * (1 - mean) / variance.value if variance.value > 0 else variance.df + 1
        n = min(worth, HITS_PER_ITEM * len(values))
        low, high = _wilson(mean, n, quantile)
        return Interval(low, high, level, method.replace("t interval", "Wilson interval"), scope)
    half = quantile * variance.standard_error
    return Interval(mean - half, mean + half, level, method, scope)


def _wilson(p: float, n: float, z: float) -> tuple[float, float]:
    centre, shrink = p + z * z / (2 * n), 1 + z * z / n
    half = z * np.sqrt(max(p * (1 - p), 0.0) / n + (z / (2 * n)) ** 2)
    low, high = float((centre - half) / shrink), float((centre + half) / shrink)
    return max(0.0, min(low, p)), min(1.0, max(high, p))  # rounding may leave p outside


def _check_values(values: NDArray[np.float64], sampling: Sampling, share: bool) -> None:
    if values.ndim != 1 or not len(values):
        raise ValueError(f"An interval needs one value an item; got shape {values.shape}.")
    if not np.isfinite(values).all():
        raise ValueError(
            f"{int((~np.isfinite(values)).sum())} of {len(values)} values are not finite; leave "
            f"those items out, and say so."
        )
    if share and (values.min() < 0 or values.max() > 1):
        raise ValueError(
            f"Shares lie in 0 to 1; got {values.min():.3g} to {values.max():.3g}. Leave out "
            f"share=True for other scores and for differences."
        )
    for name in ("person", "cluster", "time", "run"):
        column = getattr(sampling, name)
        if column is not None and len(column) != len(values):
            raise ValueError(f"{name} has {len(column)} rows but there are {len(values)} values.")
