"""Active checks: does an encoder or a generator know what it should not?

Each is made on the test items themselves, on what the fitted encoder answers when something is
changed that must not (or must) matter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Embeddings, Responses
from neurodecode.evidence import Suspicion
from neurodecode.pipeline._answers import Answers
from neurodecode.pipeline._blind import anonymous, answer, is_ours, reads_metadata
from neurodecode.pipeline._folds import Fold
from neurodecode.pipeline._leaks import Knowledge
from neurodecode.pipeline._protocol import Output

TOLERANCE = 1e-2
"""Of predictions that should be equal, in units of their spread over trials."""
N_SINGLE = 3
N_DRAWN = 4

READS_IDS = "reads stimulus ids"
READS_TABLE = "reads the trial table"
READS_ORDER = "reads the order of trials"
WHOLE_TEST = "uses the test part as a whole"
IGNORES = "ignores its input"
UNKNOWN = "unknown provenance"
RUN = "run confound"


def encoder_suspicions(fold: Fold, heads: Sequence[str]) -> list[Suspicion]:
    """What the encoder of one fold gives away when its test trials are renamed or reordered."""
    found: dict[str, Suspicion] = {}
    kinds = (False, True) if hasattr(fold.encoder, "expect") else (False,)
    for trials in fold.tests():
        for head in heads:
            name = None if len(heads) == 1 else head
            for expected in kinds:
                for one in _Asked(fold.encoder, trials, name, expected).suspicions():
                    found.setdefault(one.name, one)
    return list(found.values())


def fold_suspicions(folds: Sequence[Fold], heads: Sequence[str]) -> list[Suspicion]:
    """The same of all folds, each name once; ours answer alike in each, so that one is asked.

    With what preprocessing gives away that is not of this package.
    """
    asked = folds[:1] if is_ours(folds[0].encoder) else folds
    said = [one for fold in asked for one in encoder_suspicions(fold, heads)]
    said += step_suspicions(folds[0])
    return list({one.name: one for one in reversed(said)}.values())[::-1]


def step_suspicions(fold: Fold) -> list[Suspicion]:
    """Preprocessing that makes something else of test trials when they are renamed, or fails."""
    for person in fold.people:
        trials = fold.split.part(person, "test")
        hidden = replace(trials, stimulus=anonymous(trials).stimulus)
        for step in fold.steps.get(person.subject, ()) if len(trials) else ():
            if is_ours(step):
                trials, hidden = step.transform(trials), step.transform(hidden)
                continue
            try:
                hidden = step.transform(hidden)
            except Exception as error:
                sentence = f"{type(step).__name__} fails on trials without their ids"
                return [Suspicion(READS_IDS, f"{sentence} ({error!s:.80}).")]
            trials = step.transform(trials)
            if not _alike(trials, hidden):
                sentence = f"{type(step).__name__} changes when stimulus ids are replaced."
                return [Suspicion(READS_IDS, sentence)]
    return []


def _alike(one: Responses, other: Responses) -> bool:
    a, b = one.array(), other.array()
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=TOLERANCE, atol=0, equal_nan=True))


class _Asked:
    """One encoder, one person's test trials, and how its answers change."""

    def __init__(self, encoder: Any, trials: Responses, head: str | None, expected: bool) -> None:
        self.encoder, self.trials, self.head, self.expected = encoder, trials, head, expected
        self.hidden = anonymous(trials, reads_metadata(encoder))
        self.who = type(encoder).__name__ + (".expect()" if expected else ".predict()")

    def suspicions(self) -> list[Suspicion]:
        told = self._named()
        return told or [*self._ordered()]

    def _values(self, trials: Responses) -> NDArray[np.float64]:
        rows = answer(self.encoder, trials, self.head, self.expected)
        return rows.array(np.float64).reshape(len(rows), -1)

    def _named(self) -> list[Suspicion]:
        """Do true ids, or the trial table, change what is predicted?"""
        try:
            self.base = self._values(self.hidden)
        except Exception as error:
            # it was fitted to these trials' likes and answers the named ones: so it needs the names
            return [
                Suspicion(
                    READS_IDS,
                    f"{self.who} fails on trials without their ids and columns ({error!s:.80}).",
                )
            ]
        self.noise = _distance(self.base, self._values(self.hidden))
        if self._same(self._values(self.trials)):
            return []
        ids_alone = replace(self.hidden, stimulus=self.trials.stimulus)
        if self._same(self._values(ids_alone)):
            columns = ", ".join([*self.trials.metadata, "run", "session"])
            sentence = f"{self.who} changes with the columns of the trial table ({columns})."
            return [Suspicion(READS_TABLE, sentence)]
        return [Suspicion(READS_IDS, f"{self.who} changes when stimulus ids are replaced.")]

    def _ordered(self) -> list[Suspicion]:
        """Do the order of the trials, or the company of others, change what is predicted?"""
        n_trials = len(self.trials)
        if n_trials < 2:
            return []
        order = np.roll(np.random.default_rng(0).permutation(n_trials), 1)
        if not self._same(self._values(self.hidden.take(order)), order):
            sentence = f"{self.who} changes with the order in which the test trials come."
            return [Suspicion(READS_ORDER, sentence)]
        alone = np.unique(np.linspace(0, n_trials - 1, N_SINGLE).astype(np.intp))
        single = np.concatenate([self._values(self.hidden.take([row])) for row in alone])
        if not self._same(single, alone):
            sentence = f"{self.who} gives a trial by itself another point than among the others."
            return [Suspicion(WHOLE_TEST, sentence)]
        return []

    def _same(self, values: NDArray[np.float64], rows: Any = slice(None)) -> bool:
        wanted = self.base[rows]
        if values.shape != wanted.shape:
            return False
        spread = np.sqrt(self.base.var(axis=0).mean())
        slack = max(TOLERANCE * spread, 2 * self.noise, 1e-6 * np.abs(self.base).max(initial=0))
        return bool(_distance(values, wanted) <= slack)


def _distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.square(one - other).mean())) if len(one) else 0.0


def ignoring(
    real: Answers,
    noise: Answers,
    outputs: Mapping[str, Output],
    encoder: Any,
    true: Mapping[str, Embeddings],
    subject: NDArray[np.str_] | None = None,
) -> list[Suspicion]:
    """Does noise in place of the brain give the same points, or the same pictures and sentences?

    A generator is named only if true points (``true``, of distinct stimuli) do not move it either:
    weak predictions may all be answered alike by an honest one. With the person of each item
    (``subject``) an encoder is named that ignores one of them.
    """
    who = type(encoder).__name__
    for one in [None] if subject is None else np.unique(subject).tolist():
        rows = slice(None) if one is None else np.flatnonzero(subject == one)
        if any(
            _equal(said, noise.embeddings[head], rows) for head, said in real.embeddings.items()
        ):
            of = f" of subject '{one}'" if subject is not None and (subject != one).any() else ""
            return [
                Suspicion(IGNORES, f"{who} predicts the same from noise as from the brain{of}.")
            ]
    deaf = [
        name
        for name, made in real.outputs.items()
        if name in noise.outputs
        and np.array_equal(made.values, noise.outputs[name].values)
        and _deaf(outputs[name], true[str(outputs[name].head)])
    ]
    return [
        Suspicion(
            IGNORES,
            f"{type(outputs[name].generator).__name__} makes the same of noise as of the brain "
            f"('{name}'{_said(real.outputs[name])}).",
        )
        for name in deaf
    ]


def _deaf(output: Output, points: Embeddings) -> bool:
    turned = replace(points, values=np.roll(points.array(), 1, axis=0))
    one, other = (_drawn(output, some, "item", 0) for some in (points, turned))
    return len(points) > 1 and np.array_equal(one, other)


def _said(made: Any) -> str:
    return f", such as “{made.values.flat[0]!s:.60}”" if made.kind == "text" else ""


def _equal(one: Embeddings, other: Embeddings, rows: Any) -> bool:
    a, b = (said.array(np.float64).reshape(len(said), -1)[rows] for said in (one, other))
    spread = np.sqrt(a.var(axis=0).mean())
    return bool(_distance(a, b) <= max(1e-3 * spread, 1e-9 * np.abs(a).max(initial=0)))


def generator_suspicions(
    outputs: Mapping[str, Output], points: Mapping[str, Embeddings], seed: int
) -> list[Suspicion]:
    """Do generators that are not ours draw something else for other ids of the same points?"""
    found = []
    for name, output in outputs.items():
        if is_ours(output.generator):
            continue
        some = points[str(output.head)]
        some = some.take(np.arange(min(N_DRAWN, len(some))))
        told = _drawn(output, some, None, seed)
        one, two = (_drawn(output, some, word, seed) for word in ("item", "row"))
        who = f"{type(output.generator).__name__} ('{name}')"
        if one is None or two is None:
            sentence = f"{who} fails on points without their ids."
        elif _apart(told, one) > 2 * _apart(one, two):
            sentence = f"{who} draws something else when stimulus ids are replaced."
        else:
            continue
        found.append(Suspicion(READS_IDS, sentence))
    return found


def _drawn(output: Output, points: Embeddings, word: str | None, seed: int) -> Any:
    if word is not None:
        ids = np.array([f"{word}-{row:06d}" for row in range(len(points))])
        points = replace(points, stimulus=ids)
    try:
        return output.generator.generate(points, seed=seed, n_samples=1).values
    except Exception:
        if word is None:
            raise
        return None


def _apart(one: NDArray[Any], other: NDArray[Any]) -> float:
    if one.dtype.kind in "US":
        return float((one != other).mean())
    return float(np.abs(one.astype(np.float64) - other.astype(np.float64)).mean())


def unknown_provenance(told: Knowledge, encoder: Any) -> list[Suspicion]:
    """An encoder that was fitted elsewhere and does not say on which trials."""
    if told != "unknown":
        return []
    sentence = (
        f"{type(encoder).__name__} does not say which trials it learned from, so that it may have "
        f"seen the test part."
    )
    return [Suspicion(UNKNOWN, sentence, weak=True)]


def run_confound(p_run: float | None, p_score: float, above: Callable[[], bool]) -> list[Suspicion]:
    """Does the run alone predict as well as the brain?

    Parameters
    ----------
    p_run, p_score : float
        Of the run alone and of the score, when items change places across runs too.
    above : callable
        Is the score above that of the run alone, item by item?
    """
    if p_run is None or p_run > 0.01 or p_score > 0.05 or above():
        return []
    sentence = (
        f"The run alone, without a brain, predicts as well (p = {p_run:.2g}): stimuli are "
        f"unequally spread over runs that stand in training and test."
    )
    return [Suspicion(RUN, sentence)]
