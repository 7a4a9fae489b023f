"""What speaks against believing a classifier, besides its scores."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np

from neurodecode.contracts import Encoder
from neurodecode.evidence import Suspicion
from neurodecode.pipeline._class_answers import Tested, points_of
from neurodecode.pipeline._class_measures import Decisions
from neurodecode.pipeline._class_trials import ClassTrials, split_blocks
from neurodecode.pipeline._elsewhere import unfitted
from neurodecode.pipeline._folds import Fold
from neurodecode.pipeline._protocol import SOLE_HEAD
from neurodecode.pipeline._sklearn_classifier import SklearnClassifier
from neurodecode.pipeline._suspicions import fold_suspicions, ignoring

BLOCKS = "blocks in training and test"


def to_be_questioned(encoder: Encoder) -> Encoder | None:
    """A copy of an unfitted encoder that is not ours, or that holds what is not; None for ours."""
    if isinstance(encoder, SklearnClassifier):
        return copy.deepcopy(encoder)
    return unfitted(encoder)


def class_suspicions(
    folds: Sequence[Fold], trials: ClassTrials, test: Tested, real: Decisions, noise: Decisions
) -> list[Suspicion]:
    """What the fitted encoder gives away, and blocks that stand on both sides.

    Parameters
    ----------
    folds : sequence of Fold
    trials : ClassTrials
    test : Tested
    real, noise : Decisions
        About the test trials, and about noise in their place.
    """
    # less their mean over a fold and person: where there is no signal a penalty may leave little
    # but how common classes are, which differs from fold to fold
    counts = np.bincount(test.group)[:, None]
    mean = np.stack([np.bincount(test.group, one) for one in real.scores.T], axis=1) / counts
    said, of_noise = (
        points_of(Decisions(one.scores - mean[test.group], test.group), test)
        for one in (real, noise)
    )
    found = [
        *fold_suspicions(folds, [SOLE_HEAD]),
        *ignoring(said, of_noise, {}, folds[0].encoder, {}, test.items.subject),
    ]
    n_leaking = split_blocks(trials)
    if n_leaking:
        found.append(
            Suspicion(
                BLOCKS,
                f"{n_leaking} trials are tested while others of their block are in training: what "
                f"is slow in a recording then tells their class.",
            )
        )
    return found
