"""Shapes and random patterns of 10 x 10 squares, seen by one person (Miyawaki et al. 2008).

Origin
    Y. Miyawaki et al., Visual image reconstruction from human brain activity using a combination
    of multiscale local image decoders, Neuron 60 (2008). Kamitani laboratory, ATR.
Licence
    Not stated with the files. Cite the paper; ask before passing the recordings on.
Size and how to obtain
    - ``nilearn.datasets.fetch_miyawaki2008()``: 161 MB; 32 runs as NIfTI with one row of 100
      squares a volume, TR 2 s (20 runs of random patterns, 12 of figures) and masks. Read with
      `from_nilearn`.
    - ``miyawaki_structured_28x28.mat`` of github.com/braindecoding/LDM: 1.7 MB; the figure runs of
      subject 1 as arrays: 119 trials of 20 pictures in 12 runs, 967 voxels of V1, pictures
      smoothed to 28 x 28 by a third party. Read with `read`.
Layout of the ``.mat``
    ``fmriTrn (107, 967)``, ``fmriTest (12, 967)``, ``stimTrn``, ``stimTest`` (784 pixels, column by
    column), ``labelTrn``, ``labelTest``: **numbers of runs (21 to 32), not classes**;
    ``train_indices``, ``test_indices``: places in the original order. The file's own split shows
    the same pictures in both parts: split again.

A picture's id is made from its 10 x 10 squares, so both sources and both parts name it alike.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Recording, Responses, Stimuli, recorded_in
from neurodecode.datasets._door import reading
from neurodecode.datasets._files import existing, locate, read_mat
from neurodecode.datasets._images import open_image
from neurodecode.datasets._tables import read_lines
from neurodecode.datasets._volumes import spans
from neurodecode.errors import CorruptFileError

log = logging.getLogger("neurodecode")
SUBJECT = "miyawaki-s1"
TR_S = 2.0
REST = -1
_SQUARES = 10
_SIDE = 28
_FILE = "miyawaki_structured_28x28.mat"
_NAMES = (
    *("fmriTrn", "fmriTest", "stimTrn", "stimTest"),
    *("labelTrn", "labelTest", "train_indices", "test_indices"),
)


def read(path: str | Path) -> Responses:
    """The trials of the ``.mat`` in their original order.

    Parameters
    ----------
    path : path
        The ``.mat`` file, or a folder that holds it (or holds its folder).

    Returns
    -------
    Responses, shape (119, 967)
        With run ids '21' to '32' and the metadata column ``part`` (the file's own 'train' or
        'test').

    Raises
    ------
    CorruptFileError
        If the file is truncated, or its arrays do not fit each other.
    """
    content = _content(path)
    order = content["order"]
    n_train = len(content["fmriTrn"])
    part = np.where(np.arange(len(order)) < n_train, "train", "test")
    values = np.concatenate([content["fmriTrn"], content["fmriTest"]]).astype(np.float32)
    runs = np.concatenate([content["labelTrn"], content["labelTest"]]).astype(int)
    return Responses(
        values[order],
        np.array([picture_id(one) for one in content["pictures"][order]]),
        SUBJECT,
        "fmri",
        run=runs[order].astype(str),
        metadata={"part": part[order]},
        provenance=recorded_in(path, "miyawaki2008/mat"),
    )


def stimuli(path: str | Path) -> Stimuli:
    """The 20 pictures of the ``.mat``, 28 x 28, upright."""
    return _as_stimuli(_content(path)["pictures"])


def from_nilearn(
    fetched: Mapping[str, Any], runs: Literal["figure", "random", "all"] = "figure"
) -> Recording:
    """The recording behind what ``nilearn.datasets.fetch_miyawaki2008`` returns.

    Parameters
    ----------
    fetched : mapping
        With ``func``, ``label`` and ``mask``.
    runs : {'figure', 'random', 'all'}
        Figures and letters, random patterns, or both; told apart by the files' names.

    Returns
    -------
    Recording
        One entry a run; in its events a stretch of volumes with one picture is one event, rest
        (-1) is none. Onsets are those of the stimulus: the haemodynamic delay is still to be added.
    """
    chosen = _runs_of(fetched, runs)
    return Recording(
        SUBJECT,
        "fmri",
        tuple(Path(func) for func, _ in chosen),
        tuple(_events(label, func) for func, label in chosen),
        tuple(Path(func).name.removesuffix(".gz").removesuffix(".nii") for func, _ in chosen),
        mask=fetched["mask"],
        tr_s=TR_S,
        provenance=recorded_in(chosen[0][0], "miyawaki2008/nilearn"),
    )


def stimuli_from_nilearn(
    fetched: Mapping[str, Any], runs: Literal["figure", "random", "all"] = "figure"
) -> Stimuli:
    """The pictures of these runs, 10 x 10, upright."""
    tables = [_labels(label) for _, label in _runs_of(fetched, runs)]
    rows = np.concatenate(tables)
    shown = rows[rows[:, 0] != REST]
    return _as_stimuli(_upright(shown, _SQUARES))


def picture_id(picture: NDArray[Any]) -> str:
    """The id of a picture: a hash of its 10 x 10 squares, each dark (0) or lit (1).

    Parameters
    ----------
    picture : array, shape (size, size)
        Upright, 0 to 1; 10 x 10, or enlarged from it.

    Examples
    --------
    >>> squares = np.eye(10)
    >>> picture_id(squares) == picture_id(np.kron(squares, np.ones((3, 3))))
    True
    """
    size = len(picture)
    centre = ((np.arange(_SQUARES) + 0.5) * size / _SQUARES).astype(int)
    lit = np.asarray(picture)[np.ix_(centre, centre)] > 0.5
    return "shape-" + hashlib.blake2b(np.packbits(lit).tobytes(), digest_size=4).hexdigest()


def _as_stimuli(pictures: NDArray[Any]) -> Stimuli:
    ids = np.array([picture_id(one) for one in pictures])
    unique, first = np.unique(ids, return_index=True)
    return Stimuli.from_arrays(unique, pictures[first].astype(np.float32))


def _upright(pixels: NDArray[Any], side: int) -> NDArray[Any]:
    return np.asarray(pixels).reshape(-1, side, side).transpose(0, 2, 1)


def _content(path: str | Path) -> dict[str, Any]:
    file = existing(path, "Miyawaki file or folder")
    if file.is_dir():
        file = locate(file, _FILE)[0] / _FILE
    content = read_mat(file, _NAMES)
    with reading(file, "the Miyawaki file") as place:
        for name in _NAMES:
            place.name = name
            kind = np.float64 if name in _NAMES[:4] else np.int64
            content[name] = np.atleast_2d(content[name]).astype(kind)
        for name in _NAMES[4:]:
            content[name] = content[name].ravel()
    for part in ("Trn", "Test"):
        lengths = {len(content[name + part]) for name in ("fmri", "stim", "label")}
        if len(lengths) > 1 or content["stim" + part].shape[1] != _SIDE**2:
            raise CorruptFileError(
                f"{file} is not the Miyawaki file: fmri{part} {content['fmri' + part].shape}, "
                f"stim{part} {content['stim' + part].shape} and label{part} "
                f"{content['label' + part].shape} should have equal rows, and 784 pixels a picture."
            )
    pixels = np.concatenate([content["stimTrn"], content["stimTest"]])
    places = np.concatenate([content["train_indices"], content["test_indices"]])
    runs = np.concatenate([content["labelTrn"], content["labelTest"]])
    _check_places(file, places, runs)
    if not all(np.isfinite(content[name]).all() for name in _NAMES[:4]):
        raise CorruptFileError(f"{file} holds values that are not finite. Obtain it again.")
    return content | {"pictures": _upright(pixels, _SIDE), "order": np.argsort(places)}


def _check_places(file: Path, places: NDArray[np.int64], runs: NDArray[np.int64]) -> None:
    n_places = len(set(places[places >= 0].tolist()))
    if not n_places == len(places) == len(runs):
        raise CorruptFileError(
            f"{file}: train_indices and test_indices name {n_places} places for {len(runs)} "
            f"trials; a place of its own was expected for each. It is damaged; obtain it again."
        )
    back = np.flatnonzero(np.diff(runs[np.argsort(places)]) < 0)
    if len(back):
        raise CorruptFileError(
            f"{file}: in the order of train_indices and test_indices the runs go back, at trial "
            f"{back[0] + 2}. Places or labels are damaged; obtain it again."
        )


def _runs_of(fetched: Mapping[str, Any], runs: str) -> list[tuple[str, str]]:
    if runs not in ("figure", "random", "all"):
        raise ValueError(f"runs must be 'figure', 'random' or 'all'; got '{runs}'.")
    pairs = list(zip(fetched["func"], fetched["label"], strict=True))
    return [pair for pair in pairs if runs == "all" or f"_{runs}_" in Path(pair[0]).name]


def _labels(path: str | Path) -> NDArray[np.int64]:
    file = existing(path, "Miyawaki label file")
    lines = read_lines(file, "a table of squares")
    with reading(file, "a table of squares"):
        table = np.loadtxt(lines, delimiter=",", dtype=np.int64, ndmin=2)
    if table.shape[1] != _SQUARES**2:
        raise CorruptFileError(
            f"{file} has {table.shape[1]} columns; 100 squares a volume were expected."
        )
    rest = (table == REST).all(axis=1)
    wrong = np.flatnonzero(~rest & ~np.isin(table, (0, 1)).all(axis=1))
    if len(wrong):
        raise CorruptFileError(
            f"{file}, line {wrong[0] + 1}: squares are dark (0) or lit (1), or all {REST} for "
            f"rest; {len(wrong)} lines differ. It is damaged; obtain it again."
        )
    return table


def _events(path: str | Path, image: str | Path) -> Any:
    import pandas

    table = _labels(path)
    n_volumes = open_image(image, whole=False).shape[-1]
    if len(table) != n_volumes:
        raise CorruptFileError(
            f"{path} has {len(table)} lines but {Path(image).name} has {n_volumes} volumes. A line "
            f"a volume was expected: one of them is cut off."
        )
    shown = [(start, stop) for start, stop in spans(table) if table[start, 0] != REST]
    rows = [
        {
            "onset": start * TR_S,
            "duration": (stop - start) * TR_S,
            "stimulus": picture_id(_upright(table[start], _SQUARES)[0]),
        }
        for start, stop in shown
    ]
    lengths = sorted({(stop - start) * TR_S for start, stop in shown})
    if len(lengths) > 1:
        log.warning(
            "%s: pictures are shown for %s s, where the experiment showed all of a run equally "
            "long. Lines may have been swapped or changed.",
            path, lengths,
        )  # fmt: skip
    return pandas.DataFrame(rows, columns=["onset", "duration", "stimulus"])
