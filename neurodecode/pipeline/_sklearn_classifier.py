"""Any classifier of scikit-learn where an encoder of categories stands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from neurodecode.contracts import Targets
from neurodecode.data import Embeddings, LearnedFrom, Responses, Split, listing
from neurodecode.encoders.ridge.classifier import PREFIX

ANYONE = "everybody"


class SklearnClassifier:
    """A classifier (or pipeline) of scikit-learn as an encoder into the space of categories.

    Trials are flattened to one row each; labels are the categories of `category_targets`. It learns
    from training and validation trials, since it stops by nothing.

    Parameters
    ----------
    estimator : object
        With ``fit(x, y)`` and ``predict(x)``; it is cloned. Scores come from ``predict_proba``,
        else ``decision_function``, else from the predicted class alone.
    pooled : bool
        One model for all people, whose units must be the same, in place of one a person; it can
        also classify people of whom no trial was learned.
    groups : str
        Column of the trial table that a search of scikit-learn (``GridSearchCV`` with
        ``LeaveOneGroupOut``) gets as groups, where it is known.

    Attributes
    ----------
    models_ : dict of str to estimator
        By subject; under ``'everybody'`` the one for all.
    classes_ : str array, shape (n_classes,)

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from neurodecode.encoders import category_targets
    >>> x = np.array([[-1.0], [1.0], [-2.0], [2.0]])
    >>> trials = Responses(x, list("abcd"), "s", "fmri")
    >>> targets = category_targets({"a": "left", "b": "right", "c": "left", "d": "right"})
    >>> split = Split(["a", "b"], [], ["c", "d"])
    >>> model = SklearnClassifier(LogisticRegression()).fit(trials, targets, split)
    >>> model.predict_labels(split.part(trials, "test")).tolist()
    ['left', 'right']
    """

    closed_form = True

    def __init__(self, estimator: Any, pooled: bool = False, groups: str = "run") -> None:
        self.estimator = estimator
        self.pooled = pooled
        self.groups = groups

    def fit(
        self, responses: Responses | Sequence[Responses], targets: Targets, split: Split
    ) -> Self:
        """Learn from the training and validation trials.

        Raises
        ------
        ValueError
            If targets name no categories, or people who are pooled have other units.
        """
        people = [responses] if isinstance(responses, Responses) else list(responses)
        if not isinstance(targets, Embeddings) or not targets.space.startswith(PREFIX):
            raise ValueError(
                "SklearnClassifier needs one target space that names categories. Make its targets "
                "with category_targets()."
            )
        self.space_ = targets.space
        self.classes_ = np.array(json.loads(targets.space.removeprefix(PREFIX)), dtype=np.str_)
        seen = [part for part in (split.seen(one) for one in people) if len(part)]
        shapes = {part.values.shape[1:] for part in seen}
        if self.pooled and len(shapes) > 1:
            raise ValueError(
                f"One classifier for {len(seen)} people needs the same units in all of them; rows "
                f"have the shapes {listing(sorted(shapes))}. Give pooled=False."
            )
        groups = {ANYONE: seen} if self.pooled else {part.subject: [part] for part in seen}
        self.models_ = {name: self._fitted(parts, targets) for name, parts in groups.items()}
        self.learned_from_ = LearnedFrom.of(seen)
        return self

    def predict(self, responses: Responses, head: str | None = None) -> Embeddings:
        """A score for each class, shape (n_trials, n_classes); the largest is what it decides for.

        Raises
        ------
        ValueError
            If the person is unknown and there is no model for all.
        """
        model = self.models_.get(responses.subject, self.models_.get(ANYONE))
        if model is None:
            raise ValueError(
                f"This SklearnClassifier has no model for subject '{responses.subject}'; it knows "
                f"{listing(self.models_)}. People with the same units can be given pooled=True."
            )
        x = _rows(responses)
        found = _scores(model, x)
        # a class that this person was never shown comes last
        scores = np.repeat(found.min(axis=1, keepdims=True), len(self.classes_), axis=1)
        scores[:, np.searchsorted(self.classes_, model.classes_)] = found
        decided = np.searchsorted(self.classes_, np.asarray(model.predict(x)).astype(np.str_))
        return Embeddings(_led_by(scores, decided), responses.stimulus, self.space_)

    def predict_labels(self, responses: Responses) -> NDArray[np.str_]:
        """The class of each trial, shape (n_trials,)."""
        return np.asarray(self.classes_[self.predict(responses).array(np.float64).argmax(axis=1)])

    def adapt(self, responses: Responses, targets: Targets, split: Split) -> Self:
        """Learn one more person; the others' models stay as they are."""
        part = split.seen(responses)
        if not isinstance(targets, Embeddings) or targets.space != self.space_:
            raise ValueError("adapt() needs the categories that this classifier was fitted to.")
        self.models_ = self.models_ | {part.subject: self._fitted([part], targets)}
        self.learned_from_ = self.learned_from_ | LearnedFrom.of([part])
        return self

    def save(self, folder: str | Path) -> Path:
        """Not possible without a pickle."""
        raise NotImplementedError(
            f"A {type(self.estimator).__name__} of scikit-learn can't be saved without a pickle. "
            f"Save what it was fitted to, or use RidgeClassifier."
        )

    def _fitted(self, parts: Sequence[Responses], targets: Embeddings) -> Any:
        from sklearn.base import clone
        from sklearn.model_selection import GridSearchCV, RandomizedSearchCV

        x = np.concatenate([_rows(part) for part in parts])
        code = np.concatenate([targets.rows(part.stimulus).argmax(axis=1) for part in parts])
        model = clone(self.estimator)
        search = isinstance(model, GridSearchCV | RandomizedSearchCV)
        if not (search and all(_knows(one, self.groups) for one in parts)):
            return model.fit(x, self.classes_[code])
        together = np.concatenate([part.groups(self.groups) for part in parts])
        return model.fit(x, self.classes_[code], groups=together)


def _knows(trials: Responses, column: str) -> bool:
    own = getattr(trials, column, None) if column in ("run", "session") else None
    return own is not None or column in trials.metadata


def _rows(trials: Responses) -> NDArray[np.float64]:
    return np.asarray(trials.array(np.float64).reshape(len(trials), -1))


def _scores(model: Any, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shape (n, n_classes), whatever the estimator offers."""
    n_classes = len(model.classes_)
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(x), dtype=np.float64)
    if hasattr(model, "decision_function"):
        found = np.asarray(model.decision_function(x), dtype=np.float64)
        if found.ndim == 1:
            return np.stack([-found, found], axis=1)
        if found.shape[1] == n_classes:
            return found
    decided = np.searchsorted(model.classes_, model.predict(x))
    return np.asarray(np.eye(n_classes)[decided])


def _led_by(scores: NDArray[np.float64], decided: NDArray[np.intp]) -> NDArray[np.float64]:
    """Scores whose largest is what ``predict`` said, where the two differ (a tie, a threshold)."""
    rows = np.flatnonzero(scores.argmax(axis=1) != decided)
    scores[rows, decided[rows]] = np.nextafter(scores[rows].max(axis=1), np.inf)
    return scores
