from __future__ import annotations

import h5py
import numpy as np
import pytest

from neurodecode.preprocessing.fmri import ncsnr, noise_ceiling


def _planted(snr, n_stimuli=3000, n_repeats=3, seed=0):
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=(n_stimuli, len(snr))).repeat(n_repeats, axis=0)
    values = signal * snr + rng.normal(size=signal.shape)
    return values, np.repeat(np.arange(n_stimuli), n_repeats)


def test_planted_ratio_is_recovered():
    snr = np.array([0.0, 0.5, 1.0, 2.0])
    values, stimulus = _planted(snr)
    np.testing.assert_allclose(ncsnr(values * 3 + 5, stimulus) ** 2, snr**2, atol=0.1)


def test_equals_nsds_formula_written_out():
    values, stimulus = _planted(np.array([0.7, 1.2]), n_stimuli=50)
    session = np.tile([0, 1], 75)
    z = values.copy()
    for one in (0, 1):
        rows = session == one
        z[rows] = (z[rows] - z[rows].mean(axis=0)) / z[rows].std(axis=0)
    noise = z.reshape(50, 3, 2).var(axis=1, ddof=1).mean(axis=0)
    expected = np.sqrt(np.maximum(1 - noise, 0)) / np.sqrt(noise)
    np.testing.assert_allclose(ncsnr(values, stimulus, session), expected, rtol=1e-6)


def test_ceiling_is_the_variance_a_perfect_model_explains():
    snr = np.array([0.5, 1.0, 2.0])
    values, _ = _planted(snr, n_repeats=3)
    mean = values.reshape(3000, 3, 3).mean(axis=1)
    signal = np.random.default_rng(0).normal(size=(3000, 3))  # same seed: it is drawn first
    explained = [100 * np.corrcoef(signal[:, v], mean[:, v])[0, 1] ** 2 for v in range(3)]
    np.testing.assert_allclose(noise_ceiling(snr, 3), explained, atol=3)
    np.testing.assert_allclose(
        noise_ceiling(snr, np.array([1, 3])), 100 * snr**2 / (snr**2 + (1 + 1 / 3) / 2)
    )


def test_lazy_values_and_shuffled_trials_give_the_same(tmp_path):
    values, stimulus = _planted(np.array([0.3, 1.0]), n_stimuli=40)
    mixed = np.random.default_rng(1).permutation(len(values))
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        lazy = file.create_dataset("x", data=values[mixed])
        np.testing.assert_allclose(ncsnr(lazy, stimulus[mixed]), ncsnr(values, stimulus))


def test_constant_voxels_get_zero_and_repeats_are_needed():
    values, stimulus = _planted(np.array([1.0, 1.0]), n_stimuli=20)
    values[:, 1] = 4.0
    assert ncsnr(values, stimulus)[1] == 0.0
    with pytest.raises(ValueError, match="each of the 60 stimuli was shown once"):
        ncsnr(values, np.arange(60))
    with pytest.raises(ValueError, match="n_averaged counts trials, from 1 on; got 0"):
        noise_ceiling(np.ones(2), 0)
