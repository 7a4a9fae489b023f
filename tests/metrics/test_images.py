from __future__ import annotations

import numpy as np
import pytest
from skimage.color import rgb2gray
from skimage.metrics import structural_similarity

from neurodecode.metrics.images import Resize, as_unit, pixel_correlation, ssim


@pytest.fixture
def pairs():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 256, (5, 24, 30, 3), dtype=np.uint8)
    recon = (0.6 * truth + 0.4 * rng.integers(0, 256, truth.shape)).astype(np.uint8)
    return truth, recon


def test_pixel_correlation_equals_numpy(pairs):
    truth, recon = pairs
    want = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(truth, recon, strict=True)]
    np.testing.assert_allclose(pixel_correlation(truth, recon), want, atol=1e-12)


def test_pixel_correlation_ignores_brightness_and_contrast(pairs):
    truth, recon = (as_unit(one).astype(np.float64) for one in pairs)
    np.testing.assert_allclose(
        pixel_correlation(truth, recon), pixel_correlation(truth, 0.3 * recon + 0.1), atol=1e-9
    )


@pytest.mark.parametrize("level", [0, 7, 255])
def test_a_constant_picture_scores_zero(pairs, level):
    grey = np.full_like(pairs[0], level)
    assert pixel_correlation(pairs[0], grey).tolist() == [0.0] * 5
    assert pixel_correlation(as_unit(pairs[0]), as_unit(grey)).tolist() == [0.0] * 5


def test_pixel_correlation_at_a_size_resizes_both(pairs):
    resize = Resize(12)
    want = pixel_correlation(resize(pairs[0]), resize(pairs[1]))
    np.testing.assert_allclose(pixel_correlation(*pairs, size=12), want, atol=1e-12)


@pytest.mark.parametrize("variant", ["2d", "legacy"])
def test_ssim_equals_scikit_image(pairs, variant):
    options = {"channel_axis": -1} if variant == "legacy" else {}
    want = [
        structural_similarity(
            rgb2gray(recon),
            rgb2gray(truth),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=1.0,
            **options,
        )
        for truth, recon in zip(*pairs, strict=True)
    ]
    np.testing.assert_allclose(ssim(*pairs, variant), want, atol=1e-6)


def test_the_two_kinds_of_ssim_differ(pairs):
    assert np.abs(ssim(*pairs, "2d") - ssim(*pairs, "legacy")).min() > 0.001


def test_many_pictures_are_scored_as_single_ones():
    truth, recon = np.random.default_rng(1).random((2, 70, 12, 12, 3))
    np.testing.assert_allclose(
        ssim(truth, recon), [ssim(a[None], b[None])[0] for a, b in zip(truth, recon, strict=True)]
    )


@pytest.mark.parametrize("antialias", [True, False])
def test_resize_equals_torchvision_on_tensors(pairs, antialias):
    import torch
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms.functional import resize

    tensor = torch.from_numpy(as_unit(pairs[0]).transpose(0, 3, 1, 2).copy())
    want = resize(tensor, 11, InterpolationMode.BILINEAR, antialias=antialias)
    got = Resize(11, antialias=antialias)(pairs[0])
    np.testing.assert_allclose(got, want.permute(0, 2, 3, 1).numpy(), atol=1e-6)


def test_resize_with_pillow_equals_pillow(pairs):
    from PIL import Image

    want = np.asarray(Image.fromarray(pairs[0][0]).resize((20, 16)))
    got = Resize((16, 20), "pillow", "bicubic")(pairs[0][:1])[0]
    np.testing.assert_allclose(got, want / 255, atol=1e-6)


def test_pictures_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"must lie in 0 to 1; got 0 to 255\. Give uint8"):
        as_unit(np.array([0.0, 255.0, 1.0]).reshape(1, 1, 1, 3))


def test_grey_pictures_are_refused():
    with pytest.raises(ValueError, match=r"need shape \(n, height, width, 3\); got \(2, 8, 8\)"):
        ssim(np.zeros((2, 8, 8)), np.zeros((2, 8, 8)))


def test_small_pictures_have_no_ssim():
    small = np.zeros((1, 10, 10, 3))
    with pytest.raises(ValueError, match="at least 11 x 11 pixels"):
        ssim(small, small)


def test_other_counts_are_refused(pairs):
    with pytest.raises(ValueError, match="truth has 5 pictures but recon has 4"):
        ssim(pairs[0], pairs[1][:4])
    with pytest.raises(ValueError, match="Row i of both must be the same item"):
        pixel_correlation(pairs[0], pairs[1][:4])


def test_an_unknown_variant_is_refused(pairs):
    with pytest.raises(ValueError, match="variant must be '2d' or 'legacy'; got '3d'"):
        ssim(*pairs, "3d")
