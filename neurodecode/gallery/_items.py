"""What a gallery shows: one stimulus with all that belongs beside it, and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Shown: TypeAlias = "NDArray[np.uint8] | str"
"""A picture (height, width, 3) uint8, a clip (frames, height, width, 3) uint8, or a sentence."""

PNG_HEAD = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, eq=False)
class GalleryItem:
    """One stimulus as one person saw it, what was decoded, and the controls beside it.

    Parameters
    ----------
    stimulus : str
        Its id; shown as text, never used as a file name.
    subject : str
        Whose brain.
    truth : picture, clip or str
        What was shown: uint8 (height, width, 3), uint8 (frames, height, width, 3), or a sentence.
    decoded : sequence of picture, clip or str
        What the generator made, in the order it made it: samples are never picked or sorted with
        the truth. The gallery shows the first and says how many there are.
    controls : mapping of str to picture, clip or str
        What the same generator makes of other inputs, such as ``'noise'``, ``'shuffled'``,
        ``'nearest training'``, ``'ceiling'``.
    scores : mapping of str to float
        This item's scores. What is not finite is shown as missing.
    tags : mapping of str to str
        Columns to filter by, such as ``{'concept': 'face', 'session': '2'}``.
    captions : mapping of str to str
        Sentences under ``'seen'``, ``'decoded'`` or the name of a control; any other name is
        listed with the details.

    Raises
    ------
    TypeError
        If something shown is no uint8 picture, uint8 clip or string.
    ValueError
        If there is no decoded sample.

    Examples
    --------
    >>> grey = np.full((8, 8, 3), 128, np.uint8)
    >>> item = GalleryItem("scene-000001", "p1", grey, [grey], {"noise": grey}, {"ssim": 1.0})
    >>> item.scores["ssim"]
    1.0
    """

    stimulus: str
    subject: str
    truth: Shown
    decoded: Sequence[Shown]
    controls: Mapping[str, Shown] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    captions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.decoded, str) or not len(self.decoded):
            raise ValueError(
                f"Gallery item '{self.stimulus}': decoded must be a list of one or more samples; "
                f"got {self.decoded!r}. Wrap a single sample in a list."
            )
        self._check("truth", self.truth)
        for sample in self.decoded:
            self._check("decoded", sample)
        for name, control in self.controls.items():
            self._check(f"control '{name}'", control)

    def _check(self, what: str, shown: Any) -> None:
        if isinstance(shown, str):
            return
        shape, dtype = np.shape(shown), getattr(shown, "dtype", type(shown).__name__)
        if dtype != np.uint8 or len(shape) not in (3, 4) or shape[-1] != 3 or 0 in shape:
            raise TypeError(
                f"Gallery item '{self.stimulus}': {what} must be a string, a uint8 picture "
                f"(height, width, 3) or a uint8 clip (frames, height, width, 3); got {dtype} of "
                f"shape {shape}. neurodecode.data.as_picture() converts."
            )


@dataclass(frozen=True, eq=False)
class Figure:
    """A brain map, topography, time course or other figure.

    Parameters
    ----------
    title : str
    caption : str
        What it shows, in a sentence or two; it is the picture's text alternative too.
    image : matplotlib.figure.Figure or bytes
        A figure, or the bytes of a PNG file.

    Raises
    ------
    TypeError
        If the image is neither.

    Examples
    --------
    >>> Figure("Map", "Weights", b"GIF89a")
    Traceback (most recent call last):
        ...
    TypeError: Figure 'Map': image must be a matplotlib figure or a PNG file's bytes; got bytes.
    """

    title: str
    caption: str
    image: Any

    def __post_init__(self) -> None:
        png = isinstance(self.image, bytes) and self.image.startswith(PNG_HEAD)
        if not png and not hasattr(self.image, "savefig"):
            raise TypeError(
                f"Figure '{self.title}': image must be a matplotlib figure or a PNG file's bytes; "
                f"got {type(self.image).__name__}."
            )
