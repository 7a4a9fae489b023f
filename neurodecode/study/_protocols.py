"""Who is learned from and who is tested: protocols that expand to units of work.

Every protocol marks trials in a column of the trial table, so that what is kept apart may be a
stimulus, a run, a person or single trials, and one `Split` by that column holds for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import LeaveOneOut, Responses, Split
from neurodecode.study._source import Material

COLUMN = "study_part"
EVERYONE = "all"


@dataclass(frozen=True)
class Unit:
    """One piece of a protocol: its name in the results, and whom or what it tests.

    ``stranger``: nothing of the tested person is learned from, so that contenders that learn from
    that person alone have no part in it.
    """

    protocol: str
    name: str
    stranger: bool = False


@dataclass(frozen=True, eq=False)
class Case:
    """What a contender gets, and what it is tested on.

    Parameters
    ----------
    tested : sequence of Responses
        Whole recordings of the people who are tested.
    known : sequence of Responses
        Of those who are learned from; the tested ones among them, unless they are new.
    splits : sequence of Split
        One, or folds.
    new : Responses, optional
        The trials that a new person may be adapted with; None where nobody is new, or where
        nothing of them is known.
    """

    tested: Sequence[Responses]
    known: Sequence[Responses]
    splits: Sequence[Split]
    new: Responses | None = None


class StudyProtocol(Protocol):
    """What `Study` asks of a protocol."""

    def units(self, subjects: Sequence[str]) -> list[Unit]:
        """The pieces, known before anything is read."""
        ...

    def case(self, material: Material, unit: Unit, seed: int) -> Case:
        """What is learned from and tested in one piece."""
        ...


@dataclass(frozen=True)
class Within:
    """Each person by a model of their own.

    Examples
    --------
    >>> [unit.name for unit in Within().units(["sub-01", "sub-02"])]
    ['sub-01', 'sub-02']
    """

    name: str = "within_subject"

    def units(self, subjects: Sequence[str]) -> list[Unit]:
        """One a person."""
        return [Unit(self.name, subject) for subject in subjects]

    def case(self, material: Material, unit: Unit, seed: int) -> Case:
        """The person's own training part, and their test part."""
        person = material.person(unit.name)
        return Case([person], [person], [material.split])


@dataclass(frozen=True)
class Pooled:
    """One model of all people, tested on new stimuli of the same people.

    Examples
    --------
    >>> Pooled().units(["sub-01", "sub-02"])
    [Unit(protocol='pooled', name='all', stranger=False)]
    """

    name: str = "pooled"

    def units(self, subjects: Sequence[str]) -> list[Unit]:
        """One for all."""
        return [Unit(self.name, EVERYONE)]

    def case(self, material: Material, unit: Unit, seed: int) -> Case:
        """All people, learned from and tested."""
        people = list(material.people)
        return Case(people, people, [material.split])


@dataclass(frozen=True)
class NewSubject:
    """A person whom the model never met, with k trials of their own to adapt with.

    Parameters
    ----------
    k : sequence of int
        Labelled training trials of the new person; 0 is a stranger. The first k in the order of
        the recording, as a lab would have them.
    people : sequence of str, optional
        Who is new, one after the other; default everybody in turn.
    name : str

    Examples
    --------
    >>> [unit.protocol for unit in NewSubject((0, 25), ["sub-02"]).units(["sub-01", "sub-02"])]
    ['new_subject_0', 'new_subject_25']
    """

    k: Sequence[int] = (0,)
    people: Sequence[str] | None = None
    name: str = "new_subject"

    def units(self, subjects: Sequence[str]) -> list[Unit]:
        """One for each number of trials and new person."""
        new = list(subjects if self.people is None else self.people)
        unknown = [subject for subject in new if subject not in subjects]
        if unknown or len(subjects) < 2:
            raise ValueError(
                f"A new subject needs others to learn from; '{', '.join(unknown or new)}' can't "
                f"be left out of {', '.join(subjects)}."
            )
        return [Unit(f"{self.name}_{k}", subject, k == 0) for k in self.k for subject in new]

    def case(self, material: Material, unit: Unit, seed: int) -> Case:
        """Everybody else, and the first k training trials of the new person."""
        k = int(unit.protocol.removeprefix(f"{self.name}_"))
        person = material.person(unit.name)
        others = [one for one in material.people if one.subject != unit.name]
        if not k:
            return Case([person], others, [material.split])
        rows = np.flatnonzero(material.split.mask(person, "train"))
        if k > len(rows):
            raise ValueError(
                f"{unit.name} has {len(rows)} training trials; the protocol '{unit.protocol}' "
                f"asks for {k}. Give a smaller k."
            )
        return Case([person], others, [material.split], person.take(rows[:k]))


@dataclass(frozen=True)
class LeaveOut:
    """Each person by a model of their own, every run (or session, stimulus, ...) left out in turn.

    Parameters
    ----------
    by : str
        What is kept apart.

    Examples
    --------
    >>> LeaveOut("run").units(["sub-01"])
    [Unit(protocol='leave_one_run_out', name='sub-01', stranger=False)]
    """

    by: str = "run"

    def units(self, subjects: Sequence[str]) -> list[Unit]:
        """One a person, with all folds."""
        return [Unit(f"leave_one_{self.by}_out", subject) for subject in subjects]

    def case(self, material: Material, unit: Unit, seed: int) -> Case:
        """All folds of one person."""
        person = material.person(unit.name)
        return Case([person], [person], list(LeaveOneOut(self.by).split(person)))


@dataclass(frozen=True)
class KnownNew:
    """The two by two of {known, new} subject and {known, new} stimulus.

    A known stimulus is one that *other* people saw in training; the tested person's own trials of
    it are held out. So transfer to new people is told apart from transfer to new stimuli.

    Parameters
    ----------
    people : sequence of str, optional
        Who is tested, one after the other; default everybody in turn.

    Examples
    --------
    >>> [unit.protocol for unit in KnownNew(["sub-01"]).units(["sub-01", "sub-02"])][:2]
    ['known_subject_known_stimulus', 'known_subject_new_stimulus']
    """

    people: Sequence[str] | None = None

    def units(self, subjects: Sequence[str]) -> list[Unit]:
        """Four protocols, each with one unit a person."""
        new = list(subjects if self.people is None else self.people)
        kinds = [(a, b) for a in ("known", "new") for b in ("known", "new")]
        return [Unit(f"{a}_subject_{b}_stimulus", one, a == "new") for a, b in kinds for one in new]

    def case(self, material: Material, unit: Unit, seed: int) -> Case:
        """Trials marked by what the pair of words asks for."""
        whose, which = unit.protocol.split("_")[0], unit.protocol.split("_")[2]
        person = material.person(unit.name)
        others = [one for one in material.people if one.subject != unit.name]
        shared = _shared(material, person, others, seed)
        tested = np.isin(person.stimulus, shared if which == "known" else material.split.test)
        marked = marked_parts(person, material.split, tested, held_out=shared)
        rest = [marked_parts(one, material.split, np.zeros(len(one), bool)) for one in others]
        train, validation, test = (np.array([one]) for one in ("train", "validation", "test"))
        split = Split(train, validation, test, COLUMN, f"{unit.protocol}: {unit.name}")
        known = rest if whose == "new" else [marked, *rest]
        return Case([marked], known, [split])


def marked_parts(
    person: Responses,
    split: Split,
    tested: NDArray[np.bool_],
    held_out: NDArray[np.str_] | None = None,
) -> Responses:
    """A person with the column `COLUMN`: train, validation, test or unused.

    Parameters
    ----------
    person : Responses
    split : Split
        Gives training and validation trials; its test trials are unused unless ``tested``.
    tested : bool array, shape (n_trials,)
    held_out : array of str, optional
        Stimuli whose trials of this person are never learned from.
    """
    part = np.full(len(person), "unused", dtype="<U10")
    for name in ("train", "validation"):
        part[split.mask(person, name)] = name
    if held_out is not None:
        part[np.isin(person.stimulus, held_out)] = "unused"
    part[tested] = "test"
    columns: dict[str, Any] = {**person.metadata, COLUMN: part}
    return replace(person, metadata=columns)


def _shared(
    material: Material, person: Responses, others: Sequence[Responses], seed: int
) -> NDArray[np.str_]:
    """Training stimuli of the person that others saw too, as many as there are test stimuli."""
    own = np.unique(material.split.part(person, "train").stimulus)
    seen = {one for other in others for one in material.split.part(other, "train").stimulus}
    both = own[np.isin(own, sorted(seen))]
    n_test = len(np.unique(material.split.part(person, "test").stimulus))
    if len(both) < 2:
        raise ValueError(
            f"{person.subject} shares {len(both)} training stimuli with other people; a known "
            f"stimulus is one that others saw. Use a source with shared stimuli, or leave "
            f"KnownNew out."
        )
    mixed = np.random.default_rng(seed).permutation(both)
    return np.sort(mixed[: min(n_test, max(2, len(both) // 2))])
