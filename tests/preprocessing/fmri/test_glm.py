from __future__ import annotations

import numpy as np
import pandas
import pytest

from neurodecode.data import Recording
from neurodecode.preprocessing import fmri

TR_S, N_VOLUMES, N_VOXELS = 1.5, 120, 5
CONDITIONS = ["a", "b", "c"]


def _recording(seed=0, spacing_s=8.0, noise=1.0):
    rng = np.random.default_rng(seed)
    onset = np.arange(4.0, N_VOLUMES * TR_S - 20, spacing_s)
    events = pandas.DataFrame(
        {
            "onset": onset,
            "duration": 2.0,
            "trial_type": rng.choice(CONDITIONS, len(onset)),
        }
    )
    events = events.sample(frac=1, random_state=1)  # tables need not be in order of time
    drift = np.linspace(0, 30, N_VOLUMES)[:, None]
    series = 500 + drift + noise * rng.normal(size=(N_VOLUMES, N_VOXELS))
    return Recording("s", "fmri", (series,), (events,), ("1",), tr_s=TR_S), series, events


CLEANING = fmri.Cleaning(detrend=False, high_pass_hz=0.01, scale="none")


def _reference(series, events, names):
    """One nilearn model: the regressors named, cosine drift, ordinary least squares."""
    from nilearn.glm import OLSModel
    from nilearn.glm.first_level import make_first_level_design_matrix

    table = events.assign(trial_type=names)
    design = make_first_level_design_matrix(
        np.arange(N_VOLUMES) * TR_S, table, hrf_model="glover", drift_model="cosine", high_pass=0.01
    )
    theta = OLSModel(design.to_numpy()).fit(series).theta
    return dict(zip(design.columns, theta, strict=True))


def test_least_squares_all_equals_nilearn():
    recording, series, events = _recording()
    responses = fmri.single_trials(recording, fmri.LeastSquaresAll(), cleaning=CLEANING)
    names = np.array([f"t{one}" for one in range(len(events))])
    reference = _reference(series, events, names)
    for row, name in enumerate(names[np.argsort(events["onset"].to_numpy())]):
        np.testing.assert_allclose(responses.values[row], reference[name], rtol=1e-3, atol=2e-4)


@pytest.mark.parametrize("others", ["one", "condition"])
def test_least_squares_separate_equals_one_nilearn_model_a_trial(others):
    recording, series, events = _recording(spacing_s=4.0)
    how = fmri.LeastSquaresSeparate(others=others)
    responses = fmri.single_trials(recording, how, cleaning=CLEANING)
    order = np.argsort(events["onset"].to_numpy())
    kinds = events["trial_type"].to_numpy() if others == "condition" else np.array(["rest"] * 99)
    for row, event in enumerate(order[:8]):
        names = [f"other_{kinds[one]}" for one in range(len(events))]
        names[event] = "this"
        reference = _reference(series, events, names)
        np.testing.assert_allclose(responses.values[row], reference["this"], rtol=1e-3, atol=2e-4)
    assert responses.metadata["onset"].tolist() == sorted(events["onset"])
    expected = events.sort_values("onset")["trial_type"].tolist()
    assert responses.stimulus.tolist() == expected


@pytest.mark.parametrize(
    "how",
    [fmri.LeastSquaresAll(), fmri.LeastSquaresSeparate(), fmri.LeastSquaresSeparate("spm")],
)
def test_planted_responses_are_found(how):
    from neurodecode.preprocessing.fmri.events import read_events
    from neurodecode.preprocessing.fmri.glm import trial_regressors
    from neurodecode.preprocessing.fmri.run import Run

    recording, series, events = _recording(noise=0.05)
    table = read_events(events, stimulus=None, where="x")
    cleaning = fmri.Cleaning(high_pass_hz=0.01, scale="none")
    run = Run(series, table, TR_S, cleaning, None, "x")
    truth = np.random.default_rng(3).normal(size=(len(events), N_VOXELS))
    planted = series + trial_regressors(run, how.hrf, 0.0) @ truth
    recording = Recording("s", "fmri", (planted,), (events,), ("1",), tr_s=TR_S)
    for cleaning in (run.cleaning, fmri.Cleaning(high_pass_hz=0.01)):
        got = fmri.single_trials(recording, how, cleaning=cleaning).values
        for voxel in range(N_VOXELS):
            r = np.corrcoef(got[:, voxel], truth[table.order(), voxel])[0, 1]
            assert r > 0.9


def test_percent_scale_is_percent_of_the_mean():
    recording, series, _ = _recording()
    raw = fmri.single_trials(recording, fmri.LeastSquaresAll(), cleaning=CLEANING)
    percent = fmri.Cleaning(detrend=False, high_pass_hz=0.01, scale="percent")
    scaled = fmri.single_trials(recording, fmri.LeastSquaresAll(), cleaning=percent)
    np.testing.assert_allclose(
        scaled.values, 100 * raw.values / series.mean(axis=0), rtol=1e-4, atol=1e-5
    )


def test_more_trials_than_volumes_is_refused():
    rng = np.random.default_rng(0)
    events = pandas.DataFrame(
        {"onset": np.linspace(0, 22, 27), "duration": 1.0, "trial_type": "a"}
    )  # fmt: skip
    recording = Recording("s", "fmri", (rng.normal(size=(28, 2)),), (events,), ("1",), tr_s=1.0)
    with pytest.raises(
        ValueError, match=r"has 28 volumes for 27 trial regressors and 2 of drift and confounds"
    ):
        fmri.single_trials(recording, fmri.LeastSquaresAll())
    assert fmri.single_trials(recording, fmri.LeastSquaresSeparate()).n_trials == 27


def test_events_too_late_to_be_estimated_are_counted():
    recording, series, events = _recording()
    late = pandas.concat(
        [events, pandas.DataFrame({"onset": [177.0], "duration": [1.0], "trial_type": ["a"]})]
    )
    recording = Recording("s", "fmri", (series,), (late,), ("1",), tr_s=TR_S)
    with pytest.warns(UserWarning, match=rf"1 of {len(late)} events of run '1' .* come so late"):
        fmri.single_trials(recording, fmri.LeastSquaresSeparate())


def test_slices_taken_later_see_a_later_response():
    """A whole repetition later is the next volume."""
    from neurodecode.preprocessing.fmri.events import read_events
    from neurodecode.preprocessing.fmri.glm import trial_regressors
    from neurodecode.preprocessing.fmri.run import Run

    _, series, events = _recording()
    table = read_events(events, stimulus=None, where="x")
    run = Run(series, table, TR_S, fmri.Cleaning(scale="none"), None, "x")
    first, last = trial_regressors(run, "glover", 0.0), trial_regressors(run, "glover", 1.0)
    np.testing.assert_allclose(last[:-1], first[1:], atol=2e-2 * np.abs(first).max())
