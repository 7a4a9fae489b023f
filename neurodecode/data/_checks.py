"""Checks shared by everything that travels: one clear sentence, before slow work starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    TypeError
        If they are no sequence of texts or numbers. Bytes are read as UTF-8.

    Examples
    --------
    >>> as_ids("stimulus", [3, "coco_7"])
    array(['3', 'coco_7'], dtype='<U6')
    """
    plain = _listed(name, ids)
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


def _listed(name: str, ids: Iterable[Any]) -> list[Any]:
    if isinstance(ids, str | bytes) or not isinstance(ids, Iterable):
        raise TypeError(
            f"{name} must be a sequence of ids, one a row; got {type(ids).__name__} {ids!r}. Put "
            f"it into a list."
        )
    plain = [one.decode() if isinstance(one, bytes) else one for one in ids]
    for row, one in enumerate(plain):
        if isinstance(one, Sequence | Mapping | set) and not isinstance(one, str):
            raise TypeError(_no_id(name, row, one))
        if getattr(one, "ndim", 0):
            raise TypeError(_no_id(name, row, one))
    return plain


def _no_id(name: str, row: int, one: Any) -> str:
    return (
        f"{name} ids must be texts or numbers; row {row} is a {type(one).__name__}. Give one id "
        f"for each row."
    )


_MISSING = frozenset({"nan", "None", "NaT", "<NA>"})


def _is_missing(value: Any, blank: bool) -> bool:
    """None, NaN, NaT, NA and blank text; 'nan' too, which is what ``astype(str)`` makes of NaN."""
    if isinstance(value, str):
        return value == "nan" or not (blank or value.strip())
    return str(value) in _MISSING


REMEDIES = {
    "Responses": "Make them of an array: Responses(values, stimulus, subject, modality).",
    "Embeddings": "Make them of an array: Embeddings(values, stimulus, space).",
    "Stimuli": "Make them with Stimuli.from_arrays(), from_files() or from_texts().",
    "Split": "Make one with Split(train, validation, test) or by a splitter's split().",
}


def expect(value: Any, kind: type, who: str) -> None:
    """Refuse what is of another kind, and say how to make one of this kind.

    Parameters
    ----------
    value : object
    kind : type
    who : str
        Who asks for it, such as ``'Ridge.fit()'``.

    Raises
    ------
    TypeError
        Naming the kind that was given.

    Examples
    --------
    >>> expect(np.zeros(3), dict, "toy()")
    Traceback (most recent call last):
    TypeError: toy() takes dict; got ndarray.
    """
    if not isinstance(value, kind):
        remedy = REMEDIES.get(kind.__name__, "")
        raise TypeError(
            f"{who} takes {kind.__name__}; got {type(value).__name__}. {remedy}".strip()
        )


def whole(name: str, number: Any, at_least: int = 1) -> int:
    """A whole number that is large enough.

    Raises
    ------
    ValueError
        Naming it and what was given.

    Examples
    --------
    >>> whole("n_samples", 2.5)
    Traceback (most recent call last):
    ValueError: n_samples must be a whole number of at least 1; got 2.5.
    """
    fits = isinstance(number, int | np.integer) and not isinstance(number, bool)
    if not fits or number < at_least:
        raise ValueError(f"{name} must be a whole number of at least {at_least}; got {number!r}.")
    return int(number)


def as_index(index: Any, n_rows: int, what: str) -> NDArray[np.intp]:
    """Rows that are there, from places (negative ones from the end) or a mask.

    Raises
    ------
    TypeError
        If they are neither whole numbers nor a mask.
    ValueError
        If the mask has another length.
    IndexError
        If a row is not there.

    Examples
    --------
    >>> as_index([True, False, True], 3, "trials").tolist(), as_index([-1, 0], 3, "trials").tolist()
    ([0, 2], [2, 0])
    """
    rows = np.asarray(index)
    if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "biu"):
        raise TypeError(
            f"{what} are chosen by whole numbers or by a mask, in one dimension; got {rows.dtype} "
            f"of shape {rows.shape}. Ids are chosen by select()."
        )
    if rows.dtype == bool:
        if len(rows) != n_rows:
            raise ValueError(
                f"A mask of {len(rows)} {what} does not go with {n_rows}. Make it of the same "
                f"{what} that it is to choose from."
            )
        return np.flatnonzero(rows)
    places = rows.astype(np.intp)
    absent = (places < -n_rows) | (places >= n_rows)
    if absent.any():
        raise IndexError(
            f"There is no row {places[absent][0]}: there are {n_rows} {what}, counted from 0."
        )
    return np.where(places < 0, places + n_rows, places)


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
