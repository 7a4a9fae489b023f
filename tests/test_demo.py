"""The whole chain on simulated people, at sizes that a test can wait for."""

from __future__ import annotations

import json

import pytest

from neurodecode import demo as module
from neurodecode.demo import demo

SCORES = {"retrieval_top1", "clip_two_way", "caption_object_accuracy", "pixel_correlation"}


@pytest.fixture(scope="module")
def small():
    """Few pictures are drawn: they take most of the time."""
    patch = pytest.MonkeyPatch()
    patch.setattr(module, "N_DRAWN", 8)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def without_signal(small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return demo(folder, n_subjects=2, n_trials=60, signal=0.0, seed=3), folder


def test_without_signal_everything_is_at_chance(without_signal):
    results, _ = without_signal
    scores = results["protocols"]["fmri"]["scores"]
    assert set(scores) == SCORES
    for name, score in scores.items():
        assert score["null"]["p"] > 0.01, name
        if score["chance"] is not None:
            low, high = score["ci95"]
            assert low <= score["chance"] <= high, name


def test_the_page_says_that_people_are_simulated(without_signal):
    results, folder = without_signal
    assert json.loads((folder / "results.json").read_text())["simulated"] is True
    assert "Scenes seen by two simulated people" in (folder / "index.html").read_text()
    assert results["signal"] == 0.0


@pytest.mark.slow
def test_the_same_seed_gives_the_same_digits(without_signal, tmp_path):
    again = demo(tmp_path, n_subjects=2, n_trials=60, signal=0.0, seed=3)
    results, _ = without_signal
    for part in ("scores", "controls"):
        assert again["protocols"]["fmri"][part] == results["protocols"]["fmri"][part]


@pytest.mark.slow
def test_all_modalities_stand_beside_one_another(small, tmp_path):
    results = demo(tmp_path, "all", n_subjects=2, n_trials=60, seed=4)
    assert list(results["protocols"]) == ["fmri", "meg", "eeg"]
    for protocol in results["protocols"].values():
        assert set(protocol["scores"]) == SCORES
    # 60 single trials of MEG or EEG are too few to find a scene by
    assert results["protocols"]["fmri"]["scores"]["retrieval_top1"]["null"]["p"] < 0.05
