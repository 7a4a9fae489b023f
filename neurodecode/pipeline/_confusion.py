"""Which class was taken for which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Confusion:
    """How often each class was taken for each.

    Parameters
    ----------
    classes : str array, shape (n_classes,)
    counts : int array, shape (n_classes, n_classes)
        True classes in rows, decoded ones in columns.

    Examples
    --------
    >>> Confusion(np.array(["cat", "cup"]), np.array([[3, 1], [0, 4]])).shares.tolist()
    [[0.75, 0.25], [0.0, 1.0]]
    """

    classes: NDArray[np.str_]
    counts: NDArray[np.intp]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of the trials of each true class; a row of zeros where a class had none."""
        total = self.counts.sum(axis=1, keepdims=True)
        return np.asarray(self.counts / np.maximum(total, 1))

    def as_json(self) -> dict[str, list[object]]:
        """As in ``results.json``."""
        return {"classes": self.classes.tolist(), "counts": self.counts.tolist()}


def confusion(
    decided: NDArray[np.intp], true: NDArray[np.intp], classes: NDArray[np.str_]
) -> Confusion:
    """Count true classes against decoded ones."""
    counts = np.zeros((len(classes), len(classes)), dtype=np.intp)
    np.add.at(counts, (true, decided), 1)
    return Confusion(classes, counts)
