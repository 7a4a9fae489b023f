"""What cross-validation adds to the spread of a mean: folds learn from one another's test items."""

from __future__ import annotations

from typing import Any

import numpy as np

SMALLEST_SHARE = 1 / 3
"""Of the extra variance that is left where a signal is strong; from ``benchmarks/calibration``."""


def linear_share(values: Any) -> float:
    """How much of the variance of scores is linear in a normal closeness beneath them, 0 to 1.

    The squared correlation of the ordered values with normal quantiles (the statistic W' of Shapiro
    and Francia): .95 for ranks, which are nearly linear; small for rare hits, which hang on a
    threshold.

    Parameters
    ----------
    values : array, any shape

    Examples
    --------
    >>> round(linear_share(np.arange(200)), 2), round(linear_share(np.arange(200) < 2), 2)
    (0.96, 0.07)
    """
    from scipy.special import ndtri

    ordered = np.sort(np.asarray(values, dtype=np.float64).ravel())
    ordered = ordered[:: max(1, len(ordered) // 4000)]
    if len(ordered) < 3 or ordered[0] == ordered[-1]:
        return 0.0
    quantiles = ndtri((np.arange(len(ordered)) + 0.5) / len(ordered))
    return float(np.corrcoef(ordered, quantiles)[0, 1] ** 2)


def null_inflation(values: Any) -> float:
    """By how much the variance of a null over folds must grow: 1 + `linear_share`.

    With k folds a pair of items tests each other: item i is predicted by what was learned from
    item j, and j by what was learned from i. Without a signal all variance of a cross-validated
    score is of such pairs, and their two halves are equal for all that is a weighted sum of
    training targets by likeness of responses (ridge, kernels, networks near their start). So it is
    twice that of the same number of items in one test set, which is what permuting within folds
    makes; less for scores that follow the closeness with a threshold.

    Parameters
    ----------
    values : array
        Scores of items with wrong truths.

    Sources
    -------
    Bengio and Grandvalet 2004, "No unbiased estimator of the variance of k-fold cross-validation"
    (the covariance of folds); the size of it is ours, measured in ``benchmarks/calibration.py``.

    Examples
    --------
    >>> round(null_inflation(np.arange(200)), 2)
    1.96
    """
    return 1.0 + linear_share(values)


def interval_inflation(values: Any, effect: float) -> float:
    """By how much the variance of a mean over folds must grow, for its interval.

    As `null_inflation`, less where there is a signal: then a growing part of the variance belongs
    to the items themselves. ``1 + share max(1 / (1 + effect), 1 / 3)``.

    Parameters
    ----------
    values : array, shape (n,)
        Scores of items.
    effect : float
        Distance of the mean from that of the null, in standard deviations of an item under it.

    Examples
    --------
    >>> ranks = np.arange(200)
    >>> round(interval_inflation(ranks, 0.0), 2), round(interval_inflation(ranks, 3.0), 2)
    (1.96, 1.32)
    """
    return 1.0 + linear_share(values) * max(1.0 / (1.0 + abs(effect)), SMALLEST_SHARE)
