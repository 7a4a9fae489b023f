"""Sentences written about scenes that were not learned from, with a brain and without."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments._film import BUFFER
from experiments._film_writer import LONGEST, N_STEPS, FilmWriter, sentences_of
from neurodecode.evidence.pairs import PENALTY
from neurodecode.metrics.text import content_word_f1

N_BLOCKS = 3
"""Blocks of neighbouring scenes in each run, left out one after the other."""
CEILING, CONSTANT, PERMUTED = "text-only upper bound", "constant best", "permuted in the block"
Points = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Block:
    """Rows of scenes that are written about, and of those that are learned from."""

    test: NDArray[np.intp]
    train: NDArray[np.intp]


def blocks(run: NDArray[np.str_], n_blocks: int = N_BLOCKS) -> list[Block]:
    """Blocks of neighbours, with `BUFFER` scenes on either side not learned from.

    Examples
    --------
    >>> one = blocks(np.array(["1"] * 9 + ["2"] * 9))[0]
    >>> one.test.tolist(), one.train.tolist()
    ([0, 1, 2], [5, 6, 9, 10, 11, 12, 13, 14, 15, 16, 17])
    """
    made = []
    for name in np.unique(run):
        inside = np.flatnonzero(run == name)
        for part in np.array_split(np.arange(len(inside)), n_blocks):
            near = np.arange(part[0] - BUFFER, part[-1] + BUFFER + 1) % len(inside)
            kept = np.ones(len(run), dtype=bool)
            kept[inside[near]] = False
            made.append(Block(inside[part], np.flatnonzero(kept)))
    return made


@dataclass(frozen=True, eq=False)
class Watcher:
    """Patterns of the scenes that somebody has, and the shifts that make the null.

    Parameters
    ----------
    rows : int array, shape (n,)
        Which of all scenes, in order of time.
    patterns : float array, shape (n, n_voxels)
    orders : list of int array, shape (n,)
        In a shift, scene i is paired with the text of scene ``order[i]``.
    """

    rows: NDArray[np.intp]
    patterns: NDArray[np.float64]
    orders: list[NDArray[np.intp]]

    def points(self, block: Block, truth: Points) -> Iterator[tuple[NDArray[np.intp], Points]]:
        """Test rows and their predicted topics, for the true order and then for every shift."""
        train, test = (np.isin(self.rows, some) for some in (block.train, block.test))
        for order in [np.arange(len(self.rows)), *self.orders]:
            shown = self.patterns[np.argsort(order)]
            yield self.rows[test], predicted(shown[train], truth[self.rows[train]], shown[test])


def predicted(x: Points, y: Points, x_test: Points) -> Points:
    """Ridge as in `neurodecode.evidence.pairs`, with the spread that true points have.

    One factor for all directions, from predictions of left-out training scenes.
    """
    centre, mean = x.mean(axis=0), y.mean(axis=0)
    gram = (x - centre) @ (x - centre).T
    inverse = np.linalg.inv(gram + PENALTY * np.trace(gram) / len(gram) * np.eye(len(gram)))
    hat = gram @ inverse + 1 / len(gram)
    left_out = y - (y - hat @ y) / (1 - np.diag(hat))[:, None]
    factor = np.sqrt(y.var(axis=0).sum() / left_out.var(axis=0).sum())
    cross = (x_test - centre) @ (x - centre).T
    return np.asarray(mean + factor * (cross @ inverse @ (y - mean)))


@dataclass
class Written:
    """One value a scene for each measure, and what was written; scenes in order of time."""

    said: dict[int, str] = field(default_factory=dict)
    scores: dict[str, dict[int, float]] = field(
        default_factory=lambda: {"written_two_way": {}, "written_content_word_f1": {}}
    )

    def add(self, rows: NDArray[np.intp], said: Sequence[str], truth: Truth, block: Block) -> None:
        """Sentences about these scenes of one block."""
        two_way, f1 = truth.judge(rows, said, block)
        for place, row in enumerate(rows.tolist()):
            self.said[row] = said[place]
            self.scores["written_two_way"][row] = float(two_way[place])
            self.scores["written_content_word_f1"][row] = float(f1[place])

    def values(self, measure: str) -> NDArray[np.float64]:
        """Shape (n_scenes,)."""
        return np.array([self.scores[measure][row] for row in sorted(self.said)])


class Truth:
    """The texts, and the writer's own words to compare them in."""

    def __init__(self, texts: Sequence[str], writer: FilmWriter) -> None:
        self.texts = list(texts)
        self.words = writer.topics.words
        self.vectors = self.words.transform(self.texts)

    def judge(
        self, rows: NDArray[np.intp], said: Sequence[str], block: Block
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Is the own text nearer than another of the block (.5 for a tie), and shared words."""
        near = (self.words.transform(said) @ self.vectors[block.test].T).toarray()
        own = near[np.arange(len(rows)), np.searchsorted(block.test, rows)][:, None]
        wins = (own > near) + 0.5 * (own == near)
        two_way = (wins.sum(axis=1) - 0.5) / (len(block.test) - 1)
        return two_way, content_word_f1([self.texts[row] for row in rows], list(said))


def write_film(
    watchers: Mapping[str, Watcher], texts: Sequence[str], run: NDArray[np.str_],
    *, seed: int = 0, n_steps: int = N_STEPS,
) -> tuple[dict[str, list[Written]], dict[str, dict[str, Written]]]:  # fmt: skip
    """Write about every scene from everybody's brain.

    Parameters
    ----------
    watchers : mapping of str to Watcher
    texts : sequence of str
    run : str array, shape (n_scenes,)
    seed, n_steps : int
        Of the writers' training.

    Returns
    -------
    dict of str to list of Written
        For each watcher what was written in the true order, then in every shift.
    dict of str to dict of str to Written
        For each watcher what takes no brain: the constant sentence that is best on the training
        scenes, and the sentences of other scenes of the block; and the upper bound.
    """
    found = {name: [Written() for _ in (0, *one.orders)] for name, one in watchers.items()}
    others = {
        name: {key: Written() for key in (CONSTANT, PERMUTED, CEILING)} for name in watchers
    }  # fmt: skip
    for block in blocks(run):
        with tempfile.TemporaryDirectory() as folder:
            training = [texts[row] for row in block.train]
            writer = FilmWriter(training, Path(folder), seed=seed, n_steps=n_steps)
            truth = Truth(texts, writer)
            _write_block(writer, truth, block, watchers, found)
            _without_brain((writer, truth, block), found, others, best_sentence(training))
    return found, others


def _write_block(
    writer: FilmWriter,
    truth: Truth,
    block: Block,
    watchers: Mapping[str, Watcher],
    found: Mapping[str, list[Written]],
) -> None:
    points = writer.topics.embed(truth.texts).astype(np.float64)
    jobs = [
        (target, rows, some)
        for name, one in watchers.items()
        for target, (rows, some) in zip(found[name], one.points(block, points), strict=True)
    ]
    said = iter(writer.write(np.concatenate([some for _, _, some in jobs])))
    for target, rows, _ in jobs:
        target.add(rows, [next(said) for _ in rows], truth, block)


def _without_brain(
    known: tuple[FilmWriter, Truth, Block],
    found: Mapping[str, list[Written]],
    others: Mapping[str, dict[str, Written]],
    constant: str,
) -> None:
    writer, truth, block = known
    for name, (written, *_) in found.items():
        rows = np.array([row for row in block.test.tolist() if row in written.said])
        said = [written.said[row] for row in rows.tolist()]
        others[name][CONSTANT].add(rows, [constant] * len(rows), truth, block)
        ceiling = writer.write(writer.topics.embed([truth.texts[row] for row in rows]))
        others[name][CEILING].add(rows, ceiling, truth, block)
        # who has one scene of the block alone keeps its sentence: no gain there
        turns = [truth.judge(rows, said[k:] + said[:k], block) for k in range(1, len(rows))]
        mean = np.mean(turns or [truth.judge(rows, said, block)], axis=0)
        permuted = others[name][PERMUTED]
        for place, row in enumerate(rows.tolist()):
            permuted.said[row] = said[place - 1]
            for measure, values in zip(permuted.scores.values(), mean, strict=True):
                measure[row] = float(values[place])


def best_sentence(training: Sequence[str]) -> str:
    """The sentence of the training scenes that shares most content words with all of them."""
    candidates = [
        " ".join(one.split()[:LONGEST]) for text in training for one in sentences_of(text)
    ]
    scores: list[Any] = [
        content_word_f1(list(training), [one] * len(training)).mean() for one in candidates
    ]
    return candidates[int(np.argmax(scores))]
