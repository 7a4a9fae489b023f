"""Noise has the correlations that it says."""

from __future__ import annotations

import numpy as np

from neurodecode.twin._noise import autoregress, pink, smooth_maps


def test_neighbours_are_alike_by_the_gaussian_of_their_distance():
    positions = np.zeros((4, 3))
    positions[:, 0] = [0, 3, 6, 40]
    draws = np.concatenate(
        [smooth_maps(positions, 20, 6.0, np.random.default_rng(seed)) for seed in range(400)]
    )
    expected = np.exp(-((positions[:1, 0] - positions[:, 0]) ** 2) / (2 * 36))
    assert np.allclose(draws.var(axis=0), 1, atol=0.06)
    assert np.allclose(np.corrcoef(draws.T)[0], expected, atol=0.06)


def test_memory_ends_with_the_run():
    rng = np.random.default_rng(0)
    white = rng.standard_normal((4000, 5)).astype(np.float32)
    run = np.arange(4000) // 2000
    coloured = autoregress(white, 0.6, run)
    assert np.allclose(coloured.var(axis=0), 1, atol=0.12)
    assert abs((coloured[1:2000] * coloured[:1999]).mean() - 0.6) < 0.05
    assert np.array_equal(coloured[2000], white[2000])


def test_power_falls_with_frequency_and_the_variance_is_one():
    for sfreq in (100.0, 250.0):
        noise = pink((200, 2048), 1.0, np.random.default_rng(1), sfreq)
        frequency = np.fft.rfftfreq(2048, 1 / sfreq)
        power = (np.abs(np.fft.rfft(noise)) ** 2).mean(axis=0)
        middle = (frequency > 2) & (frequency < 40)
        slope = np.polyfit(np.log(frequency[middle]), np.log(power[middle]), 1)[0]
        assert abs(slope + 1) < 0.1
        assert abs(power[frequency <= 50][1:].sum() * 2 / 2048**2 - 1) < 0.1
