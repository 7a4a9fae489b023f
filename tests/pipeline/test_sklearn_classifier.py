"""Classifiers of scikit-learn as encoders: one a person or one for all, and what they say wins."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC, LinearSVC

from neurodecode.data import Embeddings, LearnedFrom, Responses, Split
from neurodecode.encoders import category_targets
from neurodecode.pipeline import SklearnClassifier

KINDS = np.array(["cat", "cup", "tree"])
SPLIT = Split(["0", "1"], ["2"], ["3"], by="run")


def trials(name="anna", n_units=5, n_classes=3, n=80):
    rng = np.random.default_rng(sum(name.encode()))
    code = np.arange(n) % n_classes
    values = np.random.default_rng(1).normal(size=(3, n_units))[code]
    return Responses(
        values + rng.normal(size=(n, 1, n_units)).sum(axis=1),
        [f"{name}-{row}" for row in range(n)],
        name,
        "fmri",
        run=np.arange(n) // 20,
        metadata={"kind": KINDS[code]},
    )


def targets_of(*people):
    labels = {}
    for one in people:
        labels |= dict(zip(one.stimulus.tolist(), one.metadata["kind"].tolist(), strict=True))
    return category_targets(labels)


@pytest.mark.parametrize(
    "model", [LogisticRegression(), SVC(), LinearSVC(), KNeighborsClassifier(3)]
)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_it_says_what_the_estimator_says(model, n_classes):
    one = trials(n_classes=n_classes)
    fitted = SklearnClassifier(model).fit(one, targets_of(one), SPLIT)
    seen, test = SPLIT.seen(one), SPLIT.part(one, "test")
    alone = type(model)(**model.get_params()).fit(seen.array(np.float64), seen.metadata["kind"])
    want = alone.predict(test.array(np.float64))
    np.testing.assert_array_equal(fitted.predict_labels(test), want)
    assert fitted.predict(test).values.shape == (20, n_classes)
    assert LearnedFrom.of([seen]).holds(one).sum() == 60
    assert fitted.learned_from_.holds(one).sum() == 60


def test_a_class_that_a_person_was_never_shown_comes_last():
    anna, bert = trials(), trials("bert", n_classes=2)
    fitted = SklearnClassifier(SVC()).fit([anna, bert], targets_of(anna, bert), SPLIT)
    scores = fitted.predict(bert).array()
    assert scores.shape == (80, 3)
    assert (scores.argmax(axis=1) < 2).all()


def test_one_for_all_can_tell_strangers():
    people = [trials("anna"), trials("bert")]
    targets = targets_of(*people, trials("carl"))
    pooled = SklearnClassifier(LogisticRegression(), pooled=True).fit(people, targets, SPLIT)
    assert list(pooled.models_) == ["everybody"]
    right = pooled.predict_labels(trials("carl")) == trials("carl").metadata["kind"]
    assert right.mean() > 0.5
    alone = SklearnClassifier(LogisticRegression()).fit(people, targets, SPLIT)
    with pytest.raises(ValueError) as error:
        alone.predict(trials("carl"))
    assert str(error.value) == (
        "This SklearnClassifier has no model for subject 'carl'; it knows 'anna', 'bert'. People "
        "with the same units can be given pooled=True."
    )
    alone.adapt(trials("carl"), targets, SPLIT)
    assert set(alone.models_) == {"anna", "bert", "carl"}
    with pytest.raises(ValueError) as error:
        pooled.fit([people[0], trials("bert", n_units=4)], targets, SPLIT)
    assert str(error.value) == (
        "One classifier for 2 people needs the same units in all of them; rows have the shapes "
        "'(4,)', '(5,)'. Give pooled=False."
    )


def test_a_search_gets_runs_as_its_groups():
    one = trials()
    search = GridSearchCV(LogisticRegression(), {"C": [0.01, 1.0]}, cv=LeaveOneGroupOut())
    fitted = SklearnClassifier(search).fit(one, targets_of(one), SPLIT)
    assert fitted.models_["anna"].n_splits_ == 3
    named = one.with_column("half", np.arange(80) // 40)
    fitted = SklearnClassifier(search, groups="half").fit(named, targets_of(one), SPLIT)
    assert fitted.models_["anna"].n_splits_ == 2


class Contrary(ClassifierMixin, BaseEstimator):
    """Decides for the second class whatever its scores say."""

    def fit(self, x, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, x):
        return np.tile([0.7, 0.2, 0.1], (len(x), 1))

    def predict(self, x):
        return np.repeat(self.classes_[1], len(x))


def test_what_is_decided_leads_the_scores():
    one = trials()
    fitted = SklearnClassifier(Contrary()).fit(one, targets_of(one), SPLIT)
    assert set(fitted.predict_labels(one).tolist()) == {"cup"}


def test_what_it_can_not_do_is_told():
    one = trials()
    plain = Embeddings(np.eye(80), one.stimulus, "toy")
    with pytest.raises(ValueError) as error:
        SklearnClassifier(SVC()).fit(one, plain, SPLIT)
    assert str(error.value) == (
        "SklearnClassifier needs one target space that names categories. Make its targets with "
        "category_targets()."
    )
    with pytest.raises(NotImplementedError) as error:
        SklearnClassifier(SVC()).save("folder")
    assert str(error.value) == (
        "A SVC of scikit-learn can't be saved without a pickle. Save what it was fitted to, or use "
        "RidgeClassifier."
    )
