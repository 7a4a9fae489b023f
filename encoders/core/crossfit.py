"""Ridge from groups of columns to targets, with predictions for left-out folds, at any size.

Shapes: n_rows trials, n_dims columns, n_targets. A *token* is a group of columns with a map of its
own. Where there are more trials than columns, one Gram matrix a fold, summed in one pass over the
rows, serves all tokens (each is a block of it), all left-out folds and all penalties.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurodecode.encoders.core.ridge_solver import full_precision
from neurodecode.encoders.core.symmetric import LowerStrips, ShiftedSolver

PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Candidates, in units of the mean squared length of a row."""
N_FOLDS = 5
SMALL = 2048
"""Up to so many rows or columns float64 is cheap enough."""
ENOUGH = 4000
"""So many left-out rows tell which penalty is best; with more, not every fold is asked."""
Columns: TypeAlias = Sequence[NDArray[np.intp]]
Merit: TypeAlias = Callable[[Tensor, Tensor], Tensor]


class RowBlocks(Protocol):
    """Standardised rows, read in blocks; see `StandardRows` and `TensorRows`."""

    n_rows: int
    n_dims: int
    device: torch.device
    dtype: torch.dtype

    def slices(self) -> Iterator[slice]:
        """Row ranges of one block each."""
        ...

    def __getitem__(self, rows: slice) -> Tensor:
        """Rows, shape (m, n_dims)."""
        ...


class TensorRows:
    """Rows that are in memory already.

    Parameters
    ----------
    values : Tensor, shape (n_rows, n_dims)
    """

    def __init__(self, values: Tensor) -> None:
        self.values = values
        self.n_rows, self.n_dims = values.shape
        self.device, self.dtype = values.device, values.dtype

    def slices(self) -> Iterator[slice]:
        """All rows at once."""
        yield slice(0, self.n_rows)

    def __getitem__(self, rows: slice) -> Tensor:
        """Rows, shape (m, n_dims)."""
        return self.values[rows]


@dataclass(frozen=True, eq=False)
class TokenFit:
    """What one token's columns say.

    Parameters
    ----------
    penalty : float
        In units of the mean squared length of a row.
    weights : Tensor, shape (n_columns, n_targets)
        Learned from all rows.
    left_out : Tensor, shape (n_rows, n_targets)
        Each row predicted by weights that have not seen its fold.
    """

    penalty: float
    weights: Tensor
    left_out: Tensor


def stimulus_folds(
    stimulus: NDArray[np.str_], seed: int, n_folds: int = N_FOLDS
) -> NDArray[np.intp]:
    """The fold of each trial, with all trials of a stimulus in one.

    Examples
    --------
    >>> folds = stimulus_folds(np.array(["a", "b", "a", "c"]), seed=0, n_folds=2)
    >>> bool(folds[0] == folds[2]), len(set(folds.tolist()))
    (True, 2)
    """
    ids, code = np.unique(stimulus, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(ids)) % min(n_folds, len(ids))
    return np.asarray(order[code], dtype=np.intp)


def cross_fit(
    rows: RowBlocks,
    y: Tensor,
    folds: NDArray[np.intp],
    tokens: Columns,
    penalties: Sequence[float] = PENALTIES,
    merit: Merit | None = None,
) -> list[TokenFit]:
    """Fit each token by ridge, and predict each row from the other folds.

    The penalty is the one whose left-out predictions follow the targets best, by ``merit``.

    Parameters
    ----------
    rows : RowBlocks
        Standardised.
    y : Tensor, shape (n_rows, n_targets)
        Centred.
    folds : int array, shape (n_rows,)
        Two or more; see `stimulus_folds`.
    tokens : sequence of int arrays
        Columns of each token, ascending; an empty one predicts 0.
    penalties : sequence of float
    merit : callable, optional
        How well predictions (n_penalties, n_rows, n_targets) follow the targets; default
        `agreement`. Where most targets can't be told, `correlation` is less noisy.

    Returns
    -------
    list of TokenFit
        On the rows' device.

    Sources
    -------
    Cross-fitting: Wolpert 1992, "Stacked generalization". Gram matrices of folds by subtraction:
    Engstrom & Jensen 2024, "Fast partition-based cross-validation with centering and scaling for
    X'X and X'Y" (we standardise by all training rows, so that nothing need be corrected).

    Examples
    --------
    >>> x = torch.eye(4, dtype=torch.float64).repeat(3, 1)
    >>> folds = np.repeat(np.arange(3), 4)
    >>> [fit] = cross_fit(TensorRows(x), x[:, :2], folds, [np.arange(4)])
    >>> tuple(fit.weights.shape), bool((fit.left_out[:2] > 0.4).diagonal().all())
    ((4, 2), True)
    """
    with full_precision(), torch.no_grad():
        y = y.to(rows.device, rows.dtype)
        whole = max((len(one) for one in tokens), default=0)
        fits: dict[int, TokenFit] = {}
        if whole == rows.n_dims <= rows.n_rows:
            shared = _Grams(rows, y, folds, None)
            return _fit_tokens(shared, list(tokens), penalties, merit or agreement)
        for i, columns in enumerate(tokens):
            kind = _Grams if len(columns) <= rows.n_rows else _Kernel
            own = np.arange(len(columns))
            [fits[i]] = _fit_tokens(
                kind(rows, y, folds, columns), [own], penalties, merit or agreement
            )
        return [fits[i] for i in range(len(tokens))]


def agreement(predicted: Tensor, y: Tensor) -> Tensor:
    """Mean squared correlation over targets, weighted by the targets' spread.

    Correlations are compared, not errors: how far predictions shrink is undone later.

    Parameters
    ----------
    predicted : Tensor, shape (..., n_rows, n_targets)
    y : Tensor, shape (n_rows, n_targets)
        Centred.

    Examples
    --------
    >>> y = torch.tensor([[1.0], [-1.0]])
    >>> agreement(torch.stack([3 * y, y.flip(0) * 0]), y).div(y.norm()).round(decimals=3).tolist()
    [1.0, 0.0]
    """
    centred = predicted - predicted.mean(dim=-2, keepdim=True)
    length = y.norm(dim=0)
    size = centred.norm(dim=-2) * length + 1e-12
    return torch.as_tensor(((centred * y).sum(dim=-2) / size).square() @ length)


def correlation(predicted: Tensor, y: Tensor) -> Tensor:
    """Correlation over rows and targets at once: targets that can't be told weigh little.

    `agreement` squares the correlation of each target, so that noise in many adds up.

    Parameters
    ----------
    predicted : Tensor, shape (..., n_rows, n_targets)
    y : Tensor, shape (n_rows, n_targets)
        Centred.

    Examples
    --------
    >>> y = torch.tensor([[1.0], [-1.0]])
    >>> correlation(torch.stack([3 * y, -y]), y).round(decimals=3).tolist()
    [1.0, -1.0]
    """
    centred = predicted - predicted.mean(dim=-2, keepdim=True)
    size = centred.flatten(-2).norm(dim=-1) * y.norm() + 1e-12
    return torch.as_tensor((centred * y).sum(dim=(-1, -2)) / size)


class _System(Protocol):
    """Normal equations of tokens, whole and without any one fold."""

    y: Tensor
    folds: NDArray[np.intp]

    def left_out(
        self, fold: int, tokens: Columns, grids: Sequence[Sequence[float]]
    ) -> list[Tensor]:
        """For each token the fold's rows predicted at each penalty, (n_penalties, m, n_targets)."""
        ...

    def whole(self, tokens: Columns, penalties: Sequence[float]) -> list[Tensor]:
        """The weights of each token from all rows."""
        ...


def _fit_tokens(
    system: _System, tokens: Columns, penalties: Sequence[float], merit: Merit
) -> list[TokenFit]:
    names = np.unique(system.folds).tolist()
    asked = _asked(system.folds, names)
    grid = list(penalties)
    tried = {fold: system.left_out(fold, tokens, [grid] * len(tokens)) for fold in asked}
    index = {fold: _rows_of(system.folds, fold, system.y) for fold in names}
    seen = torch.cat([system.y[index[fold]] for fold in asked])
    best = [
        int(merit(torch.cat([tried[fold][i] for fold in asked], dim=1), seen).argmax())
        for i in range(len(tokens))
    ]
    chosen = [grid[one] for one in best]
    left_out = [torch.zeros_like(system.y) for _ in tokens]
    for fold in names:
        if fold in tried:
            parts = [tried[fold][i][one] for i, one in enumerate(best)]
        else:
            parts = [one[0] for one in system.left_out(fold, tokens, [[one] for one in chosen])]
        for out, part in zip(left_out, parts, strict=True):
            out[index[fold]] = part
    weights = system.whole(tokens, chosen)
    return [TokenFit(*one) for one in zip(chosen, weights, left_out, strict=True)]


def _asked(folds: NDArray[np.intp], names: Sequence[int]) -> list[int]:
    """The folds that choose the penalty: as many as hold enough rows."""
    sizes = np.cumsum([int((folds == one).sum()) for one in names])
    return list(names[: int(np.searchsorted(sizes, ENOUGH)) + 1])


def _rows_of(folds: NDArray[np.intp], fold: int, like: Tensor) -> Tensor:
    return torch.from_numpy(np.flatnonzero(folds == fold)).to(like.device)


class _Grams:
    """Columns by columns: for no more columns than rows."""

    def __init__(
        self,
        rows: RowBlocks,
        y: Tensor,
        folds: NDArray[np.intp],
        columns: NDArray[np.intp] | None,
    ) -> None:
        self.rows, self.y, self.folds = rows, y, folds
        self.columns = columns
        size = rows.n_dims if columns is None else len(columns)
        names = np.unique(folds).tolist()
        self.grams = {one: LowerStrips(size, rows.dtype, rows.device) for one in names}
        self.right = {one: y.new_zeros((size, y.shape[1])) for one in names}
        for fold, x, index in self._blocks(names):
            self.grams[fold].add_product(x)
            self.right[fold].addmm_(x.T, y[index])
        square = sum(one.diagonal().double() for one in self.grams.values())
        self.square = torch.as_tensor(square) / len(folds)

    def _blocks(self, names: Sequence[int]) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Rows of these folds with their fold and numbers, block by block."""
        for part in self.rows.slices():
            mine = self.folds[part]
            if not np.isin(mine, names).any():
                continue
            x = self.rows[part]
            if self.columns is not None:
                x = x[:, torch.from_numpy(self.columns).to(x.device)]
            for fold in names:
                at = torch.from_numpy(np.flatnonzero(mine == fold)).to(x.device)
                if len(at):
                    yield fold, x[at], at + part.start

    def _solver(self, columns: NDArray[np.intp], without: int | None) -> ShiftedSolver:
        size = len(columns)
        block = None if size == len(self.square) else columns
        matrix = self.y.new_zeros((size, size))
        for fold, gram in self.grams.items():
            if fold != without:
                gram.add_to_lower(matrix, block)
        return ShiftedSolver(matrix)

    def _weights(
        self, columns: NDArray[np.intp], penalties: Sequence[float], without: int | None = None
    ) -> list[Tensor]:
        unit = float(self.square[columns].sum()) or 1.0
        right = torch.stack([one for fold, one in self.right.items() if fold != without]).sum(0)
        solver = self._solver(columns, without)
        return [solver.solve(right[columns], one * unit) for one in penalties]

    def left_out(
        self, fold: int, tokens: Columns, grids: Sequence[Sequence[float]]
    ) -> list[Tensor]:
        pairs = zip(tokens, grids, strict=True)
        weights = [torch.stack(self._weights(*one, fold)) for one in pairs]
        found: list[list[Tensor]] = [[] for _ in tokens]
        for _, x, _ in self._blocks([fold]):
            for parts, columns, one in zip(found, tokens, weights, strict=True):
                parts.append((x if len(columns) == x.shape[1] else x[:, columns]) @ one)
        return [torch.cat(parts, dim=1) for parts in found]

    def whole(self, tokens: Columns, penalties: Sequence[float]) -> list[Tensor]:
        pairs = zip(tokens, penalties, strict=True)
        return [self._weights(columns, [penalty])[0] for columns, penalty in pairs]


class _Kernel:
    """Rows by rows: for one token with more columns than rows."""

    def __init__(
        self, rows: RowBlocks, y: Tensor, folds: NDArray[np.intp], columns: NDArray[np.intp]
    ) -> None:
        self.rows, self.y, self.folds, self.columns = rows, y, folds, columns
        self.kernel = y.new_zeros((rows.n_rows, rows.n_rows))
        for part in rows.slices():
            x = self._read(part)
            for other in rows.slices():
                if other.start > part.start:
                    break
                product = x @ self._read(other).T
                self.kernel[part, other] = product
                self.kernel[other, part] = product.T
        self.unit = float(self.kernel.diagonal().double().mean()) or 1.0

    def _read(self, part: slice) -> Tensor:
        x = self.rows[part]
        return x if len(self.columns) == x.shape[1] else x[:, self.columns]

    def left_out(
        self, fold: int, tokens: Columns, grids: Sequence[Sequence[float]]
    ) -> list[Tensor]:
        out = self.folds == fold
        inside = torch.from_numpy(np.flatnonzero(~out)).to(self.y.device)
        across = self.kernel[torch.from_numpy(np.flatnonzero(out)).to(self.y.device)][:, inside]
        solver = ShiftedSolver(self.kernel[inside][:, inside])
        y = self.y[inside]
        return [torch.stack([across @ solver.solve(y, one * self.unit) for one in grids[0]])]

    def whole(self, tokens: Columns, penalties: Sequence[float]) -> list[Tensor]:
        dual = ShiftedSolver(self.kernel.clone()).solve(self.y, penalties[0] * self.unit)
        weights = self.y.new_zeros((len(self.columns), self.y.shape[1]))
        for part in self.rows.slices():
            weights.addmm_(self._read(part).T, dual[part])
        return [weights]
