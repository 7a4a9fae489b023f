"""One row a stimulus in place of one a trial."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data._arrays import blocks

if TYPE_CHECKING:
    from neurodecode.data._responses import Responses


def average_repeats(responses: Responses) -> Responses:
    """The mean over the trials of each stimulus, in order of first appearance.

    Run, session and other columns are kept where all repeats share them and dropped otherwise.
    """
    ids, first, inverse = np.unique(responses.stimulus, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(ids), dtype=np.intp)
    rank[order] = np.arange(len(ids))
    row = rank[inverse]
    total = np.zeros((len(ids), *responses.values.shape[1:]), dtype=np.float64)
    for rows, block in blocks(responses.values):
        np.add.at(total, row[rows], block)
    count = np.bincount(row, minlength=len(ids))
    shape = (-1,) + (1,) * (total.ndim - 1)
    columns = dict(responses.metadata)
    for name in ("run", "session"):
        if getattr(responses, name) is not None:
            columns[name] = getattr(responses, name)
    shared = {key: kept for key, kept in columns.items() if _constant_within(kept, row)}
    firsts = first[order]
    valid = None if responses.valid is None else responses.valid[firsts]
    return replace(
        responses,
        values=(total / count.reshape(shape)).astype(np.float32),
        stimulus=ids[order],
        run=shared["run"][firsts] if "run" in shared else None,
        session=shared["session"][firsts] if "session" in shared else None,
        valid=valid,
        metadata={
            key: column[firsts] for key, column in shared.items() if key not in ("run", "session")
        }
        | {"n_repeats": count},
        provenance=responses.provenance.merge(row, len(ids)),
    )


def _constant_within(column: NDArray[Any], group: NDArray[np.intp]) -> bool:
    if column.ndim != 1:
        return False
    _, code = np.unique(column.astype(str), return_inverse=True)
    low = np.full(group.max(initial=-1) + 1, np.iinfo(np.intp).max)
    high = np.full(len(low), -1)
    np.minimum.at(low, group, code)
    np.maximum.at(high, group, code)
    return bool(np.array_equal(low, high))
