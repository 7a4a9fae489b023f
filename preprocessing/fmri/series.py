"""The time series of all runs of a recording, under one mask."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Recording
from neurodecode.preprocessing.fmri.images import (
    load_image,
    masked_series,
    name_of,
    read_mask,
    read_values,
    voxel_positions,
)

TR_TOLERANCE = 0.01
log = logging.getLogger("neurodecode")


@dataclass(frozen=True, eq=False)
class Series:
    """Time series of all runs.

    Parameters
    ----------
    values : tuple of float array, shape (n_volumes, n_voxels)
    names : tuple of str
        Run and file, for messages.
    tr_s : float
    positions : float array, shape (n_voxels, 3), or None
    """

    values: tuple[NDArray[np.float32], ...]
    names: tuple[str, ...]
    tr_s: float
    positions: NDArray[np.float64] | None


def read_series(recording: Recording, mask: Any, smoothing_mm: float | None) -> Series:
    """Read all runs of a recording, and check them against each other."""
    if recording.modality != "fmri":
        raise ValueError(
            f"Subject '{recording.subject}' was recorded by {recording.modality}; this reads fmri."
        )
    names = tuple(
        f"run '{run}' ({name_of(file)})"
        for run, file in zip(recording.runs, recording.files, strict=True)
    )
    if all(isinstance(file, np.ndarray) for file in recording.files):
        values, positions = _arrays(recording, names), None
    else:
        values, positions = _images(recording, mask, smoothing_mm)
    for series, name in zip(values, names, strict=True):
        _check_numbers(series, name)
    return Series(values, names, _tr_s(recording), positions)


def _arrays(recording: Recording, names: tuple[str, ...]) -> tuple[NDArray[np.float32], ...]:
    widths = {file.shape[1:] for file in recording.files}
    if len(widths) > 1 or len(next(iter(widths))) != 1:
        raise ValueError(
            f"The runs of subject '{recording.subject}' have the shapes "
            f"{[file.shape for file in recording.files]}; (n_volumes, n_voxels) with the same "
            f"voxels in every run was expected."
        )
    return tuple(np.asarray(file, dtype=np.float32) for file in recording.files)


def _images(
    recording: Recording, mask: Any, smoothing_mm: float | None
) -> tuple[tuple[NDArray[np.float32], ...], NDArray[np.float64]]:
    chosen = recording.mask if mask is None else mask
    if chosen is None:
        chosen = _brain_mask(recording.files[0])
    inside, affine = read_mask(chosen)
    runs = _watched(recording.files, f"reading runs of {recording.subject}")
    values = tuple(masked_series(_smoothed(file, smoothing_mm), inside, affine) for file in runs)
    return values, voxel_positions(inside, affine)


def _watched(files: Sequence[Any], what: str) -> Iterable[Any]:
    """The same files, with a progress bar if someone watches a terminal."""
    from rich.console import Console
    from rich.progress import track

    watched = sys.stderr.isatty() and len(files) > 1
    return track(files, what, disable=not watched, console=Console(stderr=True), transient=True)


def _brain_mask(image: Any) -> Any:
    from nilearn.masking import compute_epi_mask

    log.warning("No mask given: nilearn computes one of the brain from %s.", name_of(image))
    read_values(image)  # a truncated file is named here, not inside nilearn
    return compute_epi_mask(load_image(image))


def _smoothed(image: Any, smoothing_mm: float | None) -> Any:
    if smoothing_mm is None:
        return image
    from nilearn.image import smooth_img

    read_values(image)
    return smooth_img(load_image(image), smoothing_mm)


def _check_numbers(series: NDArray[np.float32], name: str) -> None:
    wrong = ~np.isfinite(series)
    if wrong.any():
        voxels = int(wrong.any(axis=0).sum())
        raise ValueError(
            f"{voxels} of {series.shape[1]} voxels of {name} hold values that are not numbers (NaN "
            f"or infinite), in {int(wrong.any(axis=1).sum())} of {len(series)} volumes. Give a "
            f"mask without these voxels, or repair the image."
        )


def _compare_tr(recording: Recording, tr_s: float) -> None:
    """Warn where headers state another repetition time; 0 and 1 s mean that none was set."""
    for file in recording.files:
        if isinstance(file, np.ndarray):
            continue
        zooms = load_image(file).header.get_zooms()
        stated = float(zooms[3]) if len(zooms) > 3 else 0.0
        if stated not in (0.0, 1.0) and abs(stated - tr_s) > TR_TOLERANCE * tr_s:
            log.warning(
                "%s states a repetition time of %g s, but its sidecar or the Recording %g s, which "
                "is used. One of them is wrong.", name_of(file), stated, tr_s,
            )  # fmt: skip


def _tr_s(recording: Recording) -> float:
    if recording.tr_s is not None:
        _compare_tr(recording, float(recording.tr_s))
        return float(recording.tr_s)
    if isinstance(recording.files[0], np.ndarray):
        raise ValueError(f"Arrays of subject '{recording.subject}' need tr_s in the Recording.")
    zooms = [load_image(file).header.get_zooms() for file in recording.files]
    found = {round(float(one[3]), 6) for one in zooms}
    if len(found) > 1 or not 0 < min(found) < 100:
        raise ValueError(
            f"The images of subject '{recording.subject}' state the repetition times "
            f"{sorted(found)} s; one between 0 and 100 s was expected. Give tr_s in the Recording."
        )
    return found.pop()
