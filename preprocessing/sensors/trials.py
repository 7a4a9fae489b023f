"""From cleaned MEG or EEG and a table of events to one response a trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import mne
import numpy as np
import pandas as pd

from neurodecode.data import Responses
from neurodecode.datasets._montage import sensor_places
from neurodecode.datasets._tables import (
    check_names,
    check_samples,
    read_table,
    refuse_doubles,
    shown_ids,
)
from neurodecode.errors import CorruptFileError
from neurodecode.preprocessing.sensors.cleaning import name_of

STIMULUS_COLUMNS = ("stimulus", "trial_type")


@dataclass(frozen=True)
class Window:
    """The part of the signal around an event that makes a trial.

    Parameters
    ----------
    tmin_s, tmax_s : float
        Seconds from onset, both ends included.
    baseline_s : pair of float, optional
        The mean over this part is subtracted from each channel; None subtracts nothing.

    Examples
    --------
    >>> Window(-0.5, 1.0).n_times(120.0)
    181
    """

    tmin_s: float = -0.2
    tmax_s: float = 0.8
    baseline_s: tuple[float | None, float | None] | None = (None, 0.0)

    def n_times(self, sfreq: float) -> int:
        """Samples in the window at ``sfreq`` Hz, both ends included."""
        return round(self.tmax_s * sfreq) - round(self.tmin_s * sfreq) + 1


def read_events(source: Any) -> pd.DataFrame:
    """A table of events with columns ``onset`` (s) and ``stimulus``; from a path or a table.

    ``trial_type`` serves as stimulus where there is no column of that name.

    Raises
    ------
    CorruptFileError
        If a column is missing, an onset is not a number, an event has no stimulus or stands there
        twice.
    """
    given = isinstance(source, pd.DataFrame)
    table: pd.DataFrame = source if given else read_table(source, "a table of events")
    where = "The table of events" if given else str(source)
    named = [name for name in STIMULUS_COLUMNS if name in table.columns]
    if "onset" not in table.columns or not named:
        raise CorruptFileError(
            f"{where} needs the columns 'onset' (seconds) and 'stimulus' or 'trial_type'; it has "
            f"{', '.join(map(str, table.columns))}."
        )
    onset = np.asarray(pd.to_numeric(table["onset"], errors="coerce"), dtype=np.float64)
    if not np.isfinite(onset).all():
        raise CorruptFileError(
            f"{where} has {int((~np.isfinite(onset)).sum())} onsets that are not numbers."
        )
    stimulus = shown_ids(table[named[0]], named[0], where)
    refuse_doubles(onset, stimulus, np.zeros(len(onset)), where)
    check_samples(table, onset, where)
    check_names(table, stimulus, where)
    return table.assign(onset=onset, stimulus=stimulus)


def cut_trials(raw: mne.io.BaseRaw, events: pd.DataFrame, window: Window) -> mne.Epochs:
    """Epochs around the events, with the event table as metadata; events outside are refused.

    Raises
    ------
    ValueError
        If a window reaches outside the recording, naming the first such event.
    """
    if not len(events):
        raise ValueError(f"There are no events for {name_of(raw)}: its table has no row.")
    length_s = raw.times[-1]
    outside = (events["onset"] + window.tmin_s < -1e-9) | (
        events["onset"] + window.tmax_s > length_s + 1e-9
    )
    if outside.any():
        first = events[outside].iloc[0]
        raise ValueError(
            f"{int(outside.sum())} of {len(events)} trial windows ({window.tmin_s:g} to "
            f"{window.tmax_s:g} s) reach outside {name_of(raw)} of {length_s:.3f} s (first: "
            f"stimulus '{first['stimulus']}' at {first['onset']:.3f} s). Drop those events or "
            f"shorten the window."
        )
    sample = raw.first_samp + np.round(events["onset"].to_numpy() * raw.info["sfreq"]).astype(int)
    same = np.flatnonzero(np.diff(np.sort(sample)) == 0)
    if len(same):
        rows = np.flatnonzero(sample == np.sort(sample)[same[0]])[:2]
        raise ValueError(
            f"Rows {rows[0] + 1} and {rows[1] + 1} of the events of {name_of(raw)} start in the "
            f"same sample ({events['onset'].iloc[rows[0]]:.3f} s). A row was doubled, or an onset "
            f"changed; keep one of them."
        )
    codes = np.unique(events["stimulus"].to_numpy(dtype=str), return_inverse=True)[1] + 1
    return mne.Epochs(
        raw,
        np.column_stack([sample, np.zeros_like(sample), codes]),
        tmin=window.tmin_s,
        tmax=window.tmax_s,
        baseline=window.baseline_s,
        metadata=events.reset_index(drop=True),
        preload=True,
        picks="all",
        event_repeated="error",
        verbose="error",
    )


def from_epochs(
    epochs: mne.BaseEpochs,
    *,
    subject: str,
    modality: Literal["meg", "eeg"],
    stimulus: Sequence[str] | None = None,
) -> Responses:
    """`Responses` from any MNE epochs; their metadata become columns of the trial table.

    Parameters
    ----------
    epochs : mne.Epochs
    subject : str
    modality : {'meg', 'eeg'}
    stimulus : sequence of str, optional
        Stimulus of each epoch; default the metadata column ``stimulus``, else the event's name.

    Returns
    -------
    Responses
        Values (n_trials, n_channels, n_times), float32, in SI units (T, T/m or V).
    """
    names = {code: name for name, code in epochs.event_id.items()}
    table = (
        epochs.metadata if epochs.metadata is not None else pd.DataFrame(index=range(len(epochs)))
    )
    if stimulus is None:
        stimulus = (
            table["stimulus"].astype(str).tolist()
            if "stimulus" in table
            else [names[code] for code in epochs.events[:, 2]]
        )
    columns = {
        str(key): table[key].to_numpy()
        for key in table.columns
        if key not in ("stimulus", "run", "session")
    }
    return Responses(
        epochs.get_data(copy=False, verbose="error").astype(np.float32),
        np.asarray(stimulus),
        subject,
        modality,
        dims=("trial", "channel", "time"),
        run=table["run"].to_numpy() if "run" in table else None,
        session=table["session"].to_numpy() if "session" in table else None,
        sfreq=float(epochs.info["sfreq"]),
        times=epochs.times,
        positions=sensor_places(epochs.info),
        units=np.asarray(epochs.ch_names),
        metadata=columns,
    )
