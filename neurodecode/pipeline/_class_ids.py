"""Where the ids of trials are classes, a mean over the trials of an id is no test item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Responses, Split, are_classes
from neurodecode.evidence import Items
from neurodecode.pipeline._protocol import Protocol
from neurodecode.statistics import dependent_blocks


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
        if are_known_classes(person, people, protocol.folds) and _repeats(person, protocol.folds):
            n_ids = len(np.unique(person.stimulus))
            raise ValueError(
                f"{n_ids} stimulus ids stand for {len(person)} trials of subject "
                f"'{person.subject}', and all of them are in training too: they are classes, and "
                f"repeats='{protocol.repeats}' would make one item of each. Use "
                f"classify(responses, by='stimulus', ...), or repeats='single'."
            )


def are_known_classes(
    person: Responses, people: Sequence[Responses], folds: Sequence[Split]
) -> bool:
    """Do few ids stand for many trials, and does training hold every id that is tested?"""
    if not are_classes(person.stimulus):
        return False
    for split in folds:
        known = {i for one in people for i in one.stimulus[split.mask(one, "train")].tolist()}
        if not known.issuperset(person.stimulus[split.mask(person, "test")].tolist()):
            return False
    return True


def _repeats(person: Responses, folds: Sequence[Split]) -> bool:
    """Does a test part hold an id several times?"""
    tested = [person.stimulus[split.mask(person, "test")] for split in folds]
    return any(len(set(one.tolist())) < len(one) for one in tested)


def with_clusters(items: Items, people: Sequence[Responses], folds: Sequence[Split]) -> Items:
    """The items with what is independent of one another: trials (or blocks) where ids are classes.

    Parameters
    ----------
    items : Items
        Fold by fold, within a fold person by person.
    people : sequence of Responses
    folds : sequence of Split
    """
    of_class = {
        one.subject: clusters_of(one) for one in people if are_known_classes(one, people, folds)
    }
    if not of_class:
        return items
    cluster = items.stimulus.astype(object)
    fold = np.zeros(len(items), dtype=np.intp) if items.fold is None else items.fold.astype(int)
    for one in people:
        for row, split in enumerate(folds):
            mine = (items.subject == one.subject) & (fold == row)
            if one.subject in of_class and mine.any():
                cluster[mine] = of_class[one.subject][split.mask(one, "test")]
    return replace(items, cluster=cluster.astype(np.str_))


def clusters_of(person: Responses) -> NDArray[np.str_]:
    """The block of each trial where labels come in blocks, else the trial, shape (n_trials,).

    Examples
    --------
    >>> person = Responses(np.zeros((16, 1)), ["face", "house"] * 8, "s", "fmri")
    >>> len(set(clusters_of(person).tolist()))
    16
    """
    run = person.session if person.run is None else person.run
    block = dependent_blocks(person.stimulus, run)
    return np.array([f"{person.subject}/{one}" for one in block.tolist()], dtype=np.str_)
