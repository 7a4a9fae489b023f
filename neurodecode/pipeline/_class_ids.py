"""Where the ids of trials are classes, a mean over the trials of an id is no test item."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurodecode.data import Responses, Split, are_classes
from neurodecode.pipeline._protocol import Protocol


def check_no_class_is_averaged(people: Sequence[Responses], protocol: Protocol) -> None:
    """Refuse to average the trials of what are classes: eight items would stand for 800 trials.

    Ids are classes if few stand for many trials (`neurodecode.data.are_classes`) and all of them
    are in training too.

    Raises
    ------
    ValueError
        Naming the person.
    """
    if protocol.repeats == "single":
        return
    for person in people:
        if are_classes(person.stimulus) and _averaged(person, people, protocol.folds):
            n_ids = len(np.unique(person.stimulus))
            raise ValueError(
                f"{n_ids} stimulus ids stand for {len(person)} trials of subject "
                f"'{person.subject}', and all of them are in training too: they are classes, and "
                f"repeats='{protocol.repeats}' would make one item of each. Use "
                f"classify(responses, by='stimulus', ...), or repeats='single'."
            )


def _averaged(person: Responses, people: Sequence[Responses], folds: Sequence[Split]) -> bool:
    """Does a test part hold an id several times, and training every id?"""
    several = False
    for split in folds:
        test, counts = np.unique(person.stimulus[split.mask(person, "test")], return_counts=True)
        known = {i for one in people for i in one.stimulus[split.mask(one, "train")].tolist()}
        if not known.issuperset(test.tolist()):
            return False
        several |= bool((counts > 1).any())
    return several
