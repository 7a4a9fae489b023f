"""What the same generator makes of inputs that hold no brain: the controls beside every score.

Whatever is chosen or averaged here comes from the training part alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Embeddings, Responses, Stimuli, are_classes, as_ids, blocks

BATCH = 256


def noise_responses(responses: Responses, train: Responses, *, seed: int = 0) -> Responses:
    """Noise in place of the brain: Gaussian, with each unit's training mean and spread.

    Parameters
    ----------
    responses : Responses
        The test trials, whose ids and shape are kept and whose values are not looked at.
    train : Responses
        Trials of the training part, of the same units.
    seed : int

    Examples
    --------
    >>> train = Responses(np.tile([1.0, 5.0], (9, 1)), range(9), "s", "fmri")
    >>> noise_responses(train.take([0, 1]), train).array().tolist()
    [[1.0, 5.0], [1.0, 5.0]]
    """
    if responses.values.shape[1:] != train.values.shape[1:]:
        raise ValueError(
            f"Test trials of subject '{responses.subject}' have shape "
            f"{tuple(responses.values.shape[1:])} but training trials {train.values.shape[1:]}."
        )
    mean, spread = _moments(train)
    rng = np.random.default_rng(seed)
    shape = (len(responses), *mean.shape)
    values = rng.standard_normal(shape, dtype=np.float32) * spread + mean
    return responses.with_values(values.astype(np.float32))


def shuffled_order(stimulus: Any, groups: Any = None, *, seed: int = 0) -> NDArray[np.intp]:
    """Shuffled brain: an order in which an item gets another stimulus's prediction.

    Where ids are classes (`neurodecode.data.are_classes`) the order is any at all: if nobody may
    keep the own class, all answers are wrong ones, and the control falls below chance.

    Parameters
    ----------
    stimulus : array, shape (n,)
    groups : array, shape (n,), optional
        Items change places within a group (a person) only.
    seed : int

    Returns
    -------
    int array, shape (n,)
        A permutation; no item keeps a prediction of its own stimulus, unless one stimulus fills
        more than half of its group, or ids are classes.

    Examples
    --------
    >>> order = shuffled_order(list("abcd"))
    >>> bool((order == np.arange(4)).any()), sorted(order.tolist())
    (False, [0, 1, 2, 3])
    """
    ids = as_ids("stimulus", stimulus)
    labels = np.zeros(len(ids), dtype=np.intp) if groups is None else np.asarray(groups)
    rng = np.random.default_rng(seed)
    order = np.arange(len(ids), dtype=np.intp)
    for one in np.unique(labels):
        inside = np.flatnonzero(labels == one)
        mixed = rng.permutation(inside)
        if are_classes(ids[inside]):
            order[inside] = mixed
            continue
        # sorted by stimulus (in random order), a turn by the largest count moves every item off
        # its own stimulus if that is possible at all
        names, code, count = np.unique(ids[mixed], return_inverse=True, return_counts=True)
        chain = mixed[np.argsort(rng.permutation(len(names))[code], kind="stable")]
        order[chain] = np.roll(chain, int(count.max()))
    return order


def mean_embedding(
    train: Embeddings, stimulus: Iterable[Any], *, counts: NDArray[Any] | None = None
) -> Embeddings:
    """The mean training embedding as the answer to every test stimulus.

    Parameters
    ----------
    train : Embeddings
    stimulus : sequence of str
        Test stimuli.
    counts : array, shape (n_train,), optional
        How often each was shown; default is once.

    Examples
    --------
    >>> mean_embedding(Embeddings(np.eye(2), ["a", "b"], "toy"), ["c"]).array().tolist()
    [[0.5, 0.5]]
    """
    return _repeat(_mean_row(train, counts), stimulus, train.space)


def constant_best(train: Embeddings, stimulus: Iterable[Any]) -> Embeddings:
    """The training stimulus most like all training stimuli, as the answer to every test one.

    The constant answer that has the highest mean cosine with the training part; unlike the mean
    it is the embedding of something real, which a generator makes its best picture of.

    Examples
    --------
    >>> train = Embeddings(np.array([[1.0, 0], [1.0, 1], [0, 1]]), ["a", "b", "c"], "toy")
    >>> constant_best(train, ["d"]).array().tolist()
    [[1.0, 1.0]]
    """
    total = np.zeros(train.row_shape)
    for _, block in blocks(train.values):
        total += _unit(block).sum(axis=0)
    scores = [_flat(_unit(block)) @ total.reshape(-1) for _, block in blocks(train.values)]
    best = int(np.argmax(np.concatenate(scores)))
    return _repeat(np.asarray(train.values[best]), stimulus, train.space)


def nearest_training(predicted: Embeddings, train: Embeddings) -> NDArray[np.str_]:
    """For each prediction the id of the nearest training stimulus, by cosine.

    What a look-up in the training set would answer: a generator should do better.

    Examples
    --------
    >>> train = Embeddings(np.eye(2), ["a", "b"], "toy")
    >>> nearest_training(Embeddings(np.array([[0.1, 0.9]]), ["c"], "toy"), train).tolist()
    ['b']
    """
    wanted = _flat(_unit(predicted.array()))
    best = np.full(len(predicted), -np.inf)
    found = np.zeros(len(predicted), dtype=np.intp)
    for rows, block in blocks(train.values):
        similar = wanted @ _flat(_unit(block)).T
        place = similar.argmax(axis=1)
        value = similar[np.arange(len(wanted)), place]
        found = np.where(value > best, rows.start + place, found)
        best = np.maximum(best, value)
    return np.asarray(train.stimulus[found])


def mean_picture(stimuli: Stimuli) -> NDArray[np.uint8]:
    """The mean of the training pictures (or clips), uint8.

    Examples
    --------
    >>> pictures = np.stack([np.zeros((1, 1, 3)), np.full((1, 1, 3), 10)]).astype(np.uint8)
    >>> mean_picture(Stimuli.from_arrays(["a", "b"], pictures)).tolist()
    [[[5, 5, 5]]]
    """
    if not len(stimuli) or stimuli.kind == "text":
        raise ValueError(f"There is no mean picture of {stimuli}.")
    total: Any = 0
    for _, pictures in stimuli.batches(BATCH):
        for one in pictures:
            if np.ndim(total) and total.shape != one.shape:
                raise ValueError(
                    f"Pictures of shapes {total.shape} and {one.shape} have no mean. Bring all "
                    f"stimuli to one size first."
                )
            total = total + one.astype(np.int64)
    return np.asarray(np.rint(total / len(stimuli)), dtype=np.uint8)


def majority(labels: Iterable[Any]) -> Any:
    """The most frequent training label (or sentence); the first of equally frequent ones.

    Examples
    --------
    >>> majority(["face", "house", "house"])
    'house'
    """
    plain = list(labels)
    if not plain:
        raise ValueError("There is no most frequent label among none.")
    counts: dict[Any, int] = {}
    for one in plain:
        counts[one] = counts.get(one, 0) + 1
    return max(counts, key=counts.__getitem__)


def ceiling(truth: Embeddings, stimulus: Iterable[Any]) -> Embeddings:
    """The true embeddings in place of predicted ones: the best that this generator can do.

    Examples
    --------
    >>> ceiling(Embeddings(np.eye(2), ["a", "b"], "toy"), ["b", "b"]).array().tolist()
    [[0.0, 1.0], [0.0, 1.0]]
    """
    return truth.select(stimulus)


def _moments(train: Responses) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if not len(train):
        raise ValueError(f"Subject '{train.subject}' has no training trials to make noise like.")
    shape = tuple(train.values.shape[1:])
    total = np.zeros(shape)
    for _, block in blocks(train.values):
        total += block.sum(axis=0, dtype=np.float64)
    mean = total / len(train)
    square = np.zeros(shape)
    for _, block in blocks(train.values):
        square += ((block - mean) ** 2).sum(axis=0)
    return mean, np.sqrt(square / len(train))


def _mean_row(train: Embeddings, counts: NDArray[Any] | None) -> NDArray[np.float64]:
    weight = np.ones(len(train)) if counts is None else np.asarray(counts, dtype=np.float64)
    total = np.zeros(train.row_shape)
    for rows, block in blocks(train.values):
        total += np.tensordot(weight[rows], block.astype(np.float64), axes=1)
    return np.asarray(total / weight.sum())


def _repeat(row: NDArray[Any], stimulus: Iterable[Any], space: str) -> Embeddings:
    ids = as_ids("stimulus", stimulus)
    return Embeddings(np.repeat(row[None].astype(np.float32), len(ids), axis=0), ids, space)


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    return values.reshape(len(values), -1)


def _unit(values: NDArray[Any]) -> NDArray[np.float64]:
    """Rows of length one; zero rows stay zero."""
    rows = _flat(np.asarray(values, dtype=np.float64))
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(norm > 0, norm, 1.0)).reshape(values.shape)
