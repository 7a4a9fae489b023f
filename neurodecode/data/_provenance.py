"""Where trials come from: recorded or simulated, which recording, which of its trials."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from neurodecode.data._arrays import ArrayLike, blocks

Source = Literal["recorded", "simulated", "unknown"]
SAMPLED = 1024  # values of a trial that its content key reads


@dataclass(frozen=True, eq=False)
class Provenance:
    """Where the rows of `Responses` come from; it stays the same whatever is done to the values.

    A row's *trial keys* say which trials of the recording it holds. They survive taking,
    averaging, preprocessing and storing, so that a test trial is known again wherever it went.

    Parameters
    ----------
    source : {'recorded', 'simulated', 'unknown'}
        ``'unknown'`` for arrays that nobody said more of.
    recording : str
        The recording's own name, which does not change with preprocessing, such as
        ``'haxby2001/sub-1'``.
    keys : uint64 array, shape (n_keys,), optional
        Trial keys; `Responses` makes them where they are not given.
    rows : int array, shape (n_keys,), optional
        The row that each key belongs to, in increasing order. A row may have several keys.
    n_rows : int

    Raises
    ------
    ValueError
        If the source has no such name.

    Examples
    --------
    >>> Provenance("recorded", "haxby2001/sub-1")
    Provenance(recorded, haxby2001/sub-1)
    >>> Provenance("simulated", "toy", np.array([7, 8, 9]), np.arange(3), 3).take([2, 2]).keys
    array([9, 9], dtype=uint64)
    """

    source: Source
    recording: str
    keys: NDArray[np.uint64] | None = None
    rows: NDArray[np.intp] | None = None
    n_rows: int = 0

    def __post_init__(self) -> None:
        if self.source not in get_args(Source):
            raise ValueError(
                f"source must be one of {', '.join(get_args(Source))}; got '{self.source}'."
            )
        if self.keys is not None:
            object.__setattr__(self, "keys", np.asarray(self.keys, dtype=np.uint64))
            object.__setattr__(self, "rows", np.asarray(self.rows, dtype=np.intp))

    def __repr__(self) -> str:
        return f"Provenance({self.source}, {self.recording})"

    def named(self) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
        """Trial keys and the row of each; empty where they were not made yet."""
        if self.keys is None or self.rows is None:
            return np.zeros(0, np.uint64), np.zeros(0, np.intp)
        return self.keys, self.rows

    def trial_names(self) -> NDArray[np.str_]:
        """A name for each row, of the (first) trial that it holds, shape (n_rows,).

        Examples
        --------
        >>> Provenance("recorded", "toy", np.array([7, 8, 8]), np.array([0, 0, 1]), 2).trial_names()
        array(['0000000000000007', '0000000000000008'], dtype='<U16')
        """
        keys, rows = self.named()
        first = np.searchsorted(rows, np.arange(self.n_rows))
        return np.array([f"{key:016x}" for key in keys[first]], dtype=np.str_)

    def take(self, index: NDArray[Any] | Sequence[int]) -> Provenance:
        """Of these rows, in this order."""
        wanted = np.asarray(index, dtype=np.intp)
        if self.keys is None:  # they are made when the trials are
            return self
        keys, rows = self.named()
        first = np.searchsorted(rows, wanted)
        count = np.searchsorted(rows, wanted, side="right") - first
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        place = np.repeat(first, count) + within
        new = np.repeat(np.arange(len(wanted)), count)
        return replace(self, keys=keys[place], rows=new, n_rows=len(wanted))

    def merge(self, group: NDArray[np.intp], n_groups: int) -> Provenance:
        """Of rows that are made of several: row i goes into row ``group[i]``."""
        keys, rows = self.named()
        into = group[rows]
        order = np.argsort(into, kind="stable")
        return replace(self, keys=keys[order], rows=into[order], n_rows=n_groups)

    def holds(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which rows hold one of these trials, shape (n_rows,)."""
        own, rows = self.named()
        found = np.zeros(self.n_rows, dtype=bool)
        found[rows[np.isin(own, keys)]] = True
        return found

    def with_content(self, values: ArrayLike, subject: str) -> Provenance:
        """With a further key for each row that says what stands in it now."""
        return self._with_keys(content_keys(values, subject))

    def _with_keys(self, content: NDArray[np.uint64]) -> Provenance:
        keys, rows = self.named()
        told = np.flatnonzero(content)
        both, all_rows = np.concatenate([keys, content[told]]), np.concatenate([rows, told])
        order = np.argsort(all_rows, kind="stable")
        return replace(self, keys=both[order], rows=all_rows[order], n_rows=len(content))

    @staticmethod
    def join(parts: Sequence[Provenance]) -> Provenance:
        """Of the rows of several, under one another; simulated if one of them is.

        Examples
        --------
        >>> Provenance.join([Provenance("recorded", "a"), Provenance("simulated", "b")])
        Provenance(simulated, a + b)
        """
        start = np.cumsum([0, *(one.n_rows for one in parts)])
        pairs = [one.named() for one in parts]
        return Provenance(
            common_source([one.source for one in parts]),
            " + ".join(dict.fromkeys(one.recording for one in parts)),
            np.concatenate([keys for keys, _ in pairs]),
            np.concatenate([rows + first for (_, rows), first in zip(pairs, start, strict=False)]),
            int(start[-1]),
        )


def common_source(sources: Sequence[Source]) -> Source:
    """Simulated if one is, else unknown if one is, else recorded.

    Examples
    --------
    >>> common_source(["recorded", "unknown"]), common_source(["simulated", "recorded"])
    ('unknown', 'simulated')
    """
    for one in ("simulated", "unknown", "recorded"):
        if one in sources:
            return one
    return "unknown"


def of_trials(
    given: Provenance | None,
    values: ArrayLike,
    subject: str,
    columns: Sequence[NDArray[np.str_] | None],
) -> Provenance:
    """The provenance of trials that are made for the first time.

    A trial has two keys: its place in the trial table of its recording, and, where the values are
    in memory, its content. The second finds a trial again that somebody cut out by hand.

    Parameters
    ----------
    given : Provenance, optional
        Source and name; without it the name is a hash of subject, trial table and values.
    values : array-like, shape (n_trials, ...)
    subject : str
    columns : sequence of array or None
        Session, run and stimulus of each trial.
    """
    place, content = _places(columns, values.shape[0]), content_keys(values, subject)
    if given is None:
        digest = hashlib.blake2b(repr((subject, tuple(values.shape))).encode(), digest_size=8)
        digest.update("\0".join(place).encode())
        digest.update(content.tobytes())
        given = Provenance("unknown", f"array-{digest.hexdigest()}/{subject}")
    keys = np.array([_key(given.recording, one) for one in place], dtype=np.uint64)
    named = replace(given, keys=keys, rows=np.arange(len(keys)), n_rows=len(keys))
    return named._with_keys(content)


def content_keys(values: ArrayLike, subject: str) -> NDArray[np.uint64]:
    """A key for each row that is of its own content, 0 for the others; all 0 for lazy values.

    Rows that are equal within a recording (such as zeros) say nothing about where they come from.
    Of long rows 1,024 values are read.

    Examples
    --------
    >>> (content_keys(np.array([[1.0, 2.0], [0.0, 0.0], [0.0, 0.0]]), "s") > 0).tolist()
    [True, False, False]
    """
    n_rows = int(values.shape[0])
    lazy = not isinstance(values, np.ndarray) or isinstance(values, np.memmap)
    if lazy or values.dtype.kind not in "fiub" or 0 in values.shape:
        return np.zeros(n_rows, dtype=np.uint64)
    keys = np.concatenate([_mix(block) for _, block in blocks(values)])
    keys ^= np.uint64(_key(subject))
    _, inverse, count = np.unique(keys, return_inverse=True, return_counts=True)
    return np.where(count[inverse] == 1, keys, np.uint64(0))


def _mix(block: NDArray[Any]) -> NDArray[np.uint64]:
    """Multiply-and-add over the bits of float32 values, modulo 2**64 (Knuth, section 6.4)."""
    flat = block.reshape(len(block), -1)
    step = -(-flat.shape[1] // SAMPLED)
    with np.errstate(over="ignore", invalid="ignore"):  # whatever stands there is read as bits
        some = np.ascontiguousarray(flat[:, ::step], dtype=np.float32) + np.float32(0)  # -0 is 0
    bits = some.view(np.uint32).astype(np.uint64)
    bits = (bits ^ (bits >> np.uint64(15))) * np.uint64(0x9E3779B97F4A7C15)
    bits ^= bits >> np.uint64(29)
    odd = np.random.default_rng(0).integers(2**63, size=bits.shape[1], dtype=np.uint64)
    return np.asarray((bits * (2 * odd + np.uint64(1))).sum(axis=1, dtype=np.uint64))


def _places(columns: Sequence[NDArray[np.str_] | None], n_trials: int) -> list[str]:
    """Session, run and stimulus of each trial, and how often these have stood before."""
    told = [one.tolist() for one in columns if one is not None]
    seen: Counter[tuple[str, ...]] = Counter()
    places = []
    for row in range(n_trials):
        names = tuple(one[row] for one in told)
        places.append("\0".join([*names, str(seen[names])]))
        seen[names] += 1
    return places


def _key(*words: str) -> int:
    digest = hashlib.blake2b("\0".join(words).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")
