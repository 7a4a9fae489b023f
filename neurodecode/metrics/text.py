"""How alike sentences are: n-grams, content words, errors, embeddings; one value an item.

None of these tells how much came from the brain: a language model writes sentences that share words
with any reference. Compare with the controls of `neurodecode.evidence` before believing a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurodecode.metrics.similarity import check_finite

References: TypeAlias = Sequence[str] | Sequence[Sequence[str]]
TokenStates: TypeAlias = Callable[[Sequence[str]], Sequence[NDArray[Any]]]


def bleu(truth: References, predicted: Sequence[str], *, n_gram: int = 1) -> NDArray[np.float64]:
    """Sentence BLEU with n-grams up to ``n_gram``, 0 to 1, higher is better.

    sacrebleu's sentence score: 13a tokens, case kept, exponential smoothing, effective order (a
    sentence shorter than ``n_gram`` is scored by the n-grams it has). The mean over sentences is
    not the corpus BLEU of a system.

    Parameters
    ----------
    truth : sequence of str, or of sequence of str, length n
        One reference a sentence, or several.
    predicted : sequence of str, length n
    n_gram : int
        1 to 4.

    Examples
    --------
    >>> bleu(["a red ball"], ["a red ball"]).round(3).tolist()
    [1.0]
    >>> bleu([["a red ball", "the ball is red"]], ["the red ball"]).round(3).tolist()
    [1.0]
    """
    from sacrebleu.metrics.bleu import BLEU

    if not 1 <= n_gram <= 4:
        raise ValueError(f"BLEU counts n-grams of 1 to 4 words; got n_gram={n_gram}.")
    scorer = BLEU(max_ngram_order=n_gram, effective_order=True)
    pairs = _pairs(truth, predicted)
    return np.array([scorer.sentence_score(said, list(true)).score / 100 for true, said in pairs])


def rouge(
    truth: References,
    predicted: Sequence[str],
    *,
    kind: Literal["rouge1", "rouge2", "rougeL"] = "rouge1",
    part: Literal["recall", "precision", "fmeasure"] = "fmeasure",
) -> NDArray[np.float64]:
    """ROUGE without stemming, 0 to 1; of several references the best counts.

    Examples
    --------
    >>> rouge(["a red ball"], ["a blue ball"], part="recall").round(3).tolist()
    [0.667]
    """
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer([kind], use_stemmer=False)
    return np.array(
        [
            max(getattr(scorer.score(one, said)[kind], part) for one in true)
            for true, said in _pairs(truth, predicted)
        ]
    )


def word_error_rate(truth: References, predicted: Sequence[str]) -> NDArray[np.float64]:
    """Words to insert, delete or replace, over the words of the reference; lower is better.

    It can exceed 1. Case and punctuation count. Of several references the nearest counts.

    Examples
    --------
    >>> word_error_rate(["a red ball"], ["a blue ball rolls"]).round(3).tolist()
    [0.667]
    """
    from torchmetrics.functional.text import word_error_rate as rate

    return np.array(
        [min(float(rate([said], [one])) for one in true) for true, said in _pairs(truth, predicted)]
    )


def word_accuracy(truth: References, predicted: Sequence[str]) -> NDArray[np.float64]:
    """1 minus `word_error_rate`; higher is better, and it can be negative.

    Examples
    --------
    >>> word_accuracy(["a red ball"], ["a blue ball"]).round(3).tolist()
    [0.667]
    """
    return 1 - word_error_rate(truth, predicted)


@lru_cache(maxsize=2**16)
def content_words(text: str) -> frozenset[str]:
    """The words of a sentence that are not among scikit-learn's English stop words.

    Examples
    --------
    >>> sorted(content_words("The red ball is on a meadow."))
    ['ball', 'meadow', 'red']
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    found: frozenset[str] = frozenset(re.findall(r"[^\W_]+", text.casefold()))
    return found.difference(ENGLISH_STOP_WORDS)


def content_word_f1(truth: References, predicted: Sequence[str]) -> NDArray[np.float64]:
    """F1 of the sets of content words, 0 to 1; of several references the best counts.

    Two sentences without content words score 0: nothing was said.

    Examples
    --------
    >>> content_word_f1(["the red ball"], ["a red car"]).tolist()
    [0.5]
    """

    def f1(true: str, said: str) -> float:
        one, other = content_words(true), content_words(said)
        return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0

    return np.array([max(f1(one, said) for one in true) for true, said in _pairs(truth, predicted)])


def greedy_match_f1(
    truth: Sequence[NDArray[Any]], predicted: Sequence[NDArray[Any]]
) -> NDArray[np.float64]:
    """F1 of greedily matched token embeddings by cosine, as in BERTScore, with any local model.

    Not BERTScore itself, whose numbers hold for its own models, layers and rescaling.

    Parameters
    ----------
    truth, predicted : sequence of array, shape (n_tokens, n_dims)

    Sources
    -------
    Zhang et al. 2020, "BERTScore", section 3, without importance weights.

    Examples
    --------
    >>> greedy_match_f1([np.eye(2)], [np.eye(2)[:1]]).round(3).tolist()
    [0.667]
    """
    scores: list[float] = []
    for true, said in zip(truth, predicted, strict=True):
        for name, one in (("true", true), ("predicted", said)):
            check_finite(np.asarray(one), f"{name} sentence {len(scores)}")
        similar = _unit(true) @ _unit(said).T
        recall, precision = similar.max(axis=1).mean(), similar.max(axis=0).mean()
        total = recall + precision
        scores.append(2 * recall * precision / total if total > 0 else 0.0)
    return np.array(scores)


class GreedyMatch:
    """`greedy_match_f1` of sentences, with the token states of any local language model.

    Call it with references and sentences, as the other scores here. Of several references the best
    counts. Named ``bertscore_like`` in results, and not comparable with published BERTScores.

    Parameters
    ----------
    tokens : callable
        Sentences to an array (n_tokens, n_dims) each. States are kept, so that each sentence is
        read once.

    Examples
    --------
    >>> letters = GreedyMatch(lambda texts: [np.eye(26)[[ord(c) - 97 for c in t]] for t in texts])
    >>> letters(["abc", "ab"], ["abx", "ab"]).round(3).tolist()
    [0.667, 1.0]
    """

    def __init__(self, tokens: TokenStates) -> None:
        self.tokens = tokens
        self._known: dict[str, NDArray[Any]] = {}

    def __call__(self, truth: References, predicted: Sequence[str]) -> NDArray[np.float64]:
        """One value a sentence, 0 to 1."""
        pairs = _pairs(truth, predicted)
        self._read(one for true, said in pairs for one in (*true, said))
        return np.array(
            [
                max(greedy_match_f1([self._known[one] for one in true],
                                    [self._known[said]] * len(true)))
                for true, said in pairs
            ]
        )  # fmt: skip

    def _read(self, texts: Iterable[str]) -> None:
        new = [one for one in dict.fromkeys(texts) if one not in self._known]
        if new:
            self._known |= dict(zip(new, self.tokens(new), strict=True))


def frechet_distance(truth: Any, predicted: Any) -> float:
    """Distance between two clouds of embeddings as if each were Gaussian; 0 is best.

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))``. It compares the whole sets: right sentences
    under the wrong stimuli score 0 too.

    Parameters
    ----------
    truth, predicted : array, shape (n, n_dims) and (m, n_dims)

    Sources
    -------
    Heusel et al. 2017, "GANs trained by a two time-scale update rule", section 2 (FID).

    Examples
    --------
    >>> cloud = np.random.default_rng(0).normal(size=(500, 3))
    >>> round(frechet_distance(cloud, cloud + [1.0, 0, 0]), 6)
    1.0
    """
    x, y = (np.asarray(one, dtype=np.float64) for one in (truth, predicted))
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or min(len(x), len(y)) < 2:
        raise ValueError(
            f"The Frechet distance needs two or more rows of one width on both sides; got shapes "
            f"{x.shape} and {y.shape}."
        )
    check_finite(x, "the truth")
    check_finite(y, "the prediction")
    one, other = np.cov(x.T).reshape(x.shape[1], -1), np.cov(y.T).reshape(y.shape[1], -1)
    # the eigenvalues of C1 C2 are real and not negative, though the product is not symmetric
    root = np.sqrt(np.clip(np.linalg.eigvals(one @ other).real, 0, None)).sum()
    shift = np.square(x.mean(axis=0) - y.mean(axis=0)).sum()
    return float(max(0.0, shift + np.trace(one) + np.trace(other) - 2 * root))


def distinct_share(predicted: Sequence[str]) -> float:
    """Share of sentences that are different from one another; low when a model repeats itself.

    Examples
    --------
    >>> distinct_share(["He was a member.", "He was a member.", "A film."])
    0.6666666666666666
    """
    return len(set(predicted)) / len(predicted) if len(predicted) else 0.0


def _pairs(truth: References, predicted: Sequence[str]) -> list[tuple[Sequence[str], str]]:
    if len(truth) != len(predicted):
        raise ValueError(
            f"There are {len(truth)} references but {len(predicted)} predicted sentences; row i of "
            f"both must belong to item i."
        )
    several = [[true] if isinstance(true, str) else list(true) for true in truth]
    empty = [place for place, true in enumerate(several) if not true]
    if empty:
        raise ValueError(f"{len(empty)} items have no reference (first: row {empty[0]}).")
    return list(zip(several, predicted, strict=True))


def _unit(rows: NDArray[Any]) -> NDArray[np.float64]:
    values = np.asarray(rows, dtype=np.float64)
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12))
