"""Rows of a lazy array as standardised tensors, and the products ridge needs of them.

Nothing here holds more than one block of rows, unless all of them fit the memory given.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurodecode.data import ArrayLike, Responses, Rows, Split, listing, read_rows

log = logging.getLogger("neurodecode")


class StandardRows:
    """Rows of features, centred (and scaled) by their own mean and standard deviation.

    Parameters
    ----------
    source : array-like, shape (n_rows, ...)
        May be lazy; every row is flattened.
    device, dtype
        Of the tensors given out.
    keep_bytes : int
        Where all rows fit this, they are read once and kept on the device.
    block_bytes : int
        Size of a block of rows.
    clip : float, optional
        Standardised values beyond this are movement, not signal: they are cut to it.

    Attributes
    ----------
    mean, scale : tensor, shape (n_dims,)
        After `learn`. The scale of a constant feature is infinite: its rows become zero.
    """

    def __init__(
        self,
        source: ArrayLike,
        *,
        device: torch.device,
        dtype: torch.dtype,
        keep_bytes: int,
        block_bytes: int,
        clip: float | None = None,
    ) -> None:
        self.source = source
        self.device, self.dtype, self.clip = device, dtype, clip
        self.n_rows = int(source.shape[0])
        self.n_dims = int(np.prod(source.shape[1:], dtype=np.int64))
        row_bytes = self.n_dims * dtype.itemsize
        self.step = max(1, min(self.n_rows, block_bytes // max(1, row_bytes)))
        self._keep = self.n_rows * row_bytes <= keep_bytes
        self._kept: Tensor | None = None
        self.mean = torch.zeros(self.n_dims, dtype=dtype, device=device)
        self.scale = torch.ones_like(self.mean)

    def slices(self) -> Iterator[slice]:
        """Row ranges of one block each."""
        for start in range(0, self.n_rows, self.step):
            yield slice(start, min(self.n_rows, start + self.step))

    def learn(self, *, standardise: bool, subject: str) -> StandardRows:
        """Learn mean and scale in one pass; keep the rows if they fit.

        Block means and squares are joined in float64 (Chan, Golub & LeVeque 1983, equation 2.1),
        so that a large mean costs no digits.

        Raises
        ------
        ValueError
            If values are not finite.
        """
        mean, square, count = np.zeros(self.n_dims), np.zeros(self.n_dims), 0
        bad: list[int] = []
        for rows in self.slices():
            block = self._raw(rows, fill=True)
            finite = torch.isfinite(block).all(dim=1)
            if not bool(finite.all()):
                bad += (torch.nonzero(~finite).ravel().cpu() + rows.start).tolist()
            part_mean, part_square = _moments(block)
            share = len(block) / (count + len(block))
            shift = part_mean - mean
            mean += shift * share
            square += part_square + shift**2 * count * share
            count += len(block)
        if bad:
            raise ValueError(
                f"Responses of subject '{subject}' have values that are not finite in "
                f"{len(bad)} of {self.n_rows} trials (first: row {bad[0]}). Drop those trials "
                f"with .take(), or repair the preprocessing."
            )
        self._set(mean, np.sqrt(square / count), standardise, subject)
        return self

    def _set(
        self, mean: NDArray[Any], deviation: NDArray[Any], standardise: bool, subject: str
    ) -> None:
        rounding = 4 * torch.finfo(self.dtype).eps * np.abs(mean)
        constant = deviation <= rounding
        if constant.any():
            log.warning(
                "%d of %d features of subject '%s' are constant in training (first: %s); "
                "they get no weight.",
                *(int(constant.sum()), self.n_dims, subject),
                listing(np.flatnonzero(constant), 3),
            )
        scale = deviation if standardise else np.ones_like(deviation)
        self.mean = torch.as_tensor(mean).to(self.dtype).to(self.device)
        self.scale = torch.as_tensor(np.where(constant, np.inf, scale)).to(self.dtype)
        self.scale = self.scale.to(self.device)
        if self._kept is not None:
            for rows in self.slices():
                self._standardise(self._kept[rows])

    def __getitem__(self, rows: slice | NDArray[Any]) -> Tensor:
        """Standardised rows, shape (m, n_dims): a view where they are kept."""
        if self._kept is not None:
            return self._kept[rows if isinstance(rows, slice) else torch.as_tensor(rows)]
        return self._standardise(self._raw(rows))

    def _standardise(self, block: Tensor) -> Tensor:
        block.sub_(self.mean).div_(self.scale)
        return block if self.clip is None else block.clamp_(-self.clip, self.clip)

    def _raw(self, rows: slice | NDArray[Any], fill: bool = False) -> Tensor:
        if isinstance(self.source, Tensor) or isinstance(rows, slice):
            values = self.source[rows]
        else:
            values = read_rows(self.source, rows)
        if self._keep and fill:
            if self._kept is None:
                shape = (self.n_rows, self.n_dims)
                self._kept = torch.empty(shape, dtype=self.dtype, device=self.device)
            return self._kept[rows].copy_(_as_tensor(values))
        return _as_tensor(values).to(self.device, self.dtype, copy=True)

    def release(self) -> None:
        """Forget kept rows where they are cheap to make again: on a CPU, from memory."""
        in_memory = isinstance(self.source, np.ndarray) and not isinstance(self.source, np.memmap)
        if in_memory and self.device.type == "cpu":
            self._keep, self._kept = False, None

    def kernel(self) -> Tensor:
        """``x @ x.T``, shape (n_rows, n_rows); each half is computed once."""
        gram = torch.empty((self.n_rows, self.n_rows), dtype=self.dtype, device=self.device)
        for rows in self.slices():
            block = self[rows]
            for other in self.slices():
                if other.start > rows.start:
                    break
                product = block @ self[other].T
                gram[rows, other] = product
                gram[other, rows] = product.T
        return gram

    def primal(self) -> Tensor:
        """``x.T @ x``, shape (n_dims, n_dims)."""
        gram = torch.zeros((self.n_dims, self.n_dims), dtype=self.dtype, device=self.device)
        for rows in self.slices():
            block = self[rows]
            gram.addmm_(block.T, block)
        return gram

    def transposed_times(self, y: Tensor) -> Tensor:
        """``x.T @ y``, shape (n_dims, n_targets)."""
        shape = (self.n_dims, y.shape[1])
        product = torch.zeros(shape, dtype=self.dtype, device=self.device)
        for rows in self.slices():
            product.addmm_(self[rows].T, y[rows])
        return product


def lazy_part(responses: Responses, split: Split) -> Responses:
    """The training trials, without a second copy of values that are in memory.

    Examples
    --------
    >>> responses = Responses(np.arange(6.0).reshape(3, 2), ["a", "b", "c"], "sub-01", "fmri")
    >>> lazy_part(responses, Split(["c"], [], ["a", "b"])).array().tolist()
    [[4.0, 5.0]]
    """
    if split.mask(responses, "train").all():
        return responses
    rows = Rows(responses.values, np.arange(len(responses)))
    return split.part(responses.with_values(rows), "train")


def _as_tensor(values: Any) -> Tensor:
    if isinstance(values, Tensor):
        return values.reshape(len(values), -1)
    flat = np.asarray(values).reshape(len(values), -1)
    if flat.dtype.kind not in "fiu" or flat.dtype.byteorder == ">":
        flat = flat.astype(np.float32)
    return torch.from_numpy(np.require(flat, requirements=["C", "W"]))


def _moments(block: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and sum of squared distances from it, per column."""
    first = block.mean(dim=0)
    centred = block - first
    rest = centred.mean(dim=0)
    square = centred.square_().sum(dim=0) - len(block) * rest.square()
    return first.cpu().double().numpy() + rest.cpu().double().numpy(), square.cpu().double().numpy()
