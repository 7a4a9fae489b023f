"""Simulated recordings in PyMVPA's layout, with and without a signal; and the real ones."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nibabel
import numpy as np
import pytest

from experiments import haxby2001_categories as experiment
from neurodecode.datasets import haxby
from neurodecode.evidence import Run

RECORDED = Path(os.environ.get("NEURODECODE_DATA", "../shared/data")) / "fmri_haxby2001_sub1"
SHAPE, N_RUNS, CATEGORIES = (5, 4, 2), 5, ("cat", "face", "house", "shoe")


def simulate(folder, signal, seed=0):
    """Simulated: four categories with patterns of their own, in noise; one block each a run."""
    rng = np.random.default_rng(seed)
    pattern = {one: signal * rng.normal(size=SHAPE) for one in CATEGORIES}
    volumes, lines = [], []
    for run in range(N_RUNS):
        for one in rng.permutation(CATEGORIES):
            for label in ("rest", one, one, one):
                volumes.append(100 + rng.normal(size=SHAPE) + pattern.get(label, 0.0))
                lines.append(f"{label} {run}")
    folder.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(np.stack(volumes, axis=-1).astype(np.float32), np.eye(4))
    nibabel.save(image, folder / "bold.nii.gz")
    nibabel.save(nibabel.Nifti1Image(np.ones(SHAPE, np.uint8), np.eye(4)), folder / "mask.nii.gz")
    (folder / "attributes_literal.txt").write_text("\n".join(lines))
    return folder


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURODECODE_STATE", str(tmp_path / "state"))


def accuracies(folder, fast=True):
    recordings = haxby.read_people(folder)
    return [
        experiment.decode_categories(recordings, name, Run(), fast).score("accuracy")
        for name in experiment.ESTIMATES
    ]


def test_planted_patterns_are_decoded_and_noise_is_at_chance(tmp_path):
    assert min(accuracies(simulate(tmp_path / "signal", 1.5))) > 0.8
    assert max(accuracies(simulate(tmp_path / "noise", 0.0))) < 0.6


def test_volumes_of_a_block_are_one_observation(tmp_path):
    recordings = haxby.read_people(simulate(tmp_path, 1.5))
    got = experiment.decode_categories(recordings, "volumes_leave_one_run_out", Run(), True)
    score = got.result.scores["accuracy"]
    assert score.n == 3 * N_RUNS * len(CATEGORIES)
    assert score.details["n_independent"] == N_RUNS * len(CATEGORIES)
    assert "block" in got.result.details["kept_apart"]


def test_voxels_are_chosen_by_left_out_training_runs(tmp_path):
    recordings = haxby.read_people(simulate(tmp_path, 1.5))
    experiment.N_VOXELS, kept = (5, "all"), experiment.N_VOXELS
    try:
        got = experiment.decode_categories(recordings, "blocks_leave_one_run_out", Run())
    finally:
        experiment.N_VOXELS = kept
    for encoder in got.encoders:
        [search] = encoder.models_.values()
        assert search.n_splits_ == N_RUNS - 1
    assert got.score("accuracy") > 0.8


def test_the_script_writes_results_and_a_gallery(tmp_path, capsys):
    out = tmp_path / "out"
    experiment.main(simulate(tmp_path / "data", 1.5), out, fast=True)
    results = json.loads((out / "results.json").read_text())
    assert set(results["protocols"]) == set(experiment.ESTIMATES)
    blocks = results["protocols"]["blocks_leave_one_run_out"]
    assert blocks["scores"]["accuracy"]["chance"] == 0.25
    assert blocks["scores"]["accuracy"]["n"] == N_RUNS * len(CATEGORIES)
    assert blocks["controls"]["majority"]["accuracy"] == 0.25
    assert {"noise", "shuffled", "prior", "clock", "order", "plain_ridge"} < set(blocks["controls"])
    assert results["test_looks"] == 1
    assert (out / "index.html").exists()
    assert "null mean" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.recorded
@pytest.mark.skipif(not RECORDED.exists(), reason=f"no recordings at {RECORDED}")
def test_the_numbers_in_the_head(tmp_path):
    """At least what logistic regression gives: .719 of blocks and .567 of volumes."""
    experiment.main(RECORDED, tmp_path)
    protocols = json.loads((tmp_path / "results.json").read_text())["protocols"]
    values = {name: one["scores"]["accuracy"]["value"] for name, one in protocols.items()}
    assert values["blocks_leave_one_run_out"] > 0.719
    assert values["volumes_leave_one_run_out"] > 0.567
