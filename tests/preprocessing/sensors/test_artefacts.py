"""Blinks are named by ICLabel and taken out; what is not EEG, or has no places, is refused."""

from __future__ import annotations

import sys

import mne
import numpy as np
import pytest

from neurodecode.errors import MissingDependencyError
from neurodecode.preprocessing import eeg
from neurodecode.twin import EEG
from neurodecode.twin._machines import leadfield, make_info, random_directions

SFREQ, SECONDS = 128.0, 40
BLINK_S = np.arange(2.0, SECONDS - 2, 3.0)


@pytest.fixture(scope="module")
def raw() -> mne.io.RawArray:
    """Simulated EEG: 40 sources all over the brain, and eyes that blink every three seconds."""
    rng = np.random.default_rng(0)
    info = make_info(EEG, SFREQ, rng)
    times = np.arange(int(SECONDS * SFREQ)) / SFREQ
    places = random_directions(40, rng) * 55 + np.array([0.0, -18.0, 10.0])
    brain = leadfield(info, places, random_directions(40, rng))
    waves = rng.normal(size=(40, len(times))).cumsum(axis=1)
    waves = waves - mne.filter.filter_data(waves, SFREQ, None, 1.0, verbose="error")
    # eyes are no dipoles in a sphere: the potential falls off from both sides of the forehead
    places = 1e3 * np.array([one["loc"][:3] for one in info["chs"]])
    front = places[[info["ch_names"].index(one) for one in ("Fp1", "Fp2")]]
    away = np.linalg.norm(places[:, None] - front[None], axis=2)
    eyes = np.exp(-((away / 45.0) ** 2)).sum(axis=1)
    lids = sum(np.exp(-(((times - one) / 0.1) ** 2)) for one in BLINK_S)
    values = 10e-6 * brain @ waves / np.abs(brain @ waves).std()
    values += 150e-6 * np.outer(eyes / np.abs(eyes).max(), lids)
    values += rng.normal(size=values.shape) * 0.5e-6
    return mne.io.RawArray(values, info, verbose="error")


def blink(one: mne.io.BaseRaw) -> float:
    """How far the front is from its median while the eyes are shut, V."""
    front = one.get_data(picks="Fpz")[0]
    shut = np.round(BLINK_S * SFREQ).astype(int)
    return float(np.abs(np.median(front[shut]) - np.median(front)))


def test_blinks_are_taken_out_and_the_rest_stays(
    raw: mne.io.RawArray, caplog: pytest.LogCaptureFixture
) -> None:
    clean = eeg.clean(raw, eeg.Cleaning(picks="eeg", artefacts=eeg.Artefacts(n_components=15)))
    assert "this one is sampled at 128 Hz" in caplog.text
    assert blink(raw) > 100e-6
    assert blink(clean) < 0.2 * blink(raw)
    back = [raw.get_data(picks="Oz")[0], clean.get_data(picks="Oz")[0]]
    open_eyes = np.ones(len(back[0]), dtype=bool)
    for one in BLINK_S:
        open_eyes[int((one - 0.5) * SFREQ) : int((one + 0.5) * SFREQ)] = False
    assert np.corrcoef(back[0][open_eyes], back[1][open_eyes])[0, 1] > 0.9


def test_electrodes_without_places_are_refused() -> None:
    bare = mne.io.RawArray(
        np.random.default_rng(0).normal(size=(3, 1000)),
        mne.create_info(3, SFREQ, "eeg"),
        verbose="error",
    )
    with pytest.raises(ValueError, match=r"electrodes have no positions\. Set a montage first"):
        eeg.clean(bare, eeg.Cleaning(picks="eeg", artefacts=eeg.Artefacts()))


def test_other_sensors_and_causal_signals_are_refused(raw: mne.io.RawArray) -> None:
    with pytest.raises(ValueError, match="components are fitted to the whole run"):
        eeg.clean(raw, eeg.Cleaning(picks="eeg", artefacts=eeg.Artefacts(), causal=True))
    helmet = mne.io.RawArray(
        np.random.default_rng(0).normal(size=(3, 1000)),
        mne.create_info(3, SFREQ, "mag"),
        verbose="error",
    )
    with pytest.raises(ValueError, match="names components of EEG; the signal has mag"):
        eeg.clean(helmet, eeg.Cleaning(picks="meg", artefacts=eeg.Artefacts()))


def test_a_missing_package_says_how_to_get_it(
    raw: mne.io.RawArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mne_icalabel", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'neurodecode-toolkit\[ica\]'"):
        eeg.clean(raw, eeg.Cleaning(picks="eeg", artefacts=eeg.Artefacts()))
