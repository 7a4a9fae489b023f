"""From a split to predictions: what `fit` sees, and the test items of each fold."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.contracts import Encoder
from neurodecode.data import Embeddings, Part, Responses, Split
from neurodecode.evidence import Items
from neurodecode.generators import Restandardise
from neurodecode.pipeline._answers import join
from neurodecode.pipeline._blind import ask, unseen
from neurodecode.pipeline._preprocess import Steps, transformed
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
    steps : mapping of subject to sequence of Preprocessor
        Preprocessing that was learned from this fold's training trials.
    """

    split: Split
    encoder: Encoder
    people: Sequence[Responses]
    repeats: Repeats
    steps: Steps = field(default_factory=dict)
    _standards: dict[str, Restandardise] = field(default_factory=dict, repr=False)
    _kept: dict[Any, tuple[dict[str, Embeddings], Items]] = field(default_factory=dict, repr=False)

    def parts(self, name: Part) -> list[Responses]:
        """The preprocessed trials of one part, of each person who has any.

        Preprocessing is not told what a test trial showed.
        """
        parts = [self.split.part(one, name) for one in self.people]
        change = unseen if name == "test" else transformed
        return [change(one, self.steps) for one in parts if len(one)]

    def tests(self) -> list[Responses]:
        """The test trials of each person who has any."""
        kept = self.parts("test")
        return [one.average_repeats() for one in kept] if self.repeats == "responses" else kept

    def runs(self) -> dict[str, tuple[NDArray[np.str_], NDArray[np.str_] | None]]:
        """Stimulus and run of each test trial by person; the session where runs are unknown."""
        parts = [self.split.part(one, "test") for one in self.people]
        return {
            one.subject: (one.stimulus, one.session if one.run is None else one.run)
            for one in parts
            if len(one)
        }

    def train(self, subject: str) -> Responses:
        """A person's training trials; of all people of that shape, if the person has none."""
        [person] = [one for one in self.people if one.subject == subject]
        return transformed(self.split.part(person, "train"), self.steps)

    def train_ids(self) -> list[str]:
        """Training stimuli of all people, each once."""
        return list(self.train_counts())

    def train_counts(self) -> dict[str, int]:
        """How many training trials show each training stimulus."""
        parts = (self.split.part(one, "train").stimulus.tolist() for one in self.people)
        return dict(Counter(one for part in parts for one in part))

    def predict(
        self,
        heads: Sequence[str],
        change: Callable[[Responses], Responses] | None = None,
        *,
        expected: bool = False,
    ) -> tuple[dict[str, Embeddings], Items]:
        """Predictions of all people's test items, and whose they are.

        Parameters
        ----------
        heads : sequence of str
        change : callable, optional
            Puts something else in the place of the test trials: a control.
        expected : bool
            Points to draw from, where the encoder tells them from points to search with.
        """
        told_apart = expected and hasattr(self.encoder, "expect")
        if change is not None:
            return self._predicted(heads, change, told_apart)
        key = (told_apart, *heads)
        if key not in self._kept:
            self._kept[key] = self._predicted(heads, change, told_apart)
        return self._kept[key]

    def trials(self, heads: Sequence[str]) -> tuple[dict[str, Embeddings], Items]:
        """Predictions of single test trials, before repeats are averaged, and whose they are."""
        rows: dict[str, list[Embeddings]] = {head: [] for head in heads}
        items: list[Items] = []
        for test in self.tests():
            for head, parts in rows.items():
                parts.append(self._of_trials(test, None if len(rows) == 1 else head, False))
            run = test.session if test.run is None else test.run
            items.append(Items(test.stimulus, test.groups("subject"), run))
        return {head: join(parts) for head, parts in rows.items()}, join_items(items)

    def _predicted(
        self, heads: Sequence[str], change: Callable[[Responses], Responses] | None, expected: bool
    ) -> tuple[dict[str, Embeddings], Items]:
        rows: dict[str, list[Embeddings]] = {head: [] for head in heads}
        items: list[Items] = []
        runs = self.runs()
        for test in self.tests():
            given = test if change is None else change(test)
            for head, parts in rows.items():
                parts.append(self._predict(given, None if len(rows) == 1 else head, expected))
            shown = rows[heads[0]][-1].stimulus
            run = runs_of(shown, *runs[test.subject], single=self.repeats == "single")
            items.append(Items(shown, np.repeat(test.subject, len(shown)), run))
        return {head: join(parts) for head, parts in rows.items()}, join_items(items)

    def _check_finite(self, rows: Embeddings, subject: str) -> None:
        finite = np.isfinite(rows.array()).all(axis=tuple(range(1, len(rows.values.shape))))
        if not finite.all():
            first = int(np.argmin(finite))
            raise ValueError(
                f"{type(self.encoder).__name__} predicted values that are not finite for "
                f"{int((~finite).sum())} of {len(rows)} trials of subject '{subject}' (first: row "
                f"{first}, stimulus '{rows.stimulus[first]}'). Look for not-a-number in the "
                f"responses, and for a fit that diverged."
            )

    def standard(self, head: str, goal: Goal) -> Restandardise:
        """The spread of true points, and of those predicted from trials that are not tested."""
        if head not in self._standards:
            name = None if len(goal.heads) == 1 else head
            rows = join([self._predict(one, name, expected=True) for one in self._not_tested()])
            true = goal.points(dict.fromkeys(rows.stimulus.tolist()))[head]
            # where a split keeps runs apart, the same pictures are on both sides by design
            apart = self.split.by in ("stimulus", "concept")
            standard = Restandardise(allow_repeats=not apart)
            self._standards[head] = standard.fit(rows, true)
        return self._standards[head]

    def _not_tested(self) -> list[Responses]:
        return self.parts("validation") or self.parts("train")

    def _predict(self, trials: Responses, head: str | None, expected: bool) -> Embeddings:
        rows = self._of_trials(trials, head, expected)
        return rows.average_repeats() if self.repeats == "predictions" else rows

    def _of_trials(self, trials: Responses, head: str | None, expected: bool) -> Embeddings:
        rows = ask(self.encoder, trials, head, expected)
        self._check_finite(rows, trials.subject)
        return rows


def check_tested_once(people: Sequence[Responses], folds: Sequence[Split]) -> None:
    """Refuse folds that test a trial twice: it would count as two independent ones.

    Raises
    ------
    ValueError
        Naming the first such trial.
    """
    for one in people:
        times = np.sum([split.mask(one, "test") for split in folds], axis=0)
        if (times > 1).any():
            first = int(np.argmax(times > 1))
            raise ValueError(
                f"{int((times > 1).sum())} of {len(one)} trials of subject '{one.subject}' are "
                f"tested by more than one fold (first: row {first}, stimulus "
                f"'{one.stimulus[first]}'). Each trial counts once: give folds whose test parts "
                f"do not overlap."
            )


def fit_folds(
    people: Sequence[Responses],
    goal: Goal,
    encoder: Encoder,
    protocol: Protocol,
    steps: Sequence[Steps] | None = None,
) -> list[Encoder]:
    """The encoder fitted to each fold; a copy for each where there are several.

    An encoder gets the split without its test ids and recordings without their test trials, after
    the fold's own preprocessing (``steps``, one a fold).
    """
    folds = protocol.folds
    fresh = [encoder] if len(folds) == 1 else _copies(encoder, len(folds))
    for one, split, learned in zip(fresh, folds, steps or [{}] * len(folds), strict=True):
        parts = [transformed(split.seen(person), learned) for person in people]
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


def _copies(encoder: Encoder, n_folds: int) -> list[Encoder]:
    """One a fold; checkpoints of each go to a folder of its own (``fold-00``, ...)."""
    copies: list[Any] = [copy.deepcopy(encoder) for _ in range(n_folds)]
    for number, one in enumerate(copies):
        if getattr(one, "folder", None) is not None:
            one.folder = str(Path(one.folder) / f"fold-{number:02d}")
    return copies


def join_heads(parts: Sequence[Mapping[str, Embeddings]]) -> dict[str, Embeddings]:
    """`join` for each head."""
    return {head: join([one[head] for one in parts]) for head in parts[0]}


def runs_of(
    shown: NDArray[np.str_],
    stimulus: NDArray[np.str_],
    run: NDArray[np.str_] | None,
    *,
    single: bool = False,
) -> NDArray[np.str_] | None:
    """The run of each item; of a mean over trials, all their runs.

    Parameters
    ----------
    shown : str array, shape (n_items,)
    stimulus, run : str array, shape (n_trials,)
    single : bool
        Items are the trials themselves.

    Examples
    --------
    >>> runs_of(np.array(["a", "b"]), np.array(["a", "b", "a"]), np.array(["2", "1", "1"])).tolist()
    ['1+2', '1']
    """
    if run is None or single:
        return run
    of_item: dict[str, list[str]] = {}
    for one, where in zip(stimulus.tolist(), run.tolist(), strict=True):
        of_item.setdefault(one, []).append(where)
    return np.array(["+".join(sorted(of_item[one])) for one in shown.tolist()])


def join_items(parts: Sequence[Items], *, folds: bool = False) -> Items:
    """Items of several under one another; runs are kept if all know them.

    Parameters
    ----------
    parts : sequence of Items
    folds : bool
        Each part is a fold, and its items say which.
    """
    runs = [one.run for one in parts if one.run is not None]
    sizes = [len(one) for one in parts]
    several = folds and len(parts) > 1
    fold = np.repeat(np.arange(len(parts)), sizes).astype(np.str_) if several else None
    return Items(
        np.concatenate([one.stimulus for one in parts]),
        np.concatenate([one.subject for one in parts]),
        np.concatenate(runs) if len(runs) == len(parts) else None,
        fold,
    )
