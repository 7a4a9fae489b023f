"""What all generators share: checks, seeds that do not depend on the batch, and the loop."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from neurodecode.data import Embeddings, Generated, expect, whole
from neurodecode.files import read_json

NOTE = "neurodecode.json"
T = TypeVar("T")


class BaseGenerator(BaseEstimator):  # type: ignore[misc]
    """A generator: points of a target space in; pictures, clips or texts out.

    A subclass says in ``space`` which target space it reads (None: any) and draws in ``_draw``.
    A row's samples depend on ``seed``, on the row's values and on its stimulus id (and on how
    often this id came before), never on the rows beside it or on the batch size, up to the last
    bits of floating-point sums. So a subset of rows gives the same pictures, and a control made
    with the same seed differs by its embedding alone.
    """

    kind: ClassVar[Literal["image", "video", "text"]] = "image"

    @property
    def space(self) -> str | None:
        """The target space that is read, or None for any."""
        return None

    @property
    def name(self) -> str:
        """What is written into `Generated.generator`."""
        return type(self).__name__

    def generate(self, embeddings: Embeddings, *, seed: int = 0, n_samples: int = 1) -> Generated:
        """Draw ``n_samples`` for each row.

        Parameters
        ----------
        embeddings : Embeddings
            True or predicted points, n rows.
        seed : int
            The same seed gives the same result.
        n_samples : int
            Samples a row. They are never picked with the true stimulus.

        Returns
        -------
        Generated
            Values of shape (n, n_samples, ...).

        Raises
        ------
        ValueError
            If the embeddings are of another space, hold values that are not finite, or
            ``n_samples`` is below 1.
        """
        self._check(embeddings, n_samples)
        whole("seed", seed, at_least=0)
        values = self._draw(embeddings, row_seeds(embeddings.stimulus, seed, n_samples))
        return Generated(values, embeddings.stimulus, self._kind(), self.name)

    @abstractmethod
    def _draw(self, embeddings: Embeddings, seeds: NDArray[np.uint64]) -> NDArray[Any]:
        """Values (n, n_samples, ...) from one seed a row and sample, shape (n, n_samples)."""

    def _kept(self, key: Any, make: Callable[[], T]) -> T:
        """What ``make`` gives (a loaded model), kept for the next call with the same key."""
        kept: Any = self.__dict__.get("_last")
        if kept is None or kept[0] != key:
            kept = (key, make())
            self.__dict__["_last"] = kept
        found: T = kept[1]
        return found

    def _kind(self) -> Literal["image", "video", "text"]:
        return self.kind

    def _check(self, embeddings: Embeddings, n_samples: int) -> None:
        who = type(self).__name__
        expect(embeddings, Embeddings, f"{who}.generate()")
        whole("n_samples", n_samples)
        if self.space is not None and embeddings.space != self.space:
            raise ValueError(
                f"{who} reads points of the space '{self.space}'; got embeddings of "
                f"'{embeddings.space}'. Fit the encoder on targets of that space, or take the "
                f"generator that reads this one."
            )
        values = embeddings.array()
        if not np.isfinite(values).all():
            bad = ~np.isfinite(values.reshape(len(values), -1)).all(axis=1)
            raise ValueError(
                f"{who} got embeddings with values that are not finite in {int(bad.sum())} of "
                f"{len(bad)} rows (first: stimulus '{embeddings.stimulus[int(bad.argmax())]}')."
            )


def row_seeds(stimulus: NDArray[np.str_], seed: int, n_samples: int) -> NDArray[np.uint64]:
    """One seed for each row and sample, made of the stimulus id, not of the row's place.

    Parameters
    ----------
    stimulus : array of str, shape (n,)
    seed, n_samples : int

    Returns
    -------
    array, shape (n, n_samples), uint64
        Below 2**63.

    Examples
    --------
    >>> few = row_seeds(np.array(["b"]), seed=0, n_samples=2)
    >>> many = row_seeds(np.array(["a", "b", "b"]), seed=0, n_samples=2)
    >>> bool((few[0] == many[1]).all()), len(np.unique(many))
    (True, 6)
    """
    before: Counter[str] = Counter()
    seeds = np.empty((len(stimulus), n_samples), dtype=np.uint64)
    for row, one in enumerate(stimulus.tolist()):
        for sample in range(n_samples):
            key = f"{seed}|{one}|{before[one]}|{sample}".encode()
            digest = hashlib.blake2b(key, digest_size=8).digest()
            seeds[row, sample] = int.from_bytes(digest, "little") >> 1
        before[one] += 1
    return seeds


def space_of(folder: Path) -> str | None:
    """The target space that a model folder names in ``neurodecode.json``, or None."""
    file = folder / NOTE
    return str(read_json(file)["space"]) if file.is_file() else None
