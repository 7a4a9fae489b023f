"""Categories as a target space, and ridge as a classifier of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Embeddings, Responses, listing
from neurodecode.encoders.ridge.estimator import PENALTIES, Ridge

PREFIX = "categories:"


def category_targets(categories: Mapping[Any, str]) -> Embeddings:
    """Categories of stimuli as targets: 1 for the stimulus's own, -1 for the others.

    Parameters
    ----------
    categories : mapping
        From stimulus id to category.

    Returns
    -------
    Embeddings
        Values (n_stimuli, n_categories); the space names the categories in order.

    Examples
    --------
    >>> targets = category_targets({"p1": "face", "p2": "house"})
    >>> targets.array().tolist(), targets.space
    ([[1.0, -1.0], [-1.0, 1.0]], 'categories:["face", "house"]')
    """
    names = sorted({str(one) for one in categories.values()})
    if len(names) < 2:
        raise ValueError(
            f"Classification needs two or more categories; got {len(names)} ({listing(names)})."
        )
    code = np.searchsorted(names, [str(one) for one in categories.values()])
    values = np.where(np.arange(len(names)) == code[:, None], 1.0, -1.0).astype(np.float32)
    stimulus = np.array([str(one) for one in categories])
    return Embeddings(values, stimulus, PREFIX + json.dumps(names))


def categories_by(responses: Responses | Sequence[Responses], by: str) -> dict[str, str]:
    """The category of each stimulus, from a column of the trial table.

    Raises
    ------
    ValueError
        If one stimulus stands under two categories.

    Examples
    --------
    >>> responses = Responses(np.zeros((2, 1)), ["p1", "p2"], "s", "fmri",
    ...                       metadata={"category": ["face", "house"]})
    >>> categories_by(responses, "category")
    {'p1': 'face', 'p2': 'house'}
    """
    people = [responses] if isinstance(responses, Responses) else list(responses)
    found: dict[str, str] = {}
    for person in people:
        rows = zip(person.stimulus.tolist(), person.groups(by).tolist(), strict=True)
        for stimulus, category in rows:
            if found.setdefault(stimulus, category) != category:
                raise ValueError(
                    f"Stimulus '{stimulus}' has two values of {by}: '{found[stimulus]}' and "
                    f"'{category}'. Give trials of two categories two stimulus ids."
                )
    return found


class RidgeClassifier(Ridge):
    """Ridge as a classifier: the category with the largest decision value.

    Parameters
    ----------
    penalties, leave_out, n_folds, per, standardise, dtype, device, max_memory
        As in `Ridge`, but runs are left out to choose one penalty for all categories.
        ``leave_out='auto'``: runs, or trials where training holds but one run or none is known.

    Examples
    --------
    >>> from neurodecode.data import Split
    >>> names = [f"{kind}-{i}" for i in range(6) for kind in ("face", "house")]
    >>> signal = np.array([[1.0 if "face" in one else -1.0, i % 3] for i, one in enumerate(names)])
    >>> responses = Responses(signal, names, "sub-01", "fmri", run=np.arange(12) // 4)
    >>> targets = category_targets({one: one.split("-")[0] for one in names})
    >>> split = Split(["0", "1"], [], ["2"], by="run", rule="last run")
    >>> classifier = RidgeClassifier().fit(responses, targets, split)
    >>> classifier.predict_labels(split.part(responses, "test")).tolist()
    ['face', 'house', 'face', 'house']
    """

    closed_form = True

    def __init__(
        self,
        penalties: Sequence[float] = PENALTIES,
        *,
        leave_out: str = "run",
        n_folds: int | None = None,
        per: str | Sequence[int] = "all",
        standardise: bool = True,
        dtype: Literal["auto", "float32", "float64"] = "auto",
        device: str = "auto",
        max_memory: int = 4 * 2**30,
    ) -> None:
        super().__init__(
            penalties,
            leave_out=leave_out,
            n_folds=n_folds,
            per=per,
            standardise=standardise,
            dtype=dtype,
            device=device,
            max_memory=max_memory,
        )

    def _left_out(self, train: Responses) -> NDArray[np.str_]:
        if self.leave_out != "auto":
            return super()._left_out(train)
        if train.run is not None and len(np.unique(train.run)) > 1:
            return train.run
        return np.arange(len(train)).astype(np.str_)

    @property
    def classes_(self) -> NDArray[np.str_]:
        """The categories, in the order of the decision values."""
        _, _, space = self._head(None)
        if not space.startswith(PREFIX):
            raise ValueError(
                f"RidgeClassifier was fitted to the space '{space}', which names no categories. "
                f"Make its targets with category_targets()."
            )
        return np.array(json.loads(space.removeprefix(PREFIX)), dtype=np.str_)

    def decision(self, responses: Responses) -> NDArray[np.float32]:
        """Decision values, shape (n_trials, n_categories)."""
        return self.predict(responses).array()

    def predict_labels(self, responses: Responses) -> NDArray[np.str_]:
        """The category of each trial, shape (n_trials,)."""
        return np.asarray(self.classes_[self.decision(responses).argmax(axis=1)])
