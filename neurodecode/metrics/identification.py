"""Which of several is it? Identification by correlation, two at a time or among all.

Chance is .5 for two-way and k / n_candidates for top-k, whatever the space. Rows may be pictures,
features or responses: everything after the first axis is one row. A row that equals an
item's own truth is the same thing shown again, and never a distractor.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import whole
from neurodecode.metrics.similarity import (
    TIE,
    as_rows,
    check_finite,
    check_pairs,
    compare,
    correlate_pairs,
    correlate_rows,
    distinct,
    same_rows,
)

Direction = Literal["recon", "truth"]


def two_way(
    truth: Any,
    predicted: Any,
    direction: Direction = "recon",
    *,
    candidates: Any = None,
    train_mean: Any = None,
) -> NDArray[np.float64]:
    """Share of others that are less like it than its own counterpart, per item; ties fail.

    With R[i, j] = corr(truth_i, predicted_j), item j scores mean over i of [R[i, j] < R[j, j]].

    Parameters
    ----------
    truth, predicted : array, shape (n, ...)
        Row i of both belongs to item i.
    direction : {'recon', 'truth'}
        ``'recon'`` compares one prediction with other *truths*: what the code of Brain-Diffuser,
        MindEye and MindBridge computes. ``'truth'`` compares one truth with other
        *predictions*: what their papers' prose says, and what Takagi & Nishimoto compute.
    candidates : array, shape (n_candidates, ...), optional
        The others, for ``'recon'``; default is the truths of all items.
    train_mean : array, shape (...), optional
        Mean of the *training* truths, removed from all before correlating.

    Returns
    -------
    array, shape (n,)
        0 to 1, chance .5.

    Raises
    ------
    ValueError
        If an item has nothing to be compared with.

    Notes
    -----
    Sources: `evaluate_reconstruction.py` of Brain-Diffuser and MindEye's `final_evaluations`. With
    distinct truths the mean equals theirs. Deviations: truths that are equal to the item's own
    are left out; similarities within 1e-10 are ties; a constant row correlates 0.

    Examples
    --------
    >>> truth = [[1.0, 2, 3], [3.0, 2, 1], [1.0, 3, 1]]
    >>> two_way(truth, [[1.0, 2, 4], [3.0, 1, 0], [0.0, 0, 0]]).tolist()
    [1.0, 1.0, 0.0]
    """
    own, x, y = _prepare(truth, predicted, train_mean)
    if direction == "recon":
        others = x if candidates is None else _centre(candidates, train_mean, "the candidates")
        matrix = correlate_pairs(y, others)
        distractor = ~same_rows(x, others)
    elif direction == "truth":
        if candidates is not None:
            raise ValueError("candidates go with direction='recon': they are compared as truths.")
        matrix = correlate_pairs(x, y)
        distractor = ~same_rows(x, x)
    else:
        raise ValueError(f"direction must be 'recon' or 'truth'; got '{direction}'.")
    won = (matrix < own[:, None] - TIE) & distractor
    return np.asarray(won.sum(axis=1) / _check_others(distractor))


def two_way_table(similarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each prediction the `two_way` score it would have if each candidate were its own.

    Parameters
    ----------
    similarity : array, shape (n, n_candidates)
        Candidates that are distinct; larger is more alike.

    Returns
    -------
    array, shape (n, n_candidates)
        Share of the other candidates that are less alike, in direction ``'recon'``; ties fail.

    Examples
    --------
    >>> two_way_table(np.array([[0.9, 0.1, 0.1]])).tolist()
    [[1.0, 0.0, 0.0]]
    """
    if similarity.shape[1] < 2:
        raise ValueError("Two-way identification needs two or more candidates; got 1.")
    _, below, _ = compare(similarity)
    return np.asarray(below / (similarity.shape[1] - 1))


def top_k(
    truth: Any, predicted: Any, k: int = 1, *, candidates: Any = None, train_mean: Any = None
) -> NDArray[np.float64]:
    """Is its own among the k candidates that correlate most with the prediction? Ties fail.

    Parameters
    ----------
    truth, predicted : array, shape (n, ...)
        Row i of both belongs to item i.
    k : int
    candidates : array, shape (n_candidates, ...), optional
        What it could have been; default is the distinct truths. The own truth is always one.
    train_mean : array, shape (...), optional
        Mean of the *training* truths, removed from prediction and candidates before correlating:
        what all pictures share tells nothing about which one it was.

    Returns
    -------
    array, shape (n,)
        0 or 1; chance is k / n_candidates.

    Notes
    -----
    Sources: picture identification as in Kay et al. 2008 and Miyawaki et al. 2008 (there by
    correlation or distance of images); the removal of the training mean is ours.

    Examples
    --------
    >>> truth = [[1.0, 2, 3], [3.0, 2, 1], [1.0, 3, 1]]
    >>> top_k(truth, [[1.0, 2, 4], [1.0, 2, 3], [0.0, 0, 0]]).tolist()
    [1.0, 0.0, 0.0]
    """
    own, x, y = _prepare(truth, predicted, train_mean)
    others = distinct(
        x if candidates is None else _centre(candidates, train_mean, "the candidates")
    )
    distractor = ~same_rows(x, others)
    _check_k(k, distractor)
    better = (correlate_pairs(y, others) >= own[:, None] - TIE) & distractor
    return np.asarray(better.sum(axis=1) < k, dtype=np.float64)


def _prepare(
    truth: Any, predicted: Any, train_mean: Any
) -> tuple[NDArray[np.float64], NDArray[Any], NDArray[Any]]:
    check_pairs(truth, predicted)
    x = _centre(truth, train_mean, "the truth")
    y = _centre(predicted, train_mean, "the prediction")
    return correlate_rows(x, y), x, y


def _centre(values: Any, train_mean: Any, name: str) -> NDArray[Any]:
    rows = as_rows(values, name)
    if train_mean is None:
        return rows
    mean = np.asarray(train_mean, dtype=np.float64).reshape(-1)
    if len(mean) != rows.shape[1]:
        raise ValueError(
            f"train_mean has {len(mean)} numbers but a row has {rows.shape[1]}. "
            f"It is the mean of the training truths, of the shape of one of them."
        )
    return np.asarray(rows - check_finite(mean[None], "the training mean"))


def _check_others(distractor: NDArray[np.bool_]) -> NDArray[np.intp]:
    count = distractor.sum(axis=1)
    if (count == 0).any():
        raise ValueError(
            f"{int((count == 0).sum())} of {len(count)} items have no other to be compared with: "
            f"all truths equal their own. Identification needs two or more different items."
        )
    return np.asarray(count)


def _check_k(k: int, distractor: NDArray[np.bool_]) -> None:
    fewest = int(_check_others(distractor).min()) + 1
    if not 1 <= whole("k", k) < fewest:
        raise ValueError(f"k must be 1 to {fewest - 1} with {fewest} candidates; got {k}.")
