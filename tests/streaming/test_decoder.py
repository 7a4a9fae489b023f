"""Windows of a stream: causal, complete, the same as decoding them one by one."""

from __future__ import annotations

import mne
import numpy as np
import pandas as pd
import pytest

from neurodecode.preprocessing.meg import Window
from neurodecode.streaming import CausalCleaning, StreamDecoder, causal_trials

from .conftest import CLEANING, SFREQ


def decode(kit, values, cuts=()):
    decoder = StreamDecoder(kit.encoder, kit.cleaning, kit.layout, SFREQ, head=kit.head)
    found = []
    for part in np.split(values, list(cuts), axis=1):
        found += decoder.push(part)
    return found


def test_windows_come_every_50_ms_once_the_first_is_full(kit, signal):
    found = decode(kit, signal)
    assert found[0].time_s == pytest.approx((59 * 5 + 1) / SFREQ)
    steps = np.diff([one.time_s for one in found])
    assert len(found) == (2000 // 5 - 60) // 6 + 1
    np.testing.assert_allclose(steps, 0.05)


def test_a_changed_future_changes_nothing_before_it(kit, signal):
    changed = signal.copy()
    changed[:, 1500:] = signal[:, 1500:][:, ::-1] * 3
    cuts = range(30, 2000, 30)
    before, after = decode(kit, signal, cuts), decode(kit, changed, cuts)
    past = [one.time_s <= 1500 / SFREQ for one in before]
    assert 0 < sum(past) < len(past)
    for old, new, is_past in zip(before, after, past, strict=True):
        assert old.time_s == new.time_s
        assert np.array_equal(old.point, new.point) == is_past


def test_no_sample_is_used_before_it_arrived(kit, signal):
    decoder = StreamDecoder(kit.encoder, kit.cleaning, kit.layout, SFREQ)
    for start in range(0, 2000, 7):
        for one in decoder.push(signal[:, start : start + 7]):
            assert start < round(one.time_s * SFREQ) <= start + 7


@pytest.mark.parametrize("size", [1, 13, 60, 997])
def test_chunks_of_any_size_give_the_same(kit, signal, size):
    whole, parts = decode(kit, signal), decode(kit, signal, range(size, 2000, size))
    assert [one.time_s for one in whole] == [one.time_s for one in parts]
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one.point, other.point, rtol=1e-4, atol=1e-5)


def test_windows_are_decoded_as_trials_of_the_same_samples(kit, signal):
    info = mne.create_info([f"M{i}" for i in range(6)], SFREQ, "mag")
    raw = mne.io.RawArray(signal, info, verbose="error")
    found = decode(kit, signal)[::10]
    events = pd.DataFrame(
        {"onset": [one.time_s - (59 * 5 + 1) / SFREQ for one in found], "stimulus": "x"}
    )
    trials = causal_trials(raw, events, CLEANING, Window(0.0, 59 / 120), subject="sub-01")
    trials = trials.with_values(trials.values, positions=kit.layout.positions)
    expected = kit.encoder.predict(trials).array()
    np.testing.assert_allclose([one.point for one in found], expected, rtol=1e-3, atol=1e-4)


def test_bad_input_is_refused(kit, signal):
    decoder = StreamDecoder(kit.encoder, kit.cleaning, kit.layout, SFREQ)
    with pytest.raises(ValueError, match=r"samples of shape \(6, n\); got \(5, 10\)"):
        decoder.push(np.zeros((5, 10)))
    broken = signal[:, :10].copy()
    broken[2, 3] = np.nan
    with pytest.raises(ValueError, match="not finite, in 1 channels"):
        decoder.push(broken)
    with pytest.raises(ValueError, match="A signal of 500 Hz can't be thinned out to 120 Hz"):
        StreamDecoder(kit.encoder, kit.cleaning, kit.layout, 500.0)
    with pytest.raises(ValueError, match="was trained on 120 Hz"):
        StreamDecoder(kit.encoder, CausalCleaning(), kit.layout, 500.0)
    with pytest.raises(ValueError, match="band_hz needs a lower edge"):
        CausalCleaning(band_hz=(None, 40.0)).chain(SFREQ, 6)
