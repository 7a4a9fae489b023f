"""Measures of decoded sentences, each as a table of every answer against every text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, runtime_checkable

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.special import gammaln

from neurodecode.evidence._text_controls import Table, TextScore
from neurodecode.metrics import text as metrics

Vectors = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Answers:
    """What a decoder says to each item: a sentence, and a vector in the space of texts (n, d)."""

    sentences: Sequence[str]
    vectors: Vectors

    def __post_init__(self) -> None:
        if len(self.sentences) != len(self.vectors):
            raise ValueError(
                f"There are {len(self.sentences)} sentences but {len(self.vectors)} vectors; row i "
                f"of both must answer item i."
            )

    def __len__(self) -> int:
        return len(self.sentences)


@dataclass(frozen=True, eq=False)
class Texts:
    """The distinct texts that were read.

    Parameters
    ----------
    ids : array, shape (n_texts,)
    texts : sequence of str
    vectors : array, shape (n_texts, n_dims)
    labels : mapping of str to sequence of str
        Kind of label (``'sentiment'``, ``'relation'``, ``'corpus'``) to that of each text; ``''``
        where it has none.
    references : sequence of sequence of str, optional
        Wordings that a sentence may be compared with; default the text itself.
    """

    ids: NDArray[np.str_]
    texts: Sequence[str]
    vectors: Vectors
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    references: Sequence[Sequence[str]] | None = None

    def __len__(self) -> int:
        return len(self.texts)

    def wordings(self) -> list[list[str]]:
        """References of each text."""
        if self.references is None:
            return [[text] for text in self.texts]
        return [list(some) for some in self.references]


@runtime_checkable
class TextMeasure(Protocol):
    """One value an answer, whichever text were its own; higher is better."""

    @property
    def name(self) -> str: ...

    def table(self, answers: Answers, texts: Texts) -> Table:
        """Shape (n_answers, n_texts)."""
        ...

    def known(self, texts: Texts) -> NDArray[np.bool_]:
        """Texts that this measure is about, shape (n_texts,)."""
        ...

    def chance(self, texts: Texts) -> float | None:
        """Analytic chance."""
        ...


@dataclass(frozen=True)
class TextRetrieval:
    """Is the own text nearest by cosine, among it and others drawn from the texts of the test part?

    The mean over all draws is computed exactly: with b texts at least as near as the own one, of M,
    no draw of N - 1 others holds one with probability C(M-1-b, N-1) / C(M-1, N-1).

    Parameters
    ----------
    n_candidates : int, optional
        Default all texts.

    Examples
    --------
    >>> eye = np.eye(3)
    >>> texts = Texts(np.array(list("abc")), list("abc"), eye)
    >>> TextRetrieval(2).table(Answers(["x"], np.array([[3.0, 2, 1]])), texts).tolist()
    [[1.0, 0.5, 0.0]]
    """

    n_candidates: int | None = None

    @property
    def name(self) -> str:
        return f"retrieval_top1_of_{self.n_candidates or 'all'}"

    def table(self, answers: Answers, texts: Texts) -> Table:
        similar = unit(answers.vectors) @ unit(texts.vectors).T
        n_texts, n_wanted = len(texts), self.n_candidates or len(texts)
        # a tie counts as nearer: who likes all texts the same finds none
        nearer = np.stack(
            [n_texts - 1 - np.searchsorted(np.sort(row), row - 1e-12) for row in similar]
        )
        free = n_texts - 1 - nearer
        enough = free >= n_wanted - 1
        log = _log_choose(np.maximum(free, n_wanted - 1), n_wanted - 1)
        return np.where(enough, np.exp(log - _log_choose(n_texts - 1, n_wanted - 1)), 0.0)

    def known(self, texts: Texts) -> NDArray[np.bool_]:
        enough = len(texts) >= max(2, self.n_candidates or 2)
        return np.full(len(texts), enough)

    def chance(self, texts: Texts) -> float:
        return 1 / (self.n_candidates or len(texts))


@dataclass(frozen=True)
class Written:
    """A score of the sentence that was written without any help.

    Parameters
    ----------
    name : str
    score : callable
        (references of each item, sentences) to one value an item; higher is better.
    workers : int
        Processes that fill the table of all pairs; -1: one a core.

    Examples
    --------
    >>> texts = Texts(np.array(["a", "b"]), ["a red ball", "a cat"], np.eye(2))
    >>> said = Answers(["the cat"], np.ones((1, 2)))
    >>> Written("content_word_f1", metrics.content_word_f1).table(said, texts).tolist()
    [[0.0, 1.0]]
    """

    name: str
    score: TextScore
    workers: int = 1

    def table(self, answers: Answers, texts: Texts) -> Table:
        said, place = np.unique(np.asarray(answers.sentences, dtype=np.str_), return_inverse=True)
        wordings = texts.wordings()
        if self.workers == 1:
            rows = [self.score(wordings, [str(one)] * len(wordings)) for one in said]
        else:
            rows = Parallel(self.workers)(
                delayed(self.score)(wordings, [str(one)] * len(wordings)) for one in said
            )
        return np.asarray(rows)[place]

    def own(self, answers: Answers, texts: Texts, column: NDArray[np.intp]) -> NDArray[np.float64]:
        """Scores of the answers against their own texts alone, (n,)."""
        wordings = texts.wordings()
        return self.score([wordings[text] for text in column], list(answers.sentences))

    def known(self, texts: Texts) -> NDArray[np.bool_]:
        return np.ones(len(texts), dtype=bool)

    def chance(self, texts: Texts) -> None:
        """None: see the controls."""
        return


@dataclass(frozen=True, eq=False)
class ZeroShot:
    """Is the nearest of the classes' prompts, by cosine, that of the text's own label?

    Parameters
    ----------
    label : str
        Which of `Texts.labels`.
    classes : sequence of str
    prompts : array, shape (n_classes, n_dims)
        A sentence about each class, such as "It is positive.", in the space of texts.

    Examples
    --------
    >>> texts = Texts(np.array(["a", "b"]), ["x", "y"], np.eye(2), {"mood": ["good", ""]})
    >>> mood = ZeroShot("mood", ["bad", "good"], np.eye(2))
    >>> mood.table(Answers(["z"], np.array([[0.1, 0.9]])), texts).tolist(), mood.known(texts)
    ([[1.0, 0.0]], array([ True, False]))
    """

    label: str
    classes: Sequence[str]
    prompts: Vectors

    @property
    def name(self) -> str:
        return f"zero_shot_{self.label}"

    def table(self, answers: Answers, texts: Texts) -> Table:
        best = (unit(answers.vectors) @ unit(self.prompts).T).argmax(axis=1)
        return self.agree(np.asarray(self.classes)[best], texts)

    def agree(self, said: NDArray[np.str_], texts: Texts) -> Table:
        """1 where the class said is the text's label, (n, n_texts)."""
        labels = np.asarray(texts.labels[self.label])
        return np.asarray(said[:, None] == labels[None], dtype=np.float64)

    def known(self, texts: Texts) -> NDArray[np.bool_]:
        return np.isin(np.asarray(texts.labels.get(self.label, [""] * len(texts))), self.classes)

    def chance(self, texts: Texts) -> float:
        return 1 / len(self.classes)


def text_measures(
    tokens: metrics.TokenStates | None = None, *, workers: int = 1
) -> list[TextMeasure]:
    """Retrieval among all, 24 and 100 texts, content words, BLEU-1 to -4, ROUGE, words, tokens.

    Parameters
    ----------
    tokens : callable, optional
        States of the tokens of sentences in a local language model, for ``bertscore_like``; left
        out without it.
    workers : int
        Processes for the scores that take long; -1: one a core.

    Examples
    --------
    >>> [one.name for one in text_measures()][:4]
    ['retrieval_top1_of_all', 'retrieval_top1_of_24', 'retrieval_top1_of_100', 'content_word_f1']
    """
    slow: dict[str, TextScore] = {
        **{f"bleu{n}": partial(metrics.bleu, n_gram=n) for n in (1, 2, 3, 4)},
        "rouge1_recall": partial(metrics.rouge, part="recall"),
        "rougeL": partial(metrics.rouge, kind="rougeL"),
        "word_accuracy": metrics.word_accuracy,
    }
    found: list[TextMeasure] = [TextRetrieval(n) for n in (None, 24, 100)]
    found.append(Written("content_word_f1", metrics.content_word_f1))
    found += [Written(name, score, workers) for name, score in slow.items()]
    if tokens is not None:
        found.append(Written("bertscore_like", metrics.GreedyMatch(tokens)))
    return found


def own_scores(
    measure: TextMeasure, answers: Answers, texts: Texts, column: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Scores of answers to their own texts, (n,), without the whole table where that is dear."""
    if isinstance(measure, Written):
        return measure.own(answers, texts, column)
    return np.asarray(measure.table(answers, texts)[np.arange(len(column)), column])


def unit(vectors: Vectors) -> NDArray[np.float64]:
    """Rows of length one."""
    rows = np.asarray(vectors, dtype=np.float64)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def _log_choose(n: NDArray[np.intp] | int, k: int) -> NDArray[np.float64]:
    total = np.asarray(n, dtype=np.float64)
    return np.asarray(gammaln(total + 1) - gammaln(k + 1) - gammaln(total - k + 1))
