from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from neurodecode.data import Stimuli
from neurodecode.targets import PixelPCA, Pixels


def pictures(n: int = 12, size: int = 6, seed: int = 0) -> Stimuli:
    values = np.random.default_rng(seed).random((n, size, size, 3))
    return Stimuli.from_arrays([f"s{i}" for i in range(n)], values)


def test_pictures_of_the_right_size_come_back_unchanged():
    stimuli = pictures()
    target = Pixels(6)
    np.testing.assert_array_equal(target.pictures(target.embed(stimuli).values), stimuli.stack())


def test_resizing_keeps_a_plain_picture_plain():
    stimuli = Stimuli.from_arrays(["a"], np.full((1, 9, 5, 3), 0.2))
    np.testing.assert_allclose(Pixels((4, 4)).embed(stimuli).values, 0.2, atol=1e-6)


def test_grey_weighs_the_channels_by_luma():
    red = np.zeros((1, 2, 2, 3))
    red[..., 0] = 1
    stimuli = Stimuli.from_arrays(["red"], red)
    np.testing.assert_allclose(Pixels(2, grey=True).embed(stimuli).values, 0.299, rtol=1e-6)


def test_brightness_out_of_range_is_clipped():
    drawn = Pixels(1).pictures(np.array([[-1.0, 0.5, 2.0]]))
    assert drawn.tolist() == [[[[0, 128, 255]]]]


def test_pca_agrees_with_scikit_learn():
    stimuli = pictures()
    target = PixelPCA(4, size=6).fit(stimuli)
    reference = PCA(4, svd_solver="full").fit(Pixels(6).embed(stimuli).array(np.float64))
    ours = target.embed(stimuli).array()
    theirs = reference.transform(Pixels(6).embed(stimuli).array(np.float64))
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-4)
    assert target.explained_ == pytest.approx(reference.explained_variance_ratio_.sum())


def test_all_components_bring_training_pictures_back():
    stimuli = pictures()
    target = PixelPCA(100, size=6).fit(stimuli)
    again = target.pictures(target.embed(stimuli).values)
    assert len(target.components_) == 11
    assert np.abs(again.astype(int) - stimuli.stack()).max() <= 1


def test_space_says_what_was_learned():
    one, other = PixelPCA(2, 6).fit(pictures()), PixelPCA(2, 6).fit(pictures(seed=1))
    assert one.space.startswith("pca-2-of-pixels-6x6-rgb-")
    assert one.space != other.space


def test_pca_must_be_fitted():
    with pytest.raises(ValueError, match=r"learned nothing yet. Call fit\(\) with training"):
        PixelPCA(2, 6).embed(pictures())


def test_pca_needs_two_pictures():
    with pytest.raises(ValueError, match="got n_components=2 and 1 pictures"):
        PixelPCA(2, 6).fit(pictures(1))
