"""What is done to continuous MEG or EEG before trials are cut: channels, artefacts, filters."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import mne
import numpy as np

from neurodecode.data import listing
from neurodecode.datasets._recordings import check_recording, check_sidecar
from neurodecode.errors import CorruptFileError
from neurodecode.preprocessing.sensors.artefacts import Artefacts, without_artefacts

logger = logging.getLogger("neurodecode")


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
    artefacts : Artefacts, optional
        Take blinks, heartbeats and muscles out of EEG; needs mne-icalabel.
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
    artefacts: Artefacts | None = None
    causal: bool = False


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
    check_recording(path)
    try:
        raw = mne.io.read_raw(path, preload=False, verbose="error")
        raw[:, raw.n_times - 1]
    except Exception as error:
        raise CorruptFileError(
            f"{path} can't be read as a raw recording ({type(error).__name__}: {error}). "
            f"The file is truncated, or of a format that MNE does not read."
        ) from error
    for part in raw.filenames[1:]:  # a long FIF recording goes on in further files
        check_recording(part)
    check_sidecar(path, float(raw.info["sfreq"]), int(raw.n_times))
    return raw


def name_of(raw: mne.io.BaseRaw) -> str:
    """The file of a recording, for messages."""
    files = [str(one) for one in raw.filenames if one is not None]
    return files[0] if files else "the recording"


def clean(raw: mne.io.BaseRaw, cleaning: Cleaning) -> mne.io.BaseRaw:
    """Choose channels, drop bad ones, re-reference, filter and resample; the input is not changed.

    Raises
    ------
    ValueError
        If no channel is left, a named channel is missing, the band does not fit the sampling
        rate, or artefacts are to be taken out of a causal signal (components know the whole run).
    """
    _check_band(raw, cleaning)
    if cleaning.causal and cleaning.artefacts is not None:
        raise ValueError(
            "Independent components are fitted to the whole run, which a causal signal must not "
            "know. Leave artefacts out, or causal."
        )
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
    if cleaning.artefacts is not None:
        kept = without_artefacts(kept, cleaning.artefacts)
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
        raise ValueError(
            f"All {len(values)} channels of {name_of(raw)} are flat or hold no finite value."
        )
    some_lost = ~lost & ~finite.all(axis=1)
    if some_lost.any():
        names = np.array(raw.ch_names)[some_lost]
        raise ValueError(
            f"{len(names)} channels of {name_of(raw)} hold values that are not finite "
            f"({listing(names)}). Mark them with bad_channels=, or annotate and cut those segments."
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
