"""Trials of one label that follow one another: are they one observation, or several?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

N_ORDERS = 999
ALPHA = 0.01


def stretches(labels: Any, runs: Any = None) -> NDArray[np.intp]:
    """Number of the stretch of equal labels that each trial stands in, shape (n,).

    A stretch ends with its run.

    Examples
    --------
    >>> stretches(["a", "a", "b", "b"], [1, 1, 1, 2]).tolist()
    [0, 0, 1, 2]
    """
    code, run = _code(labels), _code(np.zeros(len(labels)) if runs is None else runs)
    return np.cumsum(np.r_[False, (np.diff(code) != 0) | (np.diff(run) != 0)]).astype(np.intp)


def dependent_blocks(labels: Any, runs: Any = None, *, seed: int = 0) -> NDArray[np.intp]:
    """The block that each trial belongs to; each trial is one where the order looks random.

    In a block design trials of one label follow one another. What a scanner or a person does
    slowly is then the same for all of them, and neither a null nor an interval may treat them as
    independent. Where there are fewer `stretches` than in all but 1 % of random orders within runs
    (a runs test), a stretch is a block; so is a run, of several, that holds one label only. The
    labels alone are looked at.

    Parameters
    ----------
    labels : array, shape (n,)
        Of one person, in order of time.
    runs : array, shape (n,), optional
    seed : int
        Of the random orders.

    Returns
    -------
    int array, shape (n,)

    Sources
    -------
    Wald and Wolfowitz 1940, "On a test whether two samples are from the same population" (the runs
    test; here for any number of labels, by permutation).

    Examples
    --------
    >>> dependent_blocks(["a"] * 6 + ["b"] * 6).tolist()
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    >>> dependent_blocks(list("abbabaabba")).tolist()
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    code, run = _code(labels), _code(np.zeros(len(labels)) if runs is None else runs)
    own, border = stretches(code, run), np.diff(run) != 0
    rng, n_own = np.random.default_rng(seed), _n_changes(code, border)
    fewer = sum(_n_changes(_mixed(code, run, rng), border) <= n_own for _ in range(N_ORDERS))
    if (1 + fewer) / (1 + N_ORDERS) <= ALPHA:
        return own
    trial = len(own) + np.arange(len(own), dtype=np.intp)
    several = len(np.unique(run)) > 1
    whole = [several and len(np.unique(code[run == one])) == 1 for one in range(run.max() + 1)]
    return np.unique(np.where(np.array(whole)[run], own, trial), return_inverse=True)[1]


def _mixed(
    code: NDArray[np.intp], run: NDArray[np.intp], rng: np.random.Generator
) -> NDArray[np.intp]:
    """Labels in random order within each run."""
    mixed = np.empty_like(code)
    # sorted by run, then at random: which label goes where within its run
    mixed[np.argsort(run, kind="stable")] = code[np.lexsort((rng.random(len(run)), run))]
    return mixed


def _n_changes(code: NDArray[np.intp], border: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero((np.diff(code) != 0) | border))


def _code(labels: Any) -> NDArray[np.intp]:
    return np.asarray(np.unique(np.asarray(labels), return_inverse=True)[1], dtype=np.intp)
