"""Checks shared by everything that travels: one clear sentence, before slow work starts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_ids(
    name: str, ids: Iterable[Any], n_rows: int | None = None, *, blank: bool = False
) -> NDArray[np.str_]:
    """Ids as a read-only one-dimensional array of strings, one per row.

    Parameters
    ----------
    name : str
        What they identify, for messages.
    ids : sequence
    n_rows : int, optional
        How many there must be.
    blank : bool
        Admit empty text, as in a column of labels that not every trial has.

    Raises
    ------
    ValueError
        If their number is wrong, or one is missing: None, not-a-number or empty text.

    Examples
    --------
    >>> as_ids("stimulus", [3, "coco_7"])
    array(['3', 'coco_7'], dtype='<U6')
    """
    plain = list(ids)
    values = np.array([str(one) for one in plain], dtype=np.str_)
    absent = [row for row, one in enumerate(plain) if _is_missing(one, blank)]
    if absent:
        raise ValueError(
            f"{len(absent)} of {len(values)} {name} ids are missing (first: row {absent[0]}, "
            f"{str(plain[absent[0]])!r}). Give every row an id, or leave those rows out."
        )
    if n_rows is not None and len(values) != n_rows:
        raise ValueError(
            f"{name} names {len(values)} rows but the values have {n_rows}. "
            f"Give one {name} id for each row."
        )
    values.setflags(write=False)
    return values


_MISSING = frozenset({"nan", "None", "NaT", "<NA>"})


def _is_missing(value: Any, blank: bool) -> bool:
    """None, NaN, NaT, NA and blank text; 'nan' too, which is what ``astype(str)`` makes of NaN."""
    if isinstance(value, str):
        return value == "nan" or not (blank or value.strip())
    return str(value) in _MISSING


def listing(ids: Iterable[Any], limit: int = 5) -> str:
    """A few ids in quotes, with the number of those left out.

    Examples
    --------
    >>> listing(["a", "b", "c"], limit=2)
    "'a', 'b' and 1 more"
    """
    plain = list(ids)
    shown = ", ".join(f"'{one}'" for one in plain[:limit])
    return shown if len(plain) <= limit else f"{shown} and {len(plain) - limit} more"


def find_rows(
    have: NDArray[np.str_], wanted: Sequence[Any] | NDArray[Any], *, what: str
) -> NDArray[np.intp]:
    """The row of each wanted id; every id must be there exactly once.

    Raises
    ------
    ValueError
        If a wanted id is missing, or if ``have`` names an id twice.

    Examples
    --------
    >>> find_rows(np.array(["a", "b"]), ["b", "b", "a"], what="embeddings")
    array([1, 1, 0])
    """
    ids = as_ids("stimulus", wanted)
    order = np.argsort(have, kind="stable")
    ordered = have[order]
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if len(repeated):
        raise ValueError(
            f"Rows of these {what} can't be found by stimulus id: {len(repeated)} ids stand in "
            f"several rows ({listing(repeated)}). Average the repeats first."
        )
    place = np.searchsorted(ordered, ids)
    found = np.zeros(len(ids), dtype=bool)
    inside = place < len(ordered)
    found[inside] = ordered[place[inside]] == ids[inside]
    if not found.all():
        missing = list(dict.fromkeys(ids[~found].tolist()))
        raise ValueError(
            f"{len(missing)} of {len(set(ids.tolist()))} stimulus ids are not among the "
            f"{len(have)} {what} ({listing(missing)}). Drop them with .select(), or add them."
        )
    return np.asarray(order[place], dtype=np.intp)
