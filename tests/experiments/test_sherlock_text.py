"""Simulated people who watch a simulated film: the group, and each person."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from experiments import sherlock_text as experiment
from neurodecode.datasets import sherlock
from tests.experiments.test_sherlock_scenes import simulate

RECORDED = Path(os.environ.get("NEURODECODE_DATA", "../shared/data")) / "fmri_sherlock_movie_text"


@pytest.mark.parametrize(("signal", "found"), [(2.0, True), (0.0, False)])
def test_people_are_above_the_shifted_null_with_signal_only(
    signal: float, found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEURODECODE_STATE", str(tmp_path / "state"))
    film = simulate(signal, n_people=3)
    monkeypatch.setattr(sherlock, "scenes", lambda _: film.scenes)
    monkeypatch.setattr(sherlock, "read", lambda _: film.people)
    monkeypatch.setattr(experiment, "N_STEPS", 10)
    experiment.main(tmp_path, tmp_path / "out", fast=True)
    protocols = json.loads((tmp_path / "out" / "results.json").read_text())["protocols"]
    assert set(protocols) == {"group", "p0", "p1", "p2"}
    group, single = protocols["group"], protocols["group"]["single_people"]
    assert (group["scores"]["two_vs_two"]["null"]["p"] < 0.05) is found
    assert single["people"] == 3
    assert (single["above_the_shifted_null"] >= 2) is found
    assert "circular shift" in group["scores"]["two_vs_two"]["null"]["kind"]
    assert 0.2 < group["controls"]["noise"]["two_vs_two"] < 0.8
    assert group["scores"]["two_vs_two"]["best_control"] in ("noise", "clock")
    assert (group["scores"]["two_vs_two"]["verdict"] == "shown") is found
    for protocol in protocols.values():
        assert protocol["scores"]["written_two_way"]["chance"] == 0.5
        assert protocol["controls"]["constant best"]["written_two_way"] == pytest.approx(0.5)
        assert set(protocol["controls"]) >= {
            "noise",
            "permuted in the block",
            "text-only upper bound",
        }
        gain = protocol["written_gain_over_best_control"]["written_content_word_f1"]
        assert "evidence" in gain["verdict"]
    assert (tmp_path / "out" / "index.html").exists()


def test_a_person_whose_scan_ended_early_has_folds_of_their_own() -> None:
    film = simulate(1.0)
    folds, _, texts = experiment.unseen(film)
    own, own_folds, own_texts = experiment.person(film.people[1], folds, texts)
    assert own.stimulus.tolist() == own_folds.ids.tolist()
    assert len(own_texts) == len(texts) - 2


@pytest.mark.recorded
@pytest.mark.skipif(not RECORDED.exists(), reason=f"no recordings at {RECORDED}")
def test_the_group_is_above_the_shifted_null() -> None:
    film = experiment.Film(sherlock.scenes(RECORDED), sherlock.read(RECORDED))
    folds, group, texts = experiment.unseen(film)
    model = experiment.model_of(group.array(np.float64), folds, experiment.text_grams(texts, folds))
    score = experiment.score_of(model, 39, 0)
    assert score.value > 0.75
    assert score.p < 0.05
    clock = experiment.model_of(experiment.clock_of(film, folds.ids), folds, model.grams)
    told = experiment.told_apart(score, model, {"clock": clock})
    assert told.verdict.word == "not shown"
    assert told.verdict.reasons[0].startswith("Not above the control clock: +0.052 [")
