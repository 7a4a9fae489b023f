"""What all layouts of NSD share: ids, test sets, repeats and the rule that splits them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Responses, Split, Stimuli, as_ids, listing
from neurodecode.datasets.nsd._lazy import MeanRows
from neurodecode.errors import CorruptFileError

Repeats = Literal["kept", "averaged"]
TestSet = Literal["new", "old"]
TEST_SESSIONS: dict[str, int] = {"new": 40, "old": 37}
PARTS = ("train", "validation", "test")
N_PICTURES = 73000


class NsdLayout(Protocol):
    """One interface for every layout in which NSD is passed around."""

    def subjects(self) -> list[int]:
        """Numbers of the people that are there."""

    def responses(self, subject: int, *, repeats: Repeats = "kept") -> Responses:
        """One person's trials (``'kept'``) or the mean of each picture's (``'averaged'``)."""

    def stimuli(self) -> Stimuli:
        """The pictures, with captions where the layout has them."""


def stimulus_id(number: Any) -> str:
    """The id of a picture by its 0-based number among the 73000, the same in every layout.

    Raises
    ------
    CorruptFileError
        If NSD has no picture of that number: what was read is damaged.

    Examples
    --------
    >>> stimulus_id(2950)
    'nsd-02950'
    """
    whole = int(number)
    if not 0 <= whole < N_PICTURES or whole != number:
        raise CorruptFileError(
            f"Picture {number} is none of NSD's, which are numbered 0 to {N_PICTURES - 1}."
        )
    return f"nsd-{whole:05d}"


def subject_name(subject: int) -> str:
    """
    Examples
    --------
    >>> subject_name(1)
    'subj01'
    """
    return f"subj{int(subject):02d}"


def average_lazily(responses: Responses) -> Responses:
    """The mean over the trials of each stimulus, read when asked for.

    Trials of different parts are never averaged: a stimulus stands in one part only.
    """
    ids, first, inverse = np.unique(responses.stimulus, return_index=True, return_inverse=True)
    order = np.argsort(first)
    by_row = np.argsort(inverse, kind="stable")
    groups = np.split(by_row, np.cumsum(np.bincount(inverse))[:-1])
    groups = [groups[one] for one in order]
    kept = {
        key: responses.metadata[key][first[order]]
        for key in ("part", "shared1000")
        if key in responses.metadata
    }
    return Responses(
        MeanRows(responses.values, groups),
        ids[order],
        responses.subject,
        "fmri",
        positions=responses.positions,
        units=responses.units,
        metadata=kept | {"n_repeats": np.array([len(one) for one in groups])},
        provenance=responses.provenance.merge(np.argsort(order)[inverse], len(ids)),
    )


def with_repeats(responses: Responses, repeats: Repeats) -> Responses:
    """The trials as they are, or averaged.

    Raises
    ------
    ValueError
        If ``repeats`` is neither.
    """
    if repeats == "kept":
        return responses
    if repeats == "averaged":
        return average_lazily(responses)
    raise ValueError(
        f"repeats must be 'kept' or 'averaged'; got '{repeats}'. To average after the model, keep "
        f"them and call average_repeats() on what it predicts."
    )


def official_split(
    people: Responses | Sequence[Responses], *, n_validation: int = 300, seed: int = 0
) -> Split:
    """The shared pictures for test, a few others drawn for validation, the rest for training.

    Where the layout says a part for each trial (``metadata['part']``), that is the split; else the
    test part is every shared picture seen in the sessions that were read: 982 pictures with
    ``test_set='old'`` (37 sessions), 1000 with ``'new'`` (40).

    Parameters
    ----------
    people : Responses or sequence of Responses
    n_validation : int
        Pictures drawn for validation, where the layout names none.
    seed : int

    Raises
    ------
    ValueError
        If the trials say neither a part nor whether they are shared.
    """
    everybody = [people] if isinstance(people, Responses) else list(people)
    seen: dict[str, set[str]] = {part: set() for part in PARTS}
    for one in everybody:
        for part in PARTS:
            seen[part].update(one.stimulus[_part(one) == part].tolist())
    seen["train"] -= seen["validation"] | seen["test"]
    rule = "NSD: shared pictures for test"
    if not seen["validation"]:
        rest = np.array(sorted(seen["train"]))
        n_drawn = min(n_validation, len(rest) // 10)
        drawn = np.random.default_rng(seed).permutation(rest)[:n_drawn].tolist()
        seen["validation"], seen["train"] = set(drawn), seen["train"] - set(drawn)
        rule += f", {n_drawn} others drawn for validation, seed {seed}"
    train, validation, test = (as_ids(part, sorted(seen[part])) for part in PARTS)
    return Split(train, validation, test, rule=rule)


def captioned(stimuli: Stimuli, *, missing: Literal["refuse", "drop"] = "refuse") -> Stimuli:
    """The stimuli that have a caption, which a text head needs.

    Raises
    ------
    ValueError
        Naming those without, unless they are to be dropped.
    """
    without = [one for one in stimuli.ids.tolist() if not stimuli.captions.get(one)]
    if without and missing == "refuse":
        raise ValueError(
            f"{len(without)} of {len(stimuli)} stimuli have no caption ({listing(without)}). Drop "
            f"them with captioned(stimuli, missing='drop'), or fit without a text head."
        )
    absent = set(without)
    return stimuli.select([one for one in stimuli.ids.tolist() if one not in absent])


def _part(responses: Responses) -> NDArray[np.str_]:
    if "part" in responses.metadata:
        return np.asarray(responses.metadata["part"]).astype(np.str_)
    if "shared1000" in responses.metadata:
        return np.where(responses.metadata["shared1000"].astype(bool), "test", "train")
    raise ValueError(
        f"Responses of subject '{responses.subject}' say neither 'part' nor 'shared1000' of a "
        f"trial. Read them with neurodecode.datasets.nsd."
    )


def numbers_found(names: Iterable[str], prefix: str) -> list[int]:
    """Numbers at the end of names that start with a prefix, in order.

    Examples
    --------
    >>> numbers_found(["subj02", "subj01", "notes"], "subj")
    [1, 2]
    """
    tails = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
    return sorted(int(tail) for tail in tails if tail.isdigit())
