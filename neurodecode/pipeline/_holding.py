"""Does a step of preprocessing hold test trials before it is fitted?

What a step knows of test trials reaches the encoder as a signal in their values, which no shuffling
tells from the brain's. So the step itself is searched.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from neurodecode.contracts import Preprocessor
from neurodecode.data import Responses, Split
from neurodecode.evidence import Suspicion
from neurodecode.pipeline._blind import is_ours
from neurodecode.pipeline._elsewhere import ELSEWHERE

N_SEARCHED = 4
FEWEST_BYTES = 16


def steps_holding_tests(
    preprocess: Sequence[Preprocessor], people: Sequence[Responses], folds: Sequence[Split]
) -> list[Suspicion]:
    """Steps that are not of this package and hold the values of test trials, in whatever object.

    Parameters
    ----------
    preprocess : sequence of Preprocessor
        Unfitted.
    people : sequence of Responses
    folds : sequence of Split

    Examples
    --------
    >>> class Step:
    ...     __module__ = "of_a_user"
    ...     def __init__(self, known):
    ...         self.known = known
    >>> one = Responses(np.arange(24.0).reshape(4, 6), list("abcd"), "s", "fmri")
    >>> [split] = [Split(["a", "b"], [], ["c", "d"])]
    >>> steps_holding_tests([Step(None)], [one], [split])
    []
    >>> print(*steps_holding_tests([Step({"all": one})], [one], [split]))
    knows the test part from elsewhere: Step holds test trials before it is fitted.
    """
    foreign = [step for step in preprocess if not is_ours(step)]
    if not foreign:
        return []
    rows = [row for person in people for row in _searched(person, folds)]
    return [
        Suspicion(ELSEWHERE, f"{type(step).__name__} holds test trials before it is fitted.")
        for step in foreign
        if any(row in blob for blob in _blobs(step) for row in rows)
    ]


def _searched(person: Responses, folds: Sequence[Split]) -> Iterator[bytes]:
    """The bytes of a few test trials of each fold, as they may stand in memory."""
    for split in folds:
        places = np.flatnonzero(split.mask(person, "test"))
        for values in person.take(places[:N_SEARCHED]).array():
            for kind in (values.dtype, np.float32, np.float64):
                row = np.ascontiguousarray(values, dtype=kind).tobytes()
                if len(row) >= FEWEST_BYTES and len(set(row)) > 1:
                    yield row


def _blobs(step: Any) -> Iterator[bytes]:
    """What each attribute holds, as bytes; what can't be written down is passed over."""
    for value in getattr(step, "__dict__", {}).values():
        try:
            yield pickle.dumps(value)
        except Exception:
            continue
