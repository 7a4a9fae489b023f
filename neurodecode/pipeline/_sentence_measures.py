"""Measures of decoded sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode.pipeline._answers import Answers, Shown
from neurodecode.pipeline._measures import Table
from neurodecode.pipeline._picture_measures import over_samples


def names_word(sentence: str, word: str) -> bool:
    """Is the word (or its plural) in the sentence as a word of its own?

    Examples
    --------
    >>> names_word("A red car.", "car"), names_word("a card", "car")
    (True, False)
    """
    return re.search(rf"\b{re.escape(word)}(e?s)?\b", sentence, re.IGNORECASE) is not None


@dataclass(frozen=True)
class CaptionAccuracy:
    """Does the decoded sentence name what the stimulus shows?

    Parameters
    ----------
    column : str
        Metadata column of the stimuli with the word to be named, such as the kind of object.
    name : str
    says : callable, optional
        (decoded sentence, word) to bool. Default: the word stands in it, or its plural.
    chance_level : float, optional
        Where it is known; the majority control and the null stand beside it in any case.
    output : str, optional

    Examples
    --------
    >>> CaptionAccuracy("kind").says("two small cats on grass", "cat")
    True
    """

    column: str
    name: str = "caption_object_accuracy"
    says: Callable[[str, str], bool] = names_word
    chance_level: float | None = None
    output: str | None = None
    of: ClassVar[Literal["output"]] = "output"
    higher_is_better: ClassVar[bool] = True

    @property
    def variant(self) -> str:
        """What exactly is computed."""
        return f"the decoded sentence names the stimulus's {self.column}"

    def chance(self, n_truths: int) -> float | None:
        """As given."""
        return self.chance_level

    def applies(self, answers: Answers) -> bool:
        """Where sentences are made."""
        return answers.has(self.output, "text")

    def table(self, shown: Shown, answers: Answers) -> Table:
        """1 where the sentence names the truth's word."""
        if self.column not in shown.stimuli.metadata:
            raise ValueError(
                f"{self.name} needs the metadata column '{self.column}' of the stimuli; they have "
                f"{', '.join(shown.stimuli.metadata) or 'none'}."
            )
        words, code = np.unique(shown.stimuli.metadata[self.column].astype(str),
                                return_inverse=True)  # fmt: skip

        def score(decoded: NDArray[Any]) -> Table:
            said = [[self.says(str(text), word) for word in words.tolist()] for text in decoded]
            return np.asarray(said, dtype=np.float64)[:, code]

        return over_samples(answers.output(self.output, "text").values, score)


@dataclass(frozen=True)
class SentenceScore:
    """A score of the decoded sentence against the sentences that describe (or are) the stimulus.

    Parameters
    ----------
    score : callable
        (references of each item, decoded sentences) to one value an item, such as
        `neurodecode.metrics.text.bleu`.
    name : str
    variant : str
        Kind of references and options, as they should stand beside the score.
    higher_is_better : bool
        False for error rates.
    n_permutations : int
        For the null: each costs as much as the score.
    output : str, optional

    Examples
    --------
    >>> from neurodecode.metrics.text import bleu
    >>> SentenceScore(bleu, "bleu1", "captions of the picture").name
    'bleu1'
    """

    score: Callable[[Sequence[Sequence[str]], Sequence[str]], NDArray[np.float64]]
    name: str
    variant: str = ""
    higher_is_better: bool = True
    n_permutations: int = 99
    output: str | None = None
    of: ClassVar[Literal["output"]] = "output"

    def chance(self, n_truths: int) -> None:
        """None: see the null and the majority control."""
        return

    def applies(self, answers: Answers) -> bool:
        """Where sentences are made."""
        return answers.has(self.output, "text")

    def pairs(self, shown: Shown, answers: Answers, column: NDArray[np.intp]) -> Table:
        """Scores of each item against the references of one truth."""
        known = shown.once("references", lambda: _references(shown))
        references = [known[truth] for truth in column]

        def score(decoded: NDArray[Any]) -> Table:
            return np.asarray(self.score(references, [str(one) for one in decoded]))

        return over_samples(answers.output(self.output, "text").values, score)

    def table(self, shown: Shown, answers: Answers) -> Table:
        """Scores of every pair: n x m comparisons, not used by `decode`."""
        n_items = len(answers.output(self.output, "text"))
        columns = [
            self.pairs(shown, answers, np.full(n_items, truth)) for truth in range(len(shown))
        ]
        return np.stack(columns, axis=1)


def _references(shown: Shown) -> list[list[str]]:
    stimuli, ids = shown.stimuli, shown.stimuli.ids.tolist()
    if stimuli.kind == "text":
        return [[str(stimuli[one])] for one in ids]
    missing = [one for one in ids if not len(stimuli.captions.get(one, ()))]
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(ids)} test stimuli have no caption to compare with "
            f"(first: '{missing[0]}'). Give Stimuli(captions=...)."
        )
    return [[str(text) for text in stimuli.captions[one]] for one in ids]
