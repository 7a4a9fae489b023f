"""Bins of time, by hand."""

import numpy as np
import pytest

from neurodecode.data import Responses
from neurodecode.encoders.core.time_bins import Bins, Parts, binned, default_windows


def trials(n=7, n_channels=3, n_times=80, **changes):
    values = np.random.default_rng(0).normal(size=(n, n_channels, n_times)).astype(np.float32)
    facts = {"times": np.arange(-10, n_times - 10) / 100, "sfreq": 100.0}
    facts |= {"dims": ("trial", "channel", "time")} | changes
    return Responses(facts.pop("values", values), range(n), "anna", "eeg", **facts)


def test_means_within_bins():
    one = trials()
    got = binned(one, Bins(0.05, 0.35, 0.1)).reshape(7, 3, 3)
    for i, start in enumerate((15, 25, 35)):  # onset is sample 10
        wanted = one.array()[:, :, start : start + 10].mean(axis=2)
        np.testing.assert_allclose(got[:, :, i], wanted, atol=1e-6)


def test_every_sample_of_the_window_counts_once():
    one = trials(values=np.ones((7, 3, 80), np.float32))
    for width in (0.01, 0.02, 0.03, 0.3):
        np.testing.assert_allclose(binned(one, Bins(0.0, 0.3, width)), 1.0, atol=1e-6)


def test_many_trials_are_read_in_blocks(monkeypatch):
    one = trials()
    whole = binned(one, Bins(0.0, 0.4, 0.1))
    monkeypatch.setattr("neurodecode.encoders.core.time_bins.BLOCK", 2)
    np.testing.assert_array_equal(binned(one, Bins(0.0, 0.4, 0.1)), whole)


def test_parts_of_trials_of_different_length():
    valid = np.zeros((7, 80), dtype=bool)
    lengths = [80, 40, 20, 7, 33, 64, 2]
    for row, length in enumerate(lengths):
        valid[row, :length] = True
    one = trials(valid=valid)
    got = binned(one, Parts(2))
    for row, length in enumerate(lengths):
        own = one.array()[row, :, :length]
        half = -(-length // 2)
        wanted = np.stack([own[:, :half].sum(1), own[:, half:].sum(1)], axis=1)
        np.testing.assert_allclose(got[row, :-1].reshape(3, 2), wanted, atol=1e-4)
        assert got[row, -1] == pytest.approx(np.log(length))


def test_padding_is_not_read():
    valid = np.arange(80) < np.array([80, 40, 20, 7, 33, 64, 2])[:, None]
    one = trials(valid=valid)
    padded = np.where(valid[:, None, :], one.array(), np.nan)
    np.testing.assert_array_equal(
        binned(one.with_values(padded), Parts(4)), binned(one, Parts(4))
    )  # fmt: skip


def test_candidates_suit_the_recording():
    names = [one.name for one in default_windows(trials())]
    assert names[:2] == ["50 to 350 ms by 20", "50 to 350 ms by 40"]
    assert "0 to 700 ms by 40" in names
    assert default_windows(trials(valid=np.ones((7, 80), bool)))[0] == Parts(1)
    short = trials(n_times=25)
    assert next(one.name for one in default_windows(short)) == "0 to 150 ms by 20"
    many = trials(n=1, n_channels=300, n_times=300)
    assert all(one.n_bins * 300 <= 6000 for one in default_windows(many))


@pytest.mark.parametrize("n_times", [1, 2, 3, 12])
def test_candidates_hold_samples_however_few_there_are(n_times):
    one = trials(n_times=n_times, times=np.arange(n_times) / 10, sfreq=10.0)
    for windows in default_windows(one):
        assert binned(one, windows).shape[1] >= 3
    still = Responses(np.ones((4, 5)), range(4), "anna", "eeg", dims=("trial", "channel"))
    assert [binned(still, one).shape for one in default_windows(still)] == [(4, 5)]


def test_a_window_without_samples_is_refused():
    with pytest.raises(ValueError, match="No sample") as error:
        binned(trials(), Bins(2.0, 3.0, 0.1))
    assert str(error.value) == (
        "No sample of subject 'anna' lies in the window 2000 to 3000 ms by 100: trials go from "
        "-0.100 to 0.690 s. Give a window within."
    )
