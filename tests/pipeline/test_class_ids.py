"""Ids that are trials, or classes, give the numbers that classification gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier as PlainClassifier

from neurodecode.data import (
    Embeddings,
    KFold,
    Responses,
    Split,
    Stimuli,
    are_classes,
    left_out_together,
)
from neurodecode.encoders import (
    CalibratedRidge,
    Ridge,
    TokenSizes,
    TokenTransformer,
    category_targets,
)
from neurodecode.pipeline import Goal, Protocol, RetrievalTopK, TwoWay, decode
from neurodecode.training import Plan

MEASURES = (RetrievalTopK(), TwoWay())
KINDS = ("cat", "cup", "tree", "shoe")


def epochs(n=200, n_classes=4, signal=1.0, seed=0, n_channels=20):
    """What ``from_epochs`` gives: an id a class, runs of 20 trials."""
    rng = np.random.default_rng(seed)
    code = rng.permutation(np.arange(n) % n_classes)
    centres = rng.normal(size=(n_classes, n_channels))
    values = signal * centres[code] + 2.0 * rng.normal(size=(n, n_channels))
    return Responses(
        values.astype(np.float32),
        np.array(KINDS)[code],
        "anna",
        "eeg",
        dims=("trial", "channel"),
        run=np.arange(n) // 20,
    )


def named_by_trial(responses):
    """The same trials under an id each."""
    ids = [f"trial-{row}" for row in range(len(responses))]
    labels = dict(zip(ids, responses.stimulus.tolist(), strict=True))
    return responses.with_values(responses.values, stimulus=ids), labels


def goal_of(labels):
    return Goal(Stimuli.from_texts(labels), category_targets(labels))


def protocol_of(responses, repeats="single"):
    folds = KFold(5, by="run", validation=0).split(responses)
    return Protocol(folds, measures=MEASURES, repeats=repeats, closed_forms=False)


def test_ids_a_trial_each_are_candidates_of_as_many_classes():
    trials, labels = named_by_trial(epochs())
    got = decode(trials, goal_of(labels), encoder=Ridge(device="cpu"), protocol=protocol_of(trials))
    top1 = got.result.scores["retrieval_top1"]
    assert top1.chance == 1 / 4
    assert top1.details["n_candidates"] == 4
    assert top1.value > 0.5
    assert got.result.controls["ceiling"] == {"retrieval_top1": 1.0, "two_way": 1.0}
    assert got.result.controls["shuffled"]["retrieval_top1"] == pytest.approx(0.25, abs=0.07)


def test_both_ways_of_naming_give_the_accuracy_of_a_classifier():
    """Against scikit-learn's, with the penalty that was chosen."""
    classes = epochs()
    trials, labels = named_by_trial(classes)
    by_class = goal_of({one: one for one in KINDS})
    one = decode(classes, by_class, encoder=Ridge([100.0]), protocol=protocol_of(classes))
    other = decode(trials, goal_of(labels), encoder=Ridge([100.0]), protocol=protocol_of(trials))
    assert one.score("retrieval_top1") == other.score("retrieval_top1")
    np.testing.assert_allclose(one.per_item["two_way"], other.per_item["two_way"])
    right = []
    for split in protocol_of(classes).folds:
        train, test = (split.part(classes, name) for name in ("train", "test"))
        x = train.array(np.float64)
        mean, spread = x.mean(axis=0), x.std(axis=0)
        model = PlainClassifier(alpha=100.0).fit((x - mean) / spread, train.stimulus)
        said = model.predict((test.array(np.float64) - mean) / spread)
        right += (said == test.stimulus).tolist()
    assert one.score("retrieval_top1") == pytest.approx(np.mean(right), abs=0.01)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_penalty_is_chosen_by_left_out_runs_not_by_left_out_classes(n_classes):
    strong = epochs(n_classes=n_classes, signal=2.0)
    goal = goal_of({one: one for one in KINDS[:n_classes]})
    chosen = decode(strong, goal, encoder=Ridge(device="cpu"), protocol=protocol_of(strong))
    fixed = decode(strong, goal, encoder=Ridge([100.0]), protocol=protocol_of(strong))
    assert chosen.score("retrieval_top1") > 0.9
    assert chosen.score("retrieval_top1") >= fixed.score("retrieval_top1") - 0.02


def test_other_encoders_leave_out_runs_too():
    eeg = epochs(signal=1.5)
    places = np.random.default_rng(1).uniform(-30, 30, (20, 3))
    trials = Responses(
        eeg.array(), eeg.stimulus, "anna", "fmri", run=eeg.run, positions=places, units=["v1"] * 20
    )
    goal = goal_of({one: one for one in KINDS})
    protocol = replace(protocol_of(trials), split=next(KFold(5, by="run").split(trials)))
    sizes = TokenSizes(n_components=3, n_queries=2, width=16, n_heads=2)
    tokens = TokenTransformer(sizes=sizes, plan=Plan(max_epochs=5, device="cpu"))
    got = decode(trials, goal, encoder=tokens, protocol=protocol)
    plain = decode(trials, goal, encoder=Ridge(device="cpu"), protocol=protocol)
    assert got.score("retrieval_top1") >= plain.score("retrieval_top1") - 0.1
    calibrated = decode(trials, goal, encoder=CalibratedRidge(), protocol=protocol)
    assert calibrated.score("retrieval_top1") >= plain.score("retrieval_top1") - 0.1


def test_shuffled_classes_are_at_chance_not_below():
    trials = epochs(n_classes=2, signal=2.0)
    goal = goal_of({one: one for one in KINDS[:2]})
    got = decode(trials, goal, encoder=Ridge([100.0]), protocol=protocol_of(trials))
    assert got.score("retrieval_top1") > 0.9
    assert got.result.controls["shuffled"]["retrieval_top1"] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("repeats", ["predictions", "responses"])
def test_a_class_is_not_averaged_into_one_item(repeats):
    trials = epochs()
    goal = goal_of({one: one for one in KINDS})
    encoder = Ridge([100.0])
    with pytest.raises(ValueError) as error:
        decode(trials, goal, encoder=encoder, protocol=protocol_of(trials, repeats=repeats))
    assert str(error.value) == (
        f"4 stimulus ids stand for 200 trials of subject 'anna', and all of them are in training "
        f"too: they are classes, and repeats='{repeats}' would make one item of each. Use "
        f"classify(responses, by='stimulus', ...), or repeats='single'."
    )
    assert not hasattr(encoder, "maps_")


def test_what_stands_for_classes():
    assert are_classes(["a", "b"] * 8)
    assert not are_classes(["a", "b"] * 7)
    assert not are_classes(np.arange(31).repeat(80))
    assert not are_classes(["a"] * 100)
    trials = epochs()
    assert left_out_together(trials).tolist() == trials.run.tolist()
    assert len(set(left_out_together(trials.with_values(trials.values, run=None)))) == 200


def test_points_that_are_all_the_same_can_not_be_told_apart():
    trials = epochs(n=100, n_classes=2)
    same = Embeddings(np.ones((2, 3), dtype=np.float32), KINDS[:2], "toy")
    goal = Goal(Stimuli.from_texts({one: one for one in KINDS[:2]}), same)
    with pytest.raises(ValueError) as error:
        decode(trials, goal, encoder=Ridge([1.0]), protocol=protocol_of(trials))
    assert str(error.value) == (
        "'retrieval_top1' can't be measured: all 2 test stimuli have the same point in the target "
        "space 'toy'. Test stimuli of two or more kinds."
    )


def test_intervals_are_over_trials_not_over_classes():
    """At 200 trials about .065 to either side for .69 right; over four classes it was .005."""
    trials = epochs(signal=0.6)
    goal = goal_of({one: one for one in KINDS})
    got = decode(trials, goal, encoder=Ridge([100.0]), protocol=protocol_of(trials))
    score = got.result.scores["retrieval_top1"]
    binomial = 1.96 * np.sqrt(score.value * (1 - score.value) / 200)
    half = (score.ci95.high - score.ci95.low) / 2
    assert 0.95 * binomial < half < 1.35 * binomial  # folds add up to a third of the variance
    assert len(np.unique(got.items.cluster)) == 200


def test_trials_of_a_block_count_as_one():
    trials = epochs()
    blocked = trials.take(np.lexsort((trials.stimulus, trials.run.astype(int))))
    goal = goal_of({one: one for one in KINDS})
    got = decode(blocked, goal, encoder=Ridge([100.0]), protocol=protocol_of(blocked))
    assert len(np.unique(got.items.cluster)) == len(
        {(run, kind) for run, kind in zip(trials.run, trials.stimulus, strict=True)}
    )


def test_new_stimuli_are_drawn_anew_however_often_they_repeat():
    trials = epochs(n_classes=4)
    goal = goal_of({one: one for one in KINDS})
    split = Split(KINDS[:2], [], KINDS[2:])
    protocol = Protocol(split, measures=[TwoWay()], repeats="single", closed_forms=False)
    got = decode(trials, goal, encoder=Ridge([100.0]), protocol=protocol)
    assert got.items.cluster is None
