from __future__ import annotations

import numpy as np

from neurodecode.generators._base import row_seeds


def test_seeds_follow_the_stimulus_not_the_row():
    one = row_seeds(np.array(["x", "y"]), 5, 3)
    other = row_seeds(np.array(["y", "x"]), 5, 3)
    np.testing.assert_array_equal(one, other[::-1])


def test_seeds_differ_over_seed_sample_and_repeat():
    seeds = np.concatenate([row_seeds(np.array(["x", "x", "y"]), seed, 4) for seed in (0, 1)])
    assert len(np.unique(seeds)) == 24
    assert seeds.max() < 2**63
