from __future__ import annotations

import numpy as np
import pytest

from neurodecode.statistics._variance import Variance, clustered, codes, crossed, ordered


def test_clustered_equals_loops_over_clusters():
    rng = np.random.default_rng(0)
    values, person = rng.normal(size=50), rng.integers(0, 3, 50)
    cluster = codes(rng.integers(0, 9, 50))
    total = 0.0
    for one in range(9):
        e = sum(
            values[i] - values[person == person[i]].mean() for i in range(50) if cluster[i] == one
        )
        total += e**2
    got = clustered(values, cluster, person)
    assert got.value == pytest.approx(total * 9 / 8 / 50**2)
    assert got.df == 8


def test_clusters_within_people_lose_a_degree_of_freedom_each():
    person = np.repeat([0, 1, 2], 10)
    assert clustered(np.arange(30.0), np.arange(30), person).df == 27


def test_variances_of_people_and_stimuli_are_those_that_made_the_data():
    rng = np.random.default_rng(1)
    n_people, n_stimuli = 12, 30
    person = np.repeat(np.arange(n_people), n_stimuli)
    stimulus = np.tile(np.arange(n_stimuli), n_people)
    got = []
    for _ in range(400):
        values = (
            0.5 * rng.normal(size=n_people)[person]
            + 0.8 * rng.normal(size=n_stimuli)[stimulus]
            + rng.normal(size=len(person))
        )
        got.append(crossed(values, person, clustered(values, stimulus, person)).value)
    want = 0.25 / n_people + 0.64 / n_stimuli + 1 / n_people / n_stimuli
    assert np.mean(got) == pytest.approx(want, rel=0.06)


def test_other_people_are_never_surer_than_these():
    values, person = np.tile([0.0, 1.0], 6), np.repeat(np.arange(6), 2)
    within = Variance(0.01, 5.0)
    assert crossed(values, person, within) == within


def test_ordered_equals_loops_over_cosines():
    rng = np.random.default_rng(2)
    time, run = np.tile(np.arange(30.0), 4), np.tile(np.repeat([0, 1], 15), 4)
    values, person = rng.normal(size=120), np.repeat(np.arange(4), 30)
    total, df = 0.0, 0
    for one in (0, 1):
        moments = np.unique(time[run == one])
        e = [
            sum(
                values[i] - values[person == person[i]].mean()
                for i in range(120)
                if time[i] == moment
            )
            for moment in moments
        ]
        n_waves = max(2, int(0.3 * 15 ** (2 / 3)))
        squares = [
            (np.sqrt(2 / 15) * sum(np.cos(np.pi * j * (t + 0.5) / 15) * e[t] for t in range(15)))
            ** 2
            for j in range(1, n_waves + 1)
        ]
        total, df = total + 15 * np.mean(squares), df + n_waves
    got = ordered(values, person, time, run)
    assert got.value == pytest.approx(total / 120**2)
    assert got.df == df
