"""A run is not a stimulus: recordings without a signal whose runs tell what kind was shown."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.data import Embeddings, KFold, RandomSplit, Responses, Stimuli
from neurodecode.encoders import Ridge
from neurodecode.pipeline import Goal, PixelCorrelation, Protocol, RetrievalTopK, TwoWay, decode

from .conftest import LeastSquares, Painter, person

N_KINDS, N_RUNS, N_VOXELS, N_DIMS = 4, 8, 30, 6
DESIGNS = ("once", "nested", "pairs", "spread", "everywhere")


def order_of(design, n_stimuli, kind, rng):
    """Stimulus and run of each trial; runs prefer (or hold only) stimuli of one kind."""
    home = kind + N_KINDS * (np.arange(n_stimuli) // N_KINDS % (N_RUNS // N_KINDS))
    if design == "once":
        return np.arange(n_stimuli), home
    if design == "nested":
        return np.repeat(np.arange(n_stimuli), 3), np.repeat(home, 3)
    if design == "pairs":
        return np.repeat(np.arange(n_stimuli), 2), (2 * kind[:, None] + [0, 1]).ravel()
    if design == "everywhere":
        return np.tile(np.arange(n_stimuli), N_RUNS), np.repeat(np.arange(N_RUNS), n_stimuli)
    likely = np.where(np.arange(N_RUNS)[None] % N_KINDS == kind[:, None], 0.4, 0.05)
    runs = [rng.choice(N_RUNS, 3, replace=False, p=one / one.sum()) for one in likely]
    return np.repeat(np.arange(n_stimuli), 3), np.concatenate(runs)


def confounded(seed, design, n_stimuli=48, drift=0.0, signal=0.0):
    """Offsets (and drifts) of runs and noise; targets differ by kind, and so do runs."""
    rng = np.random.default_rng([seed, DESIGNS.index(design)])
    kind = np.arange(n_stimuli) % N_KINDS
    stimulus, run = order_of(design, n_stimuli, kind, rng)
    mixed = rng.permutation(len(run))
    mixed = mixed[np.argsort(run[mixed], kind="stable")]
    stimulus, run = stimulus[mixed], run[mixed]
    targets = rng.normal(size=(N_KINDS, N_DIMS))[kind] + rng.normal(size=(n_stimuli, N_DIMS))
    offsets, slopes = 2 * rng.normal(size=(2, N_RUNS, N_VOXELS))
    place = np.concatenate([np.linspace(-1, 1, (run == one).sum()) for one in np.unique(run)])
    values = (
        offsets[run]
        + drift * place[:, None] * slopes[run]
        + signal * targets[stimulus] @ rng.normal(size=(N_DIMS, N_VOXELS))
        + rng.normal(size=(len(run), N_VOXELS))
    )
    ids = np.array([f"s{one:02d}" for one in range(n_stimuli)])
    responses = Responses(values.astype(np.float32), ids[stimulus], "p1", "fmri", run=run)
    stimuli = Stimuli.from_texts({one: one for one in ids.tolist()})
    return responses, Goal(stimuli, Embeddings(targets.astype(np.float32), ids, "toy"))


def p_values(seed, design, folds=1, repeats="predictions", **world):
    responses, goal = confounded(seed, design, **world)
    split = (
        KFold(folds, validation=0, seed=seed)
        if folds > 1
        else RandomSplit(test=16, validation=0, seed=seed)
    )
    protocol = Protocol(
        list(split.split(responses)),
        measures=[TwoWay(), RetrievalTopK()],
        repeats=repeats,
        closed_forms=False,
    )
    got = decode(
        responses,
        goal,
        encoder=Ridge([10.0, 1000.0], device="cpu"),
        generator=None,
        protocol=protocol,
    )
    return got.result.scores


@pytest.mark.parametrize(
    ("design", "kept"),
    [
        ("nested", "person and run"),
        ("pairs", "person and run"),
        ("spread", "trial by trial before averaging repeats"),
        ("everywhere", "person and run"),
    ],
)
def test_runs_are_kept_where_repeats_are_averaged(design, kept):
    scores = p_values(0, design)
    assert kept in scores["two_way"].details["permuted_within"]
    assert kept in scores["two_way"].null.kind


def test_a_run_confound_is_no_signal_and_is_found_by_nobody_who_looks():
    found = [p_values(seed, "nested")["two_way"] for seed in range(12)]
    assert np.mean([one.value for one in found]) > 0.62  # the runs do tell the kind
    assert sum(one.p <= 0.05 for one in found) <= 2


def test_a_signal_is_still_found_within_runs():
    for design in ("nested", "spread"):
        assert p_values(1, design, signal=0.5)["two_way"].p <= 0.01


def test_averaged_responses_that_can_not_change_places_prove_nothing():
    scores = p_values(2, "spread", repeats="responses", signal=3.0)
    told = scores["two_way"].details["permuted_within"]
    assert "of items can't change places" in told or "no two items" in told


def blocked(seed, signal=0.0):
    """Blocks of a kind within runs that drift: test trials stand between trials of their block."""
    rng = np.random.default_rng(seed)
    n, n_runs = 96, 8
    run = np.repeat(np.arange(n_runs), n // n_runs)
    kind = np.tile(np.repeat([0, 1], 6), n_runs) + 2 * (run % 2)
    targets = 1.5 * rng.normal(size=(4, N_DIMS))[kind] + rng.normal(size=(n, N_DIMS))
    place = np.tile(np.linspace(-1, 1, n // n_runs), n_runs)[:, None]
    offsets, slopes = 2 * rng.normal(size=(2, n_runs, N_VOXELS))
    values = offsets[run] + 2 * place * slopes[run] + rng.normal(size=(n, N_VOXELS))
    values += signal * targets @ rng.normal(size=(N_DIMS, N_VOXELS))
    ids = np.array([f"s{one:02d}" for one in range(n)])
    stimuli = Stimuli.from_texts({one: one for one in ids.tolist()})
    responses = Responses(values.astype(np.float32), ids, "p1", "fmri", run=run)
    return responses, Goal(stimuli, Embeddings(targets.astype(np.float32), ids, "toy"))


def verdict_of_blocks(seed, signal=0.0):
    responses, goal = blocked(seed, signal)
    [split] = RandomSplit(test=32, validation=0, seed=seed).split(responses)
    protocol = Protocol(split, measures=[TwoWay()], closed_forms=False)
    return decode(responses, goal, encoder=Ridge([10.0, 1000.0], device="cpu"), protocol=protocol)


def test_a_drift_in_blocks_is_no_better_than_the_place_in_the_run():
    found = [verdict_of_blocks(seed) for seed in range(8)]
    scores = [one.result.scores["two_way"] for one in found]
    assert np.mean([one.value for one in scores]) > 0.56  # blocks do tell the kind
    assert np.mean([one.result.controls["place_in_run"]["two_way"] for one in found]) > 0.56
    # by chance one in twenty is; the p-values alone are small in a third of them
    assert sum(one.verdict("two_way").word == "shown" for one in found) <= 2
    assert verdict_of_blocks(0, signal=1.0).verdict("two_way").word == "shown"


@pytest.mark.slow
@pytest.mark.parametrize("drift", [0.0, 1.0])
@pytest.mark.parametrize("folds", [1, 4])
@pytest.mark.parametrize("design", DESIGNS)
def test_small_p_values_are_as_rare_as_they_say(design, folds, drift):
    n = 60 if design == "spread" else 120
    small = {"two_way": 0, "retrieval_top1": 0}
    for seed in range(n):
        for name, score in p_values(seed, design, folds, drift=drift).items():
            small[name] += score.p <= 0.05
    # 99.9 % of all tests that are right pass: binomial with p = .05
    assert max(small.values()) <= (10 if n == 60 else 15)


def test_pictures_are_no_surer_than_the_points_they_are_made_from(points, goal):
    rng = np.random.default_rng(3)
    one = person(points, n_repeats=2, signal=0.0)
    # every stimulus in two runs that it shares with no other one
    pairs = np.array([(i, j) for i in range(12) for j in range(i + 1, 12)])[: len(points)]
    run = np.concatenate([pairs[:, 0], pairs[:, 1]])
    kind = (points.array()[:, 0] > 0).astype(int)
    told = one.array() + 6.0 * rng.normal(size=(2, one.n_units))[np.tile(kind, 2)]
    spread = Responses(told, one.stimulus, "p1", "fmri", run=run)
    [split] = RandomSplit(test=20, validation=0).split(spread)
    got = decode(
        spread,
        goal,
        encoder=LeastSquares(),
        generator=Painter(),
        protocol=Protocol(split, measures=[TwoWay(), PixelCorrelation()], closed_forms=False),
    )
    scores = got.result.scores
    assert scores["pixel_correlation"].p >= scores["two_way"].p
    assert scores["pixel_correlation"].details["permuted_within"] == (
        "person; p not below that of the points it is made from (within person and run; "
        f"{scores['two_way'].details['permuted_within'].split('; ')[1]})"
    )
