"""Points in a target space, and what a generator makes of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode.data._arrays import ArrayLike, take_rows
from neurodecode.data._checks import as_ids, as_index, find_rows
from neurodecode.data._provenance import Source
from neurodecode.data._values import as_values, cast


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Stimuli, or responses to them, as points of a target space.

    Parameters
    ----------
    values : array-like, shape (n, n_dims) or (n, n_tokens, n_dims) or (n, ...)
        One point (or grid, or set of tokens) a row.
    stimulus : sequence of str, shape (n,)
        The stimulus of each row. Targets name each stimulus once; predictions name it once a trial.
    space : str
        The exact space: model and fingerprint of its weights, such as ``'pixels-28x28'``.
    source : {'unknown', 'recorded', 'simulated'}
        ``'simulated'`` for points of drawn scenes.

    Examples
    --------
    >>> targets = Embeddings(np.eye(3), ["a", "b", "c"], "toy")
    >>> targets
    Embeddings(toy, 3 rows of (3,))
    >>> targets.rows(["c", "c"]).tolist()
    [[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]
    """

    values: ArrayLike
    stimulus: NDArray[np.str_]
    space: str
    source: Source = "unknown"

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", as_values(self._name, self.values))
        shape = tuple(int(size) for size in self.values.shape)
        if len(shape) < 2 or 0 in shape[1:]:
            raise ValueError(
                f"Embeddings need at least two axes (n, n_dims), n_dims above 0; got shape {shape}."
            )
        ids = as_ids("stimulus", self.stimulus, shape[0])
        object.__setattr__(self, "stimulus", ids)

    def __repr__(self) -> str:
        return f"Embeddings({self.space}, {len(self)} rows of {self.row_shape})"

    def __len__(self) -> int:
        return int(self.values.shape[0])

    @property
    def _name(self) -> str:
        return f"Embeddings of space '{self.space}'"

    @property
    def row_shape(self) -> tuple[int, ...]:
        return tuple(int(size) for size in self.values.shape[1:])

    def rows(self, stimulus: Iterable[Any], dtype: Any = np.float32) -> NDArray[Any]:
        """The values of these stimuli, one row each, as an array in memory."""
        index = find_rows(self.stimulus, list(stimulus), what="embeddings")
        return cast(self._name, np.asarray(take_rows(self.values, index)[:]), dtype)

    def select(self, stimulus: Iterable[Any]) -> Embeddings:
        """These stimuli, in this order; lazy values stay lazy."""
        ids = as_ids("stimulus", stimulus)
        index = find_rows(self.stimulus, ids, what="embeddings")
        return replace(self, values=take_rows(self.values, index), stimulus=ids)

    def take(self, index: NDArray[Any]) -> Embeddings:
        """The rows at these places (or under this mask), in this order."""
        rows = as_index(index, len(self), "embeddings")
        return replace(self, values=take_rows(self.values, rows), stimulus=self.stimulus[rows])

    def array(self, dtype: Any = np.float32) -> NDArray[Any]:
        """All values as one array in memory."""
        return cast(self._name, np.asarray(self.values[:]), dtype)

    def average_repeats(self) -> Embeddings:
        """The mean row of each stimulus, in order of first appearance."""
        ids, first, inverse = np.unique(self.stimulus, return_index=True, return_inverse=True)
        total = np.zeros((len(ids), *self.row_shape))
        np.add.at(total, inverse, self.array(np.float64))
        mean = total / np.bincount(inverse).reshape((-1,) + (1,) * len(self.row_shape))
        order = np.argsort(first)
        values = mean[order].astype(np.float32)
        return replace(self, values=values, stimulus=ids[order])


@dataclass(frozen=True, eq=False)
class Generated:
    """What a generator wrote or drew, several samples a row.

    Parameters
    ----------
    values : array, shape (n, n_samples, height, width, 3) uint8 for pictures,
        (n, n_samples, frames, height, width, 3) uint8 for clips, (n, n_samples) of str for texts.
    stimulus : sequence of str, shape (n,)
        The stimulus that each row should show, as named by the embeddings it was made from.
    kind : {'image', 'video', 'text'}
    generator : str
        What made it.

    Examples
    --------
    >>> Generated(np.zeros((2, 1, 4, 4, 3), np.uint8), ["a", "b"], "image", "toy")
    Generated(2 x 1 images by toy)
    """

    values: NDArray[Any]
    stimulus: NDArray[np.str_]
    kind: Literal["image", "video", "text"]
    generator: str

    def __post_init__(self) -> None:
        axes = {"image": 5, "video": 6, "text": 2}
        if self.kind not in axes:
            raise ValueError(f"kind must be 'image', 'video' or 'text'; got '{self.kind}'.")
        if self.values.ndim != axes[self.kind]:
            raise ValueError(
                f"Generated {self.kind}s need {axes[self.kind]} axes; got shape "
                f"{self.values.shape}."
            )
        ids = as_ids("stimulus", self.stimulus, len(self.values))
        object.__setattr__(self, "stimulus", ids)

    def __repr__(self) -> str:
        n, n_samples = self.values.shape[:2]
        return f"Generated({n} x {n_samples} {self.kind}s by {self.generator})"

    def __len__(self) -> int:
        return len(self.values)
