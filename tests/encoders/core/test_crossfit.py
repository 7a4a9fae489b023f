"""Cross-fitted ridge against scikit-learn, in either form, in memory or in blocks."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge as Reference

from neurodecode.data import Responses
from neurodecode.encoders.core import crossfit
from neurodecode.encoders.core.crossfit import TensorRows, agreement, cross_fit, stimulus_folds
from neurodecode.encoders.core.rows import StandardRows

GRID = (0.03, 0.3, 3.0)


def case(n_rows, n_dims, seed=0):
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(n_rows, 3))
    x = latent @ rng.normal(size=(3, n_dims)) + 2 * rng.normal(size=(n_rows, n_dims))
    x = (x - x.mean(0)) / x.std(0)
    y = latent @ rng.normal(size=(3, 4)) + 0.3 * rng.normal(size=(n_rows, 4))
    return x, y - y.mean(0), rng.permutation(n_rows) % 5


def by_hand(x, y, folds):
    """Penalty, weights and left-out predictions by scikit-learn, fold by fold."""
    unit = (x**2).sum(1).mean()
    tried = []
    for penalty in GRID:
        model = Reference(alpha=penalty * unit, fit_intercept=False)
        out = np.zeros_like(y)
        for fold in range(5):
            own = folds == fold
            # the unit is that of all rows, so that a penalty means the same in every fold
            out[own] = model.fit(x[~own], y[~own]).predict(x[own])
        tried.append(out)
    merits = [
        sum(np.corrcoef(one[:, k], y[:, k])[0, 1] ** 2 * np.linalg.norm(y[:, k]) for k in range(4))
        for one in tried
    ]
    best = int(np.argmax(merits))
    alpha = GRID[best] * unit
    return GRID[best], Reference(alpha=alpha, fit_intercept=False).fit(x, y).coef_.T, tried[best]


@pytest.mark.parametrize("shape", [(60, 12), (40, 90)], ids=["primal", "kernel"])
def test_as_scikit_learn_has_it(shape):
    x, y, folds = case(*shape)
    [fit] = cross_fit(
        TensorRows(torch.from_numpy(x)), torch.from_numpy(y), folds, [np.arange(shape[1])], GRID
    )
    penalty, weights, left_out = by_hand(x, y, folds)
    assert fit.penalty == penalty
    np.testing.assert_allclose(fit.weights.numpy(), weights, atol=1e-8)
    np.testing.assert_allclose(fit.left_out.numpy(), left_out, atol=1e-8)


def test_blocks_of_one_gram_matrix_are_fits_of_their_own():
    x, y, folds = case(80, 20)
    tokens = [np.arange(20), np.array([0, 3, 19]), np.array([], dtype=np.intp), np.arange(5, 15)]
    rows, wanted = TensorRows(torch.from_numpy(x)), torch.from_numpy(y)
    for fit, columns in zip(cross_fit(rows, wanted, folds, tokens, GRID), tokens, strict=True):
        if len(columns) == 0:
            assert fit.weights.shape == (0, 4)
            assert float(fit.left_out.abs().max()) == 0.0
            continue
        penalty, weights, left_out = by_hand(x[:, columns], y, folds)
        assert fit.penalty == penalty
        np.testing.assert_allclose(fit.weights.numpy(), weights, atol=1e-8)
        np.testing.assert_allclose(fit.left_out.numpy(), left_out, atol=1e-8)


def test_regions_smaller_than_the_trials_beside_a_whole_that_is_larger():
    x, y, folds = case(30, 50)
    tokens = [np.arange(50), np.array([2, 7, 40])]
    fits = cross_fit(TensorRows(torch.from_numpy(x)), torch.from_numpy(y), folds, tokens, GRID)
    for fit, columns in zip(fits, tokens, strict=True):
        np.testing.assert_allclose(
            fit.left_out.numpy(), by_hand(x[:, columns], y, folds)[2], atol=1e-8
        )


@pytest.mark.parametrize("shape", [(90, 14), (40, 70)], ids=["primal", "kernel"])
def test_rows_read_in_blocks_give_the_same(shape):
    x, y, folds = case(*shape)
    source = Responses(x * 3 + 1, range(len(x)), "sub-01", "fmri").values
    plain = {"device": torch.device("cpu"), "dtype": torch.float64}
    fits = []
    for keep, block in ((2**20, 2**20), (0, 8 * 7 * shape[1])):
        rows = StandardRows(source, keep_bytes=keep, block_bytes=block, **plain)
        rows.learn(standardise=True, subject="sub-01")
        tokens = [np.arange(shape[1]), np.arange(3, 9)]
        fits.append(cross_fit(rows, torch.from_numpy(y), folds, tokens, GRID))
    for one, other in zip(*fits, strict=True):
        assert one.penalty == other.penalty
        torch.testing.assert_close(one.left_out, other.left_out)
        torch.testing.assert_close(one.weights, other.weights)


def test_with_many_rows_one_fold_chooses_and_all_are_predicted(monkeypatch):
    x, y, folds = case(100, 10)
    rows, wanted, tokens = TensorRows(torch.from_numpy(x)), torch.from_numpy(y), [np.arange(10)]
    [every] = cross_fit(rows, wanted, folds, tokens, [0.3])
    monkeypatch.setattr(crossfit, "ENOUGH", 20)
    assert crossfit._asked(folds, [0, 1, 2, 3, 4]) == [0]
    [few] = cross_fit(rows, wanted, folds, tokens, GRID)
    same = cross_fit(rows, wanted, folds, tokens, [few.penalty])[0]
    torch.testing.assert_close(few.left_out, same.left_out)
    assert every.left_out.shape == few.left_out.shape


def test_a_left_out_fold_is_not_seen():
    x, y, folds = case(60, 12)
    other = np.where((folds == 2)[:, None], -5 * y[::-1], y)
    rows, tokens = TensorRows(torch.from_numpy(x)), [np.arange(12)]
    own = folds == 2
    one, two = (
        cross_fit(rows, torch.from_numpy(each), folds, tokens, [0.3])[0].left_out[own]
        for each in (y, other)
    )
    torch.testing.assert_close(one, two)


def test_nothing_is_found_in_noise():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(200, 30)), rng.normal(size=(200, 5))
    [fit] = cross_fit(
        TensorRows(torch.from_numpy(x)),
        torch.from_numpy(y - y.mean(0)),
        rng.permutation(200) % 5,
        [np.arange(30)],
    )
    found = [np.corrcoef(fit.left_out[:, k], y[:, k])[0, 1] for k in range(5)]
    assert abs(np.mean(found)) < 0.1


def test_all_trials_of_a_stimulus_share_a_fold():
    stimulus = np.repeat([f"p{i}" for i in range(17)], 3)
    folds = stimulus_folds(stimulus, seed=1)
    assert set(folds.tolist()) == set(range(5))
    assert all(len(set(folds[stimulus == one].tolist())) == 1 for one in set(stimulus.tolist()))
    assert not np.array_equal(folds, stimulus_folds(stimulus, seed=2))


def test_agreement_does_not_mind_how_far_predictions_shrink():
    y = torch.from_numpy(case(30, 5)[1])
    torch.testing.assert_close(agreement(0.01 * y + 3, y), agreement(y, y))
    assert agreement(y.flip(0), y) < agreement(y, y)
