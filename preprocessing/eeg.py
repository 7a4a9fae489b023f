"""EEG: from raw files of any vendor to one response a trial."""

from __future__ import annotations

from neurodecode.data import Recording, Responses
from neurodecode.preprocessing.sensors import recording as _sensors
from neurodecode.preprocessing.sensors.recording import *  # noqa: F403 (all that MEG and EEG share)
from neurodecode.preprocessing.sensors.recording import Cleaning, Window

__all__ = ["CLEANING", "WINDOW", "single_trials"]
__all__ += _sensors.__all__

CLEANING = Cleaning(picks="eeg", band_hz=(0.1, 40.0), resample_hz=250.0, reference="average")
WINDOW = Window()


def single_trials(
    recording: Recording, *, cleaning: Cleaning = CLEANING, window: Window = WINDOW
) -> Responses:
    """One response a trial from the raw EEG of one person.

    Parameters
    ----------
    recording : Recording
        Raw files (any vendor that MNE reads, or loaded `mne.io.Raw`) and a table of events a run.
    cleaning : Cleaning
        Default: EEG channels, 0.1 to 40 Hz, 250 Hz, average reference.
    window : Window
        Default: -0.2 to 0.8 s with the mean before onset subtracted.

    Returns
    -------
    Responses
        Values (n_trials, n_channels, n_times) in V, float32.

    Raises
    ------
    ValueError
        If a trial reaches outside its run, no channel is left, or runs do not fit together.

    Examples
    --------
    >>> import mne, numpy as np, pandas as pd
    >>> info = mne.create_info(["Oz", "Pz"], 250.0, "eeg")
    >>> noise = np.random.default_rng(0).normal(size=(2, 2500)) * 1e-5
    >>> raw = mne.io.RawArray(noise, info, verbose="error")
    >>> events = pd.DataFrame({"onset": [2.0, 5.0], "duration": 0.5, "stimulus": ["a", "b"]})
    >>> single_trials(Recording("sub-01", "eeg", (raw,), (events,), ("1",)))
    Responses(sub-01, eeg, 2 trials of 2 stimuli, channel: 2, time: 251)
    """
    return _sensors.recording_to_responses(recording, cleaning, window)
