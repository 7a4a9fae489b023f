"""A world of points, pictures and sentences, and the smallest things that fulfil the contracts."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.data import Embeddings, Generated, Responses, Stimuli
from neurodecode.pipeline import Goal

N_STIMULI, N_DIMS, SIZE = 60, 8, 12
KINDS = ("cat", "cup", "tree")


@pytest.fixture(autouse=True)
def _own_state_each(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURODECODE_STATE", str(tmp_path / "state"))


def paint(points):
    """Points as pictures: each number is the brightness of a block."""
    unit = 1 / (1 + np.exp(-np.asarray(points, dtype=np.float64)))
    grid = unit.reshape(-1, 2, 4, 1, 1)
    blocks = np.broadcast_to(grid, (len(grid), 2, 4, 6, 3))
    picture = blocks.transpose(0, 1, 3, 2, 4).reshape(-1, 12, 12)
    return np.repeat(np.round(picture * 255).astype(np.uint8)[..., None], 3, axis=-1)


@pytest.fixture
def points():
    values = np.random.default_rng(0).normal(size=(N_STIMULI, N_DIMS)).astype(np.float32)
    return Embeddings(values, [f"s{i:02d}" for i in range(N_STIMULI)], "points")


@pytest.fixture
def stimuli(points):
    kind = np.array(KINDS)[np.argmax(points.array()[:, :3], axis=1)]
    captions = {
        one: [f"a {word} here"] for one, word in zip(points.stimulus.tolist(), kind, strict=True)
    }
    return Stimuli.from_arrays(
        points.stimulus, paint(points.array()), captions=captions, metadata={"kind": kind}
    )


@pytest.fixture
def goal(stimuli, points):
    return Goal(stimuli, points)


def person(points, name="p1", *, signal=1.0, n_repeats=1, seed=0, n_voxels=40):
    """A person whose voxels are a random linear picture of the points, with noise."""
    rng = np.random.default_rng([seed, sum(name.encode())])
    shown = np.tile(np.arange(len(points)), n_repeats)
    clean = points.array()[shown] @ rng.normal(size=(points.array().shape[1], n_voxels))
    values = signal * clean + 2.0 * rng.normal(size=clean.shape)
    runs = np.tile(np.arange(len(points)) // 15, n_repeats) + 10 * (
        np.arange(len(shown)) // len(points)
    )
    return Responses(
        values.astype(np.float32), points.stimulus[shown], name, "fmri", run=runs, session=runs // 2
    )


class LeastSquares:
    """One least-squares map a person; remembers what it was shown."""

    def __init__(self):
        self.fits = []

    def fit(self, responses, targets, split):
        people = [responses] if isinstance(responses, Responses) else responses
        self.fits.append((people, targets, split))
        self.maps = {}
        heads = {"target": targets} if isinstance(targets, Embeddings) else targets
        self.spaces = {head: one.space for head, one in heads.items()}
        for one in people:
            train = split.part(one, "train")
            x = train.array(np.float64)
            self.maps[one.subject] = {
                head: self._solve(x, target.rows(train.stimulus)) for head, target in heads.items()
            }
        return self

    @staticmethod
    def _solve(x, y):
        return np.linalg.solve(x.T @ x + 10 * np.eye(x.shape[1]), x.T @ y)

    def predict(self, responses, head=None):
        mine = self.maps[responses.subject]
        name = next(iter(mine)) if head is None else head
        values = responses.array(np.float64) @ mine[name]
        return Embeddings(values.astype(np.float32), responses.stimulus, self.spaces[name])

    def adapt(self, responses, targets, split):
        raise NotImplementedError

    def save(self, folder):
        raise NotImplementedError


class Painter:
    """Pictures of points, with a little noise that depends on the seed and the sample."""

    def __init__(self):
        self.rows = 0

    def generate(self, embeddings, *, seed=0, n_samples=1):
        rng = np.random.default_rng(seed)
        self.rows += len(embeddings)
        samples = [
            paint(embeddings.array() + 0.05 * rng.normal(size=embeddings.values.shape))
            for _ in range(n_samples)
        ]
        return Generated(np.stack(samples, axis=1), embeddings.stimulus, "image", "Painter")


class Namer:
    """Sentences that name the largest of the first three numbers."""

    def generate(self, embeddings, *, seed=0, n_samples=1):
        kind = np.array(KINDS)[np.argmax(embeddings.array()[:, :3], axis=1)]
        texts = np.array([[f"I see a {one}."] * n_samples for one in kind])
        return Generated(texts, embeddings.stimulus, "text", "Namer")
