"""The side-by-side experiment writes scores, controls and gains of both recipes."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from experiments import zuco_glim as experiment
from experiments._sentence_recipes import (
    RECIPES,
    Twin,
    recorded_people,
    simulated_people,
    windows,
)
from experiments._sentence_ridge import RidgeReader
from neurodecode import twin
from neurodecode.data import Responses
from neurodecode.datasets import zuco
from neurodecode.encoders import GlimSize
from neurodecode.evidence.text import CONTROLS, TextRetrieval, Texts
from neurodecode.preprocessing import ReadingRecipe

TINY = GlimSize(n_times=1024, n_channels=32, n_queries=8, merger_width=16, depth=1, n_heads=2)
OURS = replace(TINY, n_times=400, width=16, stride=8)


def test_both_recipes_are_judged_with_all_controls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEURODECODE_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(experiment, "FAST_TWIN", (1, 36))
    monkeypatch.setattr(experiment, "N_CARDS", 2)
    monkeypatch.setattr(experiment, "WORKERS", 1)
    tiny = [replace(one, size=size) for one, size in zip(RECIPES, (OURS, TINY), strict=True)]
    monkeypatch.setattr(experiment, "TWIN_RECIPES", tiny)
    experiment.main(tmp_path, twin=True, fast=True)
    results = json.loads((tmp_path / "results.json").read_text())
    kinds, recipes = ("", "ridge, ", "ridge pooled, "), ("ours", "published")
    assert set(results["protocols"]) == {kind + name for kind in kinds for name in recipes}
    for name, protocol in results["protocols"].items():
        assert set(CONTROLS) <= set(protocol["controls"])
        assert protocol["headline"]["content_word_f1"]["verdict"].startswith("no evidence")
        assert protocol["frechet_distance"]["model"] > 0
        assert ("teacher_forced" in protocol) is not name.startswith("ridge")
    wanted = {"bleu1", "bleu4", "rougeL", "word_accuracy", "bertscore_like", "zero_shot_corpus"}
    assert wanted <= set(results["protocols"]["ours"]["scores"])
    assert results["simulated"] is True
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Sentences from simulated EEG of reading" in page
    assert "no evidence that the brain was used" in capsys.readouterr().out


@pytest.mark.slow
def test_people_are_the_same_alone_and_together() -> None:
    twin_of = partial(Twin, n_sentences=6)
    (alone,) = simulated_people(twin_of(1), [RECIPES[0]])["ours"]
    both = simulated_people(twin_of(2), RECIPES)
    assert {name: len(people) for name, people in both.items()} == {"ours": 2, "published": 2}
    # products for one person and for two may differ in size, and so in how sums are rounded
    close = {"rtol": 1e-4, "atol": 1e-5 * alone.array().std()}
    np.testing.assert_allclose(alone.array(), both["ours"][0].array(), **close)
    assert both["published"][0].sfreq == 128.0


def test_windows_hold_the_sums_and_the_length() -> None:
    values = np.arange(12.0).reshape(1, 2, 6)
    one = Responses(values, ["a"], "S", "eeg", dims=("trial", "channel", "time"),
                    valid=np.arange(6)[None] < 4)  # fmt: skip
    (found,) = windows([one], 2)
    assert found.array()[0].tolist() == pytest.approx([1, 13, 5, 17, 4, np.log(4)])


def test_ridge_reads_planted_meaning_and_says_texts_it_has_learned_from() -> None:
    people = twin.reading(1, 400, signal=4.0, plan=twin.Reading(n_channels=32, sfreq=50.0))
    split = zuco.sentence_split(people, test=0.2)
    reader = RidgeReader(people, split)
    test = split.part(people[0], "test")
    answers = reader.answer(test)
    table = TextRetrieval().table(
        answers,
        Texts(test.stimulus, [""] * len(test), reader.embed(test.metadata["text"].tolist())),
    )
    assert np.diag(table).mean() > 0.2, "chance is 1 in 76"
    learned = {str(one) for one in split.part(people[0], "train").metadata["text"]}
    assert set(answers.sentences) <= learned


def test_recorded_people_come_from_the_files(tmp_path: Path) -> None:
    twin.write_reading(tmp_path, 1, 9, plan=twin.Reading(n_channels=6))
    (one,) = recorded_people(tmp_path, ReadingRecipe(sfreq=50.0))
    assert len(one) == 9
    assert {"sentiment", "relation", "corpus"} <= set(one.metadata)
    assert np.isfinite(one.values).all()


def test_one_source_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Give either --twin or --data FOLDER"):
        experiment.main(tmp_path)
