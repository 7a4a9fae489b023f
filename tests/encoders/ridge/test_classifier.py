"""The classifier view of ridge."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import linear_model
from sklearn.preprocessing import StandardScaler

from neurodecode.data import Embeddings, Responses, Split
from neurodecode.encoders import Ridge, RidgeClassifier, categories_by, category_targets

NAMES = ("face", "house", "shoe")


def make(signal=1.5, seed=0):
    """Simulated: three categories in six runs of nine trials."""
    rng = np.random.default_rng(seed)
    code = np.tile([0, 1, 2], 18)
    x = rng.normal(size=(54, 20)) + signal * np.eye(3)[code] @ rng.normal(size=(3, 20))
    ids = [f"{NAMES[c]}-{i}" for i, c in enumerate(code)]
    return Responses(
        x.astype(np.float32),
        ids,
        "sub-01",
        "fmri",
        run=np.arange(54) // 9,
        metadata={"category": np.array(NAMES)[code]},
    )


def last_run(responses):
    return Split(["0", "1", "2", "3", "4"], [], ["5"], by="run", rule="last run")


def test_equals_scikit_learn():
    responses = make()
    split = last_run(responses)
    targets = category_targets(categories_by(responses, "category"))
    ours = RidgeClassifier([10.0], device="cpu").fit(responses, targets, split)
    train, test = split.part(responses, "train"), split.part(responses, "test")
    scaler = StandardScaler().fit(train.array())
    theirs = linear_model.RidgeClassifier(alpha=10.0).fit(
        scaler.transform(train.array()), train.metadata["category"]
    )
    x = scaler.transform(test.array())
    assert ours.classes_.tolist() == theirs.classes_.tolist()
    assert np.allclose(ours.decision(test), theirs.decision_function(x), atol=1e-5)
    assert ours.predict_labels(test).tolist() == theirs.predict(x).tolist()


def test_finds_planted_categories_and_nothing_in_noise():
    for signal, low, high in ((2.0, 0.8, 1.0), (0.0, 0.0, 0.7)):
        responses = make(signal)
        split = last_run(responses)
        targets = category_targets(categories_by(responses, "category"))
        test = split.part(responses, "test")
        labels = RidgeClassifier().fit(responses, targets, split).predict_labels(test)
        assert low <= (labels == test.metadata["category"]).mean() <= high


def test_runs_are_needed_to_choose_a_penalty():
    responses = make().with_values(make().values, run=None)
    targets = category_targets(categories_by(responses, "category"))
    with pytest.raises(ValueError, match="do not say the run of a trial"):
        RidgeClassifier().fit(responses, targets, Split(responses.stimulus, [], []))


def test_loads_as_it_was_saved(tmp_path):
    responses = make()
    targets = category_targets(categories_by(responses, "category"))
    fitted = RidgeClassifier().fit(responses, targets, last_run(responses))
    loaded = RidgeClassifier.load(fitted.save(tmp_path))
    assert loaded.predict_labels(responses).tolist() == fitted.predict_labels(responses).tolist()
    assert loaded.get_params()["leave_out"] == "run"


def test_one_category_is_refused():
    with pytest.raises(ValueError, match=r"two or more categories; got 1 \('face'\)"):
        category_targets({"a": "face", "b": "face"})


def test_a_stimulus_of_two_categories_is_refused():
    responses = Responses(
        np.zeros((2, 3)), ["a", "a"], "sub-01", "fmri", metadata={"category": ["face", "shoe"]}
    )
    with pytest.raises(ValueError, match="Stimulus 'a' has two values of category: 'face' and"):
        categories_by(responses, "category")


def test_a_space_without_categories_is_refused():
    responses = make()
    targets = Embeddings(np.random.default_rng(0).normal(size=(54, 2)), responses.stimulus, "toy")
    fitted = RidgeClassifier().fit(responses, targets, last_run(responses))
    assert isinstance(fitted, Ridge)
    with pytest.raises(ValueError, match="fitted to the space 'toy', which names no categories"):
        fitted.predict_labels(responses)
