"""What was shown in the test part, and what something answered to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Embeddings, Generated, Stimuli


@dataclass(frozen=True, eq=False)
class Shown:
    """The distinct test stimuli and their true points: the candidates of every comparison.

    Parameters
    ----------
    stimuli : Stimuli
        m test stimuli.
    points : mapping of head to Embeddings
        m rows each, in the order of ``stimuli``.
    train_means : mapping of head to array, shape (n_folds, ...)
        Mean training point of each fold.
    fold_of : int array, shape (n,)
        The fold of each test item.
    subject_of : str array, shape (n,)
        The person of each.
    """

    stimuli: Stimuli
    points: Mapping[str, Embeddings]
    train_means: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    fold_of: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    subject_of: NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, dtype=np.str_))
    _kept: dict[Any, Any] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.stimuli)

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """What ``make`` gives, made once: controls are compared with the same truths."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def groups(self, n_items: int) -> list[NDArray[np.intp]]:
        """Rows of the items of each fold and person; all items where neither is known."""
        columns = [one for one in (self.fold_of, self.subject_of) if len(one) == n_items]
        if not columns:
            return [np.arange(n_items)]
        codes = [np.unique(one, return_inverse=True)[1] for one in columns]
        group = np.unique(np.stack(codes, axis=1), axis=0, return_inverse=True)[1].reshape(-1)
        return [np.flatnonzero(group == one) for one in range(group.max() + 1)]

    def distinct(self, head: str | None = None) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The candidates of a comparison: stimuli whose points differ.

        Parameters
        ----------
        head : str, optional
            Default is the first target space.

        Returns
        -------
        first : int array, shape (n_candidates,)
            One stimulus for each distinct point, in order.
        code : int array, shape (m,)
            The candidate that each stimulus is.
        """
        name = next(iter(self.points)) if head is None else head
        first, code = self.once(
            ("distinct", name), lambda: distinct_rows(self.points[name].array())
        )
        return first, code

    def frames(self, size: tuple[int, int]) -> NDArray[np.uint8]:
        """The pictures (m, h, w, 3) or clips (m, frames, h, w, 3) at a size, uint8."""
        return np.asarray(
            self.once(
                ("frames", size),
                lambda: np.stack([resized(self.stimuli[one], size) for one in self.stimuli.ids]),
            )
        )


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers to the test items: by the encoder, by a baseline, or by a control.

    Parameters
    ----------
    embeddings : mapping of head to Embeddings
        n rows: one a test item.
    outputs : mapping of name to Generated
        A row for each drawn test item.
    """

    embeddings: Mapping[str, Embeddings]
    outputs: Mapping[str, Generated]
    _kept: dict[Any, Any] = field(default_factory=dict, repr=False)

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """What ``make`` gives, made once: a null asks for the same comparison again and again."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def output(self, name: str | None, kind: str) -> Generated:
        """The output of this name, or the first of this kind.

        Raises
        ------
        LookupError
            If there is none.
        """
        if name is not None:
            if name not in self.outputs:
                raise LookupError(f"There is no output '{name}'.")
            return self.outputs[name]
        for one in self.outputs.values():
            if one.kind == kind or (kind == "frames" and one.kind in ("image", "video")):
                return one
        raise LookupError(f"No generator makes {kind}.")

    def has(self, name: str | None, kind: str) -> bool:
        """Is there such an output?"""
        try:
            self.output(name, kind)
        except LookupError:
            return False
        return True


def distinct_rows(values: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first of equal rows, and for each row which of these it equals.

    Examples
    --------
    >>> first, code = distinct_rows(np.array([[1.0], [2.0], [1.0]]))
    >>> first.tolist(), code.tolist()
    ([0, 1], [0, 1, 0])
    """
    known: dict[bytes, int] = {}
    # adding zero turns -0 into 0, which is equal but has other bytes
    rows = np.ascontiguousarray(values.reshape(len(values), -1) + 0)
    code = np.array([known.setdefault(row.tobytes(), len(known)) for row in rows], dtype=np.intp)
    return np.unique(code, return_index=True)[1].astype(np.intp), code


def join(parts: Sequence[Embeddings]) -> Embeddings:
    """Rows of several under one another.

    Examples
    --------
    >>> one = Embeddings(np.eye(2), ["a", "b"], "toy")
    >>> join([one, one])
    Embeddings(toy, 4 rows of (2,))
    """
    if not parts:
        raise ValueError("The test part holds no trial of any person.")
    return Embeddings(
        np.concatenate([one.array() for one in parts]),
        np.concatenate([one.stimulus for one in parts]),
        parts[0].space,
    )


def resized(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture or clip at another (height, width): bilinear, anti-aliased.

    Examples
    --------
    >>> resized(np.zeros((4, 8, 8, 3), dtype=np.uint8), (2, 2)).shape
    (4, 2, 2, 3)
    """
    if picture.shape[-3:-1] == size:
        return picture
    from PIL import Image

    flat = picture.reshape(-1, *picture.shape[-3:])
    small = [
        np.asarray(Image.fromarray(one).resize(size[::-1], Image.Resampling.BILINEAR))
        for one in flat
    ]
    return np.stack(small).reshape(*picture.shape[:-3], *size, 3)
