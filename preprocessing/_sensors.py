"""From continuous MEG or EEG to one response a trial, on MNE; shared by `meg` and `eeg`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import mne
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neurodecode.data import Recording, Responses, listing
from neurodecode.errors import CorruptFileError

logger = logging.getLogger("neurodecode")

STIMULUS_COLUMNS = ("stimulus", "trial_type")


@dataclass(frozen=True)
class Cleaning:
    """What is done to the continuous signal, in this order.

    Parameters
    ----------
    picks : str or sequence of str
        Channel types or names, as MNE names them.
    line_hz : float, optional
        Mains frequency; it and its harmonics below the Nyquist frequency are taken out.
    band_hz : pair of float or None
        Pass band in Hz; None on a side leaves that side open.
    resample_hz : float, optional
        New sampling rate.
    reference : {'average'} or None
        EEG reference.
    bad_channels : sequence of str
        Dropped, besides those that the recording marks as bad.
    causal : bool
        Filter with minimum phase, so that no sample depends on a later one.

    Examples
    --------
    >>> Cleaning(picks="eeg", band_hz=(0.5, 40.0)).causal
    False
    """

    picks: str | Sequence[str] = "data"
    line_hz: float | None = None
    band_hz: tuple[float | None, float | None] = (None, None)
    resample_hz: float | None = None
    reference: Literal["average"] | None = None
    bad_channels: Sequence[str] = ()
    causal: bool = False


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


def read_raw(source: Any) -> mne.io.BaseRaw:
    """Open a raw file of any vendor that MNE reads, or pass an `mne.io.Raw` through.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CorruptFileError
        If the file is truncated or of no format that MNE knows.
    """
    if isinstance(source, mne.io.BaseRaw):
        return source
    path = Path(source)
    if not path.exists():
        raise FileNotFoundError(f"There is no recording {path}.")
    try:
        raw = mne.io.read_raw(path, preload=False, verbose="error")
        raw[:, raw.n_times - 1]
    except Exception as error:
        raise CorruptFileError(
            f"{path} can't be read as a raw recording ({type(error).__name__}: {error}). "
            f"The file is truncated, or of a format that MNE does not read."
        ) from error
    return raw


def clean(raw: mne.io.BaseRaw, cleaning: Cleaning) -> mne.io.BaseRaw:
    """Choose channels, drop bad ones, re-reference, filter and resample; the input is not changed.

    Raises
    ------
    ValueError
        If no channel is left, a named channel is missing, or the band does not fit the sampling
        rate.
    """
    _check_band(raw, cleaning)
    unknown = sorted(set(cleaning.bad_channels) - set(raw.ch_names))
    if unknown:
        raise ValueError(
            f"Bad channels {listing(unknown)} are not among the {len(raw.ch_names)} channels."
        )
    kept = raw.copy()
    kept.info["bads"] = sorted({*kept.info["bads"], *cleaning.bad_channels})
    try:
        kept.pick(cleaning.picks, exclude="bads", verbose="error")
    except ValueError as error:
        raise ValueError(
            f"picks={cleaning.picks!r} leaves no channel of {len(raw.ch_names)} "
            f"(types: {', '.join(sorted(set(raw.get_channel_types())))}): {error}"
        ) from error
    kept.load_data(verbose="error")
    kept.drop_channels(_dead_channels(kept))
    if cleaning.reference == "average":
        kept.set_eeg_reference("average", verbose="error")
    return _filtered(kept, cleaning)


def _check_band(raw: mne.io.BaseRaw, cleaning: Cleaning) -> None:
    nyquist = (cleaning.resample_hz or raw.info["sfreq"]) / 2
    low, high = cleaning.band_hz
    if high is not None and high >= min(nyquist, raw.info["sfreq"] / 2):
        raise ValueError(
            f"A pass band up to {high:g} Hz needs a sampling rate over {2 * high:g} Hz; the "
            f"signal has {raw.info['sfreq']:g} Hz"
            + (f", resampled to {cleaning.resample_hz:g} Hz." if cleaning.resample_hz else ".")
        )
    if low is not None and high is not None and low >= high:
        raise ValueError(f"A pass band from {low:g} to {high:g} Hz is empty.")


def _dead_channels(raw: mne.io.BaseRaw) -> list[str]:
    """Flat channels and those with no finite value, with a warning; they carry nothing."""
    values = raw.get_data()
    finite = np.isfinite(values)
    lost = ~finite.any(axis=1)
    flat = np.zeros(len(values), dtype=bool)
    flat[~lost] = np.ptp(np.where(finite, values, np.nan)[~lost], axis=1) == 0
    if (lost | flat).all():
        raise ValueError(f"All {len(values)} channels are flat or hold no finite value.")
    some_lost = ~lost & ~finite.all(axis=1)
    if some_lost.any():
        names = np.array(raw.ch_names)[some_lost]
        raise ValueError(
            f"{len(names)} channels hold values that are not finite ({listing(names)}). Mark them "
            f"with bad_channels=, or annotate and cut those segments."
        )
    dropped = [name for name, dead in zip(raw.ch_names, lost | flat, strict=True) if dead]
    if dropped:
        logger.warning(
            "Dropped %d of %d channels that are flat or not finite (%s).",
            len(dropped),
            len(values),
            listing(dropped),
        )
    return dropped


def _filtered(raw: mne.io.BaseRaw, cleaning: Cleaning) -> mne.io.BaseRaw:
    phase = "minimum" if cleaning.causal else "zero"
    if cleaning.line_hz is not None:
        comb = np.arange(cleaning.line_hz, raw.info["sfreq"] / 2 - 1, cleaning.line_hz)
        if len(comb):
            raw.notch_filter(comb, phase=phase, picks="all", verbose="error")
    if cleaning.band_hz != (None, None):
        raw.filter(*cleaning.band_hz, phase=phase, picks="all", verbose="error")
    if cleaning.resample_hz is not None and cleaning.resample_hz != raw.info["sfreq"]:
        raw.resample(cleaning.resample_hz, verbose="error")
    return raw


def read_events(source: Any) -> pd.DataFrame:
    """A table of events with columns ``onset`` (s) and ``stimulus``; from a path or a table.

    ``trial_type`` serves as stimulus where there is no column of that name.

    Raises
    ------
    ValueError
        If a column is missing or an onset is not a number.
    """
    table = source if isinstance(source, pd.DataFrame) else pd.read_csv(source, sep="\t")
    where = "The table of events" if isinstance(source, pd.DataFrame) else str(source)
    named = [name for name in STIMULUS_COLUMNS if name in table.columns]
    if "onset" not in table.columns or not named:
        raise ValueError(
            f"{where} needs the columns 'onset' (seconds) and 'stimulus' or 'trial_type'; it has "
            f"{', '.join(map(str, table.columns))}."
        )
    onset = pd.to_numeric(table["onset"], errors="coerce")
    if not np.isfinite(onset).all():
        raise ValueError(
            f"{where} has {int((~np.isfinite(onset)).sum())} onsets that are not numbers."
        )
    return table.assign(onset=onset.astype(float), stimulus=table[named[0]].astype(str))


def cut_trials(raw: mne.io.BaseRaw, events: pd.DataFrame, window: Window) -> mne.Epochs:
    """Epochs around the events, with the event table as metadata; events outside are refused.

    Raises
    ------
    ValueError
        If a window reaches outside the recording, naming the first such event.
    """
    length_s = raw.times[-1]
    outside = (events["onset"] + window.tmin_s < -1e-9) | (
        events["onset"] + window.tmax_s > length_s + 1e-9
    )
    if outside.any():
        first = events[outside].iloc[0]
        raise ValueError(
            f"{int(outside.sum())} of {len(events)} trial windows ({window.tmin_s:g} to "
            f"{window.tmax_s:g} s) reach outside the recording of {length_s:.3f} s (first: "
            f"stimulus '{first['stimulus']}' at {first['onset']:.3f} s). Drop those events or "
            f"shorten the window."
        )
    sample = raw.first_samp + np.round(events["onset"].to_numpy() * raw.info["sfreq"]).astype(int)
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
        positions=sensor_positions(epochs.info),
        units=np.asarray(epochs.ch_names),
        metadata=columns,
    )


def sensor_positions(info: mne.Info) -> NDArray[np.float64] | None:
    """Where the sensors are in mm, head coordinates (RAS); None if any is unknown."""
    places = np.array([channel["loc"][:3] for channel in info["chs"]]) * 1e3
    known = np.isfinite(places).all(axis=1) & (np.abs(places).sum(axis=1) > 0)
    if not known.all():
        names = np.array(info["ch_names"])[~known]
        logger.warning(
            "%d of %d sensors have no position (%s); positions are left out.",
            len(names),
            len(places),
            listing(names),
        )
        return None
    return places


def recording_to_responses(recording: Recording, cleaning: Cleaning, window: Window) -> Responses:
    """Clean every run, cut its trials, join them on the channels that all runs have.

    Raises
    ------
    ValueError
        If the runs have no channel in common, or sampling rates that differ.
    """
    parts = []
    for i, file in enumerate(recording.files):
        raw = clean(read_raw(file), cleaning)
        events = read_events(recording.events[i]).assign(run=recording.runs[i])
        if recording.sessions is not None:
            events = events.assign(session=recording.sessions[i])
        modality: Literal["meg", "eeg"] = "meg" if recording.modality == "meg" else "eeg"
        epochs = cut_trials(raw, events, window)
        parts.append(from_epochs(epochs, subject=recording.subject, modality=modality))
    return join_runs(parts)


def join_runs(parts: Sequence[Responses]) -> Responses:
    """Runs of one person as one recording, on the channels that all of them have."""
    shared = [name for name in _units(parts[0]) if all(name in _units(part) for part in parts[1:])]
    rates = sorted({part.sfreq for part in parts if part.sfreq is not None})
    if len(rates) > 1:
        raise ValueError(
            f"Runs of subject '{parts[0].subject}' have sampling rates {rates} Hz. Give one "
            f"resample_hz for all."
        )
    if not shared:
        raise ValueError(f"Runs of subject '{parts[0].subject}' have no channel in common.")
    lost = {name for part in parts for name in _units(part)} - set(shared)
    if lost:
        logger.warning(
            "Left out %d channels that not all runs have (%s).", len(lost), listing(sorted(lost))
        )
    rows = [[_units(part).index(name) for name in shared] for part in parts]
    first = parts[0]
    keys = [key for key in first.metadata if all(key in part.metadata for part in parts)]
    return replace(
        first,
        values=np.concatenate(
            [part.array()[:, row] for part, row in zip(parts, rows, strict=True)]
        ),
        stimulus=np.concatenate([part.stimulus for part in parts]),
        run=_joined(parts, "run"),
        session=_joined(parts, "session"),
        units=np.array(shared),
        positions=None if first.positions is None else first.positions[rows[0]],
        metadata={key: np.concatenate([part.metadata[key] for part in parts]) for key in keys},
    )


def _units(part: Responses) -> list[str]:
    return [] if part.units is None else part.units.tolist()


def _joined(parts: Sequence[Responses], name: str) -> NDArray[Any] | None:
    columns = [getattr(part, name) for part in parts]
    return None if any(column is None for column in columns) else np.concatenate(columns)
