"""Plain ridge beside the deep readers: sums over parts of a sentence to the words of the text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from experiments._sentence_recipes import windows
from neurodecode.data import Embeddings, Responses, Split
from neurodecode.encoders import Ridge
from neurodecode.evidence.text import Answers

N_WINDOWS = 4


class WordVectors:
    """Texts as centred TF-IDF, learned from the training texts.

    Parameters
    ----------
    people : sequence of Responses
    split : Split
    """

    def __init__(self, people: Sequence[Responses], split: Split) -> None:
        known = list(_texts([split.part(one, "train") for one in people]).values())
        self.words = TfidfVectorizer(stop_words="english").fit(known)
        self.mean = self.words.transform(known).toarray().mean(axis=0)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (n, n_words)."""
        values = self.words.transform(list(texts)).toarray() - self.mean
        return np.asarray(values, dtype=np.float32)


class RidgeReader:
    """A map of each person's own from EEG to TF-IDF; says the nearest text learned from.

    Parameters
    ----------
    people : sequence of Responses
    split : Split
        Penalties are chosen by left-out training texts; validation texts are not used.
    """

    def __init__(self, people: Sequence[Responses], split: Split) -> None:
        train = [split.part(one, "train") for one in people]
        texts = _texts(train)
        self.known, self.words = list(texts.values()), WordVectors(people, split)
        targets = Embeddings(self.embed(self.known), np.array(list(texts)), "tf-idf")
        self.ridge = Ridge().fit(windows(train, N_WINDOWS), targets, split.blind())

    def answer(self, responses: Responses) -> Answers:
        """The nearest of the training texts, and the predicted vector."""
        vectors = self.ridge.predict(windows([responses], N_WINDOWS)[0]).array()
        near = (vectors @ _unit(self.embed(self.known)).T).argmax(axis=1)
        return Answers([self.known[row] for row in near], vectors)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Texts as centred TF-IDF, (n, n_words)."""
        return self.words.embed(texts)

    def rewrite(self, texts: Sequence[str]) -> Sequence[str]:
        """Nothing is written."""
        return list(texts)


def _texts(parts: Sequence[Responses]) -> dict[str, str]:
    """Each text once, by its id."""
    return {
        key: str(text)
        for one in parts
        for key, text in zip(one.stimulus.tolist(), one.metadata["text"], strict=True)
    }


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
