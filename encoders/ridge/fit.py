"""One person's ridge map: from rows and targets to weights, within the memory given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurodecode.encoders.core.ridge_solver import (
    Basis,
    choose,
    decompose,
    fold_batches,
    full_precision,
    leave_out_errors,
    solve,
)
from neurodecode.encoders.core.rows import StandardRows
from neurodecode.encoders.ridge.targets import TargetColumns

MAX_BLOCK_BYTES = 128 * 2**20


@dataclass(frozen=True, eq=False)
class RidgeMap:
    """A linear map: ``(x - mean) @ weights + intercept``.

    Parameters
    ----------
    mean : tensor, shape (n_dims,)
        Training mean of the features, in their own unit.
    weights : tensor, shape (n_dims, n_targets)
        Per unit of the features as given, not of the standardised ones.
    intercept, penalty, left_out_r2 : tensor, shape (n_targets,)
        Mean of the targets; the penalty chosen; explained variance of the left-out rows at that
        penalty (NaN where only one penalty was given, so that nothing was left out).
    """

    mean: Tensor
    weights: Tensor
    intercept: Tensor
    penalty: Tensor
    left_out_r2: Tensor

    def tensors(self, prefix: str) -> dict[str, Tensor]:
        """The tensors by name, for saving."""
        return {f"{prefix}.{one.name}": getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor], prefix: str) -> RidgeMap:
        """What `tensors` named."""
        return cls(**{one.name: tensors[f"{prefix}.{one.name}"] for one in fields(cls)})


@dataclass(frozen=True)
class MemoryPlan:
    """How many bytes go where.

    Parameters
    ----------
    keep_bytes : int
        For the rows, where all of them fit.
    block_bytes : int
        For a block of rows.
    batch : int
        Targets solved at once.
    """

    keep_bytes: int
    block_bytes: int
    batch: int


def plan_memory(shape: tuple[int, int, int], itemsize: int, max_memory: int) -> MemoryPlan:
    """Share ``max_memory`` bytes out; shape is (n_rows, n_dims, n_targets).

    Raises
    ------
    ValueError
        If the Gram matrix and its decomposition alone need more.

    Examples
    --------
    >>> plan_memory((100, 50, 10), 8, 2**20).batch
    10
    """
    n_rows, n_dims, n_targets = shape
    k = min(n_rows, n_dims)
    matrices = 4 * k * k * itemsize
    spare = max_memory - matrices
    per_target = (8 * k + 2 * n_rows + 2 * n_dims) * itemsize
    if spare < 2 * (per_target + n_dims * itemsize):
        needed = matrices + 2 * (per_target + n_dims * itemsize)
        raise ValueError(
            f"Ridge on {n_rows} trials x {n_dims} features needs about {needed / 2**20:.1f} MB and "
            f"max_memory allows {max_memory / 2**20:.1f} MB. Raise max_memory, use "
            f"dtype='float32', or select fewer voxels or trials."
        )
    rows = n_rows * n_dims * itemsize
    keep = rows if rows <= spare * 2 // 3 else 0
    block = min(MAX_BLOCK_BYTES, (spare - keep) // 6)
    batch = max(1, min(n_targets, (spare - keep - 2 * block) // per_target))
    return MemoryPlan(keep, block, int(batch))


@dataclass(frozen=True)
class Problem:
    """What one fit works on; see `fit_map`."""

    rows: StandardRows
    targets: TargetColumns
    gram: Tensor
    basis: Basis
    plan: MemoryPlan

    def batches(self) -> Iterator[tuple[slice, Tensor, NDArray[np.float64]]]:
        """Centred targets, a batch at a time, with their means."""
        for start in range(0, self.targets.n_targets, self.plan.batch):
            part = slice(start, min(start + self.plan.batch, self.targets.n_targets))
            values = self.targets.columns(part.start, part.stop)
            mean = values.mean(axis=0, dtype=np.float64)
            yield part, self._centred(values, mean), mean

    def _centred(self, values: NDArray[Any], mean: NDArray[np.float64]) -> Tensor:
        # in float64, so that a large mean costs no digits, and on the GPU unless it is Apple's,
        # which has no float64
        device = self.rows.device
        home = torch.device("cpu") if device.type == "mps" else device
        exact = torch.from_numpy(np.ascontiguousarray(values)).to(home).double()
        return (exact - torch.from_numpy(mean).to(home)).to(self.rows.dtype).to(device)

    def right(self, y: Tensor) -> Tensor:
        """The right-hand side of the normal equations."""
        return y if self.basis.kernel else self.rows.transposed_times(y)

    def in_basis(self, index: Tensor) -> Tensor:
        """Training rows in the eigenbasis."""
        if self.basis.kernel:
            return self.basis.vectors[index]
        return self.rows[index.cpu().numpy()] @ self.basis.vectors


def fit_map(
    rows: StandardRows,
    targets: TargetColumns,
    penalties: Sequence[float],
    folds: NDArray[np.intp] | None,
    group: NDArray[np.intp],
    plan: MemoryPlan,
) -> RidgeMap:
    """Fit ridge with, for each group of targets, the penalty that predicts left-out folds best.

    Parameters
    ----------
    rows : StandardRows
        After `StandardRows.learn`.
    targets : TargetColumns
    penalties : sequence of float
    folds : int array, shape (n_rows,), or None
        The fold of each row; None where there is but one penalty.
    group : int array, shape (n_targets,)
    plan : MemoryPlan

    Returns
    -------
    RidgeMap
        On the CPU, in float32.
    """
    kernel = rows.n_rows <= rows.n_dims
    with full_precision(), torch.inference_mode():
        gram = rows.kernel() if kernel else rows.primal()
        if kernel:
            rows.release()  # the decomposition needs the room, and rows are needed once more only
        problem = Problem(
            rows, targets, gram, decompose(gram, kernel=kernel, n_rows=rows.n_rows), plan
        )
        order = sorted(penalties, reverse=True)
        picked = np.zeros(targets.n_targets, dtype=np.intp)
        r2 = np.full(targets.n_targets, np.nan)
        if folds is not None:
            errors, variance = _left_out(problem, order, folds)
            picked = choose(errors, variance, group)
            best = errors[picked, np.arange(len(picked))]
            r2 = 1 - best / np.where(variance > 0, variance, np.nan)
        return _solve_all(problem, np.asarray(order)[picked], r2)


def _left_out(
    problem: Problem, penalties: Sequence[float], folds: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows, basis = problem.rows, problem.basis
    errors = np.zeros((len(penalties), problem.targets.n_targets))
    variance = np.zeros(problem.targets.n_targets)
    max_rows = max(1, problem.plan.block_bytes // (len(basis.values) * rows.dtype.itemsize))
    batches = fold_batches(folds, max_rows)
    for part, y, _ in problem.batches():
        projected = basis.project(problem.right(y))
        errors[:, part] = leave_out_errors(
            basis, problem.in_basis, y, projected, penalties, batches
        )
        variance[part] = y.square().mean(dim=0).cpu().double().numpy()
    return errors, variance


def _solve_all(problem: Problem, penalty: NDArray[np.float64], r2: NDArray[np.float64]) -> RidgeMap:
    rows, n_targets = problem.rows, problem.targets.n_targets
    weights = torch.empty((rows.n_dims, n_targets))
    intercept = np.zeros(n_targets)
    for part, y, mean in problem.batches():
        at = torch.as_tensor(penalty[part], dtype=rows.dtype, device=rows.device)
        solution = solve(problem.gram, problem.basis, problem.right(y), at)
        if problem.basis.kernel:
            solution = rows.transposed_times(solution)
        weights[:, part] = solution.div_(rows.scale[:, None]).cpu().float()
        intercept[part] = mean
    plain = [torch.from_numpy(one).float() for one in (intercept, penalty, r2)]
    return RidgeMap(rows.mean.cpu().float(), weights, *plain)
