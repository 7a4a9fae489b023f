"""From scored decisions to an evaluation: what was decided and what it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodecode.data import Generated, Responses, Stimuli
from neurodecode.encoders import category_targets
from neurodecode.evidence import ProtocolResult
from neurodecode.pipeline._answers import Answers, Shown
from neurodecode.pipeline._class_answers import Tested, points_of
from neurodecode.pipeline._class_measures import Decisions
from neurodecode.pipeline._class_scoring import Decided, Scored, by_control
from neurodecode.pipeline._class_trials import ClassTrials, split_blocks
from neurodecode.pipeline._confusion import confusion
from neurodecode.pipeline._evaluation import Evaluation
from neurodecode.pipeline._folds import Fold
from neurodecode.pipeline._leaks import knowledge_of
from neurodecode.pipeline._preprocess import step_names, written
from neurodecode.pipeline._protocol import SOLE_HEAD, SOLE_OUTPUT, Protocol
from neurodecode.pipeline._sklearn_classifier import SklearnClassifier


@dataclass(frozen=True, eq=False)
class Done:
    """All that was decided and scored."""

    trials: ClassTrials
    folds: Sequence[Fold]
    decided: Decided
    scored: Mapping[str, Scored]

    @property
    def test(self) -> Tested:
        """Whose the test trials are."""
        return self.decided.test


def evaluation_of(done: Done, protocol: Protocol, told: Mapping[str, Any]) -> Evaluation:
    """Scores, controls and answers in the form that galleries and reports take."""
    labels, ids = done.trials.labels, done.test.items.stimulus
    shown = Shown(
        Stimuli.from_texts({one: labels[one] for one in ids.tolist()}),
        {SOLE_HEAD: category_targets(labels).select(ids)},
    )
    matrix = confusion(done.decided.real.decided, done.test.true, done.test.classes)
    scores = {name: one.score for name, one in done.scored.items()}
    controls = by_control(done.scored, "value")
    intervals = {
        "controls_ci95": by_control(done.scored, "ci95"),
        "above_controls_ci95": by_control(done.scored, "above"),
    }
    details = {**told, "confusion": matrix.as_json(), **intervals}
    return Evaluation(
        ProtocolResult(protocol.name, scores, controls, details),
        [fold.encoder for fold in done.folds],
        done.test.items,
        shown,
        _answers(done.decided.real, done.test),
        {name: _answers(one, done.test) for name, one in done.decided.beside.items()},
        np.arange(len(ids)),
        {name: one.each for name, one in done.scored.items()},
        matrix,
    )


def _answers(decided: Decisions, test: Tested) -> Answers:
    """The same, and the class decided for as a text."""
    said = test.classes[decided.decided][:, None]
    made = Generated(said, test.items.stimulus, "text", "classify")
    return Answers(points_of(decided, test).embeddings, {SOLE_OUTPUT: made})


def details_of(
    people: Sequence[Responses], by: str, done: Done, protocol: Protocol
) -> dict[str, Any]:
    """The columns without which tables of different papers can't be compared."""
    test, first = done.test, protocol.folds[0]
    apart = first.apart(people)
    if test.n_independent < len(test.true):
        apart["block"] = split_blocks(done.trials) == 0
    trained = [fold.split for fold in done.folds]
    return {
        "subjects": list(dict.fromkeys(test.items.subject.tolist())),
        "modality": people[0].modality,
        "sessions": {
            one.subject: len(set(one.session)) for one in people if one.session is not None
        },
        "units": {one.subject: one.n_units for one in people},
        "classes": {
            name: int(count)
            for name, count in zip(
                test.classes, np.bincount(test.true, minlength=len(test.classes)), strict=True
            )
        },
        "class_of_a_trial": by,
        "n_train": {
            one.subject: int(trained[0].mask(one, "train").sum()) for one in done.trials.people
        },
        "n_test": len(test.true),
        "n_items": len(test.true),
        "n_independent": test.n_independent,
        "n_folds": len(done.folds),
        "encoder": encoder_name(done.folds[0].encoder),
        "closed_forms": list(done.decided.closed_forms),
        "learned_from": knowledge_of([fold.encoder for fold in done.folds], fitted_here=True),
        "preprocess": step_names(done.folds[0].steps),
        "selection_rule": "",
        "repeats_averaged": "single trials",
        "kept_apart": [one for one, yes in apart.items() if yes],
        "shared": [one for one, yes in apart.items() if not yes],
    }


def encoder_name(encoder: Any) -> str:
    """The class of an encoder; what a classifier of scikit-learn is made of."""
    if isinstance(encoder, SklearnClassifier):
        return written(encoder.estimator)
    return type(encoder).__name__
