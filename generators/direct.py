"""Pictures straight from a target space that can be turned back into pixels."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Embeddings
from neurodecode.generators._base import BaseGenerator


class Invertible(Protocol):
    """A target space whose points are pictures, such as `targets.Pixels`."""

    @property
    def space(self) -> str: ...  # noqa: D102

    def pictures(self, values: NDArray[Any]) -> NDArray[np.uint8]: ...  # noqa: D102


class DirectImage(BaseGenerator):
    """The predicted point itself as a picture: no prior, nothing invented.

    All samples of a row are equal, since nothing is drawn by chance.

    Parameters
    ----------
    target : Pixels, PixelPCA or another target with ``pictures(values)``

    Examples
    --------
    >>> from neurodecode.data import Stimuli
    >>> from neurodecode.targets import Pixels
    >>> target = Pixels(2, grey=True)
    >>> seen = Stimuli.from_arrays(["a"], np.eye(2)[None])
    >>> drawn = DirectImage(target).generate(target.embed(seen))
    >>> drawn
    Generated(1 x 1 images by DirectImage)
    >>> bool((drawn.values[0, 0] == seen["a"]).all())
    True
    """

    def __init__(self, target: Invertible) -> None:
        self.target = target

    @property
    def space(self) -> str:
        """The target's space."""
        return self.target.space

    def _draw(self, embeddings: Embeddings, seeds: NDArray[np.uint64]) -> NDArray[np.uint8]:
        pictures = self.target.pictures(embeddings.array())
        return np.repeat(pictures[:, None], seeds.shape[1], axis=1)
