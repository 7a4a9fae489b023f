"""Rows of an array, in memory or in the store, as a tensor on a device."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurodecode.data import ArrayLike, cast, fill_rows

# Below this a batch is read sooner by one thread.
MANY_BYTES = 2**22
N_THREADS = min(8, (os.cpu_count() or 1) // 2)


def rows_on(source: ArrayLike, index: NDArray[np.intp], device: torch.device) -> Tensor:
    """Rows as float32 on the device.

    To CUDA they pass through page-locked memory, as they are stored, on the current stream; nothing
    waits for them.

    Parameters
    ----------
    source : array-like, shape (n_rows, ...)
    index : int array, shape (n,)
    device : torch.device

    Examples
    --------
    >>> rows_on(np.eye(3), np.array([2, 0]), torch.device("cpu"))
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    shape, kind = (len(index), *source.shape[1:]), np.dtype(source.dtype)
    if device.type != "cuda" or kind not in (np.float32, np.float16):
        values = np.empty(shape, dtype=kind)
        fill_in_parts(source, index, values)
        return torch.from_numpy(cast("Responses or targets", values, np.float32)).to(device)
    dtype = torch.float32 if kind == np.float32 else torch.float16
    locked = torch.empty(shape, dtype=dtype, pin_memory=True)
    fill_in_parts(source, index, locked.numpy())
    return locked.to(device, non_blocking=True).float()


def fill_in_parts(source: ArrayLike, index: NDArray[np.intp], out: NDArray[Any]) -> None:
    """`fill_rows` in several threads, where there is much to read and cores to do so."""
    if out.nbytes < MANY_BYTES or N_THREADS < 2:
        fill_rows(source, index, out)
        return
    cuts = np.array_split(np.arange(len(index)), N_THREADS)
    parts = [slice(int(one[0]), int(one[-1]) + 1) for one in cuts if len(one)]
    list(_threads().map(lambda part: fill_rows(source, index[part], out[part]), parts))


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(N_THREADS, thread_name_prefix="neurodecode-rows")
