from __future__ import annotations

import nibabel
import numpy as np
import pytest
from sklearn.base import clone

from neurodecode.data import Responses
from neurodecode.preprocessing.fmri import (
    Parcels,
    Standardize,
    VoxelSelection,
    anova_f,
    in_region,
    label_voxels,
    repeat_ncsnr,
)

AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])


def _responses(seed=0, informative=(1, 4)):
    rng = np.random.default_rng(seed)
    stimulus = np.tile(["a", "b", "c", "d"], 15)
    code = np.tile(np.arange(4), 15)
    values = rng.normal(size=(60, 8))
    values[:, list(informative)] += 3 * rng.normal(size=(4, len(informative)))[code]
    index = np.argwhere(np.ones((2, 2, 2)))
    return Responses(
        values.astype(np.float32), stimulus, "s", "fmri", run=np.repeat(["1", "2", "3"], 20),
        positions=index * 2.0,
    )  # fmt: skip


@pytest.mark.parametrize("score", [repeat_ncsnr, anova_f])
def test_informative_voxels_are_kept_with_their_positions(score):
    responses = _responses()
    got = VoxelSelection(score, n_voxels=2).fit(responses).transform(responses)
    np.testing.assert_array_equal(got.values, responses.values[:, [1, 4]])
    np.testing.assert_array_equal(got.positions, responses.positions[[1, 4]])
    assert got.run.tolist() == responses.run.tolist()


def test_selection_depends_on_the_trials_fitted_on_only():
    train, test = _responses(), _responses(1, informative=(0, 7))
    selection = VoxelSelection(anova_f, n_voxels=2).fit(train)
    np.testing.assert_array_equal(selection.transform(test).values, test.values[:, [1, 4]])
    again = clone(selection).fit(test)
    assert again.kept_.tolist() == [0, 7]


def test_selection_errors():
    responses = _responses()
    with pytest.raises(ValueError, match="needs n_voxels=, above= or both"):
        VoxelSelection().fit(responses)
    with pytest.raises(ValueError, match=r"No voxel of subject 's' scores above 99; the highest"):
        VoxelSelection(above=99).fit(responses)
    with pytest.raises(ValueError, match="not fitted"):
        VoxelSelection(n_voxels=1).transform(responses)
    fewer = responses.with_values(responses.values[:, :3], positions=None)
    with pytest.raises(ValueError, match="fitted on 8 voxels; subject 's' has 3"):
        VoxelSelection(n_voxels=1).fit(responses).transform(fewer)
    with pytest.raises(ValueError, match=r"gave \(2,\) numbers for 8 voxels"):
        VoxelSelection(lambda _: np.ones(2), n_voxels=1).fit(responses)


def test_standardize_learns_from_training_trials_or_scales_each_run():
    responses = _responses()
    train, test = responses.take(responses.run != "3"), responses.take(responses.run == "3")
    learned = Standardize().fit(train)
    np.testing.assert_allclose(learned.transform(train).values.std(axis=0), 1, rtol=1e-4)
    expected = (test.values - train.values.mean(axis=0)) / train.values.std(axis=0)
    np.testing.assert_allclose(learned.transform(test).values, expected, rtol=1e-4, atol=1e-5)
    within = Standardize("run").fit(train).transform(responses)
    for run in "123":
        one = within.values[responses.run == run]
        np.testing.assert_allclose(one.mean(axis=0), 0, atol=1e-6)
        np.testing.assert_allclose(one.std(axis=0), 1, rtol=1e-4)


def test_standardize_errors_and_constant_voxels():
    responses = _responses()
    with pytest.raises(ValueError, match="do not say the session of a trial"):
        Standardize("session").fit(responses)
    with pytest.raises(ValueError, match="has no training trials"):
        Standardize().fit(responses.take([]))
    with pytest.raises(ValueError, match="not fitted"):
        Standardize().transform(responses)
    still = responses.with_values(np.ones_like(responses.values))
    assert not Standardize().fit(still).transform(still).values.any()


def _atlas(shift=0.0):
    labels = np.zeros((3, 3, 3), np.int16)
    labels[0, :2, :2] = 5
    labels[1, 0, 0] = 9
    affine = AFFINE.copy()
    affine[:3, 3] += shift
    return nibabel.Nifti1Image(labels, affine)


def test_regions_are_found_by_place_not_by_grid():
    responses = _responses()
    labelled = label_voxels(responses, _atlas(), {5: "V1", 9: "V2"})
    assert labelled.units.tolist() == ["V1"] * 4 + ["V2", "", "", ""]
    np.testing.assert_array_equal(in_region(labelled, "V2").values, responses.values[:, [4]])
    np.testing.assert_array_equal(in_region(responses, _atlas(), 5).values, responses.values[:, :4])
    np.testing.assert_array_equal(in_region(responses, _atlas()).values, responses.values[:, :5])
    assert in_region(responses, _atlas(shift=2.0)).n_units == 1


def test_region_errors():
    responses = _responses()
    with pytest.raises(ValueError, match=r"None of the 8 voxels .* label 7 of an image of shape"):
        in_region(responses, _atlas(), 7)
    with pytest.raises(ValueError, match=r"region 'V9' among '', '9', 'V1'"):
        in_region(label_voxels(responses, _atlas(), {5: "V1"}), "V9")
    bare = responses.with_values(responses.values, positions=None)
    with pytest.raises(ValueError, match="have no positions"):
        label_voxels(bare, _atlas())


def test_parcels_equal_nilearns_masker():
    from nilearn.maskers import NiftiLabelsMasker

    responses = _responses()
    labels = np.zeros((2, 2, 2), np.int16)
    labels[0], labels[1, 0] = 1, 2
    atlas = nibabel.Nifti1Image(labels, AFFINE)
    parcels = Parcels(atlas, {1: "one"}).fit(responses)
    got = parcels.transform(responses)
    image = nibabel.Nifti1Image(responses.values.reshape(60, 2, 2, 2).transpose(1, 2, 3, 0), AFFINE)
    expected = (
        NiftiLabelsMasker(atlas, resampling_target=None, standardize=None).fit().transform(image)
    )
    np.testing.assert_allclose(got.values, expected, rtol=1e-4, atol=1e-5)
    assert got.dims == ("trial", "parcel")
    assert got.units.tolist() == ["one", "2"]
    back = parcels.inverse_transform(np.array([3.0, 4.0])).get_fdata()
    np.testing.assert_array_equal(back, 3.0 * (labels == 1) + 4.0 * (labels == 2))
