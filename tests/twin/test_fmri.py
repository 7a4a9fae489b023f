"""fMRI of simulated people: planted ceilings, people that differ, nothing at zero signal."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from neurodecode import twin
from neurodecode.twin import Design, FmriPerson

PLAN = Design(n_trials=60, n_test=120, test_repeats=3, bad=0.0)


@pytest.fixture(scope="module")
def person():
    return FmriPerson(0, n_voxels=150, seed=4)


@pytest.fixture(scope="module")
def recorded(person):
    return person.record(PLAN.trials(4, 0))


def test_the_mean_ceiling_is_the_published_one():
    """35 % of the variance for means of three repeats; 13 to 20 % for one trial."""
    ceilings = np.concatenate([FmriPerson(i, 600).noise_ceiling(3) for i in range(3)])
    single = np.concatenate([FmriPerson(i, 600).noise_ceiling(1) for i in range(3)])
    assert abs(ceilings.mean() - 0.35) < 0.02
    assert 0.13 < single.mean() < 0.20


def test_the_planted_ceiling_is_found_in_the_repeats(person, recorded):
    found = twin.measured_noise_ceiling(recorded, 3)
    planted = person.noise_ceiling(3)
    assert abs(found.mean() - planted.mean()) < 0.05
    assert np.corrcoef(found, planted)[0, 1] > 0.85


def test_noise_has_variance_one_and_is_alike_nearby(person):
    trials = Design(n_trials=1500, n_test=1, test_repeats=1, runs_per_session=30, bad=0).trials(
        4, 0
    )
    noise = person.noise(trials)
    assert abs(noise.var(axis=0).mean() - 1) < 0.08
    distance = np.linalg.norm(
        person.cortex.positions_mm[:, None] - person.cortex.positions_mm[None], axis=-1
    )
    alike = np.corrcoef(noise.T)
    pairs = ~np.eye(len(alike), dtype=bool)
    assert alike[(distance < 4) & pairs].mean() > alike[distance > 40].mean() + 0.15
    same = trials.run[1:] == trials.run[:-1]
    steps = (noise[1:] * noise[:-1]).mean(axis=1)
    assert steps[same].mean() > 0.1


def test_runs_drift_and_bad_trials_are_noisier(person):
    plan = Design(n_trials=600, n_test=1, test_repeats=1, bad=0.1)
    trials = plan.trials(4, 0)
    noise = person.noise(trials)
    means = np.stack([noise[trials.run == run].mean(axis=0) for run in range(10)])
    assert means.var(axis=0).mean() > 2 / 60
    assert noise[trials.bad].std() > 2 * noise[~trials.bad].std()


def test_people_differ_in_number_order_and_place_of_voxels():
    first, second = twin.fmri(2, 5, n_voxels=100, design=Design(n_test=2, test_repeats=1))
    assert first.n_units != second.n_units
    n_voxels = min(first.n_units, second.n_units)
    assert (first.units[:n_voxels] != second.units[:n_voxels]).mean() > 0.5
    assert np.abs(first.positions[:n_voxels] - second.positions[:n_voxels]).max() > 5
    assert set(first.units.tolist()) == set(twin.AREA_NAMES)
    assert len(set(first.stimulus.tolist()) & set(second.stimulus.tolist())) == 2 + 1


def test_the_same_seed_gives_the_same_bits():
    simulate = partial(twin.fmri, 1, 6, n_voxels=30, design=Design(n_test=2))
    one, two, other = simulate(seed=3), simulate(seed=3), simulate(seed=8)
    assert np.array_equal(one[0].array(), two[0].array())
    assert not np.isin(one[0].stimulus, other[0].stimulus).any()


def test_signal_carries_information_and_none_is_left_at_zero(two_way):
    trials = Design(n_trials=200, n_test=60, test_repeats=2, bad=0.0).trials(4, 0)
    seen = twin.look(sorted(set(trials.stimulus.tolist())))
    score = {
        signal: two_way(FmriPerson(0, 150, seed=4, signal=signal).record(trials, seen)).mean()
        for signal in (0.0, 1.0)
    }
    assert score[1.0] > 0.8
    # 60 scenes: the standard error of two-way identification at chance is about .04
    assert abs(score[0.0] - 0.5) < 0.12
    assert not FmriPerson(0, 20, signal=0).signal(twin.look(["scene-000001"])).any()
    with pytest.raises(ValueError, match=r"signal must not be negative; got -1"):
        FmriPerson(0, 20, signal=-1)
