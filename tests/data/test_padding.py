"""Padding keeps what was recorded and says where it ends."""

import numpy as np
import pytest

from neurodecode.data import pad_trials


def test_values_and_mask_agree() -> None:
    signals = [np.full((2, n), n, dtype=float) for n in (3, 5)]
    values, valid = pad_trials(signals, 6)
    assert values.shape == (2, 2, 6)
    assert valid.sum(axis=1).tolist() == [3, 5]
    for row, signal in enumerate(signals):
        np.testing.assert_array_equal(values[row][:, valid[row]], signal)
    assert not values.transpose(0, 2, 1)[~valid].any()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="There are no trials to pad"):
        pad_trials([])
    with pytest.raises(ValueError, match=r"1 of 2 trials are longer than 4 samples \(longest: 5\)"):
        pad_trials([np.zeros((1, 5)), np.zeros((1, 2))], 4)
    with pytest.raises(ValueError, match=r"Trials have \[1, 2\] channels"):
        pad_trials([np.zeros((1, 5)), np.zeros((2, 2))])
