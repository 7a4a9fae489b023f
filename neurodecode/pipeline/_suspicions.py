"""Active checks: does an encoder or a generator know what it should not?

Each is made on the test items themselves, on what the fitted encoder answers when something is
changed that must not (or must) matter.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from neurodecode.contracts import Encoder
from neurodecode.data import Embeddings, Responses, Split, take_rows
from neurodecode.evidence import Suspicion
from neurodecode.metrics.identification import two_way_table
from neurodecode.metrics.similarity import correlate_pairs
from neurodecode.pipeline._answers import Answers
from neurodecode.pipeline._blind import anonymous, answer, is_ours, reads_metadata
from neurodecode.pipeline._folds import Fold, fit_folds
from neurodecode.pipeline._leaks import Knowledge
from neurodecode.pipeline._preprocess import Steps
from neurodecode.pipeline._protocol import Goal, Output, Protocol
from neurodecode.statistics import permutation_null

LOG = logging.getLogger("neurodecode")
TOLERANCE = 1e-2
"""Of predictions that should be equal, in units of their spread over trials."""
N_SINGLE = 3
N_DRAWN = 4
ENOUGH_ITEMS = 50
N_SHUFFLES = 6
ALPHA = 0.002

READS_IDS = "reads stimulus ids"
READS_TABLE = "reads the trial table"
READS_ORDER = "reads the order of trials"
WHOLE_TEST = "uses the test part as a whole"
IGNORES = "ignores its input"
ELSEWHERE = "knows the test part from elsewhere"
UNKNOWN = "unknown provenance"
LOOKS = "more than one look"
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
    real: Answers, noise: Answers, outputs: Mapping[str, Output], encoder: Any
) -> list[Suspicion]:
    """Does noise in place of the brain give the same points, or the same pictures and sentences?"""
    same = [head for head, rows in real.embeddings.items() if _equal(rows, noise.embeddings[head])]
    if same:
        who = type(encoder).__name__
        return [Suspicion(IGNORES, f"{who} predicts the same from noise as from the brain.")]
    deaf = [
        name
        for name, made in real.outputs.items()
        if name in noise.outputs and np.array_equal(made.values, noise.outputs[name].values)
    ]
    return [
        Suspicion(
            IGNORES,
            f"{type(outputs[name].generator).__name__} makes the same of noise as of the brain "
            f"('{name}'{_said(real.outputs[name])}).",
        )
        for name in deaf
    ]


def _said(made: Any) -> str:
    return f", such as “{made.values.flat[0]!s:.60}”" if made.kind == "text" else ""


def _equal(one: Embeddings, other: Embeddings) -> bool:
    a, b = (rows.array(np.float64).reshape(len(rows), -1) for rows in (one, other))
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


def knows_elsewhere(
    encoder: Encoder,
    people: Sequence[Responses],
    goal: Goal,
    protocol: Protocol,
    steps: Sequence[Steps],
) -> list[Suspicion]:
    """Is an unfitted encoder above chance on the test items though it learned wrong pairs?

    It is fitted to the training part with its responses shuffled. A strong signal in few
    dimensions can come out right by luck then (a coin for two classes), so that it is fitted up
    to `N_SHUFFLES` times, until it fails once: an honest one fails at the first or second.

    Parameters
    ----------
    encoder : Encoder
        As it was before `fit`.
    """
    p = 1.0
    for seed in range(N_SHUFFLES):
        p = _Shuffled(encoder, people, goal, protocol, steps).p(seed)
        if p > ALPHA:
            return []
    return [
        Suspicion(
            ELSEWHERE,
            f"{type(encoder).__name__} identifies test items (p = {p:.2g}) after training on "
            f"shuffled pairs, {N_SHUFFLES} times of {N_SHUFFLES}.",
        )
    ]


@dataclass(frozen=True, eq=False)
class _Shuffled:
    """An unfitted encoder and all that it is fitted and tested with."""

    encoder: Encoder
    people: Sequence[Responses]
    goal: Goal
    protocol: Protocol
    steps: Sequence[Steps]

    def p(self, seed: int) -> float:
        """Of identification, items changing places within person, run and fold."""
        tables: list[NDArray[np.float64]] = []
        groups: list[NDArray[np.str_]] = []
        for split, steps in zip(self.protocol.folds, self.steps, strict=True):
            table, group = self._tested(split, steps, seed)
            tables.append(table)
            groups.append(np.char.add(group, f"/{len(groups)}"))
            if sum(map(len, tables)) >= ENOUGH_ITEMS:
                break
        group = np.concatenate(groups)
        if max(np.unique(group, return_counts=True)[1]) < 2:
            return 1.0
        whole = block_diag(*tables)  # items change places within folds alone
        rows = np.arange(len(group), dtype=np.intp)

        def score(order: NDArray[np.intp]) -> float:
            return float(whole[rows, order].mean())

        return permutation_null(score, len(group), groups=group, seed=seed).p_value(score(rows))

    def _tested(
        self, split: Split, steps: Steps, seed: int
    ) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
        """How each item of one fold is identified with the truth of each other one."""
        asked = replace(self.protocol, split=split)
        mixed = [_shuffled(one, split, seed) for one in self.people]
        fresh = copy.deepcopy(self.encoder)
        [fitted] = fit_folds(mixed, self.goal, fresh, asked, [steps])
        fold = Fold(split, fitted, self.people, self.protocol.repeats, steps)
        rows, items = fold.predict(list(self.goal.heads))
        table, column = _identified(rows, items.stimulus.tolist(), self.goal)
        return table[:, column], items.groups


def _identified(
    rows: Mapping[str, Embeddings], ids: list[str], goal: Goal
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Two-way identification of each item against each test stimulus, averaged over heads."""
    distinct = list(dict.fromkeys(ids))
    if len(distinct) < 2:  # a stimulus that is left out alone is told from none
        return np.zeros((len(ids), 1)), np.zeros(len(ids), dtype=np.intp)
    true = goal.points(distinct)
    tables = [
        two_way_table(correlate_pairs(one.array(), true[head].array()))
        for head, one in rows.items()
    ]
    place = {one: column for column, one in enumerate(distinct)}
    return np.mean(tables, axis=0), np.array([place[one] for one in ids], dtype=np.intp)


def _shuffled(person: Responses, split: Split, seed: int) -> Responses:
    """Responses change places within the training and within the validation part."""
    order = np.arange(len(person))
    rng = np.random.default_rng([seed, 917])
    for part in ("train", "validation"):
        rows = np.flatnonzero(split.mask(person, part))
        order[rows] = rng.permutation(rows)
    return person.with_values(take_rows(person.values, order))


def unfitted(encoder: Encoder) -> Encoder | None:
    """A copy of an encoder that is not of this package, to be questioned; None for ours."""
    if is_ours(encoder):
        return None
    try:
        return copy.deepcopy(encoder)
    except Exception:
        LOG.warning(
            "%s can't be copied before it is fitted: whether it knows the test part from elsewhere "
            "is not checked.",
            type(encoder).__name__,
        )
        return None


def many_looks(looks: int) -> list[Suspicion]:
    """A test part that was opened before: what was chosen in between may be chosen by its score."""
    if looks < 2:
        return []
    sentence = f"This test part was opened {looks} times; the best of several looks is too good."
    return [Suspicion(LOOKS, sentence, weak=True)]


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
