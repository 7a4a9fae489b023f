"""From a split to predictions: what `fit` sees, and the test items of each fold."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.contracts import Encoder
from neurodecode.data import Embeddings, Responses, Split
from neurodecode.evidence import Items
from neurodecode.pipeline._answers import join
from neurodecode.pipeline._protocol import Goal, Protocol, Repeats


@dataclass(frozen=True, eq=False)
class Fold:
    """One split with an encoder fitted to its training part.

    Parameters
    ----------
    split : Split
    encoder : Encoder
        Fitted.
    people : sequence of Responses
        Whole recordings; only the part asked for is read.
    repeats : {'predictions', 'responses', 'single'}
    """

    split: Split
    encoder: Encoder
    people: Sequence[Responses]
    repeats: Repeats

    def tests(self) -> list[Responses]:
        """The test trials of each person who has any."""
        parts = [self.split.part(one, "test") for one in self.people]
        kept = [one for one in parts if len(one)]
        return [one.average_repeats() for one in kept] if self.repeats == "responses" else kept

    def train(self, subject: str) -> Responses:
        """A person's training trials; of all people of that shape, if the person has none."""
        parts = [self.split.part(one, "train") for one in self.people if one.subject == subject]
        return parts[0]

    def train_ids(self) -> list[str]:
        """Training stimuli of all people, each once."""
        return list(self.train_counts())

    def train_counts(self) -> dict[str, int]:
        """How many training trials show each training stimulus."""
        parts = (self.split.part(one, "train").stimulus.tolist() for one in self.people)
        return dict(Counter(one for part in parts for one in part))

    def predict(
        self, heads: Sequence[str], change: Callable[[Responses], Responses] | None = None
    ) -> tuple[dict[str, Embeddings], Items]:
        """Predictions of all people's test items, and whose they are.

        Parameters
        ----------
        heads : sequence of str
        change : callable, optional
            Puts something else in the place of the test trials: a control.
        """
        rows: dict[str, list[Embeddings]] = {head: [] for head in heads}
        items: list[Items] = []
        for test in self.tests():
            given = test if change is None else change(test)
            for head in heads:
                rows[head].append(self._predict(given, head, sole=len(heads) == 1))
            shown = rows[heads[0]][-1].stimulus
            run = test.run if len(shown) == len(test) else None
            items.append(Items(shown, np.repeat(test.subject, len(shown)), run))
        return {head: join(parts) for head, parts in rows.items()}, join_items(items)

    def _predict(self, test: Responses, head: str, *, sole: bool) -> Embeddings:
        # an encoder of one target space need not know the word head
        predict: Any = self.encoder.predict
        rows: Embeddings = predict(test) if sole else predict(test, head=head)
        return rows.average_repeats() if self.repeats == "predictions" else rows


def fit_folds(
    people: Sequence[Responses], goal: Goal, encoder: Encoder, protocol: Protocol
) -> list[Encoder]:
    """The encoder fitted to each fold; a copy for each where there are several.

    An encoder gets the split without its test ids and recordings without their test trials.
    """
    folds = protocol.folds
    fresh = [encoder] if len(folds) == 1 else [copy.deepcopy(encoder) for _ in folds]
    for one, split in zip(fresh, folds, strict=True):
        parts = [split.seen(person) for person in people]
        seen = [part for part in parts if split.mask(part, "train").any()]
        if not seen:
            raise ValueError(
                f"No training trial is left by the split ({split.rule}). Its training part must "
                f"name {split.by} ids of these recordings."
            )
        ids = list(dict.fromkeys(i for part in seen for i in part.stimulus.tolist()))
        # a single person is given bare, as a caller would
        given = seen[0] if len(seen) == 1 else seen
        one.fit(given, goal.for_fit(ids), split.blind())
    return fresh


def join_heads(parts: Sequence[Mapping[str, Embeddings]]) -> dict[str, Embeddings]:
    """`join` for each head."""
    return {head: join([one[head] for one in parts]) for head in parts[0]}


def join_items(parts: Sequence[Items]) -> Items:
    """Items of several under one another; runs are kept if all know them."""
    runs = [one.run for one in parts]
    return Items(
        np.concatenate([one.stimulus for one in parts]),
        np.concatenate([one.subject for one in parts]),
        np.concatenate([one for one in runs if one is not None]) if all_known(runs) else None,
    )


def all_known(columns: Sequence[NDArray[Any] | None]) -> bool:
    """Is there no None among them?"""
    return all(one is not None for one in columns)
