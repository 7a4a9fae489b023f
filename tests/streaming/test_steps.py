"""Causal steps: no look ahead, the same however the signal is cut, and the right answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal as dsp

from neurodecode.streaming import Chain, Decimator, Linear, RunningScale, band_pass, notch

STEPS = {
    "band": lambda: band_pass(600.0, (0.5, 40.0)),
    "high": lambda: band_pass(600.0, (0.5, None)),
    "notch": lambda: notch(600.0, 50.0, 120.0),
    "decimate": lambda: Decimator(600.0, 5),
    "scale": lambda: RunningScale(600.0, 1.0),
    "linear": lambda: Linear(np.eye(6) - 1 / 6),
    "chain": lambda: Chain([band_pass(600.0, (0.5, 40.0)), Decimator(600.0, 5),
                            RunningScale(120.0, 1.0)]),
}  # fmt: skip


@pytest.fixture(params=STEPS.values(), ids=STEPS.keys())
def make(request):
    return request.param


def test_output_does_not_depend_on_how_the_signal_is_cut(make, signal):
    whole = make().push(signal)
    step, parts = make(), []
    for part in np.split(signal, [1, 2, 9, 9, 100, 777, 1500], axis=1):
        parts.append(step.push(part))
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


def test_the_past_does_not_depend_on_the_future(make, signal):
    changed = signal.copy()
    changed[:, 1200:] = 1e-3
    before, after = make().push(signal), make().push(changed)
    cut = int(np.ceil(1200 * before.shape[1] / signal.shape[1]))
    np.testing.assert_array_equal(after[:, :cut], before[:, :cut])
    assert not np.array_equal(after[:, cut:], before[:, cut:])


def test_reset_starts_anew(make, signal):
    step = make()
    first = step.push(signal)
    step.reset()
    np.testing.assert_array_equal(step.push(signal), first)


def test_decimator_keeps_what_lies_below_and_takes_out_what_lies_above():
    seconds = np.arange(6000) / 600
    wanted, unwanted = np.sin(2 * np.pi * 7 * seconds), np.sin(2 * np.pi * 113 * seconds)
    step = Decimator(600.0, 5)
    slow = step.push(wanted[None])[0, 40:]
    shifted = np.sin(2 * np.pi * 7 * (seconds[::5] - step.delay_s))[40:]
    assert np.abs(slow - shifted).max() < 0.01
    assert np.abs(step.push(np.zeros((1, 5)))).max() < 2
    assert np.abs(Decimator(600.0, 5).push(unwanted[None])[0, 40:]).max() < 0.01


def test_notch_takes_out_mains_and_harmonics():
    seconds = np.arange(12000) / 600
    mains = np.sin(2 * np.pi * 50 * seconds) + np.sin(2 * np.pi * 100 * seconds)
    out = notch(600.0, 50.0, 120.0).push(mains[None])[0, 3000:]
    assert np.abs(out).max() < 0.01


def test_running_scale_is_the_weighted_mean_of_the_past(signal):
    out = RunningScale(600.0, 0.1, clip=None).push(signal[:, :50])
    keep = np.exp(-1 / 60)
    weight = keep ** np.arange(50)[::-1]
    weight /= weight.sum()
    mean = (signal[:, :50] * weight).sum(axis=1)
    spread = np.sqrt(((signal[:, :50] - mean[:, None]) ** 2 * weight).sum(axis=1))
    np.testing.assert_allclose(out[:, -1], (signal[:, 49] - mean) / spread, rtol=1e-6)


def test_filters_start_without_a_step():
    offset = np.full((1, 300), 5e-3)
    assert np.abs(band_pass(600.0, (0.5, 40.0)).push(offset)).max() < 1e-9
    low = dsp.butter(2, 40.0, fs=600.0, output="sos")
    assert np.abs(dsp.sosfilt(low, offset[0])[0] - 5e-3) > 1e-3  # so the start matters


@pytest.mark.parametrize(
    ("make_it", "message"),
    [
        (lambda: band_pass(100.0, (1.0, 60.0)), "needs a sampling rate over 120 Hz"),
        (lambda: band_pass(100.0, (30.0, 20.0)), "from 30 to 20 Hz is empty"),
        (lambda: band_pass(100.0, (None, None)), "a lower or an upper edge; both are None"),
        (lambda: notch(80.0, 50.0), "must lie below"),
        (lambda: Decimator(100.0, 0), "a whole factor of at least 1; got 0"),
    ],
)
def test_what_does_not_fit_is_refused(make_it, message):
    with pytest.raises(ValueError, match=message):
        make_it()
