"""Pixels as a target space, for small pictures such as checkerboards, and a PCA of them."""

from __future__ import annotations

import hashlib
import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from neurodecode.data import Embeddings, Stimuli, whole
from neurodecode.targets._frames import check_kind

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


class Pixels(BaseEstimator):  # type: ignore[misc]
    """The picture itself as a point: brightness 0 to 1, pixel by pixel, row by row.

    Parameters
    ----------
    size : int or (height, width)
        Pictures of another size are resized (bilinear, anti-aliased).
    grey : bool, default False
        One channel (luma of ITU-R BT.601) in place of three.

    Examples
    --------
    >>> stimuli = Stimuli.from_arrays(["a"], np.array([[[0.0, 1.0]]]))
    >>> target = Pixels((1, 2), grey=True)
    >>> target.space
    'pixels-1x2-grey'
    >>> target.embed(stimuli).values.round(4).tolist()
    [[0.0, 1.0]]
    >>> target.pictures(target.embed(stimuli).values).shape
    (1, 1, 2, 3)
    """

    def __init__(self, size: int | tuple[int, int], grey: bool = False) -> None:
        self.size = size
        self.grey = grey

    @property
    def space(self) -> str:
        """The name of the space, such as ``'pixels-10x10-grey'``."""
        height, width = self._shape
        return f"pixels-{height}x{width}-{'grey' if self.grey else 'rgb'}"

    @property
    def _shape(self) -> tuple[int, int]:
        sides = self.size if isinstance(self.size, tuple | list) else (self.size, self.size)
        if len(sides) != 2:
            raise ValueError(f"size is a number or (height, width); got {self.size!r}.")
        return (whole("size", sides[0]), whole("size", sides[1]))

    def embed(self, stimuli: Stimuli) -> Embeddings:
        """Pictures as rows of pixels.

        Parameters
        ----------
        stimuli : Stimuli
            Pictures of any size.

        Returns
        -------
        Embeddings
            Values of shape (n_stimuli, height * width * channels), float32, 0 to 1.

        Raises
        ------
        ValueError
            If the stimuli are no pictures.
        """
        check_kind("Pixels", stimuli, ["image"])
        height, width = self._shape
        values = np.empty((len(stimuli), height * width * (1 if self.grey else 3)), np.float32)
        for row, one in enumerate(stimuli.ids.tolist()):
            values[row] = self._row(stimuli.load(one))
        return Embeddings(values, stimuli.ids, self.space, stimuli.source)

    def _row(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        height, width = self._shape
        if picture.shape[:2] != (height, width):
            from PIL import Image

            small = Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR)
            picture = np.asarray(small)
        values = picture.astype(np.float32) / 255.0
        flat = (values @ LUMA if self.grey else values).ravel()
        return np.asarray(flat, dtype=np.float32)

    def pictures(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Points of this space as pictures; brightness beyond 0 to 1 is clipped.

        Parameters
        ----------
        values : array, shape (n, height * width * channels)

        Returns
        -------
        array, shape (n, height, width, 3), uint8
        """
        height, width = self._shape
        n_channels = 1 if self.grey else 3
        plain = np.asarray(values)
        if plain.ndim < 2 or math.prod(plain.shape[1:]) != height * width * n_channels:
            raise ValueError(
                f"Points of '{self.space}' are {height * width * n_channels} numbers each; got an "
                f"array of shape {plain.shape}."
            )
        grid = plain.reshape(len(plain), height, width, n_channels)
        bytes_ = np.round(np.clip(grid, 0.0, 1.0) * 255.0).astype(np.uint8)
        return np.repeat(bytes_, 3, axis=-1) if self.grey else bytes_


class PixelPCA(BaseEstimator):  # type: ignore[misc]
    """The first principal components of training pictures as a target space.

    Learn it from training stimuli only; nothing here sees the others.

    Parameters
    ----------
    n_components : int
        Kept components; fewer if there are not as many training pictures.
    size : int or (height, width)
    grey : bool, default False

    Attributes
    ----------
    mean_ : array, shape (n_pixels,)
    components_ : array, shape (n_components, n_pixels)
        Orthonormal rows; largest variance first; the largest entry of each is positive.
    explained_ : float
        Share of the training pictures' variance that is kept.

    Examples
    --------
    >>> pictures = np.random.default_rng(0).random((6, 2, 2))
    >>> train = Stimuli.from_arrays(list("abcdef"), pictures)
    >>> target = PixelPCA(n_components=4, size=2, grey=True).fit(train)
    >>> target.embed(train).row_shape
    (4,)
    >>> again = target.pictures(target.embed(train).values)
    >>> int(np.abs(again.astype(int) - train.stack()).max()) <= 1
    True
    """

    mean_: NDArray[np.float32]
    components_: NDArray[np.float32]
    explained_: float

    def __init__(self, n_components: int, size: int | tuple[int, int], grey: bool = False) -> None:
        self.n_components = n_components
        self.size = size
        self.grey = grey

    @property
    def space(self) -> str:
        """The name of the space, with a fingerprint of what was learned."""
        self._check_fitted()
        digest = hashlib.blake2b(self.mean_.tobytes(), digest_size=4)
        digest.update(self.components_.tobytes())
        return f"pca-{len(self.components_)}-of-{self._pixels.space}-{digest.hexdigest()}"

    @property
    def _pixels(self) -> Pixels:
        return Pixels(self.size, self.grey)

    def fit(self, stimuli: Stimuli) -> Self:
        """Learn mean and components from training pictures.

        Raises
        ------
        ValueError
            If there are fewer than two pictures, or ``n_components`` is no positive number.
        """
        if self.n_components < 1 or len(stimuli) < 2:
            raise ValueError(
                f"PixelPCA needs n_components of at least 1 and at least 2 training pictures; "
                f"got n_components={self.n_components} and {len(stimuli)} pictures."
            )
        values = self._pixels.embed(stimuli).array(np.float64)
        mean = values.mean(axis=0)
        _, scale, rows = np.linalg.svd(values - mean, full_matrices=False)
        rows = rows[: min(self.n_components, len(values) - 1)]
        peak = np.take_along_axis(rows, np.abs(rows).argmax(axis=1)[:, None], axis=1)
        self.mean_ = mean.astype(np.float32)
        self.components_ = (rows * np.where(peak < 0, -1.0, 1.0)).astype(np.float32)
        total = float((scale**2).sum())
        self.explained_ = float((scale[: len(rows)] ** 2).sum()) / total if total > 0 else 1.0
        return self

    def embed(self, stimuli: Stimuli) -> Embeddings:
        """Pictures as scores on the components, shape (n_stimuli, n_components)."""
        self._check_fitted()
        values = self._pixels.embed(stimuli).array() - self.mean_
        return Embeddings(values @ self.components_.T, stimuli.ids, self.space, stimuli.source)

    def pictures(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Scores on the components as pictures, shape (n, height, width, 3), uint8."""
        self._check_fitted()
        return self._pixels.pictures(np.asarray(values) @ self.components_ + self.mean_)

    def _check_fitted(self) -> None:
        if not hasattr(self, "components_"):
            raise ValueError(
                "This PixelPCA has learned nothing yet. Call fit() with training stimuli first."
            )
