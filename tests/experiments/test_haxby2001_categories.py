"""Simulated recordings in PyMVPA's layout, with and without a signal; and the real ones."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nibabel
import numpy as np
import pytest

from experiments import haxby2001_categories as experiment
from neurodecode.data import LeaveOneOut
from neurodecode.datasets import haxby
from neurodecode.evidence import Run, TestLooks

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


def accuracies(folder):
    recording = haxby.read_people(folder)[0]
    found = experiment.decode_person(recording, [experiment.Choice(0.0, 20)], Run())
    return [float((one.decoded == one.trials.stimulus).mean()) for one in found]


def test_planted_patterns_are_decoded_and_noise_is_at_chance(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURODECODE_STATE", str(tmp_path / "state"))
    assert min(accuracies(simulate(tmp_path / "signal", 1.5))) > 0.8
    assert max(accuracies(simulate(tmp_path / "noise", 0.0))) < 0.6


def test_the_left_out_run_touches_nothing_that_is_learned(tmp_path):
    recording = haxby.read_people(simulate(tmp_path, 1.0))[0]
    blocks = {
        delay: experiment.trials_of(recording, experiment.fmri.BlockMeans(delay))
        for delay in experiment.DELAYS_S
    }
    fold = next(LeaveOneOut("run", validation=0).split(blocks[0.0]))
    choices = [experiment.Choice(delay, n) for delay in experiment.DELAYS_S for n in (5, 20)]
    train = fold.part(blocks[0.0], "train")
    test = fold.part(blocks[0.0], "test")
    expected = experiment.predict(train, train, test, 10)
    spoilt = {}
    for delay, one in blocks.items():
        stimulus, values = one.stimulus.copy(), one.array().copy()
        rows = fold.mask(one, "test")
        stimulus[rows] = "cat"
        values[rows] = 99.0
        spoilt[delay] = one.with_values(values, stimulus=stimulus)
    assert experiment.choose(blocks, fold, choices) == experiment.choose(spoilt, fold, choices)
    train = fold.part(spoilt[0.0], "train")
    assert experiment.predict(train, train, test, 10).tolist() == expected.tolist()


def test_shuffling_keeps_runs_and_blocks(tmp_path):
    recording = haxby.read_people(simulate(tmp_path, 1.0))[0]
    volumes = experiment.trials_of(recording, experiment.fmri.SingleVolumes())
    mixed = experiment.shuffled_within_runs(volumes, seed=1)
    assert (mixed.stimulus != volumes.stimulus).any()
    for run in np.unique(volumes.run):
        rows = volumes.run == run
        assert sorted(mixed.stimulus[rows]) == sorted(volumes.stimulus[rows])
    for block in np.unique(volumes.metadata["block"]):
        assert len(set(mixed.stimulus[volumes.metadata["block"] == block])) == 1


def test_the_script_writes_results_and_a_gallery(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NEURODECODE_STATE", str(tmp_path / "state"))
    out = tmp_path / "out"
    experiment.main(simulate(tmp_path / "data", 1.5), out, fast=True)
    results = json.loads((out / "results.json").read_text())
    assert set(results["protocols"]) == {"blocks_leave_one_run_out", "volumes_leave_one_run_out"}
    blocks = results["protocols"]["blocks_leave_one_run_out"]
    assert blocks["scores"]["accuracy"]["chance"] == 0.25
    assert blocks["scores"]["accuracy"]["n"] == N_RUNS * len(CATEGORIES)
    assert blocks["controls"]["majority_class"]["accuracy"] == 0.25
    assert set(experiment.CONTROLS) < set(blocks["controls"])
    assert results["test_looks"] == 1
    assert (out / "index.html").exists()
    assert "permutation null mean" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.recorded
@pytest.mark.skipif(not RECORDED.exists(), reason=f"no recordings at {RECORDED}")
def test_the_numbers_in_the_head(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURODECODE_STATE", str(tmp_path / "state"))
    recording = haxby.read_people(RECORDED)[0]
    looks = Run(looks=TestLooks(tmp_path))
    blocks, volumes = experiment.decode_person(recording, [experiment.Choice(0.0, 200)], looks)
    assert float((blocks.decoded == blocks.trials.stimulus).mean()) == pytest.approx(
        0.969, abs=0.03
    )
    assert float((volumes.decoded == volumes.trials.stimulus).mean()) == pytest.approx(
        0.755, abs=0.03
    )
