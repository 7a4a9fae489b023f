"""A small T5 that learns to write about scenes of a film, from the texts of training scenes alone.

The condition is a point of a space of topics (TF-IDF, then its principal directions), both learned
on the same training scenes. While it learns, the condition is the topic of some sentences in a row
with noise on it, and the answer one of those sentences: 45 scenes alone would be learned by heart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from neurodecode.data import Embeddings
from neurodecode.generators import Beams, Captioner
from neurodecode.targets._weights import quiet_loading
from neurodecode.training import Plan, Progress, seeded, train

N_TOPICS = 32
WIDTH = 64
"""Of the T5; points of topics are filled up with zeros."""
N_STEPS, BATCH, N_POOL = 500, 48, 4000
LONGEST = 24
ROW = (3, 20)
"""Fewest and most sentences in a row that make a condition."""
NOISE = 0.5
"""Spread of the noise on a condition, in units of the spread of training scenes."""


class Topics:
    """TF-IDF of training texts, its principal directions, each with a spread of 1."""

    def __init__(self, texts: Sequence[str], seed: int) -> None:
        self.words = TfidfVectorizer(stop_words="english", sublinear_tf=True).fit(texts)
        values = self.words.transform(texts)
        n_most = min(N_TOPICS, *(size - 1 for size in values.shape))
        self.directions = TruncatedSVD(n_most, random_state=seed).fit(values)
        found = self.directions.transform(values)
        self.mean, self.spread = found.mean(axis=0), found.std(axis=0) + 1e-9

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Texts as points (n, WIDTH), filled up with zeros."""
        found = self.directions.transform(self.words.transform(texts))
        points = np.zeros((len(texts), WIDTH), dtype=np.float32)
        points[:, : found.shape[1]] = (found - self.mean) / self.spread
        return points


def sentences_of(text: str) -> list[str]:
    """The sentences of a description that have three words and more.

    Examples
    --------
    >>> sentences_of("John sits down. No! Then he looks at the wall.")
    ['John sits down.', 'Then he looks at the wall.']
    """
    parts = re.split(r"(?<=[.!?])\s+", text)
    return [one for one in parts if len(re.findall(r"[^\W_]+", one)) >= 3]


class FilmWriter:
    """Writes a sentence about a point of the space of topics.

    Parameters
    ----------
    texts : sequence of str
        Descriptions of the training scenes: nothing else is ever seen.
    folder : path
        For the trained T5, from which the package's own `Captioner` reads it.
    seed : int
    n_steps : int
    """

    def __init__(
        self,
        texts: Sequence[str],
        folder: Path,
        *,
        seed: int = 0,
        n_steps: int = N_STEPS,
    ) -> None:
        self.texts = list(texts)
        self.topics = Topics(texts, seed)
        rows = _Rows(self.texts, self.topics, n_steps, seed)
        with seeded(seed):
            torch.manual_seed(seed)
            model = T5ForConditionalGeneration(_config(len(rows.tokenizer)))
        plan = Plan(max_epochs=1, learning_rate=3e-3, weight_decay=0.05, device="cpu")
        train(model, _step, rows, plan, seed=seed)
        with quiet_loading():
            model.save_pretrained(folder)
        rows.tokenizer.save_pretrained(folder)
        self.captioner = Captioner(
            folder, Beams(2), length=(4, LONGEST), batch_size=512, device="cpu"
        )

    def write(self, points: NDArray[np.floating[Any]]) -> list[str]:
        """A sentence for each point (n, WIDTH)."""
        ids = np.arange(len(points)).astype(np.str_)
        given = Embeddings(points.astype(np.float32), ids, "topics of the film")
        return [str(one) for one in self.captioner.generate(given).values[:, 0]]


class _Rows:
    """Sentences in a row, and one of them to be written: a pool, drawn from in each step."""

    def __init__(self, texts: Sequence[str], topics: Topics, n_steps: int, seed: int) -> None:
        self.n_steps = n_steps
        scenes = [some for some in map(sentences_of, texts) if some]
        self.tokenizer = _tokenizer([one for some in scenes for one in some])
        rng = np.random.default_rng((seed, 3))
        drawn = [_drawn(scenes[rng.integers(len(scenes))], rng) for _ in range(N_POOL)]
        self.points = topics.embed([" ".join(row) for row, _ in drawn])
        self.labels = self.tokenizer(
            [said for _, said in drawn], padding=True, truncation=True, max_length=LONGEST,
            return_tensors="pt",
        )["input_ids"]  # fmt: skip
        # what stood once in the training texts is not to be learned
        hidden = (self.labels == PAD) | (self.labels == UNKNOWN)
        self.labels = self.labels.masked_fill(hidden, -100)

    def __len__(self) -> int:
        return self.n_steps

    def epoch(self, epoch: int, seed: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Conditions (b, 1, WIDTH) and labels (b, n_tokens)."""
        rng = np.random.default_rng((seed, epoch, 5))
        for _ in range(self.n_steps):
            rows = rng.integers(len(self.points), size=BATCH)
            points = self.points[rows]
            points = points + NOISE * points.astype(bool) * rng.normal(size=points.shape)
            yield torch.from_numpy(points.astype(np.float32))[:, None], self.labels[rows]


def _drawn(scene: Sequence[str], rng: np.random.Generator) -> tuple[Sequence[str], str]:
    length = min(len(scene), int(rng.integers(ROW[0], ROW[1] + 1)))
    start = int(rng.integers(len(scene) - length + 1))
    row = scene[start : start + length]
    return row, row[int(rng.integers(length))]


def _step(module: Any, batch: tuple[torch.Tensor, torch.Tensor], progress: Progress) -> Any:
    points, labels = batch
    return {"loss": module(encoder_outputs=(points,), labels=labels).loss}


PAD, END, UNKNOWN = range(3)


def _tokenizer(sentences: Sequence[str]) -> Any:
    """Words that stand in two and more training sentences."""
    count = Counter(
        word for one in sentences for word in set(re.findall(r"[^\W_]+", one.casefold()))
    )
    known = sorted(word for word, times in count.items() if times > 1)
    vocabulary = {word: row for row, word in enumerate(("<pad>", "</s>", "<unk>", *known))}
    plain = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    plain.normalizer = normalizers.Lowercase()
    plain.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation("removed")]
    )
    plain.post_processor = processors.TemplateProcessing("$A </s>", special_tokens=[("</s>", END)])
    return PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


def _config(n_words: int) -> T5Config:
    return T5Config(
        vocab_size=n_words, d_model=WIDTH, d_kv=16, d_ff=256, num_layers=0,
        num_decoder_layers=2, num_heads=4, dropout_rate=0.1, pad_token_id=PAD, eos_token_id=END,
        decoder_start_token_id=PAD,
    )  # fmt: skip
