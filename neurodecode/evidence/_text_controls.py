"""What a decoder of sentences makes of inputs without a brain; all choices from training data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Responses
from neurodecode.evidence._controls import majority, shuffled_order

TextScore: TypeAlias = Callable[[Sequence[Sequence[str]], Sequence[str]], NDArray[np.float64]]
Table: TypeAlias = NDArray[np.float64]

MOST_CANDIDATES = 40
MOST_REFERENCES = 40


def noise_sentences(
    test: Responses, train: Responses, *, full_mask: bool = False, seed: int = 0
) -> Responses:
    """Noise in place of the EEG of each sentence, with the spread of training sentences.

    Parameters
    ----------
    test : Responses
        Whose ids, task and, without ``full_mask``, lengths are kept; values are not looked at.
    train : Responses
        Training sentences of the same person.
    full_mask : bool
        False: a sentence is as long as it was, which leaves length to be used. True: all sentences
        are as long as the array.
    seed : int

    Examples
    --------
    >>> one = Responses(np.ones((2, 1, 3)), ["a", "b"], "S", "eeg",
    ...     dims=("trial", "channel", "time"), valid=np.arange(3) < [[2], [3]])
    >>> noise_sentences(one, one).array().tolist()
    [[[1.0, 1.0, 0.0]], [[1.0, 1.0, 1.0]]]
    """
    values = train.array(np.float64)
    valid = np.ones((len(train), values.shape[2]), dtype=bool) if train.valid is None else (
        train.valid
    )  # fmt: skip
    recorded = values.transpose(0, 2, 1)[valid]
    if not len(recorded):
        raise ValueError(f"Subject '{test.subject}' has no training sentences to make noise like.")
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(tuple(test.values.shape), dtype=np.float32)
    noise = noise * recorded.std(axis=0)[:, None] + recorded.mean(axis=0)[:, None]
    mask = np.ones((len(test), noise.shape[2]), dtype=bool)
    if test.valid is not None and not full_mask:
        mask = test.valid
    held = np.where(mask[:, None], noise, 0.0).astype(np.float32)
    return test.with_values(held, valid=mask)


def nearest_in_length(test: Responses, train: Responses, n_nearest: int = 10) -> NDArray[np.intp]:
    """For each sentence the training trials of the most similar length, nearest first.

    All that length alone can tell, without a model: shape (n_test, n_nearest).

    Examples
    --------
    >>> def person(lengths):
    ...     return Responses(np.zeros((len(lengths), 1, 9)), range(len(lengths)), "S", "eeg",
    ...         dims=("trial", "channel", "time"), valid=np.arange(9) < np.array(lengths)[:, None])
    >>> nearest_in_length(person([5]), person([9, 6, 2]), 2).tolist()
    [[1, 2]]
    """
    apart = np.abs(_lengths(test)[:, None] - _lengths(train)[None]).astype(float)
    # a tie goes to the earlier trial
    return np.argsort(apart, axis=1, kind="stable")[:, :n_nearest]


def best_constant(
    training: Sequence[str], score: TextScore, *, also: Sequence[str] = (), seed: int = 0
) -> str:
    """The sentence that, always given, scores best on the training texts.

    Parameters
    ----------
    training : sequence of str
        Training texts: candidates and references (40 of either, drawn, where there are more).
    score : callable
        (references of each item, sentences) to one value an item; higher is better.
    also : sequence of str
        More candidates, such as the sentence that a model writes most often.
    seed : int

    Examples
    --------
    >>> from neurodecode.metrics.text import content_word_f1
    >>> best_constant(["a red ball", "a red cat", "a blue cat"], content_word_f1)
    'a red cat'
    """
    distinct = sorted(set(training))
    if not distinct:
        raise ValueError("There is no training text to choose a constant sentence from.")
    rng = np.random.default_rng(seed)
    candidates = list(dict.fromkeys([*also, *_drawn(distinct, MOST_CANDIDATES, rng)]))
    references = [[one] for one in _drawn(distinct, MOST_REFERENCES, rng)]
    means = [float(score(references, [one] * len(references)).mean()) for one in candidates]
    return candidates[int(np.argmax(means))]


def permuted_mean(
    table: Table, column: NDArray[np.intp], groups: Any, *, n_draws: int = 40, seed: int = 0
) -> NDArray[np.float64]:
    """Each item's mean score when it gets the answers to other texts of its group.

    Parameters
    ----------
    table : array, shape (n, n_texts)
        Score of answer i if text j were its own.
    column : int array, shape (n,)
        The text of each item.
    groups : array, shape (n,)

    Examples
    --------
    >>> permuted_mean(np.eye(2), np.arange(2), ["a", "a"]).tolist()
    [0.0, 0.0]
    """
    stimulus = column.astype(np.str_)
    total = np.zeros(len(column))
    for draw in range(n_draws):
        order = shuffled_order(stimulus, groups, seed=seed + draw)
        total += table[order, column]
    return np.asarray(total / n_draws)


def most_written(sentences: Sequence[str]) -> str:
    """The sentence that a model writes most often."""
    return str(majority(sentences))


def _lengths(responses: Responses) -> NDArray[np.intp]:
    if responses.valid is None:
        return np.full(len(responses), responses.values.shape[-1], dtype=np.intp)
    return np.asarray(responses.valid.sum(axis=1), dtype=np.intp)


def _drawn(texts: list[str], n_most: int, rng: np.random.Generator) -> list[str]:
    if len(texts) <= n_most:
        return texts
    return [texts[row] for row in sorted(rng.choice(len(texts), n_most, replace=False))]
