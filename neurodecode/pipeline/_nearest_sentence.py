"""Any encoder as a decoder of sentences for `judge_text`: it says the nearest known text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from neurodecode.contracts import Encoder
from neurodecode.data import Embeddings, Responses, Split
from neurodecode.evidence.text import Answers


class NearestSentence:
    """Predicts a vector of the text that was read, and says the nearest text learned from.

    With `BinnedRidge` it is the closed form beside a deep reader: no word is written, and the
    windows are chosen on validation texts.

    Parameters
    ----------
    encoder : Encoder
        Unfitted; it is fitted here to vectors of texts.
    embed : callable
        From texts to vectors (n, n_dims), such as TF-IDF or a sentence model; must not have been
        learned from the test texts.

    Examples
    --------
    >>> from neurodecode.encoders import BinnedRidge, Parts
    >>> rng = np.random.default_rng(0)
    >>> names = [f"text {i}" for i in range(30)]
    >>> vectors = dict(zip(names, rng.normal(size=(30, 4)), strict=True))
    >>> values = np.repeat(np.array(list(vectors.values()))[:, :, None], 6, axis=2)
    >>> trials = Responses(
    ...     values, range(30), "anna", "eeg", dims=("trial", "channel", "time"), sfreq=10.0,
    ...     metadata={"text": names},
    ... )
    >>> reader = NearestSentence(BinnedRidge([Parts(1)]), lambda texts: [vectors[t] for t in texts])
    >>> reader.fit([trials], Split(range(24), [], range(24, 30))).answer(trials.take([3])).sentences
    ['text 3']
    """

    def __init__(self, encoder: Encoder, embed: Callable[[Sequence[str]], object]) -> None:
        self.encoder = encoder
        self._embed = embed

    def fit(self, people: Sequence[Responses], split: Split) -> Self:
        """Fit the encoder to what may be seen; the column ``text`` of the test part is not read."""
        seen = [split.seen(one) for one in people]
        texts = {
            key: str(text)
            for one in seen
            for key, text in zip(one.stimulus.tolist(), one.metadata["text"], strict=True)
        }
        train = [split.mask(one, "train") for one in seen]
        keys = dict.fromkeys(
            key for one, rows in zip(seen, train, strict=True) for key in one.stimulus[rows]
        )
        self.known = [texts[str(key)] for key in keys]
        vectors = Embeddings(self.embed(list(texts.values())), np.array(list(texts)), "texts")
        self.encoder.fit(seen[0] if len(seen) == 1 else seen, vectors, split.blind())
        return self

    def answer(self, responses: Responses) -> Answers:
        """The nearest text of the training part, by cosine, and the predicted vector."""
        vectors = self.encoder.predict(responses).array()
        nearest = (_unit(vectors) @ _unit(self.embed(self.known)).T).argmax(axis=1)
        return Answers([self.known[row] for row in nearest], vectors)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Texts as vectors (n, n_dims) in the space of the answers."""
        return np.asarray(self._embed(list(texts)), dtype=np.float32)

    def rewrite(self, texts: Sequence[str]) -> Sequence[str]:
        """Nothing is written."""
        return list(texts)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
