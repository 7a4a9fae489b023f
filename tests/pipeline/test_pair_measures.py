"""Two against two, by hand and through `decode`, with an interval over items."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from neurodecode.data import Embeddings, KFold, Stimuli
from neurodecode.pipeline import Answers, Goal, Protocol, Shown, TwoAgainstTwo, decode

from .conftest import LeastSquares, person


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def by_hand(predicted, truth, groups):
    hits = []
    for i, j in combinations(range(len(truth)), 2):
        if groups[i] != groups[j] or np.array_equal(truth[i], truth[j]):
            continue
        straight = cosine(predicted[i], truth[i]) + cosine(predicted[j], truth[j])
        crossed = cosine(predicted[i], truth[j]) + cosine(predicted[j], truth[i])
        hits.append(0.5 if np.isclose(straight, crossed) else float(straight > crossed))
    return float(np.mean(hits))


def made(n=24, noise=2.0, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(n, 6)).astype(np.float32)
    return truth, (truth + noise * rng.normal(size=truth.shape)).astype(np.float32)


def test_the_mean_over_items_is_the_share_of_pairs():
    truth, predicted = made()
    truth[5] = truth[6]
    ids = [f"s{i}" for i in range(24)]
    points = Embeddings(truth, ids, "toy")
    fold, subject = np.arange(24) % 2, np.array(["a", "b", "b"] * 8)
    shown = Shown(Stimuli.from_texts(dict.fromkeys(ids, "x")), {"target": points}, {}, fold,
                  subject)  # fmt: skip
    values = TwoAgainstTwo().pairs(
        shown, Answers({"target": Embeddings(predicted, ids, "toy")}, {}), np.arange(24)
    )
    groups = [f"{f}{s}" for f, s in zip(fold, subject, strict=True)]
    assert values.mean() == pytest.approx(by_hand(predicted, truth, groups))


def test_values_vary_as_the_score_does():
    """Items, not pairs, are drawn: intervals over pairs would be several times too narrow."""
    scores, errors = [], []
    ids = [f"s{i}" for i in range(24)]
    for seed in range(200):
        truth, predicted = made(seed=seed, noise=4.0)
        shown = Shown(
            Stimuli.from_texts(dict.fromkeys(ids, "x")), {"target": Embeddings(truth, ids, "toy")}
        )
        answers = Answers({"target": Embeddings(predicted, ids, "toy")}, {})
        values = TwoAgainstTwo().pairs(shown, answers, np.arange(24))
        scores.append(values.mean())
        errors.append(values.std(ddof=1) / np.sqrt(24))
    assert np.mean(errors) == pytest.approx(np.std(scores), rel=0.2)
    over_pairs = 0.5 / np.sqrt(24 * 23 / 2)
    assert np.std(scores) > 1.3 * over_pairs


def test_any_encoder_gets_it(points, goal):
    people = [person(points, "p1"), person(points, "p2")]
    folds = KFold(3, validation=0).split(people)
    protocol = Protocol(folds, measures=[TwoAgainstTwo()])
    got = decode(people, goal, encoder=LeastSquares(), protocol=protocol)
    score = got.result.scores["two_against_two"]
    assert score.value > 0.9
    assert (score.chance, score.n, score.p) == (0.5, 120, 1 / 1001)
    assert score.ci95.low > 0.5
    assert got.result.controls["ceiling"]["two_against_two"] == pytest.approx(1.0)
    assert got.result.controls["mean"]["two_against_two"] == pytest.approx(0.5)
    assert got.result.controls["noise"]["two_against_two"] == pytest.approx(0.5, abs=0.1)
    silent = [person(points, name, signal=0.0) for name in ("p1", "p2")]
    nothing = decode(silent, goal, encoder=LeastSquares(), protocol=protocol)
    score = nothing.result.scores["two_against_two"]
    assert score.ci95.low < 0.5 < score.ci95.high
    assert score.p > 0.05


def test_one_item_at_a_time_makes_no_pair(points, stimuli):
    one = person(points).take(np.arange(4))
    folds = KFold(4, validation=0).split(one)
    protocol = Protocol(folds, measures=[TwoAgainstTwo()])
    with pytest.raises(ValueError) as error:
        decode(one, Goal(stimuli, points), encoder=LeastSquares(), protocol=protocol)
    assert str(error.value) == (
        "'two_against_two' needs two test items with different truths in one fold and person; "
        "there are none. Leave out more than one item at a time."
    )
