"""Do the sentences come from the brain? A decoder of text beside everything that needs no brain.

`judge_text` asks a decoder for the test sentences, and compares every score with the same decoder
on noise (with the true lengths, and without), with length alone, with its own answers permuted
within person and task and within corpus, with the best constant sentence and class of the training
texts. The headline is the gain over the best of these. No answer that is scored was given with a
word of the text in sight; eight trials are shown with it, to see whether the decoder would read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Responses, Split
from neurodecode.evidence._gain import Gain, gain_over_controls
from neurodecode.evidence._scores import ProtocolResult, Score, score_table
from neurodecode.evidence._text_case import (
    CONTROLS,
    UPPER,
    Case,
    TextDecoder,
    blank,
    case_of,
    constants,
    joined,
    other_answers,
)
from neurodecode.evidence._text_clouds import frechet_distances
from neurodecode.evidence._text_controls import (
    best_constant,
    nearest_in_length,
    noise_sentences,
    permuted_mean,
)
from neurodecode.evidence._text_measures import (
    Answers,
    TextMeasure,
    TextRetrieval,
    Texts,
    Written,
    ZeroShot,
    own_scores,
    text_measures,
)
from neurodecode.evidence._text_suspicions import deaf, decoder_suspicions
from neurodecode.evidence._verdict import Suspicion, compare, suspicious_controls

__all__ = [
    "CONTROLS",
    "HEADLINE",
    "Answers",
    "TextDecoder",
    "TextJudgement",
    "TextMeasure",
    "TextRetrieval",
    "Texts",
    "Written",
    "ZeroShot",
    "best_constant",
    "judge_text",
    "nearest_in_length",
    "noise_sentences",
    "text_measures",
]

HEADLINE = ("retrieval_top1_of_all", "content_word_f1")


@dataclass(frozen=True, eq=False)
class TextJudgement:
    """Scores, controls and gains of one decoder.

    Parameters
    ----------
    result : ProtocolResult
    gains : mapping of str to Gain
        For every measure.
    answers : Answers
        To the test sentences, people after one another, in the order of the recording.
    controls : mapping of str to Answers
        For a gallery.
    """

    result: ProtocolResult
    gains: Mapping[str, Gain]
    answers: Answers
    controls: Mapping[str, Answers]

    @property
    def headline(self) -> dict[str, Gain]:
        """Gains of the measures that were chosen beforehand."""
        return {name: self.gains[name] for name in HEADLINE if name in self.gains}

    @property
    def verdict(self) -> str:
        """One line a headline measure."""
        return "\n".join(f"{name}: {gain.verdict}" for name, gain in self.headline.items())


def judge_text(
    decoder: TextDecoder,
    people: Sequence[Responses],
    split: Split,
    *,
    prompts: Mapping[str, Mapping[str, str]] | None = None,
    measures: Sequence[TextMeasure] | None = None,
    teacher_forced: Sequence[str] | None = None,
    seed: int = 0,
) -> TextJudgement:
    """Score a decoder on the test sentences, with all controls.

    Parameters
    ----------
    decoder : TextDecoder
        Fitted without the test part.
    people : sequence of Responses
        With metadata ``text`` and, where they differ, ``task``, ``corpus``, and any labels.
    split : Split
        By stimulus.
    prompts : mapping of str to mapping of str to str, optional
        Label (a metadata column) to {class: sentence about it}, for zero-shot classes.
    measures : sequence of TextMeasure, optional
        Default `text_measures`; a headline measure that is left out has no headline.
    teacher_forced : sequence of str, optional
        Sentences made with the true first words given: scored under ``teacher_forced`` in the
        details, never as a score.
    seed : int

    Returns
    -------
    TextJudgement

    Raises
    ------
    ValueError
        If a person has no test or no training sentences, or has no texts.
    """
    case = case_of(decoder, people, split, tuple(prompts or ()))
    classes = [
        ZeroShot(label, list(some), decoder.embed(list(some.values())))
        for label, some in (prompts or {}).items()
    ]
    answers = joined([decoder.answer(blank(one)) for one in case.test])
    others = other_answers(decoder, case, seed)
    chosen = [*(text_measures() if measures is None else measures), *classes]
    suspicions = decoder_suspicions(decoder, case)
    found = {}
    for measure in chosen:
        rows = measure.known(case.texts)[case.column]
        if rows.any():
            compared = _Compared.of(measure, answers, others, case, rows, seed)
            told = [*suspicions, *deaf(measure, decoder, answers, others)]
            found[measure.name] = compared.suspected(told)
    gains = {name: one.gain for name, one in found.items()}
    details = _details(gains, case, answers, split)
    details["frechet_distance"] = frechet_distances(decoder, answers, others, case)
    if teacher_forced is not None:
        details["teacher_forced"] = _forced(answers, teacher_forced, case, chosen)
    scores = {name: one.score for name, one in found.items()}
    result = ProtocolResult("sentences_from_eeg", scores, _by_control(found), details)
    return TextJudgement(result, gains, answers, others)


def _details(
    gains: Mapping[str, Gain], case: Case, answers: Answers, split: Split
) -> dict[str, Any]:
    return {
        "headline": {name: gains[name].as_json() for name in HEADLINE if name in gains},
        "gain_over_best_control": {name: one.as_json() for name, one in gains.items()},
        "n_texts": len(case.texts),
        "subjects": [one.subject for one in case.test],
        "kept_apart": split.by,
        "distinct_sentences": len(set(answers.sentences)),
    }


def _forced(
    answers: Answers, sentences: Sequence[str], case: Case, measures: Sequence[TextMeasure]
) -> dict[str, float]:
    """Scores of sentences that were written with the true words before each word given."""
    forced = replace(answers, sentences=list(sentences))
    return {
        measure.name: float(measure.own(forced, case.texts, case.column).mean())
        for measure in measures
        if isinstance(measure, Written)
    }


def _by_control(found: Mapping[str, _Compared]) -> dict[str, dict[str, float]]:
    names = sorted({name for one in found.values() for name in one.means})
    return {
        name: {metric: one.means[name] for metric, one in found.items() if name in one.means}
        for name in names
    }


@dataclass(frozen=True, eq=False)
class _Compared:
    """One measure of the model and of all controls."""

    score: Score
    gain: Gain
    means: dict[str, float]

    @classmethod
    def of(
        cls,
        measure: TextMeasure,
        answers: Answers,
        others: Mapping[str, Answers],
        case: Case,
        rows: NDArray[np.bool_],
        seed: int,
    ) -> _Compared:
        column, items = case.column[rows], case.items.take(rows)
        table = measure.table(answers, case.texts)[rows]
        own = np.arange(len(column))
        per_control = {
            name: own_scores(measure, other, case.texts, case.column)[rows]
            for name, other in others.items()
        }
        groups = {CONTROLS[3]: items.groups, CONTROLS[4]: case.corpus[rows]}
        for name, group in groups.items():
            per_control[name] = permuted_mean(table, column, group, seed=seed)
        per_control |= constants(measure, answers, case, rows, seed)
        upper = per_control.pop(UPPER)
        score = score_table(table, column, items, chance=measure.chance(case.texts), seed=seed)
        score = replace(
            score,
            comparison=compare(table[own, column], per_control, items.interval),
            suspicions=tuple(suspicious_controls({}, table[own, column] - upper, items.interval)),
        )
        gain = gain_over_controls(table[own, column], per_control, items, seed=seed)
        means = {name: float(values.mean()) for name, values in per_control.items()}
        return cls(score, gain, means | {UPPER: float(upper.mean())})

    def suspected(self, suspicions: Sequence[Suspicion]) -> _Compared:
        """With what the decoder gave away."""
        found = (*suspicions, *self.score.suspicions)
        return replace(self, score=replace(self.score, suspicions=found))
