"""The losses against their equations, written out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode.encoders.core.losses import bi_mixco, info_nce, mix_rows, soft_clip, unit_rows


def rows(seed, shape=(6, 5)):
    return np.random.default_rng(seed).normal(size=shape)


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def tensor(x):
    return torch.from_numpy(x).float()


def test_soft_clip_is_its_equation():
    p, t, tau = unit(rows(0)), unit(rows(1)), 0.2
    a, s = t @ t.T / tau, p @ t.T / tau
    expected = 0.0
    for i in range(6):
        for j in range(6):
            expected -= (
                softmax(a)[i, j] * (np.log(softmax(s)[i, j]) + np.log(softmax(s.T)[i, j])) / (2 * 6)
            )
    assert float(soft_clip(tensor(rows(0)), tensor(rows(1)), tau)) == pytest.approx(expected, 1e-5)


def test_info_nce_is_its_equation_in_both_forms():
    s = 3.0 * unit(rows(0)) @ unit(rows(1)).T
    forward = -np.log(np.diag(softmax(s))).mean()
    backward = -np.log(np.diag(softmax(s.T))).mean()
    p, t = tensor(rows(0)), tensor(rows(1))
    assert float(info_nce(p, t, 3.0, symmetric=False)) == pytest.approx(forward, 1e-5)
    assert float(info_nce(p, t, 3.0)) == pytest.approx((forward + backward) / 2, 1e-5)


def test_bi_mixco_is_its_equation_with_a_row_that_is_its_own_partner():
    s = unit(rows(0)) @ unit(rows(1)).T / 0.5
    partner, own = np.array([1, 0, 2, 4, 5, 3]), np.array([0.3, 1.0, 0.6, 0.9, 0.5, 0.2])
    wanted = np.diag(own)
    for i, j in enumerate(partner):
        wanted[i, j] += 1 - own[i]
    assert wanted[2, 2] == pytest.approx(1.0)
    expected = -(wanted * np.log(softmax(s))).sum(1).mean() / 2
    expected -= (wanted.T * np.log(softmax(s.T))).sum(1).mean() / 2
    got = bi_mixco(
        tensor(rows(0)), tensor(rows(1)), torch.from_numpy(partner), tensor(own), temperature=0.5
    )
    assert float(got) == pytest.approx(expected, 1e-5)


def test_unblended_bi_mixco_is_info_nce():
    p, t = tensor(rows(0)), tensor(rows(1))
    got = bi_mixco(p, t, torch.randperm(6), torch.ones(6), temperature=0.25)
    assert float(got) == pytest.approx(float(info_nce(p, t, 4.0)), 1e-6)


def test_mixed_rows_are_the_blend_they_say():
    x = tensor(rows(0, (40, 3, 2)))
    mixed, partner, own = mix_rows(x)
    weight = own.view(-1, 1, 1)
    torch.testing.assert_close(mixed, weight * x + (1 - weight) * x[partner])
    assert sorted(partner.tolist()) == list(range(40))
    assert 5 < int((own < 1).sum()) < 35


@pytest.mark.parametrize(
    "loss",
    [
        lambda p, t: soft_clip(p, t, 0.05),
        lambda p, t: info_nce(p, t, 20.0),
        lambda p, t: bi_mixco(p, t, torch.arange(6), torch.ones(6)),
    ],
)
def test_losses_do_not_see_scale_order_or_the_shape_of_tokens(loss):
    p, t = tensor(rows(0, (6, 2, 4))), tensor(rows(1, (6, 2, 4)))
    order = torch.randperm(6)
    value = float(loss(p, t))
    assert float(loss(p.flatten(1), 7 * t.flatten(1))) == pytest.approx(value, rel=1e-4)
    assert float(loss(p[order], t[order])) == pytest.approx(value, rel=1e-4)
    assert float(loss(t, t)) < value


def test_half_precision_is_summed_in_single():
    assert unit_rows(torch.ones(2, 3, dtype=torch.bfloat16)).dtype == torch.float32
