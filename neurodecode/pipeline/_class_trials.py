"""Trials whose class is to be told: each under a name of its own, with its label kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Responses, Split, listing
from neurodecode.statistics import dependent_blocks

LABEL = "class_label"


@dataclass(frozen=True, eq=False)
class ClassTrials:
    """Trials that name themselves, not their class: an encoder can't read the answer off.

    Parameters
    ----------
    people : sequence of Responses
        The stimulus id of a trial is its own name; the column that held the class is gone.
    label : mapping of str to str array, shape (n_trials,)
        The class of each trial, by subject.
    block : mapping of str to str array, shape (n_trials,)
        Trials of one block are one observation.
    folds : tuple of Split
        The given splits, by the names of trials.
    """

    people: Sequence[Responses]
    label: dict[str, NDArray[np.str_]]
    block: dict[str, NDArray[np.str_]]
    folds: tuple[Split, ...]

    @property
    def classes(self) -> NDArray[np.str_]:
        """All classes, in order of their names."""
        return np.unique(np.concatenate(list(self.label.values())))

    @property
    def labels(self) -> dict[str, str]:
        """The class of each trial, by its name."""
        return {
            trial: label
            for person in self.people
            for trial, label in zip(
                person.stimulus.tolist(), self.label[person.subject].tolist(), strict=True
            )
        }

    def labelled(self) -> list[Responses]:
        """The same trials with their class in a column, for what learns from training trials."""
        return [one.with_column(LABEL, self.label[one.subject]) for one in self.people]


def class_trials(
    people: Sequence[Responses], by: str, folds: Sequence[Split], block: str | None = None
) -> ClassTrials:
    """Name trials, take their classes off them, and say which are one observation.

    Parameters
    ----------
    people : sequence of Responses
        In order of time.
    by : str
        The class: ``'stimulus'`` or a column of the trial table.
    folds : sequence of Split
        By whatever they keep apart.
    block : str, optional
        Column that names blocks; default: what `neurodecode.statistics.dependent_blocks` finds.

    Raises
    ------
    ValueError
        If there are fewer than two classes, or one is tested that was not trained.

    Examples
    --------
    >>> person = Responses(np.zeros((4, 1)), list("abab"), "s", "fmri", run=[1, 1, 2, 2])
    >>> trials = class_trials([person], "stimulus", [Split(["1"], [], ["2"], by="run")])
    >>> trials.people[0].stimulus.tolist()
    ['s/00000', 's/00001', 's/00002', 's/00003']
    >>> trials.folds[0].test.tolist(), trials.label["s"].tolist()
    (['s/00002', 's/00003'], ['a', 'b', 'a', 'b'])
    """
    label = {one.subject: one.groups(by) for one in people}
    trials = ClassTrials(
        [_named(one, by) for one in people],
        label,
        {one.subject: _blocks(one, label[one.subject], block) for one in people},
        (),
    )
    trials = replace(trials, folds=tuple(_by_trial(one, people, trials.people) for one in folds))
    if len(trials.classes) < 2:
        raise ValueError(
            f"Classification needs two or more values of '{by}'; got {len(trials.classes)} "
            f"({listing(trials.classes)})."
        )
    for number, split in enumerate(trials.folds):
        _check_known(trials, split, by, number)
    return trials


def _named(person: Responses, by: str) -> Responses:
    names = [f"{person.subject}/{row:05d}" for row in range(len(person))]
    told = {name: column for name, column in person.metadata.items() if name != by}
    return person.with_values(person.values, stimulus=names, metadata=told)


def _blocks(person: Responses, label: NDArray[np.str_], block: str | None) -> NDArray[np.str_]:
    run = person.session if person.run is None else person.run
    if block is None:
        names = dependent_blocks(label, run).astype(np.str_)
    else:
        names = person.groups(block)
        if run is not None:
            names = np.char.add(np.char.add(run, "/"), names)
        pairs = set(zip(names.tolist(), label.tolist(), strict=True))
        if len(pairs) > len(set(names.tolist())):
            raise ValueError(
                f"The column '{block}' of subject '{person.subject}' names {len(np.unique(names))} "
                f"blocks, some of which hold trials of several classes. A block is one observation "
                f"and has one class; leave block= out to have blocks found by the order of labels."
            )
    return np.array([f"{person.subject}/{one}" for one in names.tolist()], dtype=np.str_)


def _by_trial(split: Split, people: Sequence[Responses], named: Sequence[Responses]) -> Split:
    train, validation, test = (
        np.concatenate(
            [own.stimulus[split.mask(one, part)] for one, own in zip(people, named, strict=True)]
        )
        for part in ("train", "validation", "test")
    )
    return Split(train, validation, test, rule=split.rule)


def split_blocks(trials: ClassTrials) -> int:
    """Number of test trials that have others of their block in training: their neighbours leak.

    Examples
    --------
    >>> person = Responses(np.zeros((8, 1)), ["a"] * 4 + ["b"] * 4, "s", "fmri")
    >>> person = person.with_column("half", [0, 1] * 4).with_column("block", [0] * 4 + [1] * 4)
    >>> halves = [Split(["0"], [], ["1"], by="half")]
    >>> split_blocks(class_trials([person], "stimulus", halves, block="block"))
    4
    """
    total = 0
    for split in trials.folds:
        for person in trials.people:
            block = trials.block[person.subject]
            seen = split.mask(person, "train") | split.mask(person, "validation")
            test = split.mask(person, "test")
            total += int(np.isin(block[test], block[seen]).sum())
    return total


def without_validation(split: Split) -> Split:
    """The same split with its validation trials among those to train on.

    Examples
    --------
    >>> without_validation(Split(["a"], ["b"], ["c"])).train.tolist()
    ['a', 'b']
    """
    both = np.concatenate([split.train, split.validation])
    return replace(split, train=both, validation=np.array([], dtype=np.str_))


def _check_known(trials: ClassTrials, split: Split, by: str, number: int) -> None:
    trained = {
        one.subject: set(trials.label[one.subject][split.mask(one, "train")].tolist())
        for one in trials.people
    }
    anyone = set().union(*trained.values())
    if not anyone:
        raise ValueError(
            f"No training trial is left by the split ({split.rule}). Its training part must name "
            f"ids of these recordings."
        )
    for one in trials.people:
        tested = set(trials.label[one.subject][split.mask(one, "test")].tolist())
        unknown = sorted(tested - (trained[one.subject] or anyone))
        if unknown:
            raise ValueError(
                f"Fold {number + 1} ({split.rule}) tests trials of subject '{one.subject}' whose "
                f"{by} has no training trial there ({listing(unknown)}). A class that was never "
                f"learned can't be decoded: keep runs, sessions or trials apart, not classes."
            )
