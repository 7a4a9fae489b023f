"""Simulated people who watch a simulated film, and the real ones."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from experiments import sherlock_scenes as experiment
from neurodecode.data import Responses, Stimuli
from neurodecode.datasets import sherlock

RECORDED = Path(os.environ.get("NEURODECODE_DATA", "../shared/data")) / "fmri_sherlock_movie_text"
WORDS = np.array([f"word{letter}" for letter in "abcdefghijklmnopqrst"])


def simulate(signal, n_scenes=22, n_people=4, seed=0):
    """Simulated: the words of a scene leave a pattern that all people share, in noise."""
    rng = np.random.default_rng(seed)
    topics = rng.random((n_scenes, len(WORDS))) < 0.3
    topics[:, 0] |= ~topics.any(axis=1)
    ids = np.array([f"scene-{i:02d}" for i in range(n_scenes)])
    pattern = signal * topics @ rng.normal(size=(len(WORDS), 30))
    texts = {one: " ".join(WORDS[row]) for one, row in zip(ids, topics, strict=True)}
    start = np.arange(n_scenes) * 10
    run = np.where(start < 110, "1", "2")
    scenes = Stimuli.from_texts(
        texts, metadata={"start": start, "stop": start + rng.integers(6, 10, n_scenes),
                         "run": run, "title": ids},
    )  # fmt: skip
    people = [
        Responses(pattern + rng.normal(size=pattern.shape), ids, f"p{i}", "fmri", run=run)
        for i in range(n_people)
    ]
    people[1] = people[1].take(np.arange(n_scenes - 2))  # as the person whose scan ended early
    return experiment.Film(scenes, people)


@pytest.mark.parametrize(("signal", "found"), [(1.5, True), (0.0, False)])
def test_shared_patterns_are_found_and_noise_is_not(signal, found):
    film = simulate(signal)
    across = experiment.scenes_across_people(film, 99, 0).scores
    folds, group, texts = experiment.unseen(film)
    model = experiment.model_of(group.array(np.float64), folds, experiment.text_grams(texts, folds))
    told = experiment.text_of_unseen_scenes(model, {}, (99, 0)).scores["two_vs_two"]
    assert across["top1"].n == 4 * 22 - 2
    if found:
        assert across["two_way"].value > 0.9
        assert told.value > 0.7
        assert max(told.p, across["top1"].p, across["two_way"].p) < 0.05
    else:
        assert 0.35 < across["two_way"].value < 0.65
        assert 0.25 < told.value < 0.75
        assert min(told.p, across["two_way"].p) > 0.01


def test_texts_learn_nothing_from_the_scenes_left_out():
    film = simulate(1.0)
    folds, _, texts = experiment.unseen(film)
    row = 5
    train = folds.training()[row]
    other = list(texts)
    out = int(np.flatnonzero(~train)[-1])
    assert out not in folds.pairs[row]  # a neighbour in time, neither tested nor learned from
    other[out] = "quite other words that nobody knows"
    kept = np.arange(len(texts)) != out
    grams = [experiment.text_grams(one, folds)[row][np.ix_(kept, kept)] for one in (texts, other)]
    np.testing.assert_allclose(grams[0], grams[1], atol=1e-6)


def test_a_text_shown_twice_counts_once():
    film = simulate(1.0)
    texts = {one: film.scenes[one] for one in film.scenes.ids.tolist()}
    texts["scene-11"] = texts["scene-00"]
    twice = experiment.Film(
        Stimuli.from_texts(texts, metadata=film.scenes.metadata), film.people
    )  # fmt: skip
    assert "scene-11" not in experiment.unseen(twice)[0].ids
    assert len(experiment.unseen(twice)[0].ids) == 21


def test_tables():
    table = np.array([[3.0, 1.0, 3.0]])
    np.testing.assert_allclose(experiment.top_one(table), [[0.5, 0.0, 0.5]])
    np.testing.assert_allclose(experiment.two_way(table), [[0.75, 0.0, 0.75]])


def test_the_script_writes_results_and_a_gallery(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NEURODECODE_STATE", str(tmp_path / "state"))
    film = simulate(1.5)
    monkeypatch.setattr(sherlock, "scenes", lambda _: film.scenes)
    monkeypatch.setattr(sherlock, "read", lambda _: film.people)
    experiment.main(tmp_path, tmp_path / "out", fast=True)
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    protocols = results["protocols"]
    assert set(protocols["scenes_across_people"]["scores"]) == {"top1", "two_way"}
    told = protocols["text_of_unseen_scenes"]
    assert set(told["scores"]) == {"two_vs_two"}
    assert "circular shift" in told["scores"]["two_vs_two"]["null"]["kind"]
    assert {"noise", "time_in_film", "brain_less_time"} <= set(told["controls"])
    assert told["scores"]["two_vs_two"]["best_control"] in experiment.NO_BRAIN
    across = protocols["scenes_across_people"]["scores"]["two_way"]
    assert across["verdict"] == "shown"
    assert across["over_best_control"][0] > 0
    assert results["test_looks"] == 1
    assert (tmp_path / "out" / "index.html").exists()
    assert "shifted null mean" in capsys.readouterr().out


@pytest.mark.recorded
@pytest.mark.skipif(not RECORDED.exists(), reason=f"no recordings at {RECORDED}")
def test_the_numbers_in_the_head():
    film = experiment.Film(sherlock.scenes(RECORDED), sherlock.read(RECORDED))
    across = experiment.scenes_across_people(film, 20, 0).scores
    assert across["top1"].value == pytest.approx(0.093, abs=0.002)
    assert across["two_way"].value == pytest.approx(0.754, abs=0.002)
    folds, group, texts = experiment.unseen(film)
    model = experiment.model_of(group.array(np.float64), folds, experiment.text_grams(texts, folds))
    assert model.score(np.arange(len(group))) == pytest.approx(0.798, abs=0.005)
    others = {
        name: experiment.model_of(values, folds, model.grams)
        for name, values in experiment.other_inputs(film, group, 0).items()
    }
    told = experiment.text_of_unseen_scenes(model, others, (99, 0)).scores["two_vs_two"]
    assert told.p < 0.05
    assert told.verdict.word == "not shown"
    assert told.comparison.best_control == "time_in_film"
    assert told.comparison.gain == pytest.approx(0.052, abs=0.002)
    assert told.over_best_control.low < 0 < told.over_best_control.high
