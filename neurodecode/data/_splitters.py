"""Rules that make splits: leave one out, k folds, at random, or by scikit-learn's splitters."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neurodecode.data._checks import expect, listing, whole
from neurodecode.data._responses import Responses
from neurodecode.data._split import Split

FEW = 3
"""Fewer training ids than this give none to validation by a share."""


class Splitter(Protocol):
    """Anything that makes splits of recordings."""

    def split(self, responses: Responses | Sequence[Responses]) -> Iterator[Split]:
        """One split a fold."""
        ...


@dataclass(frozen=True)
class LeaveOneOut:
    """One split for each run (or session, person, stimulus, trial, ...), which is its test part.

    Parameters
    ----------
    by : str
        What is left out, as in `Split`.
    validation : float or int
        A share of the training ids (below 1) or their number, drawn anew for each split. The
        default gives every encoder that stops early something to stop by: a tenth, but at least
        one id wherever three or more are left to train on. Closed forms learn nothing from it:
        give them ``validation=0``.
    seed : int
        Draws the validation ids.

    Examples
    --------
    >>> responses = Responses(np.zeros((6, 2)), list("ababab"), "s", "fmri", run=[1, 1, 2, 2, 3, 3])
    >>> [split.test.tolist() for split in LeaveOneOut("run").split(responses)]
    [['1'], ['2'], ['3']]
    >>> [split.validation.tolist() for split in LeaveOneOut("run", validation=0).split(responses)]
    [[], [], []]
    """

    by: str = "run"
    validation: float = 0.1
    seed: int = 0

    def split(self, responses: Responses | Sequence[Responses]) -> Iterator[Split]:
        """The splits, in order of the ids."""
        ids = _ids(responses, self.by)
        if len(ids) < 2:
            raise ValueError(
                f"Leave-one-{self.by}-out needs two or more {self.by} ids; got {len(ids)}."
            )
        for fold in range(len(ids)):
            rng = np.random.default_rng([self.seed, fold])
            train, held_out = _hold_out(np.delete(ids, fold), self.validation, self.by, rng)
            yield Split(train, held_out, ids[[fold]], self.by, f"leave one {self.by} out")


@dataclass(frozen=True)
class KFold:
    """Ids dealt at random into k folds; each is the test part of one split.

    Parameters
    ----------
    n : int
        Number of folds.
    by : str
        What is kept apart, as in `Split`.
    validation : float or int
        As in `LeaveOneOut`.
    stratify : str, optional
        Column of the trial table (``'stimulus'`` too) whose values every fold is to hold in equal
        shares, as far as ids that stay together allow.
    seed : int

    Notes
    -----
    With ``stratify`` trials are dealt by scikit-learn's ``StratifiedGroupKFold``.

    Examples
    --------
    >>> responses = Responses(np.zeros((12, 2)), range(12), "s", "fmri",
    ...                       metadata={"label": ["face", "house"] * 6})
    >>> folds = list(KFold(3, stratify="label").split(responses))
    >>> [(len(one.train), len(one.validation), len(one.test)) for one in folds]
    [(7, 1, 4), (7, 1, 4), (7, 1, 4)]
    >>> sorted(folds[0].part(responses, "test").metadata["label"].tolist())
    ['face', 'face', 'house', 'house']
    """

    n: int = 5
    by: str = "stimulus"
    validation: float = 0.1
    stratify: str | None = None
    seed: int = 0

    def split(self, responses: Responses | Sequence[Responses]) -> Iterator[Split]:
        """The splits, each id being tested once."""
        ids = _ids(responses, self.by)
        if not 2 <= whole("n", self.n) <= len(ids):
            raise ValueError(
                f"{len(ids)} {self.by} ids can be dealt into 2 to {len(ids)} folds; got n={self.n}."
            )
        parts = (
            np.array_split(np.random.default_rng(self.seed).permutation(ids), self.n)
            if self.stratify is None
            else self._stratified(responses, self.stratify)
        )
        for fold, test in enumerate(parts):
            rng = np.random.default_rng([self.seed, fold])
            rest = np.setdiff1d(ids, test)
            train, held_out = _hold_out(rest, self.validation, self.by, rng)
            rule = f"fold {fold + 1} of {self.n} by {self.by}, seed {self.seed}"
            yield Split(train, held_out, test, self.by, rule)

    def _stratified(
        self, responses: Responses | Sequence[Responses], column: str
    ) -> list[NDArray[np.str_]]:
        from sklearn.model_selection import StratifiedGroupKFold

        groups, labels = (_column(responses, name) for name in (self.by, column))
        names, counts = np.unique(labels, return_counts=True)
        if counts.min() < self.n:
            rare = names[counts < self.n]
            raise ValueError(
                f"{self.n} folds can't each hold every {column}: {listing(rare)} "
                f"{'has' if len(rare) == 1 else 'have'} fewer trials than that. Give fewer folds."
            )
        dealer = StratifiedGroupKFold(self.n, shuffle=True, random_state=self.seed)
        parts = [np.unique(groups[test]) for _, test in dealer.split(labels, labels, groups)]
        if not all(len(part) for part in parts):
            raise ValueError(
                f"{self.n} folds stratified by {column} leave a fold without any {self.by}. Give "
                f"fewer folds, or no stratify."
            )
        return parts


@dataclass(frozen=True)
class RandomSplit:
    """Ids drawn at random into training, validation and test.

    Parameters
    ----------
    test, validation : float or int
        A share of the ids (below 1) or their number.
    by : str
        What is kept apart.
    seed : int

    Examples
    --------
    >>> responses = Responses(np.zeros((10, 2)), range(10), "s", "fmri")
    >>> [split] = RandomSplit(test=0.2, validation=1, seed=0).split(responses)
    >>> len(split.train), len(split.validation), len(split.test)
    (7, 1, 2)
    """

    test: float = 0.1
    validation: float = 0.1
    by: str = "stimulus"
    seed: int = 0

    def split(self, responses: Responses | Sequence[Responses]) -> Iterator[Split]:
        """One split."""
        ids = _ids(responses, self.by)
        n_test, n_validation = (_count(share, len(ids)) for share in (self.test, self.validation))
        if n_test + n_validation >= len(ids):
            raise ValueError(
                f"{n_test} test and {n_validation} validation ids leave nothing of {len(ids)} "
                f"{self.by} ids to train on."
            )
        mixed = np.random.default_rng(self.seed).permutation(ids)
        yield Split(
            mixed[n_test + n_validation :],
            mixed[n_test : n_test + n_validation],
            mixed[:n_test],
            self.by,
            f"random by {self.by}, seed {self.seed}",
        )


@dataclass(frozen=True)
class SklearnSplitter:
    """Any splitter of scikit-learn (``GroupKFold``, ``ShuffleSplit``, ...) as one of ours.

    Parameters
    ----------
    splitter : object
        With ``split(x, y, groups)``; it is given the trials of all people under one another.
    by : str
        What stays together: its ids are the groups, and a splitter that puts one of them on both
        sides is refused.
    stratify : str, optional
        Column whose values are ``y``.
    validation, seed
        As in `LeaveOneOut`.

    Examples
    --------
    >>> from sklearn.model_selection import GroupKFold
    >>> responses = Responses(np.zeros((6, 2)), list("ababab"), "s", "fmri", run=[1, 1, 2, 2, 3, 3])
    >>> folds = list(SklearnSplitter(GroupKFold(3), by="run", validation=0).split(responses))
    >>> sorted(split.test.tolist() for split in folds)
    [['1'], ['2'], ['3']]
    """

    splitter: Any
    by: str = "run"
    stratify: str | None = None
    validation: float = 0.1
    seed: int = 0

    def split(self, responses: Responses | Sequence[Responses]) -> Iterator[Split]:
        """The splits that it makes.

        Raises
        ------
        LeakageError
            If the splitter puts an id on both sides.
        """
        groups = _column(responses, self.by)
        labels = None if self.stratify is None else _column(responses, self.stratify)
        with warnings.catch_warnings():
            # a splitter that keeps nothing together says so; if it matters, Split refuses
            warnings.filterwarnings("ignore", "The groups parameter is ignored", UserWarning)
            rows = list(self.splitter.split(np.zeros((len(groups), 1)), labels, groups))
        for fold, (train_rows, test_rows) in enumerate(rows):
            rule = f"{type(self.splitter).__name__} by {self.by}, fold {fold + 1}"
            train, test = np.unique(groups[train_rows]), np.unique(groups[test_rows])
            Split(train, np.array([]), test, self.by, rule)  # refuses what is on both sides
            rng = np.random.default_rng([self.seed, fold])
            train, held_out = _hold_out(train, self.validation, self.by, rng)
            yield Split(train, held_out, test, self.by, rule)


def _hold_out(
    ids: NDArray[np.str_], validation: float, by: str, rng: np.random.Generator
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Training and validation ids; see `LeaveOneOut`."""
    n_held_out = _count(validation, len(ids))
    if 0 < validation < 1:
        n_held_out = max(n_held_out, 1) if len(ids) >= FEW else 0
    if n_held_out >= len(ids):
        raise ValueError(
            f"{n_held_out} validation ids leave nothing of {len(ids)} {by} ids to train on."
        )
    mixed = rng.permutation(ids)
    return mixed[n_held_out:], mixed[:n_held_out]


def _count(share: float, n_ids: int) -> int:
    number = isinstance(share, Real) and not isinstance(share, bool)
    if not number or not 0 <= share < np.inf or (share >= 1 and share != int(share)):
        raise ValueError(
            f"A part can't have {share} ids; give a share (below 1) or a whole number."
        )
    return round(share * n_ids) if 0 < share < 1 else int(share)


def _ids(responses: Responses | Sequence[Responses], by: str) -> NDArray[np.str_]:
    return np.unique(_column(responses, by))


def _column(responses: Responses | Sequence[Responses], by: str) -> NDArray[np.str_]:
    """A column of the trial tables of all people under one another, shape (n_trials,)."""
    people = [responses] if isinstance(responses, Responses) else list(responses)
    for one in people:
        expect(one, Responses, "A splitter")
    if not people:
        raise ValueError("There are no recordings to split. Give those of one person or several.")
    return np.concatenate([person.groups(by) for person in people])
