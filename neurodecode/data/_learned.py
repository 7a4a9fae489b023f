"""Which trials an encoder learned from, so that none of them is tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data._provenance import Source, common_source
from neurodecode.data._responses import Responses
from neurodecode.data._split import Split


@dataclass(frozen=True, eq=False)
class LearnedFrom:
    """Recordings and trial keys that a fit saw.

    Parameters
    ----------
    recordings : mapping of str to {'recorded', 'simulated', 'unknown'}
        Source of each recording, by name.
    keys : uint64 array, shape (n_keys,)
        Sorted trial keys (see `Provenance`).

    Examples
    --------
    >>> trials = Responses(np.eye(4), list("abcd"), "sub-01", "fmri")
    >>> learned = LearnedFrom.of([trials.take([0, 1])])
    >>> learned.holds(trials).tolist()
    [True, True, False, False]
    """

    recordings: Mapping[str, Source] = field(default_factory=dict)
    keys: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))

    @classmethod
    def of(cls, people: Sequence[Responses], split: Split | None = None) -> LearnedFrom:
        """Of these trials, or of the training and validation part of them.

        Their keys, and where they are in memory what stands in them now.
        """
        seen = []
        for one in people:
            told = one.provenance.with_content(one.values, one.subject)
            if split is not None:
                known = split.mask(one, "train") | split.mask(one, "validation")
                told = told.take(np.flatnonzero(known))
            seen.append(told)
        keys = [np.zeros(0, np.uint64), *(one.named()[0] for one in seen)]
        sources = {one.recording: one.source for one in seen if one.n_rows}
        return cls(sources, np.unique(np.concatenate(keys)))

    def __or__(self, other: LearnedFrom) -> LearnedFrom:
        return LearnedFrom(
            {**self.recordings, **other.recordings}, np.union1d(self.keys, other.keys)
        )

    @property
    def source(self) -> Source:
        """Simulated if one recording is, else unknown if one is, else recorded."""
        return common_source(list(self.recordings.values()))

    def holds(self, responses: Responses) -> NDArray[np.bool_]:
        """Which trials were learned from, shape (n_trials,); of averages, if a part was.

        A trial that was cut out by hand and then changed (scaled, averaged, filtered outside this
        package) is not known again.
        """
        own = responses.provenance.with_content(responses.values, responses.subject)
        return own.holds(self.keys)

    def as_json(self) -> dict[str, Any]:
        """What the configuration of a saved model says; the keys are saved beside it."""
        return {"source": self.source, "recordings": dict(self.recordings)}
