"""How like the seen picture is the decoded one, pixel by pixel: PixCorr and both kinds of SSIM.

Pictures are ``(n, height, width, 3)``, uint8 or float in 0 to 1. Published tables compute both
scores at 425 px: ``resize(pictures, 425)`` first, or give ``size=425``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode.metrics.similarity import check_finite, correlate_rows

Variant = Literal["2d", "legacy"]
GREY = np.array([0.2125, 0.7154, 0.0721])  # skimage.color.rgb2gray
SIGMA, TRUNCATE = 1.5, 3.5
RADIUS = int(TRUNCATE * SIGMA + 0.5)
# few pictures of 425 pixels fit the cache: 32 at once take twice as long each
BATCH = 4


@dataclass(frozen=True)
class Resize:
    """How pictures are brought to a size, in full; tables that differ here differ in their numbers.

    Parameters
    ----------
    size : int or (int, int)
        Height and width; a single number is the shorter side, the other keeps its proportion.
    backend : {'torch', 'pillow'}
        ``'torch'`` resizes float tensors, as MindEye 1 and 2, MindBridge and WAVE do; ``'pillow'``
        resizes uint8 pictures, as Brain-Diffuser does.
    method : {'bilinear', 'bicubic'}
        Bilinear in the former; Brain-Diffuser leaves Pillow's default, which is bicubic today.
    antialias : bool
        For ``'torch'`` only (Pillow always does). torchvision's default is True since 0.17 and was
        False for tensors before, so published numbers exist with both.

    Notes
    -----
    Sources: the evaluation code of MindEye and Brain-Diffuser, as described in their
    repositories; no centre crop in either.

    Examples
    --------
    >>> Resize(4)(np.zeros((1, 8, 16, 3), dtype=np.uint8)).shape
    (1, 4, 8, 3)
    """

    size: int | tuple[int, int]
    backend: Literal["torch", "pillow"] = "torch"
    method: Literal["bilinear", "bicubic"] = "bilinear"
    antialias: bool = True

    def __call__(self, pictures: NDArray[Any]) -> NDArray[np.float32]:
        """The pictures as float32 in 0 to 1 at this size, shape (n, height, width, 3)."""
        unit = as_unit(pictures)
        height, width = self._target(unit.shape[1], unit.shape[2])
        if self.backend == "pillow":
            return _resize_pillow(unit, (height, width), self.method)
        if unit.shape[1:3] == (height, width):
            return unit
        return _resize_torch(unit, (height, width), self.method, self.antialias)

    def _target(self, height: int, width: int) -> tuple[int, int]:
        if isinstance(self.size, tuple):
            return self.size
        short = min(height, width)
        return int(self.size * height / short), int(self.size * width / short)


def as_unit(pictures: Any) -> NDArray[np.float32]:
    """Pictures as float32 in 0 to 1; uint8 is divided by 255.

    Raises
    ------
    ValueError
        If the shape is not (n, height, width, 3) or floats leave 0 to 1.

    Examples
    --------
    >>> as_unit(np.full((1, 1, 1, 3), 255, dtype=np.uint8)).tolist()
    [[[[1.0, 1.0, 1.0]]]]
    """
    array = np.asarray(pictures)
    if array.ndim != 4 or array.shape[-1] != 3:
        raise ValueError(
            f"Pictures need shape (n, height, width, 3); got {array.shape}. Make grey pictures "
            f"RGB with neurodecode.data.as_picture()."
        )
    if array.dtype == np.uint8:
        return array.astype(np.float32) / np.float32(255)
    values = check_finite(array.astype(np.float32), "the pictures")
    if values.size and not (values.min() >= -1e-6 and values.max() <= 1 + 1e-6):
        raise ValueError(
            f"Pictures of type {array.dtype} must lie in 0 to 1; got {values.min():.3g} to "
            f"{values.max():.3g}. Give uint8, or scale and clip them."
        )
    return values


def pixel_correlation(truth: Any, recon: Any, *, size: int | None = None) -> NDArray[np.float64]:
    """PixCorr: Pearson correlation over all pixels and colours of each pair.

    Parameters
    ----------
    truth, recon : array, shape (n, height, width, 3), or (n, ...) of any numbers without ``size``
    size : int, optional
        Resize the shorter side first (425 in the published tables; see `Resize` for the options).

    Returns
    -------
    array, shape (n,)
        -1 to 1. A pair with a constant picture scores 0: it tells nothing about the other.

    Notes
    -----
    Sources: the evaluation code of Brain-Diffuser, MindEye 1 and 2 and MindBridge. NumPy would give
    not-a-number for a constant picture, which spoils the mean; we deviate there only.

    Examples
    --------
    >>> picture = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)
    >>> pixel_correlation(picture, picture).round(6).tolist()
    [1.0]
    """
    if size is None:
        return correlate_rows(truth, recon)
    resize = Resize(size)
    return _by_batches(truth, recon, lambda a, b: correlate_rows(resize(a), resize(b)))


def ssim(
    truth: Any, recon: Any, variant: Variant = "2d", *, size: int | None = None
) -> NDArray[np.float64]:
    """Structural similarity of each pair, on grey pictures, in one of the two published kinds.

    Parameters
    ----------
    truth, recon : array, shape (n, height, width, 3)
    variant : {'2d', 'legacy'}
        ``'2d'`` is SSIM as usually meant, and what scikit-image 0.20 and later compute from the
        published scripts. ``'legacy'`` is what 0.17 computed from the same lines: the mean
        over picture columns of a one-dimensional SSIM (``channel_axis=-1`` on a new version).
    size : int, optional
        Resize the shorter side first (425 in the published tables).

    Returns
    -------
    array, shape (n,)

    Raises
    ------
    ValueError
        If a picture is smaller than the 11-pixel window.

    Notes
    -----
    Gaussian weights with sigma 1.5 cut at 3.5 sigma, population covariance, data range 1.
    Sources: Wang et al. 2004, eq. 13; options as in the evaluation code of Brain-Diffuser and
    MindEye. Vectorised here, and tested against scikit-image.

    Examples
    --------
    >>> picture = np.random.default_rng(0).random((1, 16, 16, 3))
    >>> ssim(picture, picture).round(6).tolist()
    [1.0]
    """
    if variant not in ("2d", "legacy"):
        raise ValueError(f"variant must be '2d' or 'legacy'; got '{variant}'.")
    resize = None if size is None else Resize(size)

    def score(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
        x, y = (as_unit(one) if resize is None else resize(one) for one in (a, b))
        return _structural(x @ GREY, y @ GREY, variant)

    return _by_batches(truth, recon, score)


def _structural(
    x: NDArray[np.float64], y: NDArray[np.float64], variant: Variant
) -> NDArray[np.float64]:
    from scipy.ndimage import gaussian_filter

    axes = (1, 2) if variant == "2d" else (1,)
    window = 2 * RADIUS + 1
    if min(x.shape[axis] for axis in axes) < window:
        raise ValueError(
            f"SSIM needs pictures of at least {window} x {window} pixels; got {x.shape[1:]}. "
            f"Give size=425, as the published tables do."
        )
    sigma = [SIGMA if axis in axes else 0.0 for axis in range(3)]

    def local_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(gaussian_filter(values, sigma, truncate=TRUNCATE))

    mean_x, mean_y = local_mean(x), local_mean(y)
    var_x = local_mean(x * x) - mean_x * mean_x
    var_y = local_mean(y * y) - mean_y * mean_y
    covariance = local_mean(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    map_ = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
        (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    )
    inner = slice(RADIUS, -RADIUS)  # the border sees mirrored pixels and is left out
    cut = map_[:, inner, inner] if variant == "2d" else map_[:, inner]
    return np.asarray(cut.mean(axis=(1, 2)))


def _by_batches(truth: Any, recon: Any, score: Any) -> NDArray[np.float64]:
    if np.shape(truth)[:1] != np.shape(recon)[:1]:
        raise ValueError(
            f"truth has {len(truth)} pictures but recon has {len(recon)}. "
            f"Row i of both must be the same stimulus."
        )
    starts = range(0, len(truth), BATCH)
    parts = [score(truth[i : i + BATCH], recon[i : i + BATCH]) for i in starts]
    return np.concatenate(parts) if parts else np.zeros(0)


def _resize_torch(
    unit: NDArray[np.float32], size: tuple[int, int], method: str, antialias: bool
) -> NDArray[np.float32]:
    import torch
    from torch.nn.functional import interpolate

    tensor = torch.from_numpy(np.ascontiguousarray(unit.transpose(0, 3, 1, 2)))
    resized = interpolate(tensor, size, mode=method, align_corners=False, antialias=antialias)
    # bicubic overshoots
    return np.asarray(resized.clamp(0, 1).permute(0, 2, 3, 1).contiguous().numpy())


def _resize_pillow(
    unit: NDArray[np.float32], size: tuple[int, int], method: str
) -> NDArray[np.float32]:
    from PIL import Image

    how = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}[method]
    whole = np.round(unit * 255).astype(np.uint8)
    pictures = [Image.fromarray(one).resize(size[::-1], how) for one in whole]
    return np.stack([np.asarray(one) for one in pictures]).astype(np.float32) / np.float32(255)
