"""Columns of one or several target spaces, read a batch of targets at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Embeddings, find_rows, read_rows

READ_BYTES = 64 * 2**20


class TargetColumns:
    """The targets of trials, with the row shapes of all heads flattened side by side.

    Parameters
    ----------
    heads : mapping of str to Embeddings
        May be lazy; only the columns asked for are held.
    stimulus : array of str, shape (n_trials,)

    Raises
    ------
    ValueError
        If a stimulus has no row in a head.

    Examples
    --------
    >>> targets = TargetColumns({"a": Embeddings(np.eye(2), ["x", "y"], "toy")}, np.array(["y"]))
    >>> targets.columns(0, 2).tolist()
    [[0.0, 1.0]]
    """

    def __init__(self, heads: Mapping[str, Embeddings], stimulus: NDArray[np.str_]) -> None:
        self._heads = list(heads.values())
        self._index = [find_rows(one.stimulus, stimulus, what="targets") for one in self._heads]
        self.n_rows = len(stimulus)
        self.widths = [int(np.prod(one.row_shape, dtype=np.int64)) for one in self._heads]
        self.n_targets = sum(self.widths)

    def columns(self, start: int, stop: int) -> NDArray[Any]:
        """Targets ``start`` to ``stop`` of every trial, shape (n_trials, stop - start).

        Raises
        ------
        ValueError
            If a value is not finite.
        """
        parts, first = [], 0
        for head, index, width in zip(self._heads, self._index, self.widths, strict=True):
            low, high = max(start - first, 0), min(stop - first, width)
            if low < high:
                parts.append(_read_columns(head, index, low, high))
            first += width
        values = np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]
        finite = np.isfinite(values).all(axis=1)
        if not finite.all():
            raise ValueError(
                f"Targets have values that are not finite in {int((~finite).sum())} of "
                f"{len(finite)} training trials. Repair those embeddings or drop their stimuli."
            )
        return values

    def groups(self, per: str | tuple[int, ...] | list[int]) -> NDArray[np.intp]:
        """The group of each target, which shares one penalty.

        Raises
        ------
        ValueError
            If the groups are neither a known word nor one label a target.
        """
        if isinstance(per, str):
            made = {
                "target": np.arange(self.n_targets),
                "head": np.repeat(np.arange(len(self.widths)), self.widths),
                "all": np.zeros(self.n_targets, dtype=np.intp),
            }
            if per not in made:
                raise ValueError(
                    f"per must be 'target', 'head', 'all' or one group label for each target; "
                    f"got '{per}'."
                )
            return np.asarray(made[per], dtype=np.intp)
        labels = np.asarray(per)
        if labels.shape != (self.n_targets,):
            raise ValueError(
                f"per gives group labels of shape {labels.shape} but there are {self.n_targets} "
                f"targets. Give one label for each target."
            )
        return np.asarray(np.unique(labels, return_inverse=True)[1], dtype=np.intp)


def _read_columns(head: Embeddings, index: NDArray[np.intp], low: int, high: int) -> NDArray[Any]:
    width = int(np.prod(head.row_shape, dtype=np.int64))
    if isinstance(head.values, np.ndarray):
        return np.asarray(head.values.reshape(len(head), width)[index, low:high])
    row_bytes = max(1, width * np.dtype(head.values.dtype).itemsize)
    step = max(1, READ_BYTES // row_bytes)
    read = [
        read_rows(head.values, index[at : at + step]).reshape(-1, width)[:, low:high]
        for at in range(0, len(index), step)
    ]
    return np.concatenate(read)
