"""An encoder of sentences and a writer as one decoder that `judge_text` can question."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from neurodecode.data import Embeddings, Generated, Responses
from neurodecode.evidence.text import Answers


class SentenceEncoder(Protocol):
    """Tokens for a writer, and one vector a sentence in a space that texts have too (`Glim`)."""

    def predict(self, responses: Responses, head: str | None = None) -> Embeddings: ...
    def embed_texts(self, texts: Mapping[str, str]) -> Embeddings: ...


class Writer(Protocol):
    """Embeddings to sentences (`Captioner`)."""

    def generate(
        self, embeddings: Embeddings, *, seed: int = 0, n_samples: int = 1
    ) -> Generated: ...


class SentenceDecoder:
    """From responses to sentences; nothing of the text that was read is ever given to it.

    Parameters
    ----------
    encoder : SentenceEncoder
        Fitted.
    writer : Writer
        Reads the encoder's tokens.
    rewriter : callable, optional
        What the writer makes of the texts themselves, for the upper bound; default the texts.
    seed : int

    Examples
    --------
    >>> class Deaf:
    ...     def predict(self, responses, head=None):
    ...         return Embeddings(np.ones((len(responses), 2)), responses.stimulus, "toy")
    ...     def embed_texts(self, texts):
    ...         return Embeddings(np.ones((len(texts), 2)), list(texts), "toy")
    >>> class Fluent:
    ...     def generate(self, embeddings, *, seed=0, n_samples=1):
    ...         said = np.full((len(embeddings), 1), "It is a film.")
    ...         return Generated(said, embeddings.stimulus, "text", "fluent")
    >>> trials = Responses(np.zeros((1, 3)), ["a"], "S", "eeg", dims=("trial", "channel"))
    >>> SentenceDecoder(Deaf(), Fluent()).answer(trials).sentences
    ['It is a film.']
    """

    def __init__(
        self,
        encoder: SentenceEncoder,
        writer: Writer,
        rewriter: Callable[[Sequence[str]], Sequence[str]] | None = None,
        seed: int = 0,
    ) -> None:
        self.encoder = encoder
        self.writer = writer
        self.rewriter = rewriter
        self.seed = seed

    def answer(self, responses: Responses) -> Answers:
        """A sentence and a vector for each trial."""
        written = self.writer.generate(self.encoder.predict(responses), seed=self.seed)
        vectors = self.encoder.predict(responses, head="pooled").array()
        return Answers([str(one) for one in written.values[:, 0]], vectors)

    def embed(self, texts: Sequence[str]) -> Any:
        """Texts in the space of the vectors, (n, n_dims)."""
        named = {f"text-{row:06d}": text for row, text in enumerate(texts)}
        return np.asarray(self.encoder.embed_texts(named).array())

    def rewrite(self, texts: Sequence[str]) -> Sequence[str]:
        """What the writer makes of texts."""
        return list(texts) if self.rewriter is None else self.rewriter(texts)
