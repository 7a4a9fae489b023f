"""What fitted encoders decide about test trials, and what is decided without a brain."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode import evidence
from neurodecode.data import Embeddings, Responses
from neurodecode.encoders import category_targets
from neurodecode.evidence import Items
from neurodecode.pipeline._answers import Answers
from neurodecode.pipeline._class_measures import Codes, Decisions, Values
from neurodecode.pipeline._class_trials import ClassTrials
from neurodecode.pipeline._folds import Fold
from neurodecode.pipeline._order import as_brain
from neurodecode.pipeline._protocol import SOLE_HEAD
from neurodecode.statistics import stretches

SHUFFLED, PRIOR = 1, 2
"""Streams of their own: labels that were drawn with the same seed are none of a control's."""
MOST_WAVES = 8
"""Half periods over a run; with eight, what takes longer than a quarter of it."""


@dataclass(frozen=True, eq=False)
class Tested:
    """The test trials of all folds, fold by fold, within a fold person by person.

    Parameters
    ----------
    items : Items
        One a trial, under its name.
    true : int array, shape (n,)
        Place of the class of each among ``classes``.
    classes : str array, shape (n_classes,)
    group : int array, shape (n,)
        Fold and person.
    block : str array, shape (n,)
        Trials of one block are one observation.
    """

    items: Items
    true: Codes
    classes: NDArray[np.str_]
    group: Codes
    block: NDArray[np.str_]

    @property
    def n_independent(self) -> int:
        """Number of blocks; of trials where each is one."""
        return len(np.unique(self.block))


def tested(folds: Sequence[Fold], trials: ClassTrials) -> Tested:
    """Whose the test trials are."""
    parts = test_parts(folds, trials)
    if not parts:
        raise ValueError("The test part holds no trial of any person.")
    items = []
    for number, person, rows in parts:
        run, n = _runs(person), int(rows.sum())
        items.append(
            Items(
                person.stimulus[rows],
                np.repeat(person.subject, n),
                None if run is None else run[rows],
                np.repeat(str(number), n) if len(folds) > 1 else None,
                trials.block[person.subject][rows],
            )
        )
    label = np.concatenate([trials.label[person.subject][rows] for _, person, rows in parts])
    group = np.repeat(np.arange(len(parts)), [len(one) for one in items])
    true = np.searchsorted(trials.classes, label).astype(np.intp)
    block = np.concatenate([trials.block[person.subject][rows] for _, person, rows in parts])
    return Tested(_joined(items), true, trials.classes, group, block)


def test_parts(
    folds: Sequence[Fold], trials: ClassTrials
) -> list[tuple[int, Responses, NDArray[np.bool_]]]:
    """Number of the fold, person and test trials, in the order in which encoders are asked."""
    return [
        (number, person, rows)
        for number, fold in enumerate(folds)
        for person in trials.people
        if (rows := fold.split.mask(person, "test")).any()
    ]


def _joined(parts: Sequence[Items]) -> Items:
    names = ("stimulus", "subject", "run", "fold", "cluster")
    columns: dict[str, Any] = {}
    for name in names:
        known = [getattr(one, name) for one in parts]
        columns[name] = None if any(one is None for one in known) else np.concatenate(known)
    return Items(**columns)


def decisions(
    folds: Sequence[Fold],
    test: Tested,
    change: Callable[[Fold], Callable[[Responses], Responses]] | None = None,
) -> Decisions:
    """What encoders say of the test trials, or of what is put in their place."""
    rows = []
    for fold in folds:
        found, _ = fold.predict([SOLE_HEAD], None if change is None else change(fold))
        rows.append(found[SOLE_HEAD].array(np.float64).reshape(len(found[SOLE_HEAD]), -1))
    return Decisions(np.concatenate(rows), test.group)


def points_of(decided: Decisions, test: Tested) -> Answers:
    """Scores of the classes as points of the space of categories."""
    space = category_targets({one: one for one in test.classes.tolist()}).space
    return Answers({SOLE_HEAD: Embeddings(decided.scores, test.items.stimulus, space)}, {})


def controls(
    folds: Sequence[Fold], real: Decisions, test: Tested, trials: ClassTrials, *, seed: int
) -> dict[str, Decisions]:
    """The decisions of every control that the recordings allow, by name."""
    made = {
        "majority": majority(folds, test, trials),
        "prior": prior(folds, test, trials, seed),
        "noise": noise(folds, test, seed),
        "shuffled": shuffled(real, test, seed),
        "order": order(folds, test, trials),
        "run_mean": run_mean(folds, test, trials),
    }
    return {name: one for name, one in made.items() if one is not None}


def noise(folds: Sequence[Fold], test: Tested, seed: int) -> Decisions:
    """Noise with the spread of the training trials, through preprocessing's end and the encoder."""

    def change(fold: Fold) -> Callable[[Responses], Responses]:
        def instead(given: Responses) -> Responses:
            train = fold.train(given.subject)
            return evidence.noise_responses(given, train if len(train) else given, seed=seed)

        return instead

    return decisions(folds, test, change)


def shuffled(real: Decisions, test: Tested, seed: int) -> Decisions:
    """The answers to other trials of the same fold and person, in any order at all.

    Of the same person where trials are left out one by one.
    """
    rng = np.random.default_rng([seed, SHUFFLED])
    alone = len(np.unique(test.group)) == len(test.group)
    group = np.unique(test.items.subject, return_inverse=True)[1] if alone else test.group
    order = np.arange(len(test.true))
    for one in np.unique(group):
        inside = np.flatnonzero(group == one)
        order[inside] = rng.permutation(inside)
    return Decisions(real.scores[order], test.group)


def majority(folds: Sequence[Fold], test: Tested, trials: ClassTrials) -> Decisions:
    """The commonest class among the training trials."""
    return Decisions(_shares(folds, test, trials), test.group)


def prior(folds: Sequence[Fold], test: Tested, trials: ClassTrials, seed: int) -> Decisions:
    """Classes drawn as often as they stand among the training trials."""
    shares = _shares(folds, test, trials)
    drawn = np.random.default_rng([seed, PRIOR]).random((len(shares), 1))
    code = (np.cumsum(shares, axis=1) <= drawn).sum(axis=1).clip(max=shares.shape[1] - 1)
    return Decisions(np.eye(shares.shape[1])[code], test.group)


def order(folds: Sequence[Fold], test: Tested, trials: ClassTrials) -> Decisions | None:
    """The commonest training class at a trial's (or block's) place in its run.

    1 where every run has the same order: what a perfect clock would tell. No brain holds one, so
    that it is told but is no bar; see `time_of_run` for what is. None where nobody has two runs.
    """
    runs = {one.subject: _runs(one) for one in trials.people}
    if not any(run is not None and len(np.unique(run)) > 1 for run in runs.values()):
        return None
    place = {one.subject: _place_in_run(one, trials.block[one.subject]) for one in trials.people}
    return _commonest_at(place, folds, test, trials)


def time_of_run(trials: ClassTrials) -> list[Responses]:
    """People whose responses are slow functions of the time in a run: what drifts can tell.

    Values are the place among the trials of the run, and cosines of it whose period is 16 of them
    (or of its blocks) or more; of the whole recording where there is but one run.
    """
    places = [_place_in_run(one, trials.block[one.subject]) for one in trials.people]
    n_places = min(int(one.max()) + 1 for one in places)
    n_waves = int(np.clip(n_places // 8, 1, MOST_WAVES))
    return [_slow(one, n_waves) for one in trials.people]


def _slow(person: Responses, n_waves: int) -> Responses:
    run = _runs(person)
    place = _place_in_run(person, person.stimulus)  # names of trials: each is one
    share = np.zeros(len(place))
    for inside in [np.ones(len(place), bool)] if run is None else [run == one for one in set(run)]:
        share[inside] = place[inside] / max(place[inside].max(), 1)
    waves = [share, *(np.cos(np.pi * k * share) for k in range(1, n_waves + 1))]
    return as_brain(person, np.stack(waves, axis=1).astype(np.float32))


def run_mean(folds: Sequence[Fold], test: Tested, trials: ClassTrials) -> Decisions | None:
    """The commonest training class of a trial's run: the run alone.

    None where runs are unknown, or are kept apart.
    """
    place = {}
    for person in trials.people:
        run = _runs(person)
        if run is None:
            return None
        place[person.subject] = np.unique(run, return_inverse=True)[1]
    shared = [
        np.isin(
            place[one.subject][rows], place[one.subject][folds[number].split.mask(one, "train")]
        )
        for number, one, rows in test_parts(folds, trials)
    ]
    several = any(len(np.unique(one)) > 1 for one in place.values())
    if not several or not np.concatenate(shared).any():
        return None
    return _commonest_at(place, folds, test, trials)


def _commonest_at(
    place: Mapping[str, NDArray[np.intp]],
    folds: Sequence[Fold],
    test: Tested,
    trials: ClassTrials,
) -> Decisions:
    """How common each class is among the training trials at the same place."""
    rows = []
    for number, person, is_test in test_parts(folds, trials):
        own, train = place[person.subject], folds[number].split.mask(person, "train")
        code = np.searchsorted(trials.classes, trials.label[person.subject])
        counts = np.zeros((int(own.max()) + 1, len(trials.classes)))
        np.add.at(counts, (own[train], code[train]), 1.0)
        rows.append(counts[own[is_test]])
    found = np.concatenate(rows)
    total = found.sum(axis=1, keepdims=True)
    # a place that training does not have, and ties, are decided by what is common anywhere
    shares = _shares(folds, test, trials)
    return Decisions(found / np.maximum(total, 1) + 1e-6 * shares, test.group)


def _shares(folds: Sequence[Fold], test: Tested, trials: ClassTrials) -> Values:
    """Share of each class among a person's training trials (or all people's), for each item."""
    rows = []
    for number, person, is_test in test_parts(folds, trials):
        split = folds[number].split
        counts = {
            one.subject: _counts(trials.label[one.subject][split.mask(one, "train")], trials)
            for one in trials.people
        }
        own = counts[person.subject]
        chosen = own if own.sum() else np.sum(list(counts.values()), axis=0)
        rows.append(np.tile(chosen / chosen.sum(), (int(is_test.sum()), 1)))
    return np.concatenate(rows)


def _counts(labels: NDArray[np.str_], trials: ClassTrials) -> NDArray[np.intp]:
    return np.bincount(np.searchsorted(trials.classes, labels), minlength=len(trials.classes))


def _runs(person: Responses) -> NDArray[np.str_] | None:
    return person.session if person.run is None else person.run


def _place_in_run(person: Responses, block: NDArray[np.str_]) -> NDArray[np.intp]:
    """How many blocks of its run came before, for each trial."""
    run, place = _runs(person), np.zeros(len(block), dtype=np.intp)
    if run is None:
        return stretches(block)
    for one in np.unique(run):
        inside = run == one
        place[inside] = stretches(block[inside])
    return place
