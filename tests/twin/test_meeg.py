"""MEG and EEG of simulated people: information where and when it should be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neurodecode import twin
from neurodecode.twin import EEG, MEG, Design, MeegPerson

PLAN = Design(n_trials=250, n_test=50, test_repeats=3, n_sessions=1, runs_per_session=4, bad=0.0)


@pytest.fixture(scope="module")
def person():
    return MeegPerson(0, EEG, seed=1, signal=8.0)


@pytest.fixture(scope="module")
def recorded(person):
    return person.record(PLAN.trials(1, 0))


def _explained(values: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Correlation at each time of a cross-validated ridge prediction with the target."""
    from sklearn.linear_model import Ridge

    scale = values.std(axis=(0, 2), keepdims=True)
    half = np.arange(len(target)) % 2 == 0
    scores = []
    for time in range(values.shape[2]):
        now = values[:, :, time] / scale[:, :, 0]
        predicted = np.empty_like(target)
        for part in (half, ~half):
            predicted[part] = Ridge(100.0).fit(now[~part], target[~part]).predict(now[part])
        scores.append(np.corrcoef(predicted, target)[0, 1])
    return np.array(scores)


def test_low_level_information_comes_before_the_kind_of_object(person, recorded):
    seen = twin.look(recorded.stimulus.tolist())
    contrast = seen.maps[:, :8].mean(axis=(1, 2)).astype(float)
    animate = np.isin(seen.facts["kind"][:, 0], [0, 4, 5]).astype(float)
    values = recorded.array(np.float64)
    early, late = (_explained(values, one) for one in (contrast, animate))
    times = EEG.times
    assert np.abs(early[times < 0.04]).max() < 0.3
    assert np.abs(late[times < 0.04]).max() < 0.3

    def onset(score: np.ndarray) -> float:
        return float(times[np.argmax(score > 0.5 * score.max())])

    assert 0.05 <= onset(early) <= 0.12
    assert 0.10 <= onset(late) <= 0.22
    assert onset(early) + 0.02 < onset(late)


def test_there_is_a_response_to_the_offset():
    person = MeegPerson(0, replace(EEG, duration_s=0.4, window_s=(-0.1, 0.8)), seed=1)
    times = person.machine.times
    v1 = np.abs(person.course[person.cortex.labels == "V1"]).mean(axis=0)
    at = {
        name: v1[np.argmin(np.abs(times - one))]
        for name, one in {
            "before": -0.05,
            "onset": 0.09,
            "held": 0.35,
            "offset": 0.485,
            "after": 0.75,
        }.items()
    }
    assert at["before"] == 0
    assert at["onset"] > at["offset"] > 1.2 * at["held"] > 0
    assert at["after"] < 0.1 * at["onset"]


def test_areas_answer_one_after_the_other(person):
    peak = EEG.times[np.argmax(person.course, axis=1)]
    mean = [peak[person.cortex.labels == one].mean() for one in ("V1", "hV4", "FFA", "PPA")]
    assert mean == sorted(mean)
    assert 0.06 < mean[0] < 0.12
    assert 0.15 < mean[-1] < 0.25


def test_the_planted_ceiling_is_found_in_the_repeats(person):
    """In many scenes: neighbours point the same way, so that few patterns vary, and few scenes
    tell little of how much."""
    planted = person.noise_ceiling(3)
    plan = replace(PLAN, n_trials=10, n_test=400)
    found = twin.measured_noise_ceiling(person.record(plan.trials(1, 0)), 3)
    best = planted > np.quantile(planted, 0.95)
    assert abs(found[best].mean() - planted[best].mean()) < 0.07
    assert np.corrcoef(found.ravel(), planted.ravel())[0, 1] > 0.8


@pytest.mark.parametrize(("machine", "snr"), [(MEG, 0.25), (EEG, 0.20)])
def test_one_trial_is_mostly_noise_of_a_real_size(machine, snr):
    person = MeegPerson(1, machine, seed=0)
    best = np.sort(person.snr().max(axis=1))[-10:].mean()
    assert best == pytest.approx(snr, rel=1e-6)
    level = np.median(person.noise_level())
    low, high = (1.5e-13, 5e-13) if machine is MEG else (5e-6, 2e-5)
    assert low < level < high
    recorded = person.record(
        Design(n_trials=40, n_test=1, test_repeats=1, n_sessions=1, bad=0).trials(0, 1)
    )
    measured = np.median(recorded.array(np.float64)[:, :, :8].std(axis=(0, 2)))
    assert 0.7 * level < measured < 1.4 * level


def test_zero_signal_leaves_what_all_scenes_evoke_and_nothing_else():
    silent = MeegPerson(0, EEG, seed=1, signal=0.0)
    amplitude = silent.amplitudes(twin.look(["scene-000001", "scene-000002"]))
    assert np.array_equal(amplitude[0], amplitude[1])
    assert amplitude.any()
    assert not silent.noise_ceiling().any()


def test_people_and_sessions_differ_in_place_and_the_seed_decides():
    plan = Design(n_test=2, test_repeats=1)
    first, second = twin.eeg(2, 4, design=plan)
    again = twin.eeg(2, 4, design=plan)[0]
    assert np.array_equal(first.array(), again.array())
    # with one person the products are of other sizes, and sums may be rounded in another order
    alone = twin.eeg(1, 4, design=plan)[0].array()
    np.testing.assert_allclose(alone, first.array(), rtol=1e-4, atol=1e-5 * alone.std())
    assert np.abs(first.positions - second.positions).max() > 1
    person = MeegPerson(0, EEG, n_sessions=2)
    ratio = np.linalg.norm(person.fields[0] - person.fields[1]) / np.linalg.norm(person.fields[0])
    assert 0.01 < ratio < 0.7


def test_sessions_without_sensors_are_refused(person):
    trials = Design(n_trials=4, n_test=1, n_sessions=2).trials(1, 0)
    with pytest.raises(ValueError, match="has sensors for 1 sessions; the trials have 2"):
        person.record(trials)
