"""The three NSD experiments run on a tiny twin and write what they promise."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments import _nsd
from neurodecode.evidence import read_results
from neurodecode.twin.layouts.nsd import NsdDesign

DESIGN = NsdDesign(n_subjects=3, n_shared=12, n_own=20, n_sessions=2)
PROTOCOLS = {
    "nsd_mindbridge": {"pooled", "within_subject", "pooled_single_trial", "new_subject_few"},
    "nsd_shared_space": {"pooled", "within_subject", "new_subject_one_session"},
    "nsd_volume_transformer": {"pooled", "pooled_single_trial"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_tiny_twin_gives_results(name, tmp_path: Path, monkeypatch) -> None:
    script = importlib.import_module(f"experiments.{name}")
    monkeypatch.setenv("NEURODECODE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(script, "DESIGN", DESIGN)
    monkeypatch.setattr(script, "N_VOXELS", 60)
    plan = replace(script.SMALL.plan, max_epochs=1)
    monkeypatch.setattr(script.SMALL, "plan", plan)
    script.main(tmp_path / "out", twin=True, seeds=(0,))
    results = read_results(tmp_path / "out")
    assert results["simulated"] is True and results["claims"]
    assert PROTOCOLS[name] <= set(results["protocols"])
    for protocol in results["protocols"].values():
        assert "plain_ridge" in protocol["controls"]
        assert 0 <= protocol["scores"]["retrieval_top1"]["value"] <= 1


def test_neither_twin_nor_data_is_refused(tmp_path: Path) -> None:
    for name in PROTOCOLS:
        script = importlib.import_module(f"experiments.{name}")
        with pytest.raises(ValueError, match="Give --twin, or --root and --clip for the real data"):
            script.main(tmp_path)


def block(seed: int, good: bool) -> _nsd.Block:
    rng = np.random.default_rng(seed)
    table = rng.random((30, 30)) * 0.1
    if good:
        table[np.arange(30), np.arange(30)] = 1.0
    return _nsd.Block("s", seed, np.arange(30).astype(str), {"two_way_clip": table})


def test_scores_over_seeds_are_means_with_nulls_at_chance() -> None:
    found = _nsd.scores([block(0, True), block(1, True)])["two_way_clip"]
    assert found.value == 1.0 and found.p < 0.01 and found.null.mean < 0.2
    gap = _nsd.difference([block(0, True)], [block(0, False)], "two_way_clip")
    assert gap["ci95"][0] > 0.9


def test_shuffled_predictions_lose_their_stimulus() -> None:
    mixed = _nsd.shuffled(block(0, True))
    assert _nsd.means([mixed])["two_way_clip"] < 0.3
