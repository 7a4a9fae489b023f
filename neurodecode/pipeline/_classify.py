"""`classify`: which class was it? One item a trial, with all evidence."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from neurodecode.contracts import Encoder, Preprocessor
from neurodecode.data import Responses, Stimuli
from neurodecode.encoders import category_targets
from neurodecode.evidence import Run
from neurodecode.pipeline import _class_answers as answers
from neurodecode.pipeline._class_contenders import contenders, stops_by_nothing
from neurodecode.pipeline._class_evaluation import Done, details_of, evaluation_of
from neurodecode.pipeline._class_measures import MEASURES, Auc, Decisions
from neurodecode.pipeline._class_scoring import score_classes
from neurodecode.pipeline._class_trials import (
    LABEL,
    ClassTrials,
    class_trials,
    split_blocks,
    without_validation,
)
from neurodecode.pipeline._evaluation import Evaluation
from neurodecode.pipeline._folds import Fold, check_tested_once, fit_folds
from neurodecode.pipeline._preprocess import learn_steps
from neurodecode.pipeline._protocol import Goal, Protocol

LOG = logging.getLogger("neurodecode")


def classify(
    responses: Responses | Sequence[Responses],
    by: str = "stimulus",
    *,
    encoder: Any = None,
    protocol: Protocol,
    preprocess: Sequence[Preprocessor] = (),
    block: str | None = None,
    run: Run | None = None,
) -> Evaluation:
    """Decode the class of each test trial, and score it beside its controls.

    Parameters
    ----------
    responses : Responses or sequence of Responses
        Whole recordings of one or several people, trials in order of time.
    by : str
        What the classes are: ``'stimulus'`` or a column of the trial table.
    encoder : Encoder or scikit-learn classifier, optional
        Default: `RidgeClassifier`, whose penalty is chosen by leaving out training runs. Any
        encoder of this package is fitted to category codes; a classifier (or pipeline) of
        scikit-learn to flattened trials, one a person (`SklearnClassifier` pools people).
    protocol : Protocol
        Its split says what is kept apart (runs, sessions, trials, people). What stops by nothing
        (ridge, scikit-learn's) learns from validation trials too.
    preprocess : sequence of Preprocessor
        Learned anew in each fold; what is supervised sees the labels of training trials only.
    block : str, optional
        Column that names blocks of trials that are one observation. Default: neighbouring trials of
        one class, where the order of classes is less mixed than a random one.
    run : Run, optional
        As in `decode`.

    Returns
    -------
    Evaluation
        Scores ``accuracy``, ``balanced_accuracy`` and ``auc`` over trials; controls ``majority``,
        ``prior``, ``noise``, ``shuffled``, ``clock`` (the place in the run) and ``plain_ridge``;
        ``confusion``. An item is a trial, and its points are scores of the classes.

    Raises
    ------
    ValueError
        If there are fewer than two classes, one is tested that was not trained, folds test a trial
        twice, or measures are given.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodecode.data import KFold
    >>> rng = np.random.default_rng(0)
    >>> label = np.array(["face", "house"] * 30)
    >>> values = rng.normal(size=(60, 5)) + (label == "face")[:, None]
    >>> trials = Responses(values, label, "sub-01", "fmri", run=np.arange(60) // 10)
    >>> got = classify(trials, protocol=Protocol(KFold(3, by="run").split(trials)))
    >>> got.score("accuracy") > 0.75, got.result.scores["accuracy"].n
    (True, 60)
    >>> got.confusion.counts.sum()
    np.int64(60)
    """
    people = [responses] if isinstance(responses, Responses) else list(responses)
    _check(people, protocol)
    trials = class_trials(people, by, protocol.folds, block)
    _warn_of_blocks(trials, protocol)
    run = run or Run(protocol.seed)
    named = contenders(encoder, trials, protocol)
    if all(stops_by_nothing(one) for one in named.values()):
        trials = replace(trials, folds=tuple(without_validation(one) for one in trials.folds))
    with run.step("fit"):
        sets = _fitted(named, trials, protocol, preprocess)
    run.look(protocol.name, people, protocol.folds)
    with run.step("decode"):
        test = answers.tested(sets["decoded"], trials)
        real = answers.decisions(sets["decoded"], test)
    with run.step("controls"):
        beside = _beside(sets, real, test, trials, protocol.seed)
    with run.step("score"):
        chosen = [
            one for one in MEASURES if not isinstance(one, Auc) or one.applies(real, test.true)
        ]
        scored = {
            one.name: score_classes(one, real, beside, test, seed=protocol.seed) for one in chosen
        }
    done = Done(trials, sets["decoded"], test, real, beside, scored)
    return evaluation_of(done, protocol, details_of(people, by, done, protocol))


def _check(people: Sequence[Responses], protocol: Protocol) -> None:
    if not people:
        raise ValueError("classify() got no responses. Give those of one person or of several.")
    if protocol.measures is not None:
        raise ValueError(
            "classify() measures accuracy, balanced accuracy and area under the ROC curve; the "
            "measures of this protocol belong to decode(). Leave them out."
        )
    check_tested_once(people, protocol.folds)


def _warn_of_blocks(trials: ClassTrials, protocol: Protocol) -> None:
    n_leaking = split_blocks(trials)
    if n_leaking:
        LOG.warning(
            "'%s' tests %d trials while others of their block are in training: what is slow in a "
            "recording then tells their class. Keep runs (or blocks) apart.",
            protocol.name,
            n_leaking,
        )


def _fitted(
    named: Mapping[str, Encoder],
    trials: ClassTrials,
    protocol: Protocol,
    preprocess: Sequence[Preprocessor],
) -> dict[str, list[Fold]]:
    """Each contender fitted to each fold."""
    labels = trials.labels
    goal = Goal(Stimuli.from_texts(labels), category_targets(labels))
    by_trial = replace(protocol, split=trials.folds, repeats="single")
    labelled = trials.labelled()
    steps = [learn_steps(labelled, split, preprocess, labels=LABEL) for split in trials.folds]
    return {
        name: [
            Fold(split, fitted, trials.people, "single", learned)
            for split, fitted, learned in zip(
                trials.folds,
                fit_folds(trials.people, goal, one, by_trial, steps),
                steps,
                strict=True,
            )
        ]
        for name, one in named.items()
    }


def _beside(
    sets: Mapping[str, Sequence[Fold]],
    real: Decisions,
    test: answers.Tested,
    trials: ClassTrials,
    seed: int,
) -> dict[str, Decisions]:
    folds = sets["decoded"]
    beside = {
        "majority": answers.majority(folds, test, trials),
        "prior": answers.prior(folds, test, trials, seed),
        "noise": answers.noise(folds, test, seed),
        "shuffled": answers.shuffled(real, test, seed),
    }
    clock = answers.clock(folds, test, trials)
    if clock is not None:
        beside["clock"] = clock
    return beside | {name: answers.decisions(one, test) for name, one in list(sets.items())[1:]}
