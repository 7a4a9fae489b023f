"""Symmetric matrices that fill the memory: half of them kept, and factored where they lie."""

from __future__ import annotations

from typing import Any

import scipy.linalg.lapack
import torch
from numpy.typing import NDArray
from torch import Tensor

STEP = 1024


class LowerStrips:
    """A symmetric matrix by strips of its rows, each up to the diagonal.

    Parameters
    ----------
    size : int
    dtype : torch.dtype
    device : torch.device
    step : int
        Rows of a strip.

    Examples
    --------
    >>> strips = LowerStrips(3, torch.float64, torch.device("cpu"), step=2)
    >>> strips.add_product(torch.tensor([[1.0, 2.0, 0.0]], dtype=torch.float64))
    >>> strips.dense(None).tolist()
    [[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.0, 0.0, 0.0]]
    """

    def __init__(
        self, size: int, dtype: torch.dtype, device: torch.device, step: int = STEP
    ) -> None:
        self.size, self.dtype, self.device, self.step = size, dtype, device, step
        self.strips = [
            torch.zeros((min(size, start + step) - start, min(size, start + step)), dtype=dtype)
            .to(device)
            for start in range(0, size, step)
        ]  # fmt: skip

    def add_product(self, rows: Tensor) -> None:
        """Add ``rows.T @ rows``; rows (m, size)."""
        for strip, start in zip(self.strips, range(0, self.size, self.step), strict=True):
            stop = start + len(strip)
            strip.addmm_(rows[:, start:stop].T, rows[:, :stop])

    def diagonal(self) -> Tensor:
        """The diagonal, shape (size,)."""
        starts = range(0, self.size, self.step)
        parts = [
            strip.diagonal(start) for strip, start in zip(self.strips, starts, strict=True)
        ]  # fmt: skip
        return torch.cat(parts)

    def add_to_lower(self, out: Tensor, columns: NDArray[Any] | None) -> None:
        """Add the lower triangle of these rows and columns (ascending; None: all) to ``out``."""
        index = None if columns is None else torch.from_numpy(columns).to(self.device)
        for strip, start in zip(self.strips, range(0, self.size, self.step), strict=True):
            stop = start + len(strip)
            if index is None:
                out[start:stop, :stop] += strip
                continue
            low, high = torch.searchsorted(index, torch.tensor([start, stop]).to(index)).tolist()
            if low < high:
                part = strip[index[low:high] - start]
                out[low:high, :high] += part[:, index[:high]]

    def dense(self, columns: NDArray[Any] | None) -> Tensor:
        """These rows and columns (ascending; None: all), both triangles."""
        size = self.size if columns is None else len(columns)
        out = torch.zeros((size, size), dtype=self.dtype, device=self.device)
        self.add_to_lower(out, columns)
        return mirror_lower(out)


def mirror_lower(matrix: Tensor, step: int = STEP) -> Tensor:
    """Copy the lower triangle over the upper one, in place.

    Examples
    --------
    >>> mirror_lower(torch.tensor([[1.0, 9.0], [2.0, 3.0]])).tolist()
    [[1.0, 2.0], [2.0, 3.0]]
    """
    for start in range(0, len(matrix), step):
        stop = min(len(matrix), start + step)
        corner = matrix[start:stop, start:stop].tril()
        matrix[start:stop, start:stop] = corner + corner.tril(-1).T
        matrix[start:stop, stop:] = matrix[stop:, start:stop].T
    return matrix


class ShiftedSolver:
    """``(matrix + penalty)^-1 @ right`` for a few penalties, by Cholesky, refined once.

    On a CPU the factor overwrites the upper triangle of the matrix and the lower one stays, so that
    no second matrix is held. One step of iterative refinement, with the residual in float64, takes
    away most of what float32 leaves (Higham 2002, section 12.1).

    Parameters
    ----------
    matrix : Tensor, shape (size, size)
        Symmetric, no eigenvalue negative; its lower triangle is read. It is this solver's from now.

    Raises
    ------
    ValueError
        By `solve`, if the matrix is not positive definite at this penalty.

    Examples
    --------
    >>> solver = ShiftedSolver(torch.tensor([[2.0, 0.0], [0.0, 1.0]]))
    >>> solver.solve(torch.tensor([[3.0], [2.0]]), 1.0).tolist()
    [[1.0], [1.0]]
    """

    def __init__(self, matrix: Tensor) -> None:
        self.matrix = matrix
        self.diagonal = matrix.diagonal().clone()
        self.in_place = matrix.device.type == "cpu"

    def solve(self, right: Tensor, penalty: float) -> Tensor:
        """Shape (size, n_targets), as ``right``."""
        if len(self.matrix) == 0:
            return torch.zeros_like(right)
        return self._on_cpu(right, penalty) if self.in_place else self._on_device(right, penalty)

    def _on_device(self, right: Tensor, penalty: float) -> Tensor:
        self.matrix.diagonal().copy_(self.diagonal + penalty)
        factor, trouble = torch.linalg.cholesky_ex(self.matrix)
        _check_factor(int(trouble), penalty)
        solution = torch.cholesky_solve(right, factor)
        rest = self._residual(right, solution, penalty)
        return solution.add_(torch.cholesky_solve(rest, factor))

    def _on_cpu(self, right: Tensor, penalty: float) -> Tensor:
        self.matrix.diagonal().copy_(self.diagonal + penalty)
        # seen by LAPACK, which counts columns first, the upper triangle is the lower one
        square = mirror_lower(self.matrix).numpy().T
        letter = "d" if right.dtype == torch.float64 else "s"
        factor, trouble = getattr(scipy.linalg.lapack, f"{letter}potrf")(
            square, lower=1, clean=0, overwrite_a=1
        )
        _check_factor(int(trouble), penalty)
        solver = getattr(scipy.linalg.lapack, f"{letter}potrs")
        found, _ = solver(factor, right.numpy(), lower=1)
        solution = torch.from_numpy(found)
        more, _ = solver(factor, self._residual(right, solution, penalty).numpy(), lower=1)
        return solution + torch.from_numpy(more)

    def _residual(self, right: Tensor, solution: Tensor, penalty: float) -> Tensor:
        """``right - (matrix + penalty) @ solution`` in float64, from the lower triangle."""
        exact = solution.double()
        rest = right.double() - (self.diagonal + penalty).double()[:, None] * exact
        for start in range(0, len(self.matrix), STEP):
            stop = start + STEP
            corner = self.matrix[start:stop, start:stop].double().tril(-1)
            rest[start:stop] -= (corner + corner.T) @ exact[start:stop]
            strip = self.matrix[start:stop, :start].double()
            rest[start:stop] -= strip @ exact[:start]
            rest[:start] -= strip.T @ exact[start:stop]
        return rest.to(right.dtype)


def _check_factor(trouble: int, penalty: float) -> None:
    if trouble:
        raise ValueError(
            f"The Gram matrix is not positive definite with penalty {penalty:g}: rounding is "
            f"larger than the penalty. Use dtype='float64' or larger penalties."
        )
