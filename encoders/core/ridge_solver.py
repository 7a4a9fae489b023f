"""Ridge regression from one eigendecomposition: the mathematics, on tensors.

Shapes: n_rows training trials, n_dims features, n_targets; k is n_rows (kernel) or n_dims (primal).
Rows and targets come centred; the intercept is their mean and is not penalised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import torch
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor

RowsInBasis = Callable[[Tensor], Tensor]
"""From row numbers (m,) to these rows in the eigenbasis (m, k)."""


@dataclass(frozen=True)
class Basis:
    """Eigenvalues and eigenvectors of a Gram matrix, which serve every penalty.

    Parameters
    ----------
    values : tensor, shape (k,)
        Eigenvalues, none negative.
    vectors : tensor, shape (k, k)
    kernel : bool
        True for ``x @ x.T`` (rows by rows), False for ``x.T @ x`` (features by features).
    n_rows : int
    lift : float
        In the kernel case, the eigenvalue given to the constant vector, see `decompose`.
    """

    values: Tensor
    vectors: Tensor
    kernel: bool
    n_rows: int
    lift: float

    def project(self, right: Tensor) -> Tensor:
        """The right-hand side (``y``, or in the primal case ``x.T @ y``) in the eigenbasis."""
        return self.vectors.T @ right

    def shrink(self, projected: Tensor, penalty: Tensor) -> Tensor:
        """``(gram + penalty)^-1 @ right`` from `project`'s output; penalty (n_targets,) or ()."""
        return self.vectors @ (projected / (self.values[:, None] + penalty))


@contextmanager
def full_precision() -> Iterator[None]:
    """Multiply float32 matrices in float32 (no TF32) while the block runs."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def decompose(gram: Tensor, *, kernel: bool, n_rows: int) -> Basis:
    """Decompose a Gram matrix, which is changed in place in the kernel case.

    The kernel of centred rows has the constant vector in its null space. Its eigenvalue is lifted
    to the mean eigenvalue: centred targets do not see it, and leave-one-out needs no difference of
    two nearly equal numbers.

    Examples
    --------
    >>> basis = decompose(torch.diag(torch.tensor([2.0, 1.0])), kernel=False, n_rows=5)
    >>> basis.values.tolist()
    [1.0, 2.0]
    """
    lift = 0.0
    if kernel:
        lift = max(float(gram.diagonal().mean()), 1e-30)
        gram += lift / n_rows
    values, vectors = _eigh(gram)
    return Basis(values.clamp_min_(0), vectors, kernel, n_rows, lift)


def solve(gram: Tensor, basis: Basis, right: Tensor, penalty: Tensor) -> Tensor:
    """Solve ``(gram + penalty) @ solution = right`` for each target with its own penalty.

    One step of iterative refinement takes away most of what float32 eigenvectors leave.

    Parameters
    ----------
    gram : tensor, shape (k, k)
        What `decompose` was given (and lifted).
    basis : Basis
    right : tensor, shape (k, n_targets)
        ``y`` in the kernel case, ``x.T @ y`` in the primal one.
    penalty : tensor, shape (n_targets,)

    Returns
    -------
    tensor, shape (k, n_targets)
        Dual coefficients (kernel) or weights (primal).

    Sources
    -------
    Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 12.1.

    Examples
    --------
    >>> gram = torch.diag(torch.tensor([2.0, 1.0]))
    >>> basis = decompose(gram, kernel=False, n_rows=5)
    >>> solve(gram, basis, torch.tensor([[3.0], [2.0]]), torch.tensor([1.0])).tolist()
    [[1.0], [1.0]]
    """
    solution = basis.shrink(basis.project(right), penalty)
    rest = torch.addmm(right, gram, solution, alpha=-1).sub_(solution * penalty)
    return solution.add_(basis.shrink(basis.project(rest), penalty))


def leave_out_errors(
    basis: Basis,
    rows: RowsInBasis,
    y: Tensor,
    projected: Tensor,
    penalties: Sequence[float],
    folds: Sequence[NDArray[np.intp]],
) -> NDArray[np.float64]:
    """Squared error of rows predicted from the other folds, for every penalty, in closed form.

    With R the matrix that takes targets to training residuals, the residuals of fold f when it is
    left out (and the intercept learned anew) are ``R[f, f]^-1 @ (R @ y)[f]``. For folds of one row
    that is leave-one-out. No fold needs a decomposition of its own.

    Parameters
    ----------
    basis : Basis
    rows : callable
        From row numbers to these rows in the eigenbasis: rows of the eigenvectors (kernel), or
        features times eigenvectors (primal).
    y : tensor, shape (n_rows, n_targets)
        Centred.
    projected : tensor, shape (k, n_targets)
        `Basis.project` of ``y`` or ``x.T @ y``.
    penalties : sequence of float
    folds : sequence of int array
        The rows of each fold, as `fold_batches` groups them: shape (n_folds, fold_size).

    Returns
    -------
    array, shape (n_penalties, n_targets)
        Mean over rows of the squared error.

    Sources
    -------
    Allen 1974 (PRESS); Rifkin & Lippert 2007, "Notes on regularized least squares", section 3;
    by blocks: Christensen, Plane Answers to Complex Questions, 13.5. We add the intercept's part.

    Examples
    --------
    >>> x = torch.tensor([[-1.0], [0.0], [1.0]], dtype=torch.float64)
    >>> basis = decompose(x.T @ x, kernel=False, n_rows=3)
    >>> rows = lambda index: x[index] @ basis.vectors
    >>> y = x.clone()
    >>> projected = basis.project(x.T @ y)
    >>> one_out = fold_batches(np.arange(3), 100)
    >>> leave_out_errors(basis, rows, y, projected, [1e-9], one_out).round(3).tolist()
    [[0.0]]
    """
    shrinks, offset = _shrinks(basis, torch.tensor(list(penalties), dtype=y.dtype).to(y.device))
    total = np.zeros((len(shrinks), y.shape[1]))
    for batch in folds:
        index = torch.from_numpy(batch.ravel()).to(y.device)
        z, y_rows = rows(index), y[index]
        diagonal = _leverage(z, shrinks, offset, basis.kernel) if batch.shape[1] == 1 else None
        for i, shrink in enumerate(shrinks):
            fitted = z @ (shrink[:, None] * projected)
            rest = fitted if basis.kernel else y_rows - fitted
            if diagonal is not None:
                rest /= diagonal[:, i : i + 1]
            else:
                rest = _left_out(z, rest, shrink, offset[i], (basis.kernel, len(batch)))
            total[i] += rest.square_().sum(0).cpu().double().numpy()
    return np.nan_to_num(total / basis.n_rows, nan=np.inf, posinf=np.inf)


def fold_batches(codes: NDArray[np.integer], max_rows: int) -> list[NDArray[np.intp]]:
    """Folds of equal size stacked into arrays (n_folds, fold_size) of at most ``max_rows`` rows.

    Examples
    --------
    >>> [batch.tolist() for batch in fold_batches(np.array([0, 0, 1, 1, 2]), 4)]
    [[[4]], [[0, 1], [2, 3]]]
    """
    order = np.argsort(codes, kind="stable")
    _, counts = np.unique(codes, return_counts=True)
    folds = np.split(order, np.cumsum(counts)[:-1])
    batches = []
    for size in np.unique(counts):
        same = np.stack([fold for fold in folds if len(fold) == size])
        step = max(1, max_rows // int(size))
        batches += [same[start : start + step] for start in range(0, len(same), step)]
    return batches


def choose(
    errors: NDArray[np.float64], variance: NDArray[np.float64], group: NDArray[np.intp]
) -> NDArray[np.intp]:
    """The row of ``errors`` that each target takes: the best of its group.

    Parameters
    ----------
    errors : array, shape (n_penalties, n_targets)
    variance : array, shape (n_targets,)
        Of the targets; errors are divided by it before the mean over a group.
    group : int array, shape (n_targets,)

    Examples
    --------
    >>> choose(np.array([[1.0, 4.0], [2.0, 1.0]]), np.ones(2), np.array([0, 0])).tolist()
    [1, 1]
    """
    share = errors / np.where(variance > 0, variance, 1.0)
    names, code = np.unique(group, return_inverse=True)
    if len(names) == errors.shape[1]:
        return np.asarray(np.argmin(share, axis=0), dtype=np.intp)
    sums = np.zeros((len(errors), len(names)))
    for i, row in enumerate(share):
        sums[i] = np.bincount(code, weights=row, minlength=len(names))
    return np.asarray(np.argmin(sums, axis=0)[code], dtype=np.intp)


def _shrinks(basis: Basis, grid: Tensor) -> tuple[Tensor, Tensor]:
    """For each penalty what R does to an eigenvector, and the intercept's part of R."""
    grid = grid[:, None]
    offset = torch.full_like(grid, 1 / basis.n_rows)
    if not basis.kernel:
        return 1 / (basis.values + grid), offset
    return grid / (basis.values + grid), offset * grid / (basis.lift + grid)


def _leverage(z: Tensor, shrinks: Tensor, offset: Tensor, kernel: bool) -> Tensor:
    """Diagonal of R at each penalty, shape (m, n_penalties)."""
    inside = z.square() @ shrinks.T
    diagonal = inside - offset.T if kernel else 1 - inside - offset.T
    return diagonal.clamp_min_(torch.finfo(z.dtype).tiny)


def _left_out(
    z: Tensor, rest: Tensor, shrink: Tensor, offset: Tensor, how: tuple[bool, int]
) -> Tensor:
    kernel, n_folds = how
    z = rearrange(z, "(fold row) k -> fold row k", fold=n_folds)
    inside = (z * shrink) @ z.mT
    eye = torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
    block = inside - offset if kernel else eye - inside - offset
    rest = rearrange(rest, "(fold row) target -> fold row target", fold=n_folds)
    solved: Tensor
    solved, trouble = torch.linalg.solve_ex(block, rest)
    solved[trouble != 0] = torch.inf
    return solved.flatten(0, 1)


def _eigh(gram: Tensor) -> tuple[Tensor, Tensor]:
    """LAPACK's divide and conquer in place on a CPU, cuSOLVER's on CUDA."""
    if gram.device.type == "cpu":
        square = gram.clone().numpy().T  # symmetric: its transpose is Fortran-ordered for free
        values, vectors = scipy.linalg.eigh(
            square, driver="evd", overwrite_a=True, check_finite=False
        )
        return torch.from_numpy(values), torch.from_numpy(vectors)
    if gram.device.type == "mps":  # has no eigh of its own
        values, vectors = torch.linalg.eigh(gram.cpu())
        return values.to(gram.device), vectors.to(gram.device)
    values, vectors = torch.linalg.eigh(gram)
    return values, vectors
