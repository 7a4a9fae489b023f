"""The simplest honest generator: show the known stimulus that lies nearest."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Embeddings, Stimuli, find_rows
from neurodecode.generators._base import BaseGenerator

Metric = Literal["cosine", "correlation", "euclidean"]
BLOCK_BYTES = 64 * 2**20


class Retrieval(BaseGenerator):
    """The nearest stimulus of a candidate set: a picture, a clip or a sentence.

    With training stimuli as candidates it is a control that needs no picture model; with the test
    set it is retrieval. Sample k of a row is its k-th nearest candidate; the seed has no effect.
    Candidates at the same distance come in the order of ``candidates``.

    Parameters
    ----------
    candidates : Embeddings
        One row a candidate stimulus; (n_candidates, ...), flattened to compare.
    stimuli : Stimuli
        Holds all candidates.
    metric : {'cosine', 'correlation', 'euclidean'}
    size : int or (height, width), optional
        Pictures and clips are resized to it; needed if the candidates differ in size.

    Examples
    --------
    >>> points = Embeddings(np.eye(3), ["a", "b", "c"], "toy")
    >>> texts = Stimuli.from_texts({"a": "a cat", "b": "a boat", "c": "a cup"})
    >>> seen = Embeddings([[0.1, 2.0, 0.3]], ["?"], "toy")
    >>> Retrieval(points, texts).generate(seen, n_samples=2).values.tolist()
    [['a boat', 'a cup']]
    """

    def __init__(
        self,
        candidates: Embeddings,
        stimuli: Stimuli,
        metric: Metric = "cosine",
        size: int | tuple[int, int] | None = None,
    ) -> None:
        self.candidates = candidates
        self.stimuli = stimuli
        self.metric = metric
        self.size = size

    @property
    def space(self) -> str:
        """The space of the candidates."""
        return self.candidates.space

    def _kind(self) -> Literal["image", "video", "text"]:
        return self.stimuli.kind

    def nearest(self, embeddings: Embeddings, n_nearest: int = 1) -> NDArray[np.str_]:
        """Ids of the nearest candidates, nearest first.

        Parameters
        ----------
        embeddings : Embeddings
            n rows of the candidates' space.
        n_nearest : int

        Returns
        -------
        array of str, shape (n, n_nearest)

        Raises
        ------
        ValueError
            If the rows have another shape, or fewer candidates exist than are asked for.
        """
        self._check(embeddings, n_nearest)
        if embeddings.row_shape != self.candidates.row_shape:
            raise ValueError(
                f"Retrieval got rows of shape {embeddings.row_shape} but its candidates have "
                f"{self.candidates.row_shape}."
            )
        if n_nearest > len(self.candidates):
            raise ValueError(
                f"Retrieval was asked for {n_nearest} samples a row but has "
                f"{len(self.candidates)} candidates."
            )
        known = _prepare(self.candidates.array(), self.metric)
        points = _prepare(embeddings.array(), self.metric)
        step = max(1, BLOCK_BYTES // (8 * len(known)))
        order = [
            np.argsort(_distance(points[start : start + step], known, self.metric), kind="stable")
            for start in range(0, len(points), step)
        ]
        rows = np.concatenate(order)[:, :n_nearest] if order else np.zeros((0, n_nearest), np.intp)
        return np.asarray(self.candidates.stimulus[rows])

    def _draw(self, embeddings: Embeddings, seeds: NDArray[np.uint64]) -> NDArray[Any]:
        find_rows(self.stimuli.ids, self.candidates.stimulus, what="candidate stimuli")
        found = self.nearest(embeddings, seeds.shape[1])
        names, inverse = np.unique(found, return_inverse=True)
        if self.stimuli.kind == "text":
            texts = np.array([self.stimuli.load(str(one)) for one in names], dtype=np.str_)
            return texts[inverse].reshape(found.shape)
        shown = [_resized(self.stimuli.load(str(one)), self.size) for one in names]
        sizes = sorted({one.shape for one in shown})
        if len(sizes) > 1:
            raise ValueError(
                f"Retrieval found candidates of {len(sizes)} sizes ({sizes[0]}, {sizes[1]}, ...). "
                f"Give size=(height, width)."
            )
        return np.stack(shown)[inverse].reshape(*found.shape, *sizes[0])


def _prepare(values: NDArray[Any], metric: Metric) -> NDArray[np.float64]:
    if metric not in ("cosine", "correlation", "euclidean"):
        raise ValueError(f"metric must be 'cosine', 'correlation' or 'euclidean'; got '{metric}'.")
    flat = values.reshape(len(values), -1).astype(np.float64)
    if metric == "euclidean":
        return flat
    if metric == "correlation":
        flat = flat - flat.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(flat, axis=1, keepdims=True)
    return flat / np.where(norm > 0, norm, 1.0)


def _distance(
    points: NDArray[np.float64], known: NDArray[np.float64], metric: Metric
) -> NDArray[np.float64]:
    product = points @ known.T
    if metric == "euclidean":
        return np.asarray((known**2).sum(axis=1) - 2.0 * product)
    return np.asarray(-product)


def _resized(values: NDArray[np.uint8], size: int | tuple[int, int] | None) -> NDArray[np.uint8]:
    if size is None:
        return values
    height, width = (size, size) if isinstance(size, int) else size
    if values.shape[-3:-1] == (height, width):
        return values
    from PIL import Image

    pictures = values.reshape(-1, *values.shape[-3:])
    small = [
        np.asarray(Image.fromarray(one).resize((width, height), Image.Resampling.BILINEAR))
        for one in pictures
    ]
    return np.stack(small).reshape(*values.shape[:-3], height, width, 3)
