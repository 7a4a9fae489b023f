"""What a decoder of text gives away when its trials are named, reordered or replaced by noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.evidence._text_case import CONTROLS, Case, TextDecoder, blank
from neurodecode.evidence._text_measures import Answers, TextMeasure, Written
from neurodecode.evidence._verdict import Suspicion

N_ASKED = 8
TOLERANCE = 1e-2
"""Of vectors that should be equal, in units of their spread over trials."""


def decoder_suspicions(decoder: TextDecoder, case: Case) -> list[Suspicion]:
    """Does what it says to the first person's first trials change with their ids or their order?"""
    trials = case.test[0].take(np.arange(min(N_ASKED, len(case.test[0]))))
    hidden, who = blank(trials), type(decoder).__name__
    base, again = decoder.answer(hidden), decoder.answer(hidden)
    found = []
    if _changed(base, decoder.answer(trials), again):
        sentence = f"{who}.answer() changes when it is told the text, its id and its labels."
        found.append(Suspicion("reads stimulus ids", sentence))
    order = np.roll(np.arange(len(trials)), 1)
    turned = _taken(decoder.answer(hidden.take(order)), np.argsort(order))
    if len(trials) > 1 and _changed(base, turned, again):
        sentence = f"{who}.answer() changes with the order in which the test trials come."
        found.append(Suspicion("reads the order of trials", sentence))
    return found


def deaf(
    measure: TextMeasure, decoder: TextDecoder, answers: Answers, others: Mapping[str, Answers]
) -> list[Suspicion]:
    """Does it say the same to noise of the same length, in what this measure reads?

    One sentence for everything may also be all that a weak signal lets an honest writer say; that
    alone makes nothing suspect that would not be shown.
    """
    noise, who = others[CONTROLS[0]], type(decoder).__name__
    if isinstance(measure, Written):
        said = list(answers.sentences)
        if said != list(noise.sentences):
            return []
        sentence = f"{who} says the same to noise as to the brain, such as “{said[0]:.60}”."
        return [Suspicion("ignores its input", sentence, weak=len(set(said)) == 1)]
    if not _same_vectors(answers.vectors, noise.vectors, 0.0):
        return []
    return [Suspicion("ignores its input", f"{who} gives noise the same vectors as the brain.")]


def _taken(answers: Answers, rows: NDArray[np.intp]) -> Answers:
    sentences = [answers.sentences[row] for row in rows]
    return replace(answers, sentences=sentences, vectors=answers.vectors[rows])


def _changed(base: Answers, other: Answers, again: Answers) -> bool:
    """Does another answer differ by more than the same question asked twice?"""
    said = [_mismatch(base, one) for one in (other, again)]
    if said[0] > 2 * said[1]:
        return True
    noise = float(np.sqrt(np.square(base.vectors - again.vectors).mean()))
    return not _same_vectors(base.vectors, other.vectors, 2 * noise)


def _mismatch(one: Answers, other: Answers) -> float:
    return float(np.mean(np.asarray(one.sentences) != np.asarray(other.sentences)))


def _same_vectors(
    one: NDArray[np.floating[Any]], other: NDArray[np.floating[Any]], slack: float
) -> bool:
    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    spread = float(np.sqrt(a.var(axis=0).mean()))
    limit = max(TOLERANCE * spread, slack, 1e-6 * float(np.abs(a).max(initial=0)))
    return bool(np.sqrt(np.square(a - b).mean()) <= limit)
