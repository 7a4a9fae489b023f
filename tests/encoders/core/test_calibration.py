"""Gains, share of the mean and temperature, against what was planted and a search by hand."""

import numpy as np
import torch

from neurodecode.encoders.core.calibration import MEAN_SHARES, SCALES, SHARPNESSES, calibrate
from neurodecode.encoders.core.losses import info_nce
from neurodecode.encoders.core.target_space import HeadSpace


def planted(n=120, mean=0.0, noise=0.5, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, 12)) * np.logspace(0, -1, 12) + mean
    target = torch.from_numpy(rows.astype(np.float32))
    space = HeadSpace.learn(target, 10)
    wrong = torch.from_numpy(rng.normal(size=(n, 10)).astype(np.float32))
    return 0.3 * (space.whiten(target) + noise * wrong), target, space


def test_of_all_candidates_the_one_with_the_lowest_loss():
    """By the loss that networks are trained with, one candidate after the other."""
    components, target, space = planted(mean=0.5)
    found = calibrate(components, target, space)
    losses = {}
    for sharpness in SHARPNESSES:
        direction = (components * space.gains(sharpness)) @ space.basis
        unit = direction / direction.norm(dim=1, keepdim=True)
        for share in MEAN_SHARES:
            searched = unit + share * space.mean / space.mean.norm()
            for scale in SCALES:
                losses[sharpness, share, scale] = float(info_nce(searched, target, scale))
    sharpness, share, scale = min(losses, key=losses.__getitem__)
    torch.testing.assert_close(found.gain, space.gains(sharpness))
    assert float(found.mean_share) == share
    assert round(float(found.log_scale.exp())) == scale
    at_best = info_nce(found.search(components, space), target, scale)
    assert abs(float(at_best) - min(losses.values())) < 1e-4


def test_shrinkage_is_undone():
    components, target, space = planted(n=4000, noise=0.5)
    found = calibrate(components, target, space, seed=0)
    # of a component of variance 1 with noise of variance .25, 1 / 1.25 is signal; the scale was .3
    np.testing.assert_allclose(found.shrink.numpy(), 0.8 / 0.3, rtol=0.06)
    rest = target - found.expected(components, space)
    assert float(rest.square().sum()) < float((target - space.mean).square().sum())


def test_points_searched_with_have_the_length_of_targets():
    components, target, space = planted()
    lengths = calibrate(components, target, space).search(components, space).norm(dim=1)
    torch.testing.assert_close(lengths, target.norm(dim=1).mean().expand(len(lengths)))


def test_many_trials_are_sampled_by_the_seed():
    components, target, space = planted(n=1100)
    one, same = (calibrate(components, target, space, seed=3) for _ in range(2))
    torch.testing.assert_close(one.gain, same.gain)
    own = components.square().sum(0)
    torch.testing.assert_close(one.shrink, (components * space.whiten(target)).sum(0) / own)
