"""What every preprocessor of fMRI responses promises."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
from sklearn.base import clone

from neurodecode.contracts import Preprocessor
from neurodecode.data import Responses
from neurodecode.preprocessing import fmri

ATLAS = nibabel.Nifti1Image(np.repeat([1, 2], 4).reshape(2, 2, 2).astype(np.int16), np.eye(4))
STEPS = [
    fmri.Standardize(),
    fmri.Standardize("run"),
    fmri.VoxelSelection(fmri.anova_f, n_voxels=3),
    fmri.VoxelSelection(n_voxels=3),
    fmri.Parcels(ATLAS),
]


def _responses(seed, n_voxels=8):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(24, n_voxels)).astype(np.float32)
    positions = np.argwhere(np.ones((2, 2, 2)))[:n_voxels].astype(float)
    return Responses(
        values, np.tile(list("abcd"), 6), "s", "fmri", run=np.repeat(["1", "2"], 12),
        positions=positions, metadata={"rating": np.arange(24)},
    )  # fmt: skip


@pytest.mark.parametrize("step", STEPS, ids=lambda step: type(step).__name__)
class TestContract:
    def test_protocol_and_parameters(self, step):
        assert isinstance(step, Preprocessor)
        assert clone(step).get_params().keys() == step.get_params().keys()

    def test_fit_gives_itself_and_inputs_stay_as_they_are(self, step):
        train, test = _responses(0), _responses(1)
        before = train.values.copy(), test.values.copy()
        step = clone(step)
        assert step.fit(train) is step
        step.transform(test)
        np.testing.assert_array_equal(train.values, before[0])
        np.testing.assert_array_equal(test.values, before[1])

    def test_trials_keep_their_order_and_their_table(self, step):
        test = _responses(1)
        got = clone(step).fit(_responses(0)).transform(test)
        assert got.n_trials == test.n_trials
        assert got.stimulus.tolist() == test.stimulus.tolist()
        assert got.run.tolist() == test.run.tolist()
        assert got.metadata["rating"].tolist() == list(range(24))
        assert np.isfinite(got.array()).all()

    def test_fitting_twice_is_fitting_the_last(self, step):
        first, last, test = (_responses(seed) for seed in range(3))
        twice = clone(step).fit(first).fit(last).transform(test).array()
        np.testing.assert_array_equal(twice, clone(step).fit(last).transform(test).array())

    def test_transforming_learns_nothing(self, step):
        train, test = _responses(0), _responses(1)
        step = clone(step).fit(train)
        expected = step.transform(test).array()
        step.transform(_responses(2))
        np.testing.assert_array_equal(step.transform(test).array(), expected)

    def test_unfitted_and_other_voxels_are_refused(self, step):
        with pytest.raises(ValueError, match="is not fitted"):
            clone(step).transform(_responses(0))
        with pytest.raises(ValueError, match="was fitted on 8 voxels; subject 's' has 5"):
            clone(step).fit(_responses(0)).transform(_responses(1, n_voxels=5))
