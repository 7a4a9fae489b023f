"""The real recordings, and that the left-out session does not touch what is learned."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from experiments import ssvep_targets
from neurodecode.data import Responses
from neurodecode.datasets import ssvep
from neurodecode.errors import CorruptFileError
from neurodecode.evidence import Run
from neurodecode.pipeline import Evaluation

FOLDER = Path(os.environ.get("NEURODECODE_DATA", "../shared/data")) / "eeg_ssvep_exo"


def recorded(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test that needs the real recordings."""
    absent = pytest.mark.skipif(
        not FOLDER.is_dir(), reason=f"the SSVEP recordings are not at {FOLDER}"
    )
    return pytest.mark.recorded(absent(test))


def simulated(signal: float, seed: int = 0) -> list[Responses]:
    """Simulated flicker responses of two people, two sessions each."""
    rng = np.random.default_rng(seed)
    seconds = np.arange(1280) / 256
    people = []
    for subject in ("a", "b"):
        stimulus = np.tile(ssvep_targets.CLASSES, 16)
        values = rng.normal(size=(64, 8, 1280))
        for trial, name in enumerate(stimulus):
            if name != "rest":
                wave = np.sin(2 * np.pi * ssvep.TARGETS_HZ[name] * seconds + rng.uniform(0, 6))
                values[trial] += signal * wave
        session = [f"{subject}{i // 32}" for i in range(64)]
        people.append(
            Responses(
                values, stimulus, subject, "eeg", dims=("trial", "channel", "time"), sfreq=256.0,
                times=seconds, session=session,
            )
        )  # fmt: skip
    return people


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEURODECODE_STATE", str(tmp_path / "state"))


def decoded(people: list[Responses], starts_s: tuple[float, ...] = (0.5,)) -> Evaluation:
    return ssvep_targets.decode_targets(
        [ssvep_targets.correlations(one, starts_s) for one in people], Run()
    )


def test_planted_flicker_is_found_and_noise_is_at_chance() -> None:
    found = decoded(simulated(0.3))
    assert found.score("accuracy") > 0.8
    untrained = found.result.controls[ssvep_targets.UNTRAINED]["accuracy"]
    assert 0.6 < untrained <= 0.75  # all but rest
    assert 0.1 < decoded(simulated(0.0)).score("accuracy") < 0.42


def test_the_start_is_chosen_on_other_sessions() -> None:
    people = simulated(0.2)
    before = decoded(people, (0.5, 1.0))
    changed = people[0].array(float)
    changed[:32] = np.random.default_rng(5).permuted(changed[:32], axis=0)
    after = decoded([people[0].with_values(changed), people[1]], (0.5, 1.0))
    first = [got.encoders[0].models_["everybody"] for got in (before, after)]
    assert first[0].n_splits_ == 3
    assert first[0].best_params_ == first[1].best_params_
    assert first[0].best_score_ == first[1].best_score_


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds no subjectNN/record-\[...\].gdf"):
        ssvep.read(tmp_path)


@recorded
def test_a_truncated_file_is_refused_by_name(tmp_path: Path) -> None:
    whole = next(FOLDER.glob("subject*/*.gdf"))
    broken = tmp_path / "broken.gdf"
    broken.write_bytes(whole.read_bytes()[:200_000])
    with pytest.raises(CorruptFileError, match=r"broken\.gdf is cut off: its records"):
        ssvep.events_of(broken)


@recorded
def test_every_session_has_32_trials_of_4_classes() -> None:
    for recording in ssvep.read(FOLDER):
        for events in recording.events:
            assert events["stimulus"].value_counts().to_dict() == {
                "rest": 8, "13 Hz": 8, "17 Hz": 8, "21 Hz": 8,
            }  # fmt: skip


@recorded
def test_real_recordings_reach_the_figure(tmp_path: Path) -> None:
    ssvep_targets.main(FOLDER, tmp_path)
    results = json.loads((tmp_path / "results.json").read_text())
    score = results["protocols"]["leave_one_session_out"]["scores"]["accuracy"]
    assert score["value"] >= 0.82
    assert score["null"]["p"] < 0.01
    assert 0.2 < score["null"]["mean"] < 0.3
    assert (tmp_path / "index.html").is_file()
