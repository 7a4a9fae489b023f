"""Values a trial average to the published scores, and vary as the scores do."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from neurodecode.pipeline._class_measures import (
    MEASURES,
    Accuracy,
    Auc,
    BalancedAccuracy,
    Decisions,
)


def guesses(n=200, n_classes=3, signal=1.0, seed=0, n_groups=1):
    rng = np.random.default_rng(seed)
    true = rng.choice(
        n_classes, n, p=np.arange(1, n_classes + 1) / np.arange(1, n_classes + 1).sum()
    )
    scores = rng.normal(size=(n, n_classes)) + signal * np.eye(n_classes)[true]
    return Decisions(scores, np.sort(rng.integers(n_groups, size=n))), true


def softmax(scores):
    grown = np.exp(scores)
    return grown / grown.sum(axis=1, keepdims=True)


def test_means_are_the_scores_of_scikit_learn():
    decided, true = guesses()
    decided = Decisions(softmax(decided.scores), decided.group)
    want = {
        "accuracy": (decided.decided == true).mean(),
        "balanced_accuracy": balanced_accuracy_score(true, decided.decided),
        "auc": roc_auc_score(true, decided.scores, multi_class="ovr"),
    }
    for one in MEASURES:
        assert one.each(decided, true).mean() == pytest.approx(want[one.name])
        assert one.scorer(decided)(true) == pytest.approx(want[one.name])


def test_areas_compare_within_folds_and_people_only():
    """The mean over folds, weighted by their pairs; a shift between folds changes nothing."""
    decided, true = guesses(n_groups=4)
    shifted = Decisions(decided.scores + 10.0 * decided.group[:, None], decided.group)
    got = Auc().each(shifted, true).mean()
    assert got == pytest.approx(Auc().each(decided, true).mean())
    areas = []
    for one in range(3):
        won = pairs = 0.0
        for fold in range(4):
            inside = decided.group == fold
            own = true[inside] == one
            n_pairs = own.sum() * (~own).sum()
            won += n_pairs * roc_auc_score(own, decided.scores[inside, one])
            pairs += n_pairs
        areas.append(won / pairs)
    assert got == pytest.approx(np.mean(areas))
    assert Auc().scorer(shifted)(true) == pytest.approx(got)


def test_ties_are_half_and_single_trials_have_no_pair():
    flat = Decisions(np.zeros((6, 2)), np.zeros(6, dtype=int))
    true = np.array([0, 1] * 3)
    assert Auc().each(flat, true).mean() == pytest.approx(0.5)
    alone = Decisions(np.zeros((6, 2)), np.arange(6))
    assert Auc().applies(flat, true)
    assert not Auc().applies(alone, true)


@pytest.mark.parametrize("measure", [BalancedAccuracy(), Auc(), Accuracy()])
def test_values_vary_as_the_score_does(measure):
    """The standard error from values a trial, against that of 300 studies."""
    scores, errors = [], []
    for seed in range(300):
        each = measure.each(*guesses(n=120, seed=seed))
        scores.append(each.mean())
        errors.append(each.std(ddof=1) / np.sqrt(len(each)))
    assert np.mean(errors) == pytest.approx(np.std(scores), rel=0.15)
