"""Preprocessing that is learned anew in each fold, from that fold's training trials only."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from neurodecode.contracts import Preprocessor
from neurodecode.data import Responses, Split

Steps: TypeAlias = Mapping[str, Sequence[Preprocessor]]
"""Fitted preprocessors of one fold in their order, by subject."""


def learn_steps(
    people: Sequence[Responses],
    split: Split,
    preprocess: Sequence[Preprocessor],
    *,
    labels: str = "stimulus",
) -> Steps:
    """Copies of the preprocessors, fitted to each person's training trials.

    Each is fitted to what those before it made of the training trials. It sees no trial of the
    validation or test part, and no label of one.

    Parameters
    ----------
    people : sequence of Responses
        Whole recordings.
    split : Split
    preprocess : sequence of Preprocessor
        Unfitted (or fitted to something else, which is forgotten); not changed.
    labels : str
        Column that stands as the stimulus of a trial while fitting, for what is supervised.

    Raises
    ------
    ValueError
        If a person has trials in this fold, but none to learn from.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodecode.preprocessing import Standardize
    >>> person = Responses(np.array([[1.0], [3.0], [9.0]]), list("abc"), "s", "fmri")
    >>> split = Split(["a", "b"], [], ["c"])
    >>> steps = learn_steps([person], split, [Standardize()])
    >>> transformed(person, steps).array().tolist()
    [[-1.0], [1.0], [7.0]]
    """
    if not preprocess:
        return {}
    return {one.subject: _learned(one, split, preprocess, labels) for one in people}


def transformed(trials: Responses, steps: Steps) -> Responses:
    """The trials of one person after all steps of the person; as they are where there are none."""
    for step in steps.get(trials.subject, ()):
        trials = step.transform(trials)
    return trials


def step_names(steps: Steps) -> list[str]:
    """The steps of a fold as a reader would write them."""
    return [written(step) for step in next(iter(steps.values()), ())]


def written(part: Any) -> str:
    """An estimator as a reader would write it: on one line, without places in memory.

    Examples
    --------
    >>> written([written])
    '[written]'
    """
    address = re.compile(r"<(?:function )?([\w.]+)(?: object)? at 0x[0-9a-f]+>")
    return address.sub(r"\1", " ".join(repr(part).split()))


def _learned(
    person: Responses, split: Split, preprocess: Sequence[Preprocessor], labels: str
) -> list[Preprocessor]:
    train = split.part(person, "train")
    if not len(train):
        if not any(split.mask(person, part).any() for part in ("validation", "test")):
            return []
        raise ValueError(
            f"Preprocessing is learned from training trials, and subject '{person.subject}' has "
            f"none in the split ({split.rule}). Preprocess the recordings of new people before "
            f"decode(), by what needs no training trials."
        )
    train = train.with_values(train.values, stimulus=train.groups(labels))
    fitted = []
    for step in preprocess:
        fresh = copy.deepcopy(step)
        fresh.fit(train)
        train = fresh.transform(train)
        fitted.append(fresh)
    return fitted
