"""`decode`: fit on what may be seen, open the test part once, and bring back all evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neurodecode.contracts import Encoder, Preprocessor
from neurodecode.data import Responses
from neurodecode.evidence import Run, Suspicion, many_looks
from neurodecode.pipeline._answers import Answers
from neurodecode.pipeline._class_ids import check_no_class_is_averaged, with_clusters
from neurodecode.pipeline._closed_forms import (
    closed_forms,
    is_closed_form,
    without_training,
)
from neurodecode.pipeline._controls import Setting, controls
from neurodecode.pipeline._elsewhere import knows_elsewhere, unfitted
from neurodecode.pipeline._evaluation import Evaluation
from neurodecode.pipeline._folds import Fold, check_tested_once, fit_folds, join_items
from neurodecode.pipeline._holding import steps_holding_tests
from neurodecode.pipeline._leaks import Knowledge, check_unseen, knowledge_of
from neurodecode.pipeline._order import clock_people, place_people, run_people, with_times
from neurodecode.pipeline._preprocess import Steps, learn_steps
from neurodecode.pipeline._protocol import Goal, Output, Outputs, Protocol, as_outputs
from neurodecode.pipeline._scoring import scored
from neurodecode.pipeline._suspicions import (
    fold_suspicions,
    generator_suspicions,
    ignoring,
    unknown_provenance,
)

N_TRUE = 8
"""True points that a generator is questioned with."""


def decode(
    responses: Responses | Sequence[Responses],
    goal: Goal,
    *,
    encoder: Encoder,
    generator: Outputs | None = None,
    protocol: Protocol,
    preprocess: Sequence[Preprocessor] = (),
    run: Run | None = None,
) -> Evaluation:
    """Fit an encoder, decode the test part once, and score it beside its controls.

    Parameters
    ----------
    responses : Responses or sequence of Responses
        Whole recordings of one or several people.
    goal : Goal
        What was shown and the target space.
    encoder : Encoder
        Unfitted; it is fitted here to the training and validation part, and never given more.
    generator : Generator or Output, or a mapping of name to either
        Pictures and sentences can be made side by side. Without one, nothing is generated and
        points alone are scored.
    protocol : Protocol
        Split, measures and the like.
    preprocess : sequence of Preprocessor
        Such as ``[VoxelSelection(...), Standardize()]``: learned anew in each fold from each
        person's training trials, in this order; validation and test trials are transformed by it.
    run : Run, optional
        Counts the look at the test part and is given to `evidence.write_results`; without it the
        look is counted all the same.

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError
        If the split leaves nothing to train or to test on, folds test a trial twice, an output
        reads an unknown head, ids that are classes would be averaged, or the encoder predicts what
        is not finite.

    Examples
    --------
    >>> from neurodecode.data import RandomSplit, Stimuli
    >>> from neurodecode.encoders import Ridge
    >>> from neurodecode.generators import DirectImage
    >>> from neurodecode.targets import Pixels
    >>> rng = np.random.default_rng(0)
    >>> pictures = Stimuli.from_arrays(range(40), rng.random((40, 2, 2)))
    >>> target = Pixels(2, grey=True)
    >>> seen = target.embed(pictures).array() @ rng.normal(size=(4, 30))
    >>> responses = Responses(seen, pictures.ids, "sub-01", "fmri")
    >>> [split] = RandomSplit(test=10, validation=0).split(responses)
    >>> evaluation = decode(
    ...     responses, Goal(pictures, target), encoder=Ridge(), generator=DirectImage(target),
    ...     protocol=Protocol(split),
    ... )
    >>> evaluation.score("retrieval_top1") > 0.8
    True
    >>> sorted(evaluation.result.controls)[:4]
    ['calibrated_ridge', 'ceiling', 'constant', 'mean']
    >>> sorted(evaluation.result.controls)[4:]
    ['nearest_training', 'noise', 'place_in_run', 'shuffled']
    """
    people = _people(responses)
    check_tested_once(people, protocol.folds)
    check_no_class_is_averaged(people, protocol)
    as_outputs(generator, goal.heads)  # a wrong head is told before slow work starts
    run = run or Run(protocol.seed)
    before = unfitted(encoder)
    with run.step("preprocess"):
        steps = [learn_steps(people, split, preprocess) for split in protocol.folds]
    with run.step("fit"):
        fitted = {"decoded": fit_folds(people, goal, encoder, protocol, steps)}
    for name, one in closed_forms(encoder, protocol, people).items():
        with run.step(f"fit {name}"):
            fitted[name] = fit_folds(people, goal, one, protocol, steps)
    told = knowledge_of(fitted["decoded"], fitted_here=True)
    study = _Study(people, goal, generator, protocol, run, steps)
    suspicions = study.look(fitted) + steps_holding_tests(preprocess, people, protocol.folds)
    if before is not None:
        with run.step("fit to shuffled pairs"):
            suspicions += knows_elsewhere(before, people, goal, protocol, steps)
    return study.evaluate(fitted, told, suspicions)


def evaluate(
    responses: Responses | Sequence[Responses],
    goal: Goal,
    *,
    encoder: Encoder | Mapping[str, Sequence[Encoder]],
    generator: Outputs | None = None,
    protocol: Protocol,
    preprocess: Sequence[Preprocessor] = (),
    run: Run | None = None,
) -> Evaluation:
    """Open the test part once, with an encoder that is fitted already (or adapted, or loaded).

    Parameters
    ----------
    responses, goal, generator, protocol, preprocess, run
        As in `decode`; preprocessing is learned again from each fold's training trials.
    encoder : Encoder, or mapping of name to one Encoder a fold
        With a mapping, the first is scored and the others stand among the controls.

    Returns
    -------
    Evaluation
        ``result.details["learned_from"]`` is ``'known'`` if the encoder says which trials it
        learned from (``learned_from_``) and no test trial is among them, else ``'unknown'``.

    Raises
    ------
    LeakageError
        If an encoder learned from a test trial.
    """
    people = _people(responses)
    check_tested_once(people, protocol.folds)
    check_no_class_is_averaged(people, protocol)
    run = run or Run(protocol.seed)
    named = encoder if isinstance(encoder, Mapping) else {"decoded": [encoder]}
    steps = [learn_steps(people, split, preprocess) for split in protocol.folds]
    study = _Study(people, goal, generator, protocol, run, steps)
    told = knowledge_of(next(iter(named.values())), fitted_here=False)
    held = steps_holding_tests(preprocess, people, protocol.folds)
    return study.evaluate(named, told, study.look(named) + held)


@dataclass(frozen=True, eq=False)
class _Study:
    """What is decoded from whom, by which rules."""

    people: Sequence[Responses]
    goal: Goal
    generator: Outputs | None
    protocol: Protocol
    run: Run
    steps: Sequence[Steps]

    def look(self, named: Mapping[str, Sequence[Encoder]]) -> list[Suspicion]:
        """Count the look before anything is computed: a run that fails half-way has looked too."""
        protocol = self.protocol
        check_unseen(named, self.people, protocol.folds)
        self.run.use(self.goal.stimuli)
        return many_looks(self.run.look(protocol.name, self.people, protocol.folds))

    def evaluate(
        self,
        named: Mapping[str, Sequence[Encoder]],
        told: Knowledge,
        suspicions: Sequence[Suspicion],
    ) -> Evaluation:
        """Answers, controls and scores of fitted encoders; ``told`` is known of their training."""
        run, protocol = self.run, self.protocol
        sets = [self._folds(fitted) for fitted in named.values()]
        outputs = as_outputs(self.generator, self.goal.heads)
        with run.step("decode"):
            setting = _answered(sets[0], self.goal, outputs, protocol)
        with run.step("controls"):
            beside = controls(setting)
            for name, folds in zip(list(named)[1:], sets[1:], strict=True):
                beside[name] = setting.answer(folds)
            for name, folds in self._without_brain().items():
                beside[name] = setting.answer(folds)
        with run.step("check"):
            found = [
                *suspicions,
                *unknown_provenance(told, sets[0][0].encoder),
                *_suspicions(setting, beside),
            ]
        closed = _closed(named, protocol)
        with run.step("score"):
            evaluation = scored(setting, beside, protocol, closed_forms=closed, suspicions=found)
        details = {**evaluation.result.details, "learned_from": told, "closed_forms": closed}
        return replace(evaluation, result=replace(evaluation.result, details=details))

    def _without_brain(self) -> dict[str, list[Fold]]:
        """Ridge that is told the time of each trial, or its run, and nothing else."""
        told = {
            "clock": clock_people(self.people, self.goal.stimuli),
            "run_mean": run_people(self.people, self.protocol.folds),
            "place_in_run": place_people(self.people, self.protocol.folds),
        }
        if without_training(self.people, self.protocol.folds):
            return {}
        from neurodecode.encoders import Ridge

        protocol, folds = self.protocol, {}
        for name, people in told.items():
            if people is None:
                continue
            fitted = fit_folds(people, self.goal, Ridge(), protocol)
            folds[name] = [
                Fold(split, one, people, protocol.repeats)
                for split, one in zip(protocol.folds, fitted, strict=True)
            ]
        return folds

    def _folds(self, fitted: Sequence[Encoder]) -> list[Fold]:
        parts = zip(self.protocol.folds, fitted, self.steps, strict=True)
        repeats = self.protocol.repeats
        return [Fold(split, one, self.people, repeats, steps) for split, one, steps in parts]


def _suspicions(setting: Setting, beside: Mapping[str, Answers]) -> list[Suspicion]:
    """What the encoder and the generators give away when they are questioned."""
    first = setting.folds[0]
    drawn = {head: one.take(setting.drawn) for head, one in setting.real.embeddings.items()}
    some = list(dict.fromkeys(setting.items.stimulus[setting.drawn].tolist()))[:N_TRUE]
    true = setting.goal.points(some)
    return [
        *fold_suspicions(setting.folds, setting.heads),
        *generator_suspicions(setting.outputs, drawn, setting.seed),
        *ignoring(
            setting.real,
            beside["noise"],
            setting.outputs,
            first.encoder,
            true,
            setting.items.subject,
        ),
    ]


def _answered(
    folds: Sequence[Fold], goal: Goal, outputs: Mapping[str, Output], protocol: Protocol
) -> Setting:
    """What the encoder and the generators answer to the test items."""
    parts = [fold.predict(list(goal.heads))[1] for fold in folds]
    items = with_clusters(join_items(parts, folds=True), folds[0].people, protocol.folds)
    items = with_times(items, folds[0].people, goal.stimuli)
    setting = Setting(
        folds,
        goal,
        outputs,
        items,
        [len(one) for one in parts],
        _draw(len(items), protocol),
        Answers({}, {}),
        protocol.seed,
    )
    return replace(setting, real=setting.answer(folds))


def _closed(named: Mapping[str, Sequence[Encoder]], protocol: Protocol) -> list[str]:
    """Which of those beside the encoder are closed forms, or were given as such."""
    given = protocol.closed_forms if isinstance(protocol.closed_forms, Mapping) else {}
    beside = list(named.items())[1:]
    return [name for name, one in beside if name in given or is_closed_form(one[0])]


def _draw(n_items: int, protocol: Protocol) -> NDArray[np.intp]:
    if protocol.n_drawn is None or protocol.n_drawn >= n_items:
        return np.arange(n_items)
    rng = np.random.default_rng(protocol.seed)
    return np.sort(rng.choice(n_items, protocol.n_drawn, replace=False)).astype(np.intp)


def _people(responses: Responses | Sequence[Responses]) -> list[Responses]:
    people = [responses] if isinstance(responses, Responses) else list(responses)
    if not people:
        raise ValueError("decode() got no responses. Give those of one person or of several.")
    return people
