"""Who classifies: the given encoder, and the closed forms that stand beside it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from neurodecode.contracts import Encoder
from neurodecode.encoders import RidgeClassifier
from neurodecode.encoders.ridge.estimator import PENALTIES
from neurodecode.pipeline._class_trials import ClassTrials
from neurodecode.pipeline._protocol import Protocol
from neurodecode.pipeline._sklearn_classifier import SklearnClassifier

PLAIN_RIDGE = "plain_ridge"


def contenders(encoder: Any, trials: ClassTrials, protocol: Protocol) -> dict[str, Encoder]:
    """The encoder and the closed forms beside it, unfitted, by name."""
    strangers = _strangers(trials)
    named = {"decoded": plain(trials) if encoder is None else as_encoder(encoder, strangers)}
    given = protocol.closed_forms
    if isinstance(given, Mapping):
        beside = {name: copy.deepcopy(one) for name, one in given.items()}
        named |= {name: as_encoder(one, strangers) for name, one in beside.items()}
    elif given and encoder is not None and not isinstance(encoder, RidgeClassifier):
        shapes = {one.values.shape[1:] for one in trials.people}
        if not strangers or len(shapes) == 1:
            named[PLAIN_RIDGE] = plain(trials)
    return named


def as_encoder(encoder: Any, pooled: bool = False) -> Encoder:
    """An encoder as it is; a classifier of scikit-learn as an encoder into category codes.

    Raises
    ------
    TypeError
        If it is neither.
    """
    from sklearn.base import is_classifier

    if isinstance(encoder, Encoder):
        return encoder
    if is_classifier(encoder):
        return SklearnClassifier(encoder, pooled=pooled)
    raise TypeError(
        f"classify() needs an encoder or a classifier of scikit-learn; got "
        f"{type(encoder).__name__}, which is neither."
    )


def _strangers(trials: ClassTrials) -> bool:
    """Is somebody tested who has no training trial?"""
    return any(
        split.mask(one, "test").any() and not split.mask(one, "train").any()
        for one in trials.people
        for split in trials.folds
    )


def plain(trials: ClassTrials) -> Encoder:
    """Ridge as a classifier: of each person, or of all together where strangers are tested."""
    if not _strangers(trials):
        return RidgeClassifier(leave_out="auto")
    from sklearn.linear_model import RidgeClassifierCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pooled = make_pipeline(StandardScaler(), RidgeClassifierCV(alphas=PENALTIES))
    return SklearnClassifier(pooled, pooled=True)
