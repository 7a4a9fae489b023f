"""No encoder is tested on a trial that it learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from neurodecode.contracts import Encoder
from neurodecode.data import LearnedFrom, Responses, Split
from neurodecode.errors import LeakageError
from neurodecode.pipeline._blind import is_ours

Knowledge = Literal["known", "given", "unknown"]
"""Of the trials that an encoder learned from: it says itself and was checked; it does not say, but
got no others here; nobody can say (a class that writes ``learned_from_`` itself may write anything,
and is not believed about what was fitted elsewhere)."""


def check_unseen(
    named: Mapping[str, Sequence[Encoder]],
    people: Sequence[Responses],
    folds: Sequence[Split],
) -> None:
    """Refuse fitted encoders that learned from a trial of their own test part.

    A trial is known again by its place in its recording and, where values were in memory, by its
    content, also after it was averaged, preprocessed by this package or cut out by hand. Cut out
    by hand *and* changed by hand it is not.

    Parameters
    ----------
    named : mapping of name to one Encoder a fold
    people : sequence of Responses
        Whole recordings, before preprocessing.
    folds : sequence of Split

    Raises
    ------
    LeakageError
        Naming encoder, subject and number of trials.
    """
    for one in people:
        told = one.provenance.with_content(one.values, one.subject)
        for fitted in named.values():
            for encoder, split in zip(fitted, folds, strict=True):
                learned: LearnedFrom | None = getattr(encoder, "learned_from_", None)
                if learned is None:
                    continue
                test = split.mask(one, "test")
                n_seen = int(np.sum(test & told.holds(learned.keys)))
                if n_seen:
                    raise LeakageError(
                        f"{type(encoder).__name__} learned from {n_seen} of the {int(test.sum())} "
                        f"test trials of subject '{one.subject}'. Test it on trials that it has "
                        f"not seen, or fit it again without them."
                    )


def knowledge_of(encoders: Sequence[Encoder], *, fitted_here: bool) -> Knowledge:
    """What is known of the trials that all of these encoders learned from.

    Examples
    --------
    >>> from neurodecode.encoders import Ridge
    >>> knowledge_of([Ridge()], fitted_here=False)
    'unknown'
    """
    told = all(getattr(one, "learned_from_", None) is not None for one in encoders)
    if told and (fitted_here or all(_notes_itself(one) for one in encoders)):
        return "known"
    return "given" if fitted_here else "unknown"


def _notes_itself(encoder: Encoder) -> bool:
    """Is what it learned from written down by this package, around `fit` and `adapt`?"""
    from neurodecode.encoders.core.base import BaseEncoder

    return is_ours(encoder) or isinstance(encoder, BaseEncoder)
