"""MEG and EEG as files: continuous raw with triggers, blinks, alpha, line noise and 1/f noise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.twin import _bids
from neurodecode.twin._design import Design, Trials
from neurodecode.twin._machines import leadfield
from neurodecode.twin._meeg import (
    BAD_GAIN,
    EYES_MM,
    N_ALPHA,
    N_BACKGROUND,
    RUN_GAIN,
    RUN_OFFSET,
    MeegPerson,
)
from neurodecode.twin._noise import pink
from neurodecode.twin._vision import look

SFREQ = 250.0
LEAD_S, TAIL_S = 3.0, 3.0
EVERY_S = 1.2
JITTER_S = 0.2
RESPONSE_S = 1.2
BLINKS_A_MINUTE = 8.0
BLINK_LEVELS = {"meg": 1.5e-12, "eeg": 120e-6}
LINE_LEVELS = {"meg": 60e-15, "eeg": 3e-6}
LINE_HZ = 50.0
TRIGGER = "STI 014"


def write_person(folder: Path, person: MeegPerson, plan: Design) -> Iterator[Path]:
    """Write all runs of one person through MNE-BIDS; give each file's path when it is there."""
    trials = plan.trials(person.seed, person.number)
    ids, row = np.unique(trials.stimulus, return_inverse=True)
    amplitude = person.amplitudes(look(ids.tolist()))[row]
    for run in np.unique(trials.run).tolist():
        rows = np.flatnonzero(trials.run == run)
        session = int(trials.session[rows[0]])
        raw, events = make_raw(person, amplitude[rows], trials.bad[rows], (session, run))
        codes = {one: place + 1 for place, one in enumerate(ids.tolist())}
        events[:, 2] = [codes[one] for one in trials.stimulus[rows].tolist()]
        _mark(raw, events)
        place = (person.subject, session, run % plan.runs_per_session)
        yield _save(folder, raw, events, place, _only_shown(codes, trials, rows))


def make_raw(
    person: MeegPerson,
    amplitude: NDArray[np.float32],
    bad: NDArray[np.bool_],
    place: tuple[int, int],
) -> tuple[Any, NDArray[np.intp]]:
    """One run as continuous data, with the trials' onsets.

    Parameters
    ----------
    person : MeegPerson
    amplitude : float array, shape (n_trials, n_dipoles)
        How strongly each dipole answers in each trial.
    bad : bool array, shape (n_trials,)
    place : tuple of 2 ints
        Session and run.

    Returns
    -------
    mne.io.RawArray, int array of shape (n_trials, 3)
        Events as MNE has them; all codes are 1.
    """
    import mne

    session, run = place
    rng = np.random.default_rng((person.seed, person.number, 31, run))
    n_trials = len(amplitude)
    onset = LEAD_S + EVERY_S * np.arange(n_trials) + rng.uniform(0, JITTER_S, n_trials)
    sample = np.round(onset * SFREQ).astype(np.intp)
    n_samples = int(sample[-1] + (RESPONSE_S + TAIL_S) * SFREQ)
    source = np.zeros((amplitude.shape[1], n_samples))
    window = np.arange(round(RESPONSE_S * SFREQ))
    course = person.course_at(window / SFREQ)
    for start, strength in zip(sample, amplitude, strict=True):
        source[:, start + window] += strength[:, None] * course
    values = person.fields[session] @ source
    gain = np.full(n_samples, np.exp(rng.normal(0, RUN_GAIN)))
    for start in sample[bad]:
        gain[start : start + round(EVERY_S * SFREQ)] *= BAD_GAIN
    values += _ongoing(person, session, gain, rng)
    values += _nuisance(person, session, n_samples, rng)
    data = np.vstack([values, np.zeros(n_samples)])
    raw = mne.io.RawArray(data, _with_trigger(person.infos[session]), verbose="error")
    events = np.column_stack([sample, np.zeros_like(sample), np.ones_like(sample)])
    return raw, events


def _ongoing(
    person: MeegPerson, session: int, gain: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """The noise of the trials, without interruption: 1/f, alpha that waxes and wanes, sensors."""
    ongoing, alpha = person.noise_fields[session]
    n_samples = len(gain)
    wave = pink((N_BACKGROUND, n_samples), 1.0, rng, SFREQ)
    noise = ongoing @ ((wave + rng.normal(0, RUN_OFFSET, (N_BACKGROUND, 1))) * gain)
    slow = pink((2, N_ALPHA, n_samples), 2.0, rng, SFREQ)
    phase = 2 * np.pi * person.alpha_hz * np.arange(n_samples) / SFREQ
    noise += alpha @ (slow[0] * np.cos(phase) + slow[1] * np.sin(phase))
    # the sensors' noise has the same density as at the machine's own rate
    level = person.machine.levels[2] * np.sqrt(SFREQ / person.machine.sfreq)
    return np.asarray(noise + level * rng.standard_normal(noise.shape))


def _nuisance(
    person: MeegPerson, session: int, n_samples: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Blinks and the power line."""
    modality = person.machine.modality
    forward = np.array([[0.0, 0.6, 0.8]] * len(EYES_MM))
    eyes = leadfield(person.infos[session], np.asarray(EYES_MM), forward).sum(axis=1)
    eyes *= BLINK_LEVELS[modality] / np.abs(eyes).max()
    times = np.arange(n_samples) / SFREQ
    lid = np.zeros(n_samples)
    for _ in range(rng.poisson(BLINKS_A_MINUTE * times[-1] / 60)):
        lid += rng.uniform(0.7, 1.3) * np.exp(-(((times - rng.uniform(0, times[-1])) / 0.08) ** 2))
    level = LINE_LEVELS[modality] * rng.uniform(0.5, 1.5, len(eyes))
    line = np.sin(2 * np.pi * LINE_HZ * times + rng.uniform(0, 2 * np.pi))
    line += 0.3 * np.sin(4 * np.pi * LINE_HZ * times + rng.uniform(0, 2 * np.pi))
    return np.asarray(eyes[:, None] * lid + level[:, None] * line)


def _mark(raw: Any, events: NDArray[np.intp]) -> None:
    """Put each trial's code on the trigger channel for 40 ms."""
    trigger = raw.ch_names.index(TRIGGER)
    for sample, _, code in events:
        raw._data[trigger, sample : sample + round(0.04 * SFREQ)] = code


def _only_shown(codes: dict[str, int], trials: Trials, rows: NDArray[np.intp]) -> dict[str, int]:
    return {one: codes[one] for one in trials.stimulus[rows].tolist()}


def _save(
    folder: Path,
    raw: Any,
    events: NDArray[np.intp],
    place: tuple[str, int, int],
    codes: dict[str, int],
) -> Path:
    """FIF for MEG, BrainVision for EEG (which has triggers in its marker file only)."""
    import mne_bids

    subject, session, run = place
    is_eeg = "eeg" in raw
    if is_eeg:
        raw.drop_channels([TRIGGER])
    path = mne_bids.BIDSPath(
        subject=subject.removeprefix("sub-"),
        session=f"{session + 1:02d}",
        task=_bids.TASK,
        run=f"{run + 1:02d}",
        datatype="eeg" if is_eeg else "meg",
        root=folder,
    )
    written = mne_bids.write_raw_bids(
        raw,
        path,
        events=events,
        event_id=codes,
        format="BrainVision" if is_eeg else "FIF",
        allow_preload=True,
        overwrite=True,
        verbose="error",
    )
    return Path(written.fpath)


def _with_trigger(sensors: Any) -> Any:
    """The sensors of a session and a trigger channel, at the rate of the files."""
    import mne

    kinds = [*sensors.get_channel_types(), "stim"]
    info = mne.create_info([*sensors["ch_names"], TRIGGER], SFREQ, kinds, verbose="error")
    for channel, known in zip(info["chs"], sensors["chs"], strict=False):
        channel.update({key: known[key] for key in ("loc", "coil_type", "coord_frame", "unit")})
    with info._unlock():
        info["dev_head_t"], info["dig"] = sensors["dev_head_t"], sensors["dig"]
        info["line_freq"] = LINE_HZ
    return info
