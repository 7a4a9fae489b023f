"""Bootstrap intervals of a mean of one value an item."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low) and np.isfinite(self.high)):
            raise ValueError(
                f"The ends of an interval must be finite numbers; got {self.low} and {self.high}."
            )

    def overlaps(self, other: Interval) -> bool:
        """Do the two have a point in common?"""
        return self.low <= other.high and other.low <= self.high


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
    With three or four people the interval is as good as three or four people are. Drawn people and
    stimuli together cover the truth about as often as said where both vary, and too often where
    neither does: for hits of 4 people at 200 shared stimuli 95 % of 400 simulated intervals held
    the truth, against 72 % for the plain bootstrap (a test repeats it with fewer). To compare two
    decoders on the same items, give the differences. If all values are 0,
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
        sums, counts = np.zeros((2, n_clusters, n_stimuli))
        np.add.at(sums, (cluster, stimulus), values)
        np.add.at(counts, (cluster, stimulus), 1.0)
        total = ((drawn @ counts) * of_stimulus).sum(axis=1)
        # a resample may miss every cell of an incomplete table of people by stimuli
        kept = total > 0
        return np.asarray(((drawn @ sums) * of_stimulus).sum(axis=1)[kept] / total[kept])
    weights = np.zeros((count, len(values)))
    for one in range(n_clusters):
        inside = np.flatnonzero(cluster == one)
        even = np.full(len(inside), 1 / len(inside))
        weights[:, inside] = rng.multinomial(drawn[:, one] * len(inside), even)
    return np.asarray(weights @ values / weights.sum(axis=1))
