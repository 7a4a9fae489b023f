"""Cleaning, scaling and padding of sentences of different lengths."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from neurodecode.preprocessing import (
    OUR_READING,
    ReadingRecipe,
    SentenceScale,
    glim_recipe,
    sentence_responses,
)

SFREQ = 500.0


def wave(hertz: float, seconds: float = 2.0, size: float = 10.0) -> np.ndarray:
    return size * np.sin(2 * np.pi * hertz * np.arange(round(seconds * SFREQ)) / SFREQ)


def test_the_band_is_kept_and_the_rest_is_taken_out() -> None:
    kept, gone = wave(10.0), wave(100.0)
    recipe = ReadingRecipe(reference=None)
    clean = recipe.prepare(np.stack([kept, gone]))
    inside = slice(200, -200)
    assert np.corrcoef(clean[0, inside], kept[inside])[0, 1] > 0.99
    assert clean[1, inside].std() < 0.15 * gone.std()


def test_the_average_reference_takes_out_what_all_channels_share() -> None:
    clean = OUR_READING.prepare(np.stack([wave(10.0), wave(10.0), wave(10.0)]))
    np.testing.assert_allclose(clean, 0, atol=1e-5)


@pytest.mark.parametrize(("n_bad", "kept"), [(1, True), (2, False)])
def test_a_sentence_is_rejected_by_the_share_of_bad_channels(n_bad: int, kept: bool) -> None:
    signal = np.stack([wave(10.0)] * 10)
    signal[:n_bad] *= 100
    recipe = ReadingRecipe(reference=None, largest=150.0, bad_share=0.1)
    assert (recipe.prepare(signal) is not None) is kept


def test_the_published_recipe_changes_nothing_but_the_rate() -> None:
    signal = np.stack([wave(10.0), wave(100.0) + 1000.0]).astype(np.float32)
    np.testing.assert_array_equal(glim_recipe().prepare(signal), signal)
    one = sentence_responses([signal], ["a"], "S1", sfreq=SFREQ, recipe=glim_recipe())
    assert one.values.shape == (1, 2, 1280)
    assert one.valid.sum() == 256
    assert one.values[0, 1, :256].mean() == pytest.approx(1000.0, abs=1.0)


def test_sentences_left_out_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    rng = np.random.default_rng(0)
    good = [rng.normal(size=(3, 600)) for _ in range(2)]
    signals = [good[0], good[0][:, :100], good[1], 1e4 * good[0]]
    with caplog.at_level(logging.INFO, logger="neurodecode"):
        one = sentence_responses(
            signals, list("abcd"), "S1", sfreq=SFREQ, metadata={"text": list("ABCD")}
        )
    assert one.stimulus.tolist() == ["a", "c"]
    assert one.metadata["text"].tolist() == ["A", "C"]
    assert "'too short': 1, 'too long': 0, 'rejected': 1} of 4 sentences" in caplog.text
    with pytest.raises(ValueError, match="No sentence of subject 'S1' can be used"):
        sentence_responses(signals[1:2], ["b"], "S1", sfreq=SFREQ)


def test_scale_is_that_of_the_recorded_samples() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(100, 400, 12)
    signals = [5.0 + 3.0 * rng.normal(size=(2, n)) for n in lengths]
    recipe = ReadingRecipe(None, None, None, sfreq=SFREQ, seconds=(0.1, 1.0))
    one = sentence_responses(signals, range(12), "S1", sfreq=SFREQ, recipe=recipe)
    together = np.concatenate(signals, axis=1)
    scale = SentenceScale().fit(one)
    np.testing.assert_allclose(scale.centre_, np.median(together, axis=1), atol=1e-5)
    low, high = np.quantile(together, [0.25, 0.75], axis=1)
    np.testing.assert_allclose(scale.scale_, high - low, rtol=1e-5)
    scaled = scale.transform(one)
    assert not scaled.values.transpose(0, 2, 1)[~one.valid].any()
    longer = one.with_values(
        np.pad(one.values, ((0, 0), (0, 0), (0, 300))),
        valid=np.pad(one.valid, ((0, 0), (0, 300))), times=None,
    )  # fmt: skip
    np.testing.assert_allclose(SentenceScale().fit(longer).scale_, scale.scale_)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.5 to 45 Hz does not fit a signal of 80 Hz"):
        OUR_READING.prepare(np.zeros((1, 100)), 80.0)
    lost = np.zeros((2, 500))
    lost[1, 3] = np.nan
    with pytest.raises(ValueError, match="1 of 2 channels hold values that are not finite"):
        OUR_READING.prepare(lost)
