"""The three NSD experiments run on a tiny twin and write what they promise."""

from __future__ import annotations

import copy
import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments import _nsd, _nsd_pictures, _nsd_scores, _nsd_study, nsd_mindbridge
from experiments._nsd_scores import TOP1, Block, Metric
from neurodecode.data import Embeddings, Responses, Split, Stimuli
from neurodecode.evidence import read_results
from neurodecode.metrics.networks import Network
from neurodecode.metrics.retrieval import drawn_retrieval, rank_table
from neurodecode.targets import shipped
from neurodecode.training import Plan

PROTOCOLS = {
    "nsd_mindbridge": {"pooled", "within_subject", "pooled_single_trial", "new_subject_10_percent"},
    "nsd_mindeye2": {"pooled_prior", "pooled_single_trial", "new_subject_one_session"},
    "nsd_volume_transformer": {"pooled", "within_subject", "pooled_single_trial"},
}
COLUMNS = {"n_test", "sessions", "test_set", "selection_rule", "n_samples", "repeats_averaged"}


@pytest.mark.slow
@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_tiny_twin_gives_results_and_a_gallery(name, tmp_path: Path, monkeypatch) -> None:
    script = importlib.import_module(f"experiments.{name}")
    monkeypatch.setenv("NEURODECODE_CACHE", str(tmp_path / "cache"))
    script.main(tmp_path / "out", twin=True, fast=True)
    results = read_results(tmp_path / "out")
    assert results["simulated"] is True and results["claims"]
    assert PROTOCOLS[name] <= set(results["protocols"])
    for protocol in results["protocols"].values():
        assert "plain_ridge" in protocol["controls"]
        assert COLUMNS | {"subjects"} <= set(protocol)
        assert 0 <= protocol["scores"][TOP1]["value"] <= 1
    drawn = [one for one in results["protocols"].values() if "PixCorr" in one["scores"]]
    assert drawn and {"SSIM", "SSIM_legacy", "two_way_clip_small"} <= set(drawn[0]["scores"])
    named = set(drawn[0]["scores"]) | set(results["metrics_missing"])
    assert {"Alex(2)", "Alex(5)", "Incep", "CLIP", "Eff", "SwAV"} <= named
    assert "simulated people" in (tmp_path / "out/index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PROTOCOLS)
def test_neither_twin_nor_data_is_refused(name, tmp_path: Path) -> None:
    script = importlib.import_module(f"experiments.{name}")
    with pytest.raises(ValueError, match="Give --twin, or --root and --clip for the real data"):
        script.main(tmp_path)


def block(seed: int, good: bool) -> Block:
    rng = np.random.default_rng(seed)
    table = rng.random((30, 30)) * 0.1
    if good:
        table[np.arange(30), np.arange(30)] = 1.0
    return Block("s", seed, np.arange(30).astype(str), {"x": Metric.of_table(table)})


def test_scores_over_seeds_are_means_with_nulls_at_chance() -> None:
    found = _nsd_scores.scores([block(0, True), block(1, True)])["x"]
    assert found.value == 1.0 and found.p < 0.01 and found.null.mean < 0.2
    gap = _nsd_scores.difference([block(0, True)], [block(0, False)], "x")
    assert gap["ci95"][0] > 0.9


def test_a_null_from_a_few_wrong_pairs_stays_at_them() -> None:
    metric = Metric(np.ones(20), np.array([0.1, 0.3]))
    found = _nsd_scores.scores([Block("s", 0, np.arange(20).astype(str), {"x": metric})])["x"]
    assert found.null.mean == pytest.approx(0.2, abs=0.01) and found.p < 0.01
    assert found.null.kind == "drawn from some wrong pairs"


def test_shuffled_predictions_lose_their_stimulus() -> None:
    (mixed,) = _nsd_scores.shuffled([block(0, True)])
    assert mixed.value("x") < 0.3


def test_expected_hits_are_what_many_draws_give() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(40, 6))
    found = truth + rng.normal(size=(40, 6))
    table = _nsd_scores.unit(found) @ _nsd_scores.unit(truth).T
    expected = _nsd_scores.expected_hits(rank_table(table), 10).diagonal().mean()
    drawn = drawn_retrieval(truth, found, n_candidates=10, n_draws=3000).value
    assert expected == pytest.approx(drawn, abs=0.01)


def data_of(n_test: int, n_dims: int = 8) -> tuple[_nsd.Data, Responses]:
    """People whose responses are linear in the target; the last pictures are for test."""
    rng = np.random.default_rng(0)
    n_all = n_test + 60
    ids = [f"nsd-{one:05d}" for one in range(n_all)]
    target = Embeddings(rng.normal(size=(n_all, n_dims)), ids, "toy")
    shown = np.repeat(np.arange(n_all), 3)
    values = target.array()[shown] @ rng.normal(size=(n_dims, 12))
    values += 0.1 * rng.normal(size=values.shape)
    session = np.arange(len(shown)) * 4 // len(shown) + 1
    person = Responses(values, np.array(ids)[shown], "subj01", "fmri", session=session.astype(str))
    split = Split(ids[:50], ids[50:60], ids[60:])
    pictures = rng.integers(0, 255, (n_all, 16, 16, 3)).astype(np.uint8)
    stimuli = Stimuli.from_arrays(ids, pictures)
    return _nsd.Data([person], stimuli, split, {"clip": target}, simulated=False), person


def test_three_hundred_candidates_only_where_there_are_so_many() -> None:
    for n_test, there in ((20, False), (310, True)):
        data, person = data_of(n_test)
        found = _nsd_pictures.evaluate(data, person, _nsd.ridge_way(data, person))
        assert ("retrieval_300way_forward" in found.metrics) is there
        assert found.metrics[TOP1].details["n_candidates"] == n_test
        assert found.value(TOP1) > 0.9 and found.value("retrieval_all_backward") > 0.9
    scores = _nsd_scores.scores([found])
    details = scores["retrieval_300way_backward"].as_json()
    assert details["mean_of_30_draws"] == pytest.approx(details["value"], abs=0.02)
    assert details["chance"] == 1 / 300


def test_noise_and_single_trials_are_ways_too() -> None:
    data, person = data_of(20)
    way = _nsd.ridge_way(data, person)
    noise = _nsd_pictures.evaluate(data, person, _nsd.on_noise(way, data, person))
    first = _nsd_pictures.evaluate(data, person, _nsd.on_first_trial(way))
    assert noise.value(TOP1) < 0.3 < 0.9 < first.value(TOP1)


def test_networks_that_are_here_are_scored_and_others_named(monkeypatch) -> None:
    grey = Network("Eff", lambda pictures: pictures.mean(axis=(1, 2)), "distance", "grey")
    monkeypatch.setattr(_nsd_pictures, "networks", lambda: ({"Eff": grey}, {"SwAV": "get it"}))
    monkeypatch.setattr(_nsd_pictures, "SIZE", 24)
    data, person = data_of(20)
    found = _nsd_pictures.evaluate(data, person, _nsd.ridge_way(data, person), draw=True)
    score = _nsd_scores.scores([found])["Eff"]
    assert not score.higher_is_better and score.chance is None
    assert 0 < score.value < 2 and score.as_json()["variant"] == "grey"
    assert {"PixCorr", "SSIM", "SSIM_legacy"} <= set(found.metrics)


def test_a_picture_that_is_right_scores_one() -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (8, 16, 16, 3)).astype(np.uint8)
    found = _nsd_pictures.pixel_metrics(pictures, pictures)
    for metric in found.values():
        assert metric.own == pytest.approx(np.ones(8), abs=1e-5) and metric.wrong[0:2].mean() < 0.9


def test_the_nearest_training_picture_is_never_the_one_that_was_shown(monkeypatch) -> None:
    monkeypatch.setattr(_nsd_pictures, "SIZE", 24)
    data, person = data_of(20)
    way = _nsd.ridge_way(data, person)
    near, decoded = (
        _nsd_pictures.nearest(data, person, way),
        _nsd_pictures.evaluate(data, person, way),
    )
    assert near.value(TOP1) < decoded.value(TOP1)
    assert near.value("two_way_embedding") < decoded.value("two_way_embedding")


def test_few_pictures_are_all_for_training() -> None:
    data, person = data_of(20)
    short = _nsd.few(data, person, 12)
    assert len(np.unique(data.split.part(short, "train").stimulus)) == 12
    assert not len(data.split.part(short, "validation")) and not len(data.split.part(short, "test"))
    with pytest.raises(ValueError, match="subj01 has 50 training pictures; 51 were asked for"):
        _nsd.few(data, person, 51)


def test_the_first_session_has_no_test_picture() -> None:
    data, person = data_of(20)
    first = _nsd.first_session(data, person)
    assert set(first.session.tolist()) == {"1"} and not len(data.split.part(first, "test"))


def test_sizes_of_a_new_person_are_the_papers_or_scaled() -> None:
    data, person = data_of(20)
    assert nsd_mindbridge.sizes_of(data, person) == {"10_percent": 5}
    twin = _nsd.Data(data.people, data.stimuli, data.split, data.targets, simulated=True)
    sizes = nsd_mindbridge.sizes_of(twin, person)
    assert sizes["4000_scaled"] == round(50 * 4000 / 8859) and set(sizes) >= {"500_scaled"}


def test_a_layout_without_the_new_test_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'webdataset' has the old test set alone .*test_set old"):
        _nsd.open_layout(tmp_path, "webdataset", "new")
    assert _nsd.open_layout(tmp_path, "raw", "new").test_set == "new"  # type: ignore[attr-defined]
    assert _nsd.open_layout(tmp_path, "mindeye2", "old").test_set == "old"  # type: ignore[attr-defined]


def test_plans_grow_but_one_epoch_stays_one() -> None:
    assert _nsd_study.times(Plan(max_epochs=10), 2, 1e-4).max_epochs == 20
    assert _nsd_study.times(Plan(max_epochs=10), 2, 1e-4).learning_rate == 1e-4
    assert _nsd_study.times(Plan(max_epochs=1), 2).max_epochs == 1


@pytest.mark.slow
def test_files_in_a_real_layout_are_read_with_a_local_clip(tmp_path: Path, monkeypatch) -> None:
    """The path of real recordings, on simulated files of the same layout; small models."""
    design, small = _nsd_study.FAST_DESIGN, nsd_mindbridge.STUDY.small
    people = design.people(_nsd_study.FAST_VOXELS)
    _nsd.WRITERS["webdataset"](tmp_path / "nsd", design, people)
    monkeypatch.setenv("NEURODECODE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_nsd_pictures, "SIZE", 64)
    study = replace(nsd_mindbridge.STUDY, published=copy.deepcopy(small))
    where = _nsd_study.Where(
        tmp_path / "out", fast=True, root=tmp_path / "nsd", clip=shipped("clip")
    )
    results = _nsd_study.conduct(study, where)
    assert results["simulated"] is False
    pooled = results["protocols"]["pooled"]
    assert pooled["test_set"] == "old: 982 pictures, 37 sessions"
    assert pooled["generator"] == "nearest training picture"
    assert "two_way_clip_small" not in pooled["scores"] and "PixCorr" in pooled["scores"]
