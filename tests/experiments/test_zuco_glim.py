"""The side-by-side experiment writes scores, controls and gains of both recipes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from experiments import zuco_glim as experiment
from neurodecode import twin
from neurodecode.encoders import GlimSize
from neurodecode.evidence.text import CONTROLS
from neurodecode.preprocessing import ReadingRecipe

TINY = GlimSize(n_times=640, n_channels=8, n_queries=8, merger_width=16, depth=1, n_heads=2)


def test_both_recipes_are_judged_with_all_controls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEURODECODE_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(experiment, "FAST", experiment.Scale(1, 36, 1, TINY))
    monkeypatch.setattr(experiment, "N_CARDS", 2)
    experiment.main(tmp_path, twin=True, fast=True)
    results = json.loads((tmp_path / "results.json").read_text())
    assert set(results["protocols"]) == {"ours", "published"}
    for protocol in results["protocols"].values():
        assert set(CONTROLS) <= set(protocol["controls"])
        assert protocol["headline"]["content_word_f1"]["verdict"].startswith("no evidence")
        assert "teacher_forced" in protocol
    assert (tmp_path / "index.html").exists()
    assert "no evidence that the brain was used" in capsys.readouterr().out


def test_recorded_people_come_from_the_files(tmp_path: Path) -> None:
    twin.write_reading(tmp_path, 1, 9, plan=twin.Reading(n_channels=6))
    (one,) = experiment.recorded_people(tmp_path, ReadingRecipe(sfreq=50.0))
    assert len(one) == 9
    assert {"sentiment", "relation", "corpus"} <= set(one.metadata)
    assert np.isfinite(one.values).all()


def test_one_source_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Give either --twin or --data FOLDER"):
        experiment.main(tmp_path)
