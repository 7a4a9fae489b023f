"""Training, validation and test parts that share no id."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode.data._checks import as_ids, expect, listing
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
        What is kept apart: ``'stimulus'``, ``'run'``, ``'session'``, ``'subject'``, ``'trial'`` or
        a metadata column such as ``'concept'``. Keeping runs (or trials) apart may repeat a picture
        in training and test.
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
        if name not in PARTS:
            raise ValueError(f"A split has the parts {', '.join(PARTS)}; got '{name}'.")
        expect(responses, Responses, "A split")
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
