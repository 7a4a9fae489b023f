"""What was shown: pictures, clips or texts by id, loaded when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode.data._checks import as_ids, find_rows, listing, whole
from neurodecode.data._provenance import Source
from neurodecode.data._values import as_values
from neurodecode.errors import CorruptFileError

Kind = Literal["image", "video", "text"]


@dataclass(frozen=True, eq=False)
class Stimuli:
    """Pictures, clips or texts under ids that are the same everywhere.

    Parameters
    ----------
    ids : sequence of str, shape (n_stimuli,)
        Unique ids.
    kind : {'image', 'video', 'text'}
    load : callable
        From an id to a picture (uint8, height x width x 3), a clip (uint8, frames x height x width
        x 3) or a string.
    captions : mapping of str to sequence of str, optional
        For some or all ids, sentences that describe the stimulus.
    metadata : mapping of str to sequence of length n_stimuli, optional
        Further columns, such as ``'concept'``.
    source : {'unknown', 'recorded', 'simulated'}
        ``'simulated'`` for drawn scenes, which nobody was shown in a scanner.

    Raises
    ------
    ValueError
        If an id stands twice or a column has another length.

    Examples
    --------
    >>> stimuli = Stimuli.from_arrays(["a", "b"], np.zeros((2, 8, 8, 3), dtype=np.uint8))
    >>> stimuli
    Stimuli(2 images)
    >>> stimuli["b"].shape
    (8, 8, 3)
    """

    ids: NDArray[np.str_]
    kind: Kind
    load: Callable[[str], Any]
    captions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    metadata: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    source: Source = "unknown"

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "ids", as_ids("stimulus", self.ids))
        unique, count = np.unique(self.ids, return_counts=True)
        if (count > 1).any():
            raise ValueError(
                f"Stimulus ids must be unique; {int((count > 1).sum())} stand more than once "
                f"({listing(unique[count > 1])})."
            )
        if self.kind not in ("image", "video", "text"):
            raise ValueError(f"kind must be 'image', 'video' or 'text'; got '{self.kind}'.")
        if not callable(self.load):
            raise TypeError(
                f"load must be a function from an id to a stimulus; got "
                f"{type(self.load).__name__}. For an array, use Stimuli.from_arrays()."
            )
        columns = {str(key): np.asarray(column) for key, column in self.metadata.items()}
        for key, column in columns.items():
            if column.shape[:1] != (len(self.ids),):
                n_rows = column.shape[0] if column.ndim else 0
                raise ValueError(
                    f"metadata column '{key}' has {n_rows} rows but there are {len(self.ids)} "
                    f"stimuli."
                )
        put(self, "metadata", columns)

    @classmethod
    def from_arrays(cls, ids: Iterable[Any], values: NDArray[Any], **more: Any) -> Stimuli:
        """Pictures (n, height, width[, 3]) or clips (n, frames, height, width, 3) in one array.

        Grey pictures become RGB; floats are read as 0 to 1 and clipped.
        """
        plain = np.asarray(as_values("Pictures", values))
        pictures = plain[..., None] if plain.ndim == 3 else plain
        if pictures.ndim not in (4, 5) or pictures.shape[-1] not in (1, 3) or not pictures.size:
            raise ValueError(
                f"Pictures have the shape (n, height, width) or (n, height, width, 3), clips (n, "
                f"frames, height, width, 3), colour last; got {plain.shape}."
            )
        names = as_ids("stimulus", ids, len(pictures))
        row = {one: i for i, one in enumerate(names.tolist())}
        kind: Kind = "image" if pictures.ndim == 4 else "video"
        return cls(names, kind, lambda one: as_picture(pictures[row[one]]), **more)

    @classmethod
    def from_files(cls, paths: Mapping[Any, str | Path], **more: Any) -> Stimuli:
        """Picture files by id; each is decoded when asked for."""
        files = {str(one): Path(path) for one, path in paths.items()}
        return cls(np.array(list(files)), "image", lambda one: read_picture(files[one]), **more)

    @classmethod
    def from_texts(cls, texts: Mapping[Any, str], **more: Any) -> Stimuli:
        """Sentences by id."""
        plain = {str(one): text for one, text in texts.items()}
        for one, text in plain.items():
            if not isinstance(text, str):
                raise TypeError(
                    f"Stimulus '{one}' must be a sentence; got {type(text).__name__} {text!r}. "
                    f"Leave it out, or give it a text."
                )
        return cls(np.array(list(plain)), "text", plain.__getitem__, **more)

    def __repr__(self) -> str:
        return f"Stimuli({len(self)} {self.kind}s)"

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, stimulus: Any) -> Any:
        find_rows(self.ids, [stimulus], what="stimuli")
        return self.load(str(stimulus))

    def select(self, ids: Iterable[Any]) -> Stimuli:
        """These stimuli, in this order."""
        wanted = as_ids("stimulus", ids)
        rows = find_rows(self.ids, wanted, what="stimuli")
        return Stimuli(
            wanted,
            self.kind,
            self.load,
            {one: self.captions[one] for one in wanted.tolist() if one in self.captions},
            {key: column[rows] for key, column in self.metadata.items()},
            self.source,
        )

    def batches(self, size: int) -> Iterator[tuple[NDArray[np.str_], list[Any]]]:
        """Walk over the stimuli, ``size`` at a time: ids and loaded stimuli."""
        for start in range(0, len(self), whole("size", size)):
            ids = self.ids[start : start + size]
            yield ids, [self.load(one) for one in ids.tolist()]

    def stack(self) -> NDArray[np.uint8]:
        """All pictures (or clips) in one array; they must be of one size.

        Raises
        ------
        ValueError
            If they are not, or there is none.
        """
        shown = [self.load(one) for one in self.ids.tolist()]
        shapes = sorted({np.shape(one) for one in shown})
        if len(shapes) != 1 or self.kind == "text":
            raise ValueError(
                f"Only pictures or clips of one size make one array; {self!r} has "
                f"{len(shapes)} sizes ({listing(shapes)}). Resize them, or take them one by one."
            )
        return np.stack(shown)


def as_picture(values: NDArray[Any]) -> NDArray[np.uint8]:
    """A picture or clip as uint8 RGB; floats are read as 0 to 1 and clipped.

    Raises
    ------
    ValueError
        If floats hold not-a-number or go far beyond 1, or integers beyond 255.

    Examples
    --------
    >>> as_picture(np.full((1, 1, 1), 0.5)).tolist()
    [[[128, 128, 128]]]
    """
    array = np.asarray(values)
    _check_brightness(array)
    if array.dtype.kind == "f":
        array = np.round(np.clip(array, 0.0, 1.0) * 255.0)
    elif array.dtype.kind == "b":
        array = array * 255
    array = array.astype(np.uint8)
    return np.repeat(array, 3, axis=-1) if array.shape[-1] == 1 else array


def _check_brightness(array: NDArray[Any]) -> None:
    if array.dtype == np.uint8 or not array.size:
        return
    low, high = array.min(), array.max()
    limits = (-1.0, 2.0) if array.dtype.kind == "f" else (0, 255)
    if not limits[0] <= low <= high <= limits[1]:  # not-a-number is not
        said = "0 to 1 as floats" if array.dtype.kind == "f" else "0 to 255 as integers"
        raise ValueError(
            f"Brightness goes from {said}; a picture of {array.dtype} goes from {low:g} to "
            f"{high:g}. Give uint8, or divide by what white is."
        )


def read_picture(path: str | Path) -> NDArray[np.uint8]:
    """A picture file as uint8 RGB, shape (height, width, 3).

    Raises
    ------
    CorruptFileError
        If the file is no picture that Pillow reads, or is damaged where its format can tell (PNG).
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            image.verify()  # compares the checksums of a PNG, which decoding does not reach
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:  # Pillow's decoders raise a dozen kinds
        raise CorruptFileError(f"{path} is not a picture that can be read: {error}") from error
