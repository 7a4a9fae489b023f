"""`classify`: which class was it? One item a trial, with all evidence."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from neurodecode.contracts import Encoder, Preprocessor
from neurodecode.data import Responses, Stimuli
from neurodecode.encoders import category_targets
from neurodecode.evidence import Run, Suspicion, many_looks
from neurodecode.pipeline import _class_answers as answers
from neurodecode.pipeline._class_contenders import contenders, plain
from neurodecode.pipeline._class_evaluation import Done, details_of, evaluation_of
from neurodecode.pipeline._class_measures import MEASURES, Auc
from neurodecode.pipeline._class_scoring import Decided, score_classes
from neurodecode.pipeline._class_suspicions import class_suspicions, to_be_questioned
from neurodecode.pipeline._class_trials import (
    LABEL,
    ClassTrials,
    class_trials,
    split_blocks,
    without_validation,
)
from neurodecode.pipeline._closed_forms import is_closed_form
from neurodecode.pipeline._elsewhere import knows_elsewhere
from neurodecode.pipeline._evaluation import Evaluation
from neurodecode.pipeline._folds import Fold, check_tested_once, fit_folds
from neurodecode.pipeline._holding import steps_holding_tests
from neurodecode.pipeline._leaks import check_unseen
from neurodecode.pipeline._preprocess import Steps, learn_steps
from neurodecode.pipeline._protocol import SOLE_OUTPUT, Goal, Protocol

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
        ``prior``, ``noise``, ``shuffled``, ``clock`` (ridge that is told the time in the run, as
        slow functions), ``order`` (the commonest class at the same place of other runs),
        ``run_mean`` (of the same run) and ``plain_ridge``; ``confusion``. An item is a trial, and
        its points are scores of the classes.

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
    if all(is_closed_form(one) for one in named.values()):
        trials = replace(trials, folds=tuple(without_validation(one) for one in trials.folds))
    before = to_be_questioned(named[SOLE_OUTPUT])
    with run.step("fit"):
        study = _Study(trials, protocol, preprocess)
        sets = {name: study.fitted(one) for name, one in named.items()}
    fitted = {name: [fold.encoder for fold in folds] for name, folds in sets.items()}
    check_unseen(fitted, people, protocol.folds)
    suspicions = many_looks(run.look(protocol.name, people, protocol.folds))
    suspicions += steps_holding_tests(preprocess, people, protocol.folds)
    if before is not None:
        with run.step("fit to shuffled pairs"):
            suspicions += study.knows_elsewhere(before)
    decided = study.decided(sets, suspicions, run)
    with run.step("score"):
        scored = {
            one.name: score_classes(one, decided)
            for one in MEASURES
            if not isinstance(one, Auc) or one.applies(decided.real, decided.test.true)
        }
    done = Done(trials, sets[SOLE_OUTPUT], decided, scored)
    return evaluation_of(done, protocol, details_of(people, by, done, protocol))


@dataclass(frozen=True, eq=False)
class _Study:
    """Trials, by which rules they are classified, and what is learned anew in each fold."""

    trials: ClassTrials
    protocol: Protocol
    preprocess: Sequence[Preprocessor]

    @cached_property
    def goal(self) -> Goal:
        """Category codes of all trials, and their class as a text."""
        labels = self.trials.labels
        return Goal(Stimuli.from_texts(labels), category_targets(labels))

    @cached_property
    def by_trial(self) -> Protocol:
        """The protocol over the names of trials."""
        return replace(self.protocol, split=self.trials.folds, repeats="single")

    @cached_property
    def steps(self) -> list[Steps]:
        """Preprocessing of each fold; what is supervised sees labels of training trials."""
        labelled = self.trials.labelled()
        return [
            learn_steps(labelled, split, self.preprocess, labels=LABEL)
            for split in self.trials.folds
        ]

    def fitted(self, encoder: Encoder) -> list[Fold]:
        """The encoder fitted to each fold."""
        people = self.trials.people
        fitted = fit_folds(people, self.goal, encoder, self.by_trial, self.steps)
        parts = zip(self.trials.folds, fitted, self.steps, strict=True)
        return [Fold(split, one, people, "single", steps) for split, one, steps in parts]

    def on(self, people: Sequence[Responses]) -> _Study:
        """The same with other values in place of the brains, and no preprocessing."""
        return _Study(replace(self.trials, people=people), self.protocol, ())

    def knows_elsewhere(self, encoder: Encoder) -> list[Suspicion]:
        """Does an unfitted encoder know the test part though it learned wrong pairs?"""
        people = self.trials.people
        return knows_elsewhere(encoder, people, self.goal, self.by_trial, self.steps)

    def decided(
        self, sets: Mapping[str, Sequence[Fold]], suspicions: Sequence[Suspicion], run: Run
    ) -> Decided:
        """What was decided about test trials, by the encoder and by all that stands beside it."""
        folds, trials, seed = sets[SOLE_OUTPUT], self.trials, self.protocol.seed
        with run.step("decode"):
            test = answers.tested(folds, trials)
            real = answers.decisions(folds, test)
        closed = list(sets)[1:]
        with run.step("controls"):
            beside = answers.controls(folds, real, test, trials, seed=seed)
            clock = self.on(answers.time_of_run(trials)).fitted(plain(trials))
            beside["clock"] = answers.decisions(clock, test)
            beside |= {name: answers.decisions(sets[name], test) for name in closed}
        with run.step("check"):
            seen = class_suspicions(folds, trials, test, real, beside["noise"])
        return Decided(test, real, beside, closed, [*suspicions, *seen], seed)


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
