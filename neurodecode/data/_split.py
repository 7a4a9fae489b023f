"""Training, validation and test parts, and the rules that make them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode.data._checks import as_ids, listing
from neurodecode.data._responses import Responses
from neurodecode.errors import LeakageError

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Split:
    """Which stimuli (or runs, sessions, people, concepts) are for training, validation and test.

    Parameters
    ----------
    train, validation, test : sequence of str
        Ids of the kind named by ``by``. No id stands in two parts.
    by : str
        What is kept apart: ``'stimulus'``, ``'run'``, ``'session'``, ``'subject'`` or a metadata
        column such as ``'concept'``. Keeping runs apart may repeat a picture in training and test.
    rule : str
        How the split was made, in words; it is printed beside every score.

    Raises
    ------
    LeakageError
        If an id stands in two parts.

    Examples
    --------
    >>> split = Split(["a", "b"], [], ["c"], rule="by hand")
    >>> split.by, len(split.train), len(split.test)
    ('stimulus', 2, 1)
    """

    train: NDArray[np.str_]
    validation: NDArray[np.str_]
    test: NDArray[np.str_]
    by: str = "stimulus"
    rule: str = "given"

    def __post_init__(self) -> None:
        for name in PARTS:
            ids = as_ids(name, getattr(self, name))
            object.__setattr__(self, name, np.unique(ids) if len(ids) else ids)
        for one, other in combinations(PARTS, 2):
            shared = sorted(set(getattr(self, one).tolist()) & set(getattr(self, other).tolist()))
            if shared:
                raise LeakageError(
                    f"The split by {self.by} is not one: {len(shared)} {self.by} ids are in both "
                    f"{one} and {other} ({listing(shared)}). Take them out of one part."
                )

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(getattr(self, name))} {name}" for name in PARTS)
        return f"Split(by {self.by}: {sizes}; {self.rule})"

    def part(self, responses: Responses, name: Part) -> Responses:
        """The trials of one part, in the order of the recording."""
        return responses.take(self.mask(responses, name))

    def mask(self, responses: Responses, name: Part) -> NDArray[np.bool_]:
        """Which trials belong to a part, shape (n_trials,)."""
        return np.isin(responses.groups(self.by), getattr(self, name))

    def blind(self) -> Split:
        """The same split without its test ids: all that ``fit`` may know."""
        return replace(self, test=np.array([], dtype=np.str_))

    def seen(self, responses: Responses) -> Responses:
        """The trials that ``fit`` may see: training and validation."""
        return responses.take(self.mask(responses, "train") | self.mask(responses, "validation"))

    def apart(self, responses: Sequence[Responses]) -> dict[str, bool]:
        """For stimulus, run, session and subject: is none of them in both training and test?"""
        sides: dict[str, dict[str, set[str]]] = {}
        for one in responses:
            for by in ("stimulus", "run", "session", "subject"):
                if by in ("run", "session") and getattr(one, by) is None:
                    continue
                key = f"{one.subject}/" if by in ("run", "session") else ""
                kept = sides.setdefault(by, {"seen": set(), "test": set()})
                group = np.char.add(key, one.groups(by))
                test = self.mask(one, "test")
                seen = self.mask(one, "train") | self.mask(one, "validation")
                kept["seen"].update(group[seen].tolist())
                kept["test"].update(group[test].tolist())
        return {by: not (kept["seen"] & kept["test"]) for by, kept in sides.items()}

    @property
    def fingerprint(self) -> str:
        """A short hash of the parts; the same for the same split, whatever its words."""
        parts: list[Any] = [self.by, *(getattr(self, name).tolist() for name in PARTS)]
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class LeaveOneOut:
    """One split for each run (or session, person, stimulus, ...), which is its test part.

    Examples
    --------
    >>> responses = Responses(np.zeros((4, 2)), list("abab"), "s", "fmri", run=[1, 1, 2, 2])
    >>> [split.test.tolist() for split in LeaveOneOut("run").split(responses)]
    [['1'], ['2']]
    """

    by: str = "run"

    def split(self, responses: Responses | Sequence[Responses]) -> Iterator[Split]:
        """The splits, in order of the ids."""
        ids = _ids(responses, self.by)
        if len(ids) < 2:
            raise ValueError(
                f"Leave-one-{self.by}-out needs two or more {self.by} ids; got {len(ids)}."
            )
        for one in ids:
            rest = [other for other in ids if other != one]
            yield Split(
                np.array(rest), np.array([]), np.array([one]), self.by, f"leave one {self.by} out"
            )


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
        ids = np.array(_ids(responses, self.by))
        n_test, n_validation = (
            self._count(share, len(ids)) for share in (self.test, self.validation)
        )
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

    @staticmethod
    def _count(share: float, n_ids: int) -> int:
        if share < 0:
            raise ValueError(f"A part can't have {share} ids; give a share or a number.")
        return round(share * n_ids) if 0 < share < 1 else int(share)


def _ids(responses: Responses | Sequence[Responses], by: str) -> list[str]:
    people = [responses] if isinstance(responses, Responses) else list(responses)
    return sorted({one for person in people for one in person.groups(by).tolist()})
