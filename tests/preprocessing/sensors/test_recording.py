"""Continuous MEG and EEG to trials."""

from __future__ import annotations

from pathlib import Path

import mne
import numpy as np
import pandas as pd
import pytest

from neurodecode.data import Recording
from neurodecode.errors import CorruptFileError
from neurodecode.preprocessing import eeg, meg

SFREQ = 250.0
EVENTS = pd.DataFrame({"onset": [1.0, 3.0, 5.0], "duration": 0.5, "stimulus": ["a", "b", "a"]})


def raw_eeg(names: tuple[str, ...] = ("Oz", "Pz", "Cz"), seconds: float = 8.0) -> mne.io.RawArray:
    values = np.random.default_rng(0).normal(size=(len(names), int(seconds * SFREQ))) * 1e-5
    return mne.io.RawArray(values, mne.create_info(list(names), SFREQ, "eeg"), verbose="error")


def recording(*raws: mne.io.BaseRaw, events: pd.DataFrame = EVENTS) -> Recording:
    runs = tuple(str(i) for i in range(len(raws)))
    return Recording("sub-01", "eeg", raws, (events,) * len(raws), runs)


PLAIN = eeg.Cleaning(picks="eeg")


def test_trials_are_the_signal_around_the_events() -> None:
    raw = raw_eeg()
    window = eeg.Window(-0.1, 0.3, baseline_s=None)
    responses = eeg.single_trials(recording(raw), cleaning=PLAIN, window=window)
    start = int(2.9 * SFREQ)
    expected = raw.get_data()[:, start : start + 101]
    np.testing.assert_allclose(responses.values[1], expected, rtol=1e-6)
    assert responses.stimulus.tolist() == ["a", "b", "a"]
    assert responses.times[0] == pytest.approx(-0.1)
    assert responses.units.tolist() == ["Oz", "Pz", "Cz"]


def test_the_baseline_is_the_mean_before_onset() -> None:
    window = eeg.Window(-0.2, 0.3)
    responses = eeg.single_trials(recording(raw_eeg()), cleaning=PLAIN, window=window)
    before = responses.times <= 0
    np.testing.assert_allclose(responses.values[:, :, before].mean(axis=2), 0, atol=1e-11)


def test_line_noise_and_drift_are_filtered_out() -> None:
    raw = raw_eeg(seconds=20.0)
    seconds = raw.times
    raw._data += 1e-3 * np.sin(2 * np.pi * 50 * seconds) + 1e-3 * np.sin(2 * np.pi * 0.05 * seconds)
    cleaned = eeg.clean(raw, eeg.Cleaning(picks="eeg", line_hz=50.0, band_hz=(0.5, 40.0)))
    assert cleaned.get_data()[:, 1000:-1000].std() < 2e-5
    assert raw.get_data().std() > 5e-4


def test_a_causal_filter_does_not_see_the_future() -> None:
    cleaning = eeg.Cleaning(picks="eeg", band_hz=(1.0, 30.0), causal=True)
    raw = raw_eeg()
    changed = raw.copy()
    changed._data[:, 1500:] += 1e-3
    past, other = (eeg.clean(one, cleaning).get_data()[:, :1500] for one in (raw, changed))
    np.testing.assert_allclose(past, other, atol=1e-12)


def test_runs_are_joined_on_the_channels_they_share(caplog: pytest.LogCaptureFixture) -> None:
    runs = recording(raw_eeg(("Oz", "Pz", "Cz")), raw_eeg(("Cz", "Oz")))
    responses = eeg.single_trials(runs, cleaning=PLAIN, window=eeg.Window(-0.1, 0.3))
    assert responses.units.tolist() == ["Oz", "Cz"]
    assert responses.run.tolist() == ["0"] * 3 + ["1"] * 3
    assert "Left out 1 channels that not all runs have ('Pz')" in caplog.text


def test_flat_and_lost_channels_are_dropped_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    raw = raw_eeg()
    raw._data[0] = 0.0
    raw._data[2] = np.nan
    assert eeg.clean(raw, PLAIN).ch_names == ["Pz"]
    assert "Dropped 2 of 3 channels that are flat or not finite ('Oz', 'Cz')" in caplog.text


def test_a_channel_with_some_lost_samples_is_refused() -> None:
    raw = raw_eeg()
    raw._data[1, 7] = np.nan
    with pytest.raises(ValueError, match=r"1 channels of the recording hold values that are"):
        eeg.clean(raw, PLAIN)


def test_lost_samples_of_a_file_name_it(tmp_path) -> None:
    raw = raw_eeg()
    raw._data[1, 7] = np.nan
    raw.save(tmp_path / "x_eeg.fif", verbose="error")
    stored = mne.io.read_raw_fif(tmp_path / "x_eeg.fif", preload=True, verbose="error")
    with pytest.raises(ValueError, match=r"1 channels of .*x_eeg\.fif.* hold values that are not"):
        eeg.clean(stored, PLAIN)


def test_events_outside_the_recording_are_refused() -> None:
    late = EVENTS.assign(onset=[1.0, 3.0, 7.9])
    with pytest.raises(ValueError, match=r"1 of 3 trial windows .* stimulus 'a' at 7.900 s"):
        eeg.single_trials(recording(raw_eeg(), events=late), cleaning=PLAIN)


def test_an_event_table_without_onsets_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the columns 'onset'"):
        eeg.single_trials(recording(raw_eeg(), events=EVENTS[["stimulus"]]), cleaning=PLAIN)


@pytest.mark.parametrize(
    ("cleaning", "message"),
    [
        (eeg.Cleaning(picks="meg"), "picks='meg' leaves no channel of 3"),
        (eeg.Cleaning(picks="eeg", band_hz=(1.0, 200.0)), "needs a sampling rate over 400 Hz"),
        (eeg.Cleaning(picks="eeg", band_hz=(30.0, 1.0)), "from 30 to 1 Hz is empty"),
        (eeg.Cleaning(picks="eeg", bad_channels=["Fz"]), "Bad channels 'Fz' are not among"),
    ],
)
def test_cleaning_that_does_not_fit_is_refused(cleaning: eeg.Cleaning, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        eeg.clean(raw_eeg(), cleaning)


def test_a_truncated_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "whole_raw.fif"
    raw_eeg().save(path, verbose="error")
    broken = tmp_path / "broken_raw.fif"
    broken.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(CorruptFileError, match=r"broken_raw\.fif is cut off or damaged: tag 300"):
        eeg.read_raw(broken)


def test_runs_of_another_sampling_rate_are_refused() -> None:
    slow = raw_eeg().resample(125.0, verbose="error")
    with pytest.raises(ValueError, match=r"have sampling rates \[125\.0, 250\.0\] Hz\. Give one"):
        eeg.single_trials(recording(raw_eeg(), slow), cleaning=PLAIN)


def test_meg_and_eeg_differ_in_their_defaults_only() -> None:
    assert meg.CLEANING.picks == "meg"
    assert eeg.CLEANING.reference == "average"


def test_a_brainvision_file_that_was_cut_off_is_no_shorter_recording(tmp_path: Path) -> None:
    mne.export.export_raw(tmp_path / "x_eeg.vhdr", raw_eeg(), verbose="error")
    data = tmp_path / "x_eeg.eeg"
    (tmp_path / "x_eeg.json").write_text('{"RecordingDuration": 8.0, "SamplingFrequency": 250}')
    assert eeg.read_raw(tmp_path / "x_eeg.vhdr").n_times == 2000
    data.write_bytes(data.read_bytes()[: len(data.read_bytes()) // 2])
    with pytest.raises(CorruptFileError) as error:
        eeg.read_raw(tmp_path / "x_eeg.vhdr")
    assert str(error.value) == (
        f"{tmp_path / 'x_eeg.vhdr'} lasts 4 s but x_eeg.json says 8 s. It is cut off, or they "
        f"belong to different recordings."
    )


def test_a_trial_without_a_stimulus_is_none_called_nan() -> None:
    events = EVENTS.assign(stimulus=["a", float("nan"), "a"])
    with pytest.raises(CorruptFileError) as error:
        eeg.single_trials(recording(raw_eeg(), events=events), cleaning=PLAIN)
    assert str(error.value) == (
        "The table of events: 1 of 3 events have no 'stimulus' (first: row 2), so what was shown "
        "is not known. Name it, or leave these rows out."
    )


def test_two_events_in_one_sample_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "x_raw.fif"
    raw_eeg().save(file, verbose="error")
    raw = eeg.read_raw(file)
    events = EVENTS.assign(onset=[1.0, 3.0, 1.0], stimulus=["a", "b", "c"])
    with pytest.raises(ValueError) as error:
        eeg.single_trials(recording(raw, events=events), cleaning=PLAIN)
    assert str(error.value) == (
        f"Rows 1 and 3 of the events of {file} start in the same sample (1.000 s). A row was "
        f"doubled, or an onset changed; keep one of them."
    )


def test_an_onset_that_left_its_sample_is_refused() -> None:
    onset = np.array([1.0, 1.5, 2.0, 3.0, 4.0, 5.0])
    events = pd.DataFrame({"onset": onset, "stimulus": list("abcdef"), "sample": onset * SFREQ})
    eeg.read_events(events.assign(sample=events["sample"] + 37))
    with pytest.raises(CorruptFileError) as error:
        eeg.read_events(events.assign(onset=[1.0, 1.5, 2.0, 3.4, 4.0, 5.0]))
    assert str(error.value) == (
        "The table of events, row 4: onset 3.4 s and sample 750 do not belong together, as those "
        "of 5 other rows do at 250 samples a second. One of them was changed; obtain the table "
        "again."
    )


def test_a_run_without_events_is_named(tmp_path: Path) -> None:
    file = tmp_path / "x_raw.fif"
    raw_eeg().save(file, verbose="error")
    with pytest.raises(ValueError) as error:
        eeg.single_trials(recording(eeg.read_raw(file), events=EVENTS.iloc[:0]), cleaning=PLAIN)
    assert str(error.value) == f"There are no events for {file}: its table has no row."
