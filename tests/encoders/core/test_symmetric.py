"""Halves of symmetric matrices, and their solver, against NumPy's."""

import numpy as np
import pytest
import torch

from neurodecode.encoders.core.symmetric import LowerStrips, ShiftedSolver, mirror_lower


@pytest.fixture
def rows():
    return torch.from_numpy(np.random.default_rng(0).normal(size=(40, 11)))


def strips_of(rows, step=4):
    strips = LowerStrips(rows.shape[1], rows.dtype, rows.device, step)
    for part in rows.split(13):
        strips.add_product(part)
    return strips


def test_strips_hold_the_gram_matrix(rows):
    strips, gram = strips_of(rows), rows.T @ rows
    torch.testing.assert_close(strips.dense(None), gram)
    torch.testing.assert_close(strips.diagonal(), gram.diagonal())
    assert sum(one.numel() for one in strips.strips) < 0.75 * gram.numel()


@pytest.mark.parametrize("columns", [[0], [10], [1, 4, 5, 9], [0, 1, 2, 3], list(range(11)), []])
def test_any_block_of_it_is_found(rows, columns):
    index = np.array(columns, dtype=np.intp)
    wanted = (rows.T @ rows)[index][:, index]
    torch.testing.assert_close(strips_of(rows).dense(index), wanted)


def test_mirroring_needs_no_second_matrix():
    matrix = torch.arange(49.0).reshape(7, 7)
    wanted = torch.from_numpy(np.tril(matrix.numpy()) + np.tril(matrix.numpy(), -1).T)
    assert mirror_lower(matrix, step=3) is matrix
    torch.testing.assert_close(matrix, wanted)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_matrix_serves_several_penalties(rows, dtype):
    gram = (rows.T @ rows).to(dtype)
    right = torch.from_numpy(np.random.default_rng(1).normal(size=(11, 3))).to(dtype)
    solver = ShiftedSolver(gram.clone().tril())
    for penalty in (10.0, 0.1, 3.0):
        wanted = np.linalg.solve(
            gram.double().numpy() + penalty * np.eye(11), right.double().numpy()
        )
        torch.testing.assert_close(
            solver.solve(right, penalty).double(), torch.from_numpy(wanted), atol=1e-5, rtol=1e-5
        )


def test_float32_is_refined():
    """Eigenvalues from 1 to 1e6: plain Cholesky leaves hundreds of times the error."""
    rng = np.random.default_rng(2)
    turn, _ = np.linalg.qr(rng.normal(size=(60, 60)))
    gram = (turn * np.logspace(0, 6, 60)) @ turn.T
    right = rng.normal(size=(60, 4))
    single = torch.from_numpy(gram).float()
    wanted = np.linalg.solve(single.double().numpy() + np.eye(60), right)
    got = ShiftedSolver(single.clone()).solve(torch.from_numpy(right).float(), 1.0).numpy()
    plain = torch.cholesky_solve(
        torch.from_numpy(right).float(), torch.linalg.cholesky(single + torch.eye(60))
    ).numpy()
    error, before = np.abs(got - wanted).max(), np.abs(plain - wanted).max()
    assert error < 0.05 * before
    assert error < 1e-4 * np.abs(wanted).max()


def test_no_columns_at_all():
    solver = ShiftedSolver(torch.zeros(0, 0))
    assert solver.solve(torch.zeros(0, 2), 1.0).shape == (0, 2)


def test_rounding_larger_than_the_penalty_is_told():
    matrix = -torch.eye(3)
    with pytest.raises(ValueError, match="positive") as error:
        ShiftedSolver(matrix).solve(torch.ones(3, 1), 0.5)
    assert str(error.value) == (
        "The Gram matrix is not positive definite with penalty 0.5: rounding is larger than the "
        "penalty. Use dtype='float64' or larger penalties."
    )
