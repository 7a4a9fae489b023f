"""The test part of a study of reading, and what answers it without a brain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Responses, Split
from neurodecode.evidence._controls import majority
from neurodecode.evidence._items import Items
from neurodecode.evidence._text_controls import (
    best_constant,
    most_written,
    nearest_in_length,
    noise_sentences,
)
from neurodecode.evidence._text_measures import (
    Answers,
    TextMeasure,
    Texts,
    Vectors,
    Written,
    ZeroShot,
)

CONTROLS = (
    "noise EEG, true mask",
    "noise EEG, full mask",
    "length only",
    "permuted within subject and task",
    "permuted within corpus",
    "constant best",
    "constant best of the corpus",
)
MAJORITY = "majority class"
UPPER = "text-only upper bound"


class TextDecoder(Protocol):
    """Anything that answers responses with sentences and with vectors among texts."""

    def answer(self, responses: Responses) -> Answers:
        """What it says to each trial. The column ``text`` is blank."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Texts as vectors (n, n_dims) in the space of its answers."""
        ...

    def rewrite(self, texts: Sequence[str]) -> Sequence[str]:
        """What its generator writes when it is given the text itself: the upper bound."""
        ...


@dataclass(frozen=True, eq=False)
class Case:
    """The test part of all people, and what may be chosen from: their training part."""

    test: list[Responses]
    train: list[Responses]
    texts: Texts
    column: NDArray[np.intp]
    items: Items
    corpus: NDArray[np.str_]


def case_of(
    decoder: TextDecoder, people: Sequence[Responses], split: Split, labels: tuple[str, ...]
) -> Case:
    for one in people:
        if "text" not in one.metadata:
            raise ValueError(
                f"Sentences of subject '{one.subject}' have no metadata column 'text'."
            )
    test, train = ([split.part(one, name) for one in people] for name in ("test", "train"))
    for part, side in ((test, "test"), (train, "training")):
        empty = [one.subject for one in part if not len(one)]
        if empty:
            raise ValueError(
                f"Subject '{empty[0]}' has no {side} sentences; controls need both parts."
            )
    known = by_text(test)
    ids = np.array(list(known))
    first = {text: (one, row) for one in test for row, text in enumerate(one.stimulus.tolist())}
    marks = {
        label: [str(first[text][0].groups(label)[first[text][1]]) for text in known]
        for label in labels
    }
    texts = Texts(ids, list(known.values()), decoder.embed(list(known.values())), marks)
    stimulus = np.concatenate([one.stimulus for one in test])
    place = {text: row for row, text in enumerate(known)}
    items = Items(
        stimulus,
        np.concatenate([one.groups("subject") for one in test]),
        np.concatenate([_column(one, "task") for one in test]),
    )
    column = np.array([place[text] for text in stimulus.tolist()], dtype=np.intp)
    corpus = np.concatenate([_column(one, "corpus") for one in test])
    return Case(test, train, texts, column, items, corpus)


def blank(responses: Responses) -> Responses:
    """Without the text and its labels: a decoder is not to know them."""
    told = ("task", "dataset")
    kept = {key: responses.metadata[key] for key in told if key in responses.metadata}
    hidden = np.arange(len(responses)).astype(np.str_)
    # no provenance: the keys of its trials are made of what was shown
    return replace(responses, stimulus=hidden, metadata=kept, provenance=None)  # type: ignore[arg-type]


def joined(parts: Sequence[Answers]) -> Answers:
    sentences = [one for part in parts for one in part.sentences]
    return Answers(sentences, np.concatenate([part.vectors for part in parts]))


def other_answers(decoder: TextDecoder, case: Case, seed: int) -> dict[str, Answers]:
    """Noise through the decoder, length alone, and the upper bound."""
    found: dict[str, Answers] = {}
    for name, full in ((CONTROLS[0], False), (CONTROLS[1], True)):
        inputs = [
            noise_sentences(one, train, full_mask=full, seed=seed + row)
            for row, (one, train) in enumerate(zip(case.test, case.train, strict=True))
        ]
        found[name] = joined([decoder.answer(blank(one)) for one in inputs])
    known = by_text(case.train)
    vectors = dict(zip(known, decoder.embed(list(known.values())), strict=True))
    alike = [nearest_in_length(*pair) for pair in zip(case.test, case.train, strict=True)]
    found[CONTROLS[2]] = joined(
        [
            Answers(
                [str(train.metadata["text"][row[0]]) for row in near],
                np.stack([np.mean([vectors[train.stimulus[i]] for i in row], axis=0)
                          for row in near]),
            )
            for near, train in zip(alike, case.train, strict=True)
        ]
    )  # fmt: skip
    written = np.asarray(decoder.rewrite(case.texts.texts), dtype=np.str_)
    found[UPPER] = Answers(written[case.column].tolist(), case.texts.vectors[case.column])
    corpora = corpora_of(case.train)
    for name, by_corpus in ((CONTROLS[5], False), (CONTROLS[6], True)):
        groups = case.corpus if by_corpus else np.full(len(case.corpus), "")
        means = {
            one: np.mean([vectors[text] for text in sorted(corpora.get(one, corpora[""]))], axis=0)
            for one in np.unique(groups).tolist()
        }
        found[name] = Answers([""] * len(groups), np.stack([means[one] for one in groups.tolist()]))
    return found


def constants(
    measure: TextMeasure, answers: Answers, case: Case, rows: NDArray[np.bool_], seed: int
) -> dict[str, NDArray[np.float64]]:
    """Constant sentences and classes, chosen by this measure on the training texts."""
    column = case.column[rows]
    own = np.arange(len(column))
    if isinstance(measure, ZeroShot):
        labels = np.concatenate([one.groups(measure.label) for one in case.train])
        class_said = str(majority(labels[np.isin(labels, measure.classes)].tolist()))
        return {MAJORITY: measure.agree(np.full(len(column), class_said), case.texts)[own, column]}
    if not isinstance(measure, Written):
        return {}
    known, corpora = by_text(case.train), corpora_of(case.train)
    found = {}
    for name, groups in (
        (CONTROLS[5], np.full(len(column), "")),
        (CONTROLS[6], case.corpus[rows]),
    ):
        best = {}
        for one in np.unique(groups).tolist():
            said = [answers.sentences[row] for row in np.flatnonzero(rows)[groups == one]]
            training = [known[text] for text in sorted(corpora.get(one, corpora[""]))]
            best[one] = best_constant(training, measure.score, also=[most_written(said)], seed=seed)
        constant = Answers([best[one] for one in groups.tolist()], np.zeros((len(groups), 1)))
        found[name] = measure.own(constant, case.texts, column)
    return found


def by_text(people: Sequence[Responses]) -> dict[str, str]:
    """Text id to text, over all people."""
    return {
        text: str(plain)
        for one in people
        for text, plain in zip(one.stimulus.tolist(), one.metadata["text"], strict=True)
    }


def corpora_of(people: Sequence[Responses]) -> dict[str, set[str]]:
    """Corpus to its text ids; '' holds all."""
    found: dict[str, set[str]] = {"": set()}
    for one in people:
        for text, corpus in zip(one.stimulus.tolist(), _column(one, "corpus"), strict=True):
            found[""].add(text)
            found.setdefault(str(corpus), set()).add(text)
    return found


def _column(one: Responses, name: str) -> NDArray[np.str_]:
    return one.groups(name) if name in one.metadata else np.full(len(one), name)
