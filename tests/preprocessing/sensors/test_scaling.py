"""Scaling and whitening learn from training trials and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import RobustScaler

from neurodecode.data import Responses, Split
from neurodecode.preprocessing import NoiseWhitening, RobustScale, whiten_trials

DIMS = ("trial", "channel", "time")


def trials(values: np.ndarray, stimulus: np.ndarray | None = None) -> Responses:
    ids = np.arange(len(values)) if stimulus is None else stimulus
    names = [f"E{i}" for i in range(values.shape[1])]
    return Responses(values, ids, "sub-01", "eeg", dims=DIMS, units=names)


def noise(seed: int = 0, shape: tuple[int, ...] = (30, 4, 25)) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def test_agrees_with_scikit_learn() -> None:
    values = noise() * np.arange(1, 5)[:, None] + 3
    ours = RobustScale(clip=None).fit(trials(values)).transform(trials(values)).values
    flat = values.transpose(0, 2, 1).reshape(-1, 4)
    theirs = RobustScaler().fit_transform(flat).reshape(30, 25, 4).transpose(0, 2, 1)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_far_values_are_clipped() -> None:
    values = noise()
    values[3, 1, 2] = 1e6
    scaled = RobustScale(clip=5.0).fit(trials(values)).transform(trials(values)).values
    assert scaled.max() == 5.0


def test_noise_is_white_and_the_signal_survives() -> None:
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(4, 4))
    ids = np.arange(400) % 8
    signal = rng.normal(size=(8, 4, 25))[ids]
    values = np.einsum("dc,nct->ndt", mixing, noise(1, (400, 4, 25))) + signal
    whitening = NoiseWhitening().fit(trials(values, ids))
    white = whitening.transform(trials(values, ids)).values
    means = np.stack([white[ids == one].mean(axis=0) for one in range(8)])
    residual = (white - means[ids]).transpose(0, 2, 1).reshape(-1, 4)
    np.testing.assert_allclose(np.cov(residual.T), np.eye(4), atol=0.05)
    assert whitening.n_repeated_ == 8
    expected = np.einsum("dc,nct->ndt", whitening.whitener_, signal[:8])
    assert np.corrcoef(means.ravel(), expected.ravel())[0, 1] > 0.9


def test_whitening_without_repeats_uses_all_trials() -> None:
    values = noise(shape=(50, 3, 20)) * np.array([1.0, 4.0, 9.0])[:, None]
    white = NoiseWhitening().fit(trials(values)).transform(trials(values)).values
    np.testing.assert_allclose(white.std(axis=(0, 2)), 1, atol=0.1)


@pytest.mark.parametrize("step", [RobustScale(), NoiseWhitening()])
def test_nothing_is_learned_from_trials_that_are_transformed(
    step: RobustScale | NoiseWhitening,
) -> None:
    """Training trials come out the same, whatever was transformed in between."""
    values = noise()
    train = trials(values).take(np.arange(20))
    first = step.fit(train).transform(train).values
    step.transform(trials(100 * values + 7))
    np.testing.assert_array_equal(first, step.transform(train).values)
    assert not np.allclose(first, step.fit(trials(100 * values)).transform(train).values)


@pytest.mark.parametrize("step", [RobustScale(), NoiseWhitening()])
def test_another_number_of_channels_is_refused(step: RobustScale | NoiseWhitening) -> None:
    step.fit(trials(noise()))
    with pytest.raises(ValueError, match=r"was fitted on 4 channels, but subject 'sub-01' has 3"):
        step.transform(trials(noise(shape=(5, 3, 25))))


def test_flat_and_lost_channels_are_refused_by_name() -> None:
    flat, lost = noise(), noise()
    flat[:, 2] = 1.0
    lost[:, 1, 3] = np.nan
    with pytest.raises(ValueError, match=r"1 channels .* do not vary .* \('E2'\)"):
        RobustScale().fit(trials(flat))
    with pytest.raises(ValueError, match=r"1 channels .* not finite \('E1'\)"):
        RobustScale().fit(trials(lost))
    with pytest.raises(ValueError, match="not finite; drop those trials"):
        NoiseWhitening().fit(trials(lost))


def timed(values: np.ndarray, first: float = -0.1) -> Responses:
    times = first + 0.01 * np.arange(values.shape[2])
    ids = np.arange(len(values))
    return Responses(values, ids, "sub-01", "eeg", dims=DIMS, times=times)


SPLIT = Split(range(20), range(20, 25), range(25, 30))


def test_trials_are_made_white_without_a_look_at_those_that_are_tested() -> None:
    values = noise() + np.arange(4)[:, None]
    altered = values.copy()
    altered[25:] = 100.0
    before, after = (whiten_trials(timed(one), SPLIT).array()[:25] for one in (values, altered))
    np.testing.assert_array_equal(before, after)
    flat = before[:20].transpose(1, 0, 2).reshape(4, -1)
    np.testing.assert_allclose(np.cov(flat), np.eye(4), atol=0.2)


def test_trials_without_a_baseline_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'sub-01' have no times before stimulus onset to take"):
        whiten_trials(timed(noise(), first=0.1), SPLIT)
    with pytest.raises(ValueError, match=r"have no times before"):
        whiten_trials(trials(noise()), SPLIT)
