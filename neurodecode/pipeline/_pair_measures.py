"""Two against two: of a pair of test items, which prediction belongs to which?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode.metrics.similarity import correlate_pairs, cosine_pairs
from neurodecode.pipeline._answers import Answers, Shown
from neurodecode.pipeline._measures import Table
from neurodecode.statistics import TWO_WAY_CHANCE


@dataclass(frozen=True)
class TwoAgainstTwo:
    """Share of pairs of test items whose predictions fit their own truths better than swapped ones.

    A pair is told apart if ``s(p1, t1) + s(p2, t2) > s(p1, t2) + s(p2, t1)``; a tie is half. All
    pairs of test items of one fold and person are compared, so that both were left out of what
    predicts them; pairs with the same truth are none. The interval is over items: each has the
    value of the pairs that it is in.

    Parameters
    ----------
    head : str, optional
        Default is the first target space.
    similarity : {'cosine', 'correlation'}
    name : str
    n_permutations : int
        For the null.

    Sources
    -------
    Mitchell et al. 2008, "Predicting human brain activity associated with the meanings of nouns",
    Science 320. Values an item: the first-order projection of the mean over pairs (Hoeffding 1948),
    whose variance is that of the score; pairs that share an item are not independent.

    Examples
    --------
    >>> from neurodecode.data import Embeddings, Stimuli
    >>> truth = Embeddings(np.eye(3), ["a", "b", "c"], "toy")
    >>> shown = Shown(Stimuli.from_texts({one: one for one in "abc"}), {"target": truth})
    >>> TwoAgainstTwo().pairs(shown, Answers({"target": truth}, {}), np.arange(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    head: str | None = None
    similarity: Literal["cosine", "correlation"] = "cosine"
    name: str = "two_against_two"
    n_permutations: int = 1000
    of: ClassVar[Literal["embedding"]] = "embedding"
    higher_is_better: ClassVar[bool] = True

    @property
    def variant(self) -> str:
        """What exactly is computed."""
        return f"{self.similarity}, all pairs of test items of one fold and person; a tie is half"

    def chance(self, n_truths: int) -> float:
        """One half."""
        return TWO_WAY_CHANCE

    def applies(self, answers: Answers) -> bool:
        """Where the head is answered."""
        return self.head is None or self.head in answers.embeddings

    def pairs(self, shown: Shown, answers: Answers, column: NDArray[np.intp]) -> Table:
        """The score plus the influence of each item, shape (n,).

        Raises
        ------
        ValueError
            If no fold holds two items with different truths.
        """
        name = next(iter(shown.points)) if self.head is None else self.head
        first, code = shown.distinct(name)
        table = answers.once(
            (self.name, name, self.similarity),
            lambda: self._compare(answers, shown, name)[:, first],
        )
        won, faced = np.zeros((2, len(column)))
        for rows in shown.groups(len(column)):
            own = code[column[rows]]
            hits, real = _told_apart(table[np.ix_(rows, own)], own)
            won[rows], faced[rows] = hits.sum(axis=1), real.sum(axis=1)
        n_pairs = faced.sum() / 2
        if not n_pairs:
            raise ValueError(
                f"'{self.name}' needs two test items with different truths in one fold and person; "
                f"there are none. Leave out more than one item at a time."
            )
        score = won.sum() / 2 / n_pairs
        return np.asarray(score + len(column) / n_pairs * (won - score * faced))

    def table(self, shown: Shown, answers: Answers) -> Table:
        """Not defined: a pair has no score with one truth alone.

        Raises
        ------
        TypeError
            Always.
        """
        raise TypeError(f"'{self.name}' compares pairs of items; use pairs().")

    def _compare(self, answers: Answers, shown: Shown, name: str) -> Table:
        compare = cosine_pairs if self.similarity == "cosine" else correlate_pairs
        return compare(answers.embeddings[name].array(), shown.points[name].array())


def _told_apart(similarity: Table, own: NDArray[np.intp]) -> tuple[Table, NDArray[np.bool_]]:
    """Of items of one group: 1, .5 or 0 for each pair, and which pairs are any.

    ``similarity[i, j]`` is that of prediction i with the truth of item j.
    """
    straight = np.diag(similarity)
    gain = straight[:, None] + straight - similarity - similarity.T
    # sums in another order differ by rounding
    tie = np.abs(gain) <= 1e-12
    real = own[:, None] != own
    return np.where(real, np.where(tie, 0.5, gain > 0), 0.0), real
