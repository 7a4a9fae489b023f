"""What happened in a run: tables of events, checked against the scan."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.datasets._tables import (
    check_names,
    check_samples,
    read_table,
    refuse_doubles,
    shown_ids,
)
from neurodecode.errors import CorruptFileError

ROUNDING_S = 1e-3


@dataclass(frozen=True, eq=False)
class Events:
    """The events of a run.

    Parameters
    ----------
    onset, duration : float array, shape (n_events,)
        In seconds from the start of the run's first volume.
    stimulus : str array, shape (n_events,)
        What was shown: the table's column ``stimulus``, or else ``trial_type``.
    columns : mapping
        All other columns of the table.
    """

    onset: NDArray[np.float64]
    duration: NDArray[np.float64]
    stimulus: NDArray[np.str_]
    columns: dict[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.onset)

    def order(self) -> NDArray[np.intp]:
        """Events by time of onset."""
        return np.argsort(self.onset, kind="stable")


def read_events(table: Any, *, stimulus: str | None, where: str) -> Events:
    """A table of events, or the file of one.

    Parameters
    ----------
    table : DataFrame or path of a ``.tsv`` or ``.csv``
    stimulus : str, optional
        Column with the stimulus ids.
    where : str
        The run, for messages.

    Raises
    ------
    CorruptFileError
        If the file is no table, a column is missing, an onset or duration is no number, an event
        has no stimulus or stands there twice.
    """
    frame, name = _frame(table, where)
    column = stimulus or ("stimulus" if "stimulus" in frame.columns else "trial_type")
    missing = [one for one in ("onset", "duration", column) if one not in frame.columns]
    if missing:
        raise CorruptFileError(
            f"The events of {name} have no column {missing}; they have "
            f"{[str(one) for one in frame.columns]}."
        )
    onset, duration = (_numbers(frame[one], one, name) for one in ("onset", "duration"))
    if (duration < 0).any():
        raise CorruptFileError(
            f"The events of {name} have a negative duration ({duration.min():g} s)."
        )
    shown = shown_ids(frame[column], column, name)
    refuse_doubles(onset, shown, duration, name)
    check_samples(frame, onset, name)
    check_names(frame, shown, name)
    rest = {
        str(one): frame[one].to_numpy()
        for one in frame.columns
        if one not in ("onset", "duration", column)
    }
    return Events(onset, duration, shown, rest)


def check_inside(events: Events, n_volumes: int, tr_s: float, where: str) -> None:
    """Refuse events that start before the scan or last beyond its end.

    Raises
    ------
    CorruptFileError
        Naming the run, the first such event and the length of the scan.
    """
    end_s = n_volumes * tr_s
    stop = events.onset + events.duration
    outside = (events.onset < -ROUNDING_S) | (stop > end_s + ROUNDING_S)
    outside |= events.onset >= end_s
    if outside.any():
        first = int(np.flatnonzero(outside)[0])
        raise CorruptFileError(
            f"{int(outside.sum())} of {len(events)} events lie outside the scan of {where}, which "
            f"lasts {end_s:g} s ({n_volumes} volumes of {tr_s:g} s): '{events.stimulus[first]}' "
            f"from {events.onset[first]:g} to {stop[first]:g} s. Check the unit of the onsets "
            f"(seconds) and that the events belong to this run."
        )


def _frame(table: Any, where: str) -> tuple[Any, str]:
    import pandas

    if not isinstance(table, str | Path):
        return pandas.DataFrame(table), where
    path = Path(table)
    if not path.exists():
        raise FileNotFoundError(f"There is no table of events at {path} ({where}).")
    return read_table(path, "a table of events"), str(path)


def _numbers(column: Any, what: str, name: str) -> NDArray[np.float64]:
    import pandas

    values = np.asarray(pandas.to_numeric(column, errors="coerce"), dtype=np.float64)
    wrong = ~np.isfinite(values)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise CorruptFileError(
            f"{int(wrong.sum())} events of {name} have no number as {what} (first: row "
            f"{first + 1}, '{column.iloc[first]}')."
        )
    return values
