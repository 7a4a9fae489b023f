"""The noise ceiling, from what is known and from repeats."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.data import Responses
from neurodecode.twin import ceiling_of, measured_noise_ceiling


def test_a_planted_ceiling_is_recovered_from_repeats():
    rng = np.random.default_rng(0)
    snr = np.array([0.0, 0.3, 0.6, 1.0])
    signal = rng.standard_normal((600, 4)) * snr
    values = np.concatenate([signal + rng.standard_normal((600, 4)) for _ in range(3)])
    responses = Responses(values, list(range(600)) * 3, "sub-01", "fmri")
    for n_repeats in (1, 3):
        found = measured_noise_ceiling(responses, n_repeats)
        assert np.allclose(found, ceiling_of(snr, n_repeats), atol=0.06)


def test_more_repeats_raise_the_ceiling():
    assert ceiling_of(np.array([0.5]), 3) > ceiling_of(np.array([0.5]), 1)


def test_stimuli_shown_once_say_nothing():
    responses = Responses(np.zeros((3, 2)), ["a", "b", "b"], "sub-01", "fmri")
    with pytest.raises(ValueError, match="subject 'sub-01' needs two or more stimuli shown"):
        measured_noise_ceiling(responses)
