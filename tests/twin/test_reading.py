"""The reading experiment holds meaning where it should, and only length and task at zero signal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import RidgeCV

from neurodecode import twin
from neurodecode.datasets import zuco
from neurodecode.twin._reading import meaning, sentences

SMALL = twin.Reading(n_channels=12, sfreq=100.0)


def told_by_ridge(signal: float) -> float:
    """Correlation of decoded with true mean meaning, sentences left out, within one task."""
    one = twin.reading(1, 450, signal=signal, plan=SMALL)[0]
    rows = one.metadata["task"] != "SR"
    mean = (one.values * one.valid[:, None]).sum(axis=2) / one.valid.sum(axis=1)[:, None]
    n_words = np.array([len(text.split()) for text in one.metadata["text"]])
    truth = np.array([sum(map(meaning, text.split())) for text in one.metadata["text"]])
    x, y = mean[rows], (truth / n_words[:, None])[rows]
    half = len(x) // 2
    found = RidgeCV(np.logspace(-3, 3, 7)).fit(x[:half], y[:half]).predict(x[half:])
    return float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(found.T, y[half:].T)]))  # noqa: B905


def test_meaning_is_there_with_signal_and_not_without() -> None:
    assert told_by_ridge(1.0) > 0.15
    assert abs(told_by_ridge(0.0)) < 0.1


def test_length_follows_the_words_at_any_signal() -> None:
    one = twin.reading(1, 60, signal=0.0, plan=SMALL)[0]
    n_words = [len(text.split()) for text in one.metadata["text"]]
    assert np.corrcoef(n_words, one.valid.sum(axis=1))[0, 1] > 0.9


def test_people_read_the_same_sentences_with_their_own_heads() -> None:
    first, second = twin.reading(2, 6, plan=SMALL)
    assert first.stimulus.tolist() == second.stimulus.tolist()
    assert not np.allclose(first.values[0, :, :50], second.values[0, :, :50])
    again = twin.reading(1, 6, plan=SMALL)[0]
    # products for one person and for two may differ in size, and so in how sums are rounded
    close = {"rtol": 1e-4, "atol": 1e-5 * first.array().std()}
    np.testing.assert_allclose(again.array(), first.array(), **close)


def test_one_person_can_be_made_alone() -> None:
    both = twin.reading(2, 4, plan=SMALL)
    (second,) = twin.reading(2, 4, plan=SMALL, only=1)
    assert second.subject == both[1].subject
    close = {"rtol": 1e-4, "atol": 1e-5 * second.array().std()}
    np.testing.assert_allclose(second.array(), both[1].array(), **close)


def test_no_spatial_filter_takes_out_all_noise() -> None:
    plan = twin.Reading(n_channels=32, signal=0.0)
    noise = np.concatenate(plan.person(0, sentences(20)), axis=1)
    assert np.linalg.eigvalsh(np.cov(noise))[0] > 1.0, "microvolt squared"


def test_meaning_is_about_as_strong_as_documented() -> None:
    plan = twin.Reading()
    told = sentences(20)
    silent = np.concatenate(replace(plan, signal=0.0).person(0, told), axis=1)
    meant = np.concatenate(plan.person(0, told), axis=1) - silent
    assert meant.std(axis=1).mean() / silent.std(axis=1).mean() == pytest.approx(0.6, abs=0.1)


def test_corpora_go_with_tasks_and_some_texts_are_read_twice() -> None:
    told = sentences(300)
    assert {one.task for one in told if one.corpus == "film reviews"} == {"SR"}
    assert all(bool(one.sentiment) == (one.task == "SR") for one in told)
    assert all(bool(one.relation) == (one.task == "TSR") for one in told)
    texts = {task: {one.text for one in told if one.task == task} for task in ("NR", "TSR")}
    assert len(texts["NR"] & texts["TSR"]) == 5


@pytest.mark.parametrize(("version", "tasks"), [(1, ["NR", "SR", "TSR"]), (2, ["NR", "TSR"])])
def test_files_come_back_through_the_reader(tmp_path: Path, version: int, tasks: list[str]) -> None:
    plan = twin.Reading(n_channels=6)
    twin.write_reading(tmp_path, 1, 9, version=version, plan=plan)
    (files,) = zuco.find_files(tmp_path).values()
    responses, skipped = zuco.read_subject(files, sfreq=500.0)
    assert skipped.total == 0
    assert sorted(set(responses.metadata["task"].tolist())) == tasks
    signals = dict(zip([one.text for one in sentences(9)], plan.person(0, sentences(9)),
                       strict=True))  # fmt: skip
    for row, text in enumerate(responses.metadata["text"]):
        kept = responses.values[row][:, responses.valid[row]]
        np.testing.assert_allclose(kept, signals[str(text)], rtol=1e-5)


def test_impossible_plans_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"signal must not be negative; got -1"):
        twin.Reading(signal=-1)
    with pytest.raises(ValueError, match="hold signals at 500 Hz; the plan has 100 Hz"):
        twin.write_reading(tmp_path, 1, 3, plan=SMALL)
