"""Decoders of text are believed only where the brain was used, however fluent they are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from neurodecode import twin
from neurodecode.data import RandomSplit, Responses, Split
from neurodecode.evidence.text import (
    CONTROLS,
    Answers,
    TextRetrieval,
    Texts,
    Written,
    judge_text,
    noise_sentences,
    text_measures,
)
from neurodecode.metrics.text import bleu, content_word_f1
from neurodecode.twin._reading import meaning

DIMS = ("trial", "channel", "time")
QUICK = [
    TextRetrieval(),
    TextRetrieval(24),
    TextRetrieval(100),
    Written("content_word_f1", content_word_f1),
]
PROMPTS = {
    "sentiment": {"positive": "Bright light.", "negative": "Dim light.", "neutral": "Warm light."},
    "corpus": {"film reviews": "A picture of it.", "biographies": "It stands there."},
}


@lru_cache
def study(signal: float) -> tuple[list[Responses], Split]:
    people = twin.reading(3, 240, signal=signal, plan=twin.Reading(n_channels=16, sfreq=50.0))
    return people, next(RandomSplit(test=0.3, validation=0.0, seed=1).split(people))


def bags(texts: Sequence[str]) -> np.ndarray:
    """The text space of the simulation: the mean meaning of the words, and the length."""
    return np.array(
        [np.append(np.mean([meaning(one) for one in text.split()], axis=0), len(text) / 500)
         for text in texts]
    )  # fmt: skip


class Linear:
    """Ridge from each sentence's mean over time and length; says the nearest training text."""

    def __init__(self, people: Sequence[Responses], split: Split) -> None:
        train = [split.part(one, "train") for one in people]
        self.known = sorted({str(text) for one in train for text in one.metadata["text"]})
        self.models = {
            one.subject: Ridge(1.0).fit(_means(one), bags(one.metadata["text"].tolist()))
            for one in train
        }

    def answer(self, responses: Responses) -> Answers:
        vectors = self.models[responses.subject].predict(_means(responses))
        near = _unit(vectors) @ _unit(bags(self.known)).T
        return Answers([self.known[i] for i in near.argmax(axis=1)], vectors)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        return bags(texts)

    def rewrite(self, texts: Sequence[str]) -> Sequence[str]:
        return list(texts)


class Fluent(Linear):
    """Writes what people often say, whatever the brain did."""

    def answer(self, responses: Responses) -> Answers:
        rng = np.random.default_rng(len(responses))
        said = [self.known[i] for i in rng.integers(0, len(self.known), len(responses))]
        return Answers(said, bags(said))


def _means(responses: Responses) -> np.ndarray:
    length = responses.valid.sum(axis=1)[:, None]
    return np.hstack([responses.array().sum(axis=2) / length, length / 100])


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_with_signal_the_gain_over_every_control_is_positive() -> None:
    people, split = study(4.0)
    found = judge_text(Linear(people, split), people, split, prompts=PROMPTS, measures=QUICK)
    for name, gain in found.headline.items():
        assert gain.value > 0, name
        assert gain.p < 0.01, name
        assert gain.verdict.startswith("evidence of the brain"), name


def test_without_signal_there_is_no_evidence() -> None:
    people, split = study(0.0)
    found = judge_text(Linear(people, split), people, split, prompts=PROMPTS, measures=QUICK)
    for name, gain in found.headline.items():
        assert gain.value < 0.02, name
        assert gain.verdict.startswith("no evidence that the brain was used"), name


def test_a_fluent_decoder_that_ignores_the_brain_is_caught() -> None:
    people, split = study(4.0)
    found = judge_text(Fluent(people, split), people, split, measures=QUICK)
    assert found.result.scores["content_word_f1"].value > 0.2, "it is fluent"
    assert "no evidence" in found.verdict
    assert "evidence of the brain" not in found.verdict


def test_every_control_is_there_by_default_and_teacher_forcing_is_apart() -> None:
    people, split = study(4.0)
    test = [split.part(one, "test") for one in people]
    forced = [str(text) for one in test for text in one.metadata["text"]]
    found = judge_text(
        Fluent(people, split),
        people,
        split,
        prompts=PROMPTS,
        measures=[*QUICK, Written("bleu1", bleu)],
        teacher_forced=forced,
    )
    written = found.result.as_json()
    for name in CONTROLS:
        assert set(written["controls"][name]) >= {"retrieval_top1_of_all", "content_word_f1"}
    assert "zero_shot_sentiment" in written["controls"]["majority class"]
    assert written["controls"]["text-only upper bound"]["content_word_f1"] == 1.0
    assert written["teacher_forced"]["bleu1"] == pytest.approx(1.0)
    assert not any("forced" in name for name in (*written["scores"], *written["headline"]))
    assert {"retrieval_top1_of_24", "bleu1"} <= set(written["scores"])
    assert "retrieval_top1_of_100" not in written["scores"], "there are fewer texts"


class Peeping(Linear):
    """Notes what it is given beside the EEG."""

    def __init__(self, people: Sequence[Responses], split: Split) -> None:
        super().__init__(people, split)
        self.columns: list[set[str]] = []
        self.ids: list[str] = []

    def answer(self, responses: Responses) -> Answers:
        self.columns.append(set(responses.metadata))
        self.ids += responses.stimulus.tolist()
        return Fluent.answer(self, responses)


def test_by_default_there_are_all_measures() -> None:
    names = {one.name for one in text_measures()}
    assert {f"bleu{n}" for n in (1, 2, 3, 4)} <= names
    assert {f"retrieval_top1_of_{n}" for n in ("all", 24, 100)} <= names
    assert {"rouge1_recall", "rougeL", "word_accuracy", "content_word_f1"} <= names
    assert "bertscore_like" not in names, "it needs a language model"
    assert "bertscore_like" in {one.name for one in text_measures(lambda texts: [])}


def test_a_table_is_the_same_with_several_processes() -> None:
    texts = Texts(np.arange(3).astype(str), ["a red ball", "a cat", "the old cup"], np.eye(3))
    said = Answers(["the red cup", "a cat", "the red cup"], np.eye(3))
    tables = [Written("bleu1", bleu, workers).table(said, texts) for workers in (1, 2)]
    np.testing.assert_array_equal(*tables)
    assert tables[0][1].tolist() == pytest.approx([tables[0][1, 0], 1.0, 0.0])


def test_a_decoder_that_repeats_itself_is_far_from_what_was_read() -> None:
    people, split = study(4.0)
    found = judge_text(Linear(people, split), people, split, measures=QUICK[:1])
    apart = found.result.as_json()["frechet_distance"]
    assert apart["text-only upper bound"] == pytest.approx(0.0, abs=1e-6)
    assert {"model", "length only", "noise EEG, true mask"} <= set(apart)
    assert not any(name.startswith("constant") for name in apart), "they say nothing here"

    class Same(Linear):
        def answer(self, responses: Responses) -> Answers:
            said = [self.known[0]] * len(responses)
            return Answers(said, bags(said))

    same = judge_text(Same(people, split), people, split, measures=QUICK[:1])
    assert same.result.as_json()["frechet_distance"]["model"] > 5 * apart["model"]


def test_decoders_are_given_neither_text_nor_id_nor_label() -> None:
    people, split = study(0.0)
    decoder = Peeping(people, split)
    judge_text(decoder, people, split, prompts=PROMPTS, measures=QUICK)
    answered = 3 * len(people)  # EEG, and noise with and without its length
    asked = len(decoder.columns) - answered
    assert asked == 4, "twice the same, told everything, in another order; nothing of it is scored"
    told = [columns == {"task", "dataset"} for columns in decoder.columns]
    assert told.count(False) == 1
    assert not told[answered + 2]
    shown = set(people[0].stimulus.tolist())
    assert sum(one in shown for one in decoder.ids) == 8, "of the one question that tells them"
    assert {"text", "sentiment"} <= set(people[0].metadata), "they are there to be hidden"


def test_the_exact_mean_over_draws_is_that_of_draws() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(9, 4))
    said = truth + rng.normal(size=truth.shape)
    table = TextRetrieval(4).table(
        Answers([""] * 9, said), Texts(np.arange(9).astype(str), [""] * 9, truth)
    )
    similar = _unit(said) @ _unit(truth).T
    draws = [np.append(rng.choice(np.delete(np.arange(9), 2), 3, replace=False), 2)
             for _ in range(4000)]  # fmt: skip
    hits = np.mean([similar[0, draw].argmax() == 3 for draw in draws])
    assert table[0, 2] == pytest.approx(hits, abs=0.03)


def test_noise_keeps_the_lengths_or_hides_them() -> None:
    people, split = study(0.0)
    test, train = (split.part(people[0], name) for name in ("test", "train"))
    noise = noise_sentences(test, train)
    np.testing.assert_array_equal(noise.valid, test.valid)
    assert not noise.values.transpose(0, 2, 1)[~noise.valid].any()
    spread = noise.values.transpose(0, 2, 1)[noise.valid].std(axis=0)
    np.testing.assert_allclose(
        spread, train.values.transpose(0, 2, 1)[train.valid].std(axis=0), rtol=0.1
    )
    assert noise_sentences(test, train, full_mask=True).valid.all()


def test_what_can_not_be_judged_is_refused() -> None:
    people, split = study(0.0)
    decoder = Fluent(people, split)
    bare = people[0].with_values(people[0].values, metadata={})
    with pytest.raises(ValueError, match="have no metadata column 'text'"):
        judge_text(decoder, [bare], split)
    nobody = Split(split.train, [], ["never-read"])
    with pytest.raises(ValueError, match="has no test sentences; controls need both parts"):
        judge_text(decoder, people, nobody)
    with pytest.raises(ValueError, match="There are 1 sentences but 2 vectors"):
        Answers(["a"], np.zeros((2, 3)))
