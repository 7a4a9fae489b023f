"""The Miyawaki experiment, on a simulated file of the same layout and on the real one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from experiments import miyawaki2008_pictures as experiment


def simulated_file(folder: Path, signal: float, seed: int = 0) -> Path:
    """Simulated: 12 pictures of 4 lit corners in 4 runs, 40 voxels that look at places."""
    rng = np.random.default_rng(seed)
    # some of four corners are lit, so that a new picture is made of parts that were seen
    corners = (1 + rng.permutation(14)[:12, None]) >> np.arange(4) & 1
    squares = np.kron(corners.reshape(12, 2, 2), np.ones((5, 5)))
    where = ((np.arange(28) + 0.5) * 10 / 28).astype(int)
    pictures = squares[:, where][:, :, where].transpose(0, 2, 1).reshape(12, 784)
    shown = np.concatenate([rng.permutation(12) for _ in range(4)])
    fields = rng.normal(size=(100, 40))
    voxels = signal * (squares.reshape(12, 100) - 0.5)[shown] @ fields
    voxels += rng.normal(size=voxels.shape)
    runs = np.repeat(np.arange(21, 25), 12)[:, None].astype(np.uint16)
    train, test = np.arange(40), np.arange(40, 48)
    path = folder / "miyawaki_structured_28x28.mat"
    scipy.io.savemat(
        path,
        {
            **{"fmriTrn": voxels[train], "fmriTest": voxels[test]},
            **{"stimTrn": pictures[shown[train]], "stimTest": pictures[shown[test]]},
            **{"labelTrn": runs[train], "labelTest": runs[test]},
            **{"train_indices": train[None] + 1, "test_indices": test[None] + 1},
        },
    )
    return path


@pytest.fixture(autouse=True)
def _own_count_of_looks(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURODECODE_STATE", str(tmp_path / "state"))


@pytest.mark.parametrize("signal", [0.5, 0.0])
def test_simulated_signal_is_found_and_noise_is_not(tmp_path, signal, capsys):
    simulated_file(tmp_path, signal)
    out = tmp_path / "out"
    experiment.main(tmp_path, out, fast=True)
    results = json.loads((out / "results.json").read_text())
    assert list(results["protocols"]) == ["leave_one_run_out", "leave_one_picture_out"]
    assert results["test_looks"] == 1
    for protocol in results["protocols"].values():
        top1, two_way = (protocol["scores"][f"identification_{one}"] for one in ("top1", "two_way"))
        assert top1["n"] == 48 and top1["chance"] == pytest.approx(1 / 12)
        if signal:
            assert two_way["value"] > 0.75 and two_way["null"]["p"] < 0.01
        else:
            assert abs(two_way["value"] - 0.5) < 0.17 and top1["value"] < 0.3
        controls = protocol["controls"]
        for control in ("noise", "shuffled_brain", "mean_picture"):
            assert controls[control]["identification_top1"] < 0.3
            assert controls[control]["identification_two_way"] < 0.67
        assert controls["ceiling"]["identification_top1"] == 1
        assert controls["ceiling"]["pixel_correlation"] == pytest.approx(1)
    assert results["protocols"]["leave_one_picture_out"]["controls"]["nearest_training"][
        "identification_top1"
    ] == pytest.approx(0)
    assert (out / "index.html").is_file()
    assert "leave_one_picture_out identification_top1" in capsys.readouterr().out


def test_ties_fail():
    match = np.array([[1.0, 1.0, 0.0], [2.0, 1.0, 1.0]])
    assert experiment.first(match).tolist() == [[0, 0, 0], [1, 0, 0]]
    assert experiment.beaten(match).tolist() == [[0.5, 0.5, 0], [1, 0, 0]]


@pytest.mark.recorded
@pytest.mark.slow
def test_the_numbers_at_the_head(tmp_path):
    """The real recording reaches what the script's head promises."""
    data = Path(os.environ.get("NEURODECODE_DATA", "../shared/data")) / "fmri_miyawaki_v1"
    if not data.is_dir():
        pytest.skip(f"no recording in {data}: set NEURODECODE_DATA")
    experiment.main(data, tmp_path / "out")
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    for protocol, expected in experiment.EXPECTED.items():
        for metric, value in expected.items():
            got = results["protocols"][protocol]["scores"][metric]["value"]
            assert got == pytest.approx(value, abs=0.02), (protocol, metric)
