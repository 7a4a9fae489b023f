"""Answers that hold no brain, from the same encoder and the same generators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurodecode import evidence
from neurodecode.data import Embeddings, Generated, Responses, Stimuli
from neurodecode.evidence import Items
from neurodecode.pipeline._answers import Answers, distinct_rows, join, resized
from neurodecode.pipeline._blind import draw
from neurodecode.pipeline._folds import Fold, join_heads
from neurodecode.pipeline._protocol import Goal, Output

ANYONE = "constant"
Change: TypeAlias = Callable[[Responses], Responses]


@dataclass(frozen=True, eq=False)
class Setting:
    """All that controls are made of.

    Parameters
    ----------
    folds : sequence of Fold
    goal : Goal
    outputs : mapping of name to Output
    items : Items
        All test items, fold by fold.
    sizes : sequence of int
        Number of items of each fold.
    drawn : int array
        Rows of the items that are generated.
    real : Answers
        What the encoder answered.
    seed : int
    """

    folds: Sequence[Fold]
    goal: Goal
    outputs: Mapping[str, Output]
    items: Items
    sizes: Sequence[int]
    drawn: NDArray[np.intp]
    real: Answers
    seed: int

    @property
    def heads(self) -> list[str]:
        """Names of the target spaces."""
        return list(self.goal.heads)

    @property
    def fold_of(self) -> NDArray[np.intp]:
        """The fold of each item."""
        return np.repeat(np.arange(len(self.folds)), self.sizes)

    def generate(self, embeddings: Mapping[str, Embeddings], *, once: bool = False) -> Any:
        """All outputs for the drawn items; ``once``: equal rows share one sample."""
        points = {name: embeddings[str(one.head)] for name, one in self.outputs.items()}
        return self._drawn(points, once=once)

    def answer(
        self, folds: Sequence[Fold], change: Callable[[Fold], Change] | None = None
    ) -> Answers:
        """What fitted encoders say, and what is drawn from it.

        Parameters
        ----------
        folds : sequence of Fold
            These, or the same with another encoder.
        change : callable, optional
            Gives for a fold what is put in the place of its test trials.
        """
        rows: list[dict[str, Embeddings]] = []
        points: dict[str, list[Embeddings]] = {name: [] for name in self.outputs}
        for fold in folds:
            put = None if change is None else change(fold)
            rows.append(fold.predict(self.heads, put)[0])
            told_apart = hasattr(fold.encoder, "expect")
            expected = fold.predict(self.heads, put, expected=True)[0] if told_apart else rows[-1]
            for name, output in self.outputs.items():
                head = str(output.head)
                one = expected[head]
                if output.restandardise:
                    one = fold.standard(head, self.goal).apply(one)
                points[name].append(one)
        drawn = {name: join(parts) for name, parts in points.items()}
        return Answers(join_heads(rows), self._drawn(drawn))

    def _drawn(self, points: Mapping[str, Embeddings], *, once: bool = False) -> Any:
        return {
            name: _generate(output, points[name].take(self.drawn), self.seed, once)
            for name, output in self.outputs.items()
        }

    def by_fold(self) -> list[tuple[Fold, NDArray[np.str_]]]:
        """Each fold with the stimuli of its items."""
        ends = np.cumsum(self.sizes)
        cuts = zip(ends - np.asarray(self.sizes), ends, strict=True)
        ids = [self.items.stimulus[start:end] for start, end in cuts]
        return list(zip(self.folds, ids, strict=True))


def controls(setting: Setting) -> dict[str, Answers]:
    """The answers of every control, by name; what no generator can make is left out."""
    makers: dict[str, Callable[[Setting], Answers]] = {
        "noise": _noise,
        "shuffled": _shuffled,
        "constant": _constant,
        "mean": _mean,
        "nearest_training": _nearest,
        "ceiling": _ceiling,
    }
    if setting.items.time is not None:
        makers["shifted"] = _shifted
    return {name: make(setting) for name, make in makers.items()}


def _noise(setting: Setting) -> Answers:
    """Noise with the spread of the training trials, through encoder and generator."""

    def change(fold: Fold) -> Change:
        known = {one.subject: fold.train(one.subject) for one in fold.tests()}

        def noise(test: Responses) -> Responses:
            # a person without training trials: the spread of the test trials is all there is
            train = known[test.subject] if len(known[test.subject]) else test
            return evidence.noise_responses(test, train, seed=setting.seed)

        return noise

    return setting.answer(setting.folds, change)


def _shuffled(setting: Setting) -> Answers:
    """The person's answers to other stimuli."""
    items, drawn = setting.items, setting.drawn
    # by what is to be told apart: ids of the same point are the same answer
    ids, place = np.unique(items.stimulus, return_inverse=True)
    point = distinct_rows(setting.goal.points(ids)[setting.heads[0]].array())[1][place]
    order = evidence.shuffled_order(point, items.subject, seed=setting.seed)
    places = evidence.shuffled_order(point[drawn], items.subject[drawn], seed=setting.seed)
    return Answers(
        {head: one.take(order) for head, one in setting.real.embeddings.items()},
        {name: _take(one, places) for name, one in setting.real.outputs.items()},
    )


def _shifted(setting: Setting) -> Answers:
    """The person's answers to the film half a run later: slow drift stays, the meeting breaks."""
    items, drawn = setting.items, setting.drawn
    order = _half_a_turn(items)
    return Answers(
        {head: one.take(order) for head, one in setting.real.embeddings.items()},
        {
            name: _take(one, _half_a_turn(items.take(drawn)))
            for name, one in setting.real.outputs.items()
        },
    )


def _half_a_turn(items: Items) -> NDArray[np.intp]:
    """Each item gets the answer to the one half a series away, in its order of time."""
    order = np.arange(len(items), dtype=np.intp)
    run = np.full(len(items), "") if items.run is None else items.run
    series = np.char.add(np.char.add(items.subject, "/"), run)
    for one in np.unique(series):
        inside = np.flatnonzero(series == one)
        inside = inside[np.argsort(np.asarray(items.time)[inside], kind="stable")]
        order[inside] = np.roll(inside, len(inside) // 2)
    return order


def _constant(setting: Setting) -> Answers:
    """The training stimulus most like all others, as the answer to everything."""
    embeddings = _each_fold(setting, lambda fold, train, ids: evidence.constant_best(train, ids))
    anyone = np.repeat(ANYONE, len(setting.items))
    nameless = {head: replace(one, stimulus=anyone) for head, one in embeddings.items()}
    return Answers(embeddings, setting.generate(nameless, once=True))


def _ceiling(setting: Setting) -> Answers:
    """The true points through the generator."""
    points = setting.goal.points(dict.fromkeys(setting.items.stimulus.tolist()))
    embeddings = {
        head: evidence.ceiling(one, setting.items.stimulus) for head, one in points.items()
    }
    return Answers(embeddings, setting.generate(embeddings, once=True))


def _mean(setting: Setting) -> Answers:
    """The mean training point, picture or clip; for sentences the most frequent one."""

    def mean(fold: Fold, train: Embeddings, ids: NDArray[np.str_]) -> Embeddings:
        counts = np.array(list(fold.train_counts().values()))
        return evidence.mean_embedding(train, ids, counts=counts)

    embeddings = _each_fold(setting, mean)
    stimuli = setting.goal.stimuli

    def answer(fold: Fold, kind: str, size: tuple[int, int] | None) -> Any:
        train = stimuli.select(fold.train_ids())
        if kind == "text":
            return evidence.majority(_sentences(train))
        return resized(evidence.mean_picture(train), size or (0, 0))

    outputs = {}
    for name, made in setting.real.outputs.items():
        if not _comparable(made, stimuli):
            continue
        one_each = [answer(fold, made.kind, _size(made)) for fold in setting.folds]
        folds = setting.fold_of[setting.drawn]
        outputs[name] = _shown(made, [one_each[fold] for fold in folds], "mean")
    return Answers(embeddings, outputs)


def _nearest(setting: Setting) -> Answers:
    """The training stimulus nearest to the prediction, looked up."""
    found: dict[str, list[NDArray[np.str_]]] = {head: [] for head in setting.heads}
    points: dict[str, list[Embeddings]] = {head: [] for head in setting.heads}
    start = 0
    for fold, ids in setting.by_fold():
        rows = np.arange(start, start + len(ids))
        start += len(ids)
        for head, train in setting.goal.points(fold.train_ids()).items():
            near = evidence.nearest_training(setting.real.embeddings[head].take(rows), train)
            found[head].append(near)
            points[head].append(replace(train.select(near), stimulus=ids))
    stimuli, outputs = setting.goal.stimuli, {}
    for name, made in setting.real.outputs.items():
        if not _comparable(made, stimuli):
            continue
        head = str(setting.outputs[name].head)
        near = np.concatenate(found[head])[setting.drawn]
        outputs[name] = _shown(made, [_look_up(stimuli, one, made) for one in near], "training")
    return Answers({head: join(parts) for head, parts in points.items()}, outputs)


def _each_fold(
    setting: Setting, make: Callable[[Fold, Embeddings, NDArray[np.str_]], Embeddings]
) -> dict[str, Embeddings]:
    parts = []
    for fold, ids in setting.by_fold():
        points = setting.goal.points(fold.train_ids())
        parts.append({head: make(fold, train, ids) for head, train in points.items()})
    return join_heads(parts)


def _generate(output: Output, rows: Embeddings, seed: int, once: bool) -> Generated:
    if not once:
        return draw(output.generator, rows, seed, output.n_samples)
    values = rows.array()
    keys = [
        (one, value.tobytes()) for one, value in zip(rows.stimulus.tolist(), values, strict=True)
    ]
    first = {key: i for i, key in reversed(list(enumerate(keys)))}
    unique = sorted(first.values())
    place = {keys[i]: at for at, i in enumerate(unique)}
    made = draw(output.generator, rows.take(np.array(unique)), seed, output.n_samples)
    return _take(made, np.array([place[key] for key in keys]))


def _take(made: Generated, rows: NDArray[Any]) -> Generated:
    return replace(made, values=made.values[rows], stimulus=made.stimulus[rows])


def _shown(made: Generated, answers: Sequence[Any], by: str) -> Generated:
    """Looked-up or averaged answers in the form of generated ones, one sample each."""
    dtype = np.str_ if made.kind == "text" else np.uint8
    return Generated(np.array(answers, dtype=dtype)[:, None], made.stimulus, made.kind, by)


def _comparable(made: Generated, stimuli: Stimuli) -> bool:
    """Can a stimulus itself stand where the generator's output stands?"""
    if made.kind == "text":
        return stimuli.kind == "text" or bool(stimuli.captions)
    return made.kind == stimuli.kind


def _size(made: Generated) -> tuple[int, int] | None:
    if made.kind == "text":
        return None
    return int(made.values.shape[-3]), int(made.values.shape[-2])


def _look_up(stimuli: Stimuli, one: str, made: Generated) -> Any:
    if made.kind == "text":
        return stimuli[one] if stimuli.kind == "text" else _caption(stimuli, one)
    return resized(stimuli[one], _size(made) or (0, 0))


def _sentences(stimuli: Stimuli) -> list[str]:
    ids = stimuli.ids.tolist()
    return [stimuli[one] if stimuli.kind == "text" else _caption(stimuli, one) for one in ids]


def _caption(stimuli: Stimuli, one: str) -> str:
    captions = stimuli.captions.get(one, ())
    return str(captions[0]) if len(captions) else ""
