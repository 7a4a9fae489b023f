"""What the readers of THINGS-MEG and THINGS-EEG2 share: containers, names, splits."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Responses, Split, listing
from neurodecode.datasets._door import reading
from neurodecode.datasets._files import existing, read_npy, read_pickle
from neurodecode.errors import CorruptFileError, LeakageError
from neurodecode.files import read_torch

logger = logging.getLogger("neurodecode")

NPY_MAGIC = b"\x93NUMPY"
DATA_KEYS = ("preprocessed_eeg_data", "meg_data", "eeg")


@dataclass(frozen=True, eq=False)
class Container:
    """What a file of trials holds, whatever wrote it.

    Parameters
    ----------
    values : array, shape (..., n_channels, n_times)
    channels : tuple of str
        Empty where the file names none.
    times : float array, shape (n_times,), or None
        Seconds from stimulus onset.
    paths : tuple of str
        The picture of each image, where the file names them.

    Examples
    --------
    >>> Container(np.zeros((2, 3, 4)), (), None, ()).values.shape
    (2, 3, 4)
    """

    values: Any
    channels: tuple[str, ...]
    times: NDArray[np.float64] | None
    paths: tuple[str, ...]


def read_container(path: str | Path) -> Container:
    """Read a ``.npy`` (array, stored dictionary or bare pickle), ``.pkl`` or ``.pt`` file.

    Raises
    ------
    CorruptFileError
        If the file is truncated, or holds no trials.
    UnsafeFileError
        If its pickle asks for more than arrays and plain containers.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "train.npy"
    >>> np.save(file, np.zeros((5, 2, 3, 4)))
    >>> read_container(file).values.shape
    (5, 2, 3, 4)
    """
    file = existing(path, "file of trials")
    content = _content(file)
    with reading(file, "a file of trials"):
        found = _contained(file, content)
        values = found.values
        if values.ndim < 3 or values.dtype.kind not in "fiu" or 0 in values.shape:
            raise CorruptFileError(
                f"{file} holds {values.dtype} of shape {values.shape}; numbers with the axes "
                f"(..., channel, time) were expected."
            )
    return found


def _contained(file: Path, content: Any) -> Container:
    if not isinstance(content, dict):
        return Container(np.asanyarray(content), (), None, ())
    key = next((one for one in DATA_KEYS if one in content), None)
    if key is None:
        raise CorruptFileError(
            f"{file} holds {listing(map(str, content))}, but none of {', '.join(DATA_KEYS)}. It is "
            f"not one of the known containers."
        )
    values = content[key]
    values = np.asarray(values)
    names = tuple(str(one) for one in content.get("ch_names", ()))
    names = tuple(one for one in names if one != "stim")
    if names and (values.ndim < 2 or len(names) != values.shape[-2]):
        raise CorruptFileError(
            f"{file} names {len(names)} channels but '{key}' has shape {values.shape}."
        )
    paths = tuple(str(one) for one in np.ravel(np.asarray(content.get("img", ()))))
    return Container(values, names, _times(content.get("times"), values.shape[-1]), paths)


def _content(file: Path) -> Any:
    if file.suffix == ".pt":
        return read_torch(file)
    with file.open("rb") as stream:
        is_npy = stream.read(len(NPY_MAGIC)) == NPY_MAGIC
    return read_npy(file, lazy=True) if is_npy else read_pickle(file)


def _times(stored: Any, n_times: int) -> NDArray[np.float64] | None:
    """Some releases cut the data and kept the old time axis: its last entries are right."""
    if stored is None:
        return None
    times = np.asarray(stored, dtype=np.float64).ravel()
    steps = np.diff(times)
    if len(times) < n_times:
        return None
    if not (steps > 0).all() or not np.allclose(steps, np.median(steps), rtol=1e-3, atol=1e-6):
        raise ValueError("the times of samples do not go forward in equal steps")
    return times[-n_times:]


def flat_trials(values: Any) -> tuple[NDArray[np.float32], int, int]:
    """(n_images, n_repeats, c, t) as trials, and how many images and repeats there are.

    Examples
    --------
    >>> trials, n_images, n_repeats = flat_trials(np.zeros((4, 2, 3, 5)))
    >>> trials.shape, n_images, n_repeats
    ((8, 3, 5), 4, 2)
    """
    n_images, n_repeats = int(np.prod(values.shape[:-3])), int(values.shape[-3])
    trials = np.empty((n_images * n_repeats, *values.shape[-2:]), dtype=np.float32)
    rows = values.reshape(n_images, n_repeats, *values.shape[-2:])
    for image in range(n_images):
        trials[image * n_repeats : (image + 1) * n_repeats] = rows[image]
    return trials, n_images, n_repeats


def picture_name(path: str) -> str:
    """A picture's id from its path: the name of its file without the ending.

    Examples
    --------
    >>> picture_name("images_meg/aardvark/aardvark_01b.jpg")
    'aardvark_01b'
    """
    return PurePosixPath(path.replace("\\", "/")).stem


def concept_split(
    responses: Responses | Sequence[Responses],
    test_part: Sequence[str],
    *,
    validation: float = 0.1,
    seed: int = 0,
    rule: str,
) -> Split:
    """Concepts of the test part for testing, of the others a random share for validation.

    Trials whose ``part`` is ``'train'`` and whose concept is tested are an error, not a warning.

    Raises
    ------
    LeakageError
        If a test concept has training trials.

    Examples
    --------
    >>> facts = {"concept": ["cup", "dog", "cat"], "part": ["train", "train", "test"]}
    >>> trials = Responses(np.zeros((3, 2)), list("abc"), "s", "fmri", metadata=facts)
    >>> concept_split(trials, ["test"], validation=0.5, rule="toy").test.tolist()
    ['cat']
    """
    people = [responses] if isinstance(responses, Responses) else list(responses)
    tested: set[str] = set()
    trained: set[str] = set()
    for person in people:
        concept, part = person.groups("concept"), person.groups("part")
        tested.update(concept[np.isin(part, list(test_part))].tolist())
        trained.update(concept[part == "train"].tolist())
    shared = sorted(tested & trained)
    if shared:
        raise LeakageError(
            f"{len(shared)} test concepts also have training trials ({listing(shared)}). Other "
            f"pictures of a concept give the category away; take those trials out."
        )
    mixed = np.random.default_rng(seed).permutation(np.array(sorted(trained), dtype=np.str_))
    n_validation = round(validation * len(mixed))
    return Split(
        mixed[n_validation:], mixed[:n_validation], np.array(sorted(tested)), "concept",
        f"{rule}; {n_validation} of {len(mixed)} training concepts for validation, seed {seed}",
    )  # fmt: skip
