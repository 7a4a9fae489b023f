"""Rows on a device are the rows, however many threads read them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode.data import Rows
from neurodecode.encoders.core import transfer


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int16"])
@pytest.mark.parametrize("n_threads", [1, 5])
def test_rows_are_float32_and_in_order(dtype, n_threads, monkeypatch):
    monkeypatch.setattr(transfer, "MANY_BYTES", 0)
    monkeypatch.setattr(transfer, "N_THREADS", n_threads)
    values = (100 * np.random.default_rng(0).normal(size=(30, 4, 2))).astype(dtype)
    index = np.random.default_rng(1).permutation(30)[:17]
    lazy = Rows(values, np.arange(30)[::-1].copy())
    for source, expected in ((values, values[index]), (lazy, values[::-1][index])):
        found = transfer.rows_on(source, index, torch.device("cpu"))
        assert found.dtype == torch.float32
        np.testing.assert_array_equal(found.numpy(), expected.astype(np.float32))


@pytest.mark.gpu
def test_rows_on_cuda_are_the_same():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    values = np.random.default_rng(0).normal(size=(300, 5000)).astype(np.float16)
    index = np.random.default_rng(1).permutation(300)[:200]
    found = transfer.rows_on(values, index, torch.device("cuda"))
    assert torch.equal(found.cpu(), torch.from_numpy(values[index]).float())
