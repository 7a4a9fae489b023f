"""The causal twin of `neurodecode.preprocessing`: what is done to a signal as it arrives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from neurodecode.data import Responses
from neurodecode.preprocessing.meg import Window, from_epochs
from neurodecode.streaming._steps import (
    Chain,
    Decimator,
    Linear,
    RunningScale,
    Step,
    band_pass,
    notch,
)

CHUNK_S = 10.0


@dataclass(frozen=True)
class CausalCleaning:
    """What is done to the arriving signal, in this order; each step looks at the past alone.

    Parameters
    ----------
    channels : tuple of str
        Names, in the order that the decoder knows; empty takes all data channels.
    line_hz : float, optional
        Mains frequency, taken out with its harmonics below the new Nyquist frequency.
    band_hz : pair of float or None
        Pass band in Hz. A lower edge is needed: there is no baseline before an event that could
        be subtracted.
    resample_hz : float, optional
        New sampling rate; the old one must be a whole multiple.
    reference : {'average'} or None
    time_constant_s : float
        Of the running scale.
    clip : float or None

    Examples
    --------
    >>> CausalCleaning(resample_hz=120.0).chain(1200.0, 4).push(np.zeros((4, 600))).shape
    (4, 60)
    """

    channels: tuple[str, ...] = ()
    line_hz: float | None = None
    band_hz: tuple[float | None, float | None] = (0.5, 40.0)
    resample_hz: float | None = None
    reference: Literal["average"] | None = None
    time_constant_s: float = 10.0
    clip: float | None = 5.0

    def new_sfreq(self, sfreq: float) -> float:
        """Samples a second that come out."""
        return sfreq / self._factor(sfreq)

    def chain(self, sfreq: float, n_channels: int) -> Chain:
        """Fresh steps for a signal of ``sfreq`` Hz.

        Raises
        ------
        ValueError
            If the band or the new rate does not fit the signal.
        """
        if self.band_hz[0] is None:
            raise ValueError(
                "band_hz needs a lower edge, such as (0.5, 40.0): offsets of a signal that "
                "arrives can't be taken off otherwise."
            )
        factor = self._factor(sfreq)
        steps: list[Step] = []
        if self.reference == "average":
            steps.append(Linear(np.eye(n_channels) - 1 / n_channels))
        if self.line_hz is not None:
            steps.append(notch(sfreq, self.line_hz, sfreq / factor / 2))
        steps += [band_pass(sfreq, self.band_hz), Decimator(sfreq, factor)]
        steps.append(RunningScale(sfreq / factor, self.time_constant_s, self.clip))
        return Chain(steps)

    def _factor(self, sfreq: float) -> int:
        if self.resample_hz is None:
            return 1
        factor = sfreq / self.resample_hz
        if abs(factor - round(factor)) > 1e-6 or factor < 1:
            raise ValueError(
                f"A signal of {sfreq:g} Hz can't be thinned out to {self.resample_hz:g} Hz: the "
                f"old rate must be a whole multiple of the new one."
            )
        return round(factor)


def causal_trials(
    raw: Any,
    events: pd.DataFrame,
    cleaning: CausalCleaning,
    window: Window,
    *,
    subject: str,
    modality: Literal["meg", "eeg"] = "meg",
) -> Responses:
    """Trials to train a streaming decoder on: cleaned as they will be when the signal arrives.

    Parameters
    ----------
    raw : mne.io.Raw
    events : DataFrame
        Columns ``onset`` (s) and ``stimulus``.
    cleaning : CausalCleaning
    window : Window
        Its baseline is not used; the running scale stands in its place.
    subject : str
    modality : {'meg', 'eeg'}

    Returns
    -------
    Responses

    Raises
    ------
    ValueError
        If a window reaches outside the recording or a channel is missing.
    """
    import mne

    from neurodecode.preprocessing.meg import cut_trials, read_events

    picked = pick_channels(raw, cleaning.channels)
    sfreq = float(raw.info["sfreq"])
    chain = cleaning.chain(sfreq, len(picked.ch_names))
    step = max(1, round(CHUNK_S * sfreq))
    parts = [
        chain.push(picked.get_data(start=start, stop=min(start + step, raw.n_times)))
        for start in range(0, raw.n_times, step)
    ]
    info = picked.info.copy()
    with info._unlock():
        info["sfreq"] = cleaning.new_sfreq(sfreq)
        info["lowpass"] = min(info["lowpass"], info["sfreq"] / 2)
    slow = mne.io.RawArray(np.concatenate(parts, axis=1), info, verbose="error")
    epochs = cut_trials(slow, read_events(events), replace(window, baseline_s=None))
    return from_epochs(epochs, subject=subject, modality=modality)


def pick_channels(raw: Any, channels: tuple[str, ...]) -> Any:
    """A copy with these channels in this order; all good data channels if none is named.

    Raises
    ------
    ValueError
        If a channel is missing.
    """
    missing = [name for name in channels if name not in raw.ch_names]
    if missing:
        raise ValueError(
            f"The signal lacks {len(missing)} of {len(channels)} channels that the decoder was "
            f"trained on (such as {', '.join(missing[:3])}). It has {len(raw.ch_names)}."
        )
    kept = raw.copy()
    if channels:
        return kept.pick(list(channels), verbose="error").reorder_channels(list(channels))
    return kept.pick("data", exclude="bads", verbose="error")
