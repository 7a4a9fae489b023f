"""Canonical correlations against scikit-learn's."""

from __future__ import annotations

import numpy as np
from sklearn.cross_decomposition import CCA

from neurodecode.preprocessing.steady_state import canonical_correlations, reference_signals


def test_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    wave = reference_signals(13.0, 512, 256.0, n_harmonics=1)
    trial = rng.normal(size=(4, 512)) + 0.5 * (wave @ rng.normal(size=(2, 4))).T
    ours = canonical_correlations(trial[None], [13.0], 256.0, n_harmonics=1)[0, 0]
    scores = CCA(n_components=2, max_iter=5000, tol=1e-12).fit_transform(trial.T, wave)
    theirs = [abs(np.corrcoef(x, y)[0, 1]) for x, y in zip(scores[0].T, scores[1].T, strict=True)]
    np.testing.assert_allclose(ours, sorted(theirs, reverse=True), atol=1e-5)


def test_the_planted_frequency_wins() -> None:
    seconds = np.arange(768) / 256
    noise = np.random.default_rng(1).normal(size=(20, 8, 768))
    trials = noise + np.sin(2 * np.pi * 17 * seconds + 0.3)
    found = canonical_correlations(trials, [13.0, 17.0, 21.0], 256.0)
    assert (found[:, :, 0].argmax(axis=1) == 1).mean() > 0.9
