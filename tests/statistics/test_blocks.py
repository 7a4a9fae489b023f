"""Block designs are recognised by the order of labels alone."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.statistics import dependent_blocks, stretches


def test_random_orders_are_single_trials():
    rng = np.random.default_rng(0)
    found = [
        len(np.unique(dependent_blocks(rng.integers(n_labels, size=60), seed=seed)))
        for seed in range(20)
        for n_labels in (2, 8)
    ]
    assert np.mean(np.array(found) == 60) >= 0.95


def test_balanced_orders_that_avoid_repeats_are_single_trials():
    assert len(np.unique(dependent_blocks(np.tile(np.arange(4), 15)))) == 60


@pytest.mark.parametrize("length", [3, 9])
def test_blocks_of_trials_are_one_each(length):
    """Also where two blocks of one label meet at the border of two runs."""
    label = np.array([0, 1, 2, 3, 3, 2, 1, 0]).repeat(length)
    run = np.repeat([1, 2], 4 * length)
    block = dependent_blocks(label, run)
    np.testing.assert_array_equal(block, np.arange(8).repeat(length))
    np.testing.assert_array_equal(block, stretches(label, run))


def test_runs_that_hold_labels_in_unequal_shares_are_no_blocks():
    rng = np.random.default_rng(0)
    run = np.arange(160) // 40
    label = rng.random(160) < np.where(run % 2 == 0, 0.8, 0.2)
    assert len(np.unique(dependent_blocks(label, run))) == 160


def test_a_run_of_one_label_is_a_block():
    run = np.repeat(np.arange(10), 12)
    np.testing.assert_array_equal(dependent_blocks(run % 2, run), run)
    mixed = np.where(run < 9, run % 2, np.tile([0, 1, 1, 0], 30))
    np.testing.assert_array_equal(dependent_blocks(mixed, run)[:108], run[:108])
    assert len(np.unique(dependent_blocks(mixed, run))) == 9 + 12
