"""One session of betas, as NIfTI or HDF5, seen through a mask."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neurodecode.datasets._door import reading
from neurodecode.datasets._files import existing
from neurodecode.datasets._images import check_whole, open_image
from neurodecode.datasets.nsd._hdf5 import Hdf5Rows
from neurodecode.errors import CorruptFileError

# Betas are stored as integers: percent signal change times 300.
BETA_SCALE = 300.0
SLAB = 25


class Session(Protocol):
    """What both kinds of files give."""

    path: Path
    n_trials: int

    def read(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Trials as rows, shape (n_rows, n_voxels), in percent signal change."""


def read_mask(path: Path) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """A region as a mask (x, y, z), and its voxels' positions in mm, shape (n_voxels, 3).

    Raises
    ------
    CorruptFileError
        If the file is no image, or names no voxel.
    """
    from nibabel import affines

    image = open_image(existing(path, "region"))
    with reading(path, "an image"):
        mask = np.asarray(image.dataobj) > 0
    if not mask.any():
        raise CorruptFileError(f"{path} has no voxel above zero. It is another file.")
    place: NDArray[np.float64] = affines.apply_affine(image.affine, np.argwhere(mask))  # type: ignore[no-untyped-call]
    return mask, place


def open_session(folder: Path, session: int, mask: NDArray[np.bool_]) -> Session:
    """The betas of a session; HDF5 is preferred where both are there.

    Raises
    ------
    CorruptFileError
        If the file is broken or has another grid than the mask.
    """
    stem = folder / f"betas_session{session:02d}"
    hdf5 = stem.with_suffix(".hdf5")
    return (
        _Hdf5Session(hdf5, mask) if hdf5.is_file() else _NiftiSession(Path(f"{stem}.nii.gz"), mask)
    )


class _Hdf5Session:
    def __init__(self, path: Path, mask: NDArray[np.bool_]) -> None:
        self.path, self._mask = path, mask
        self._betas = Hdf5Rows(path, "betas", n_axes=4)
        self.n_trials = len(self._betas)
        _check_grid(path, self._betas.shape[:0:-1], mask)

    def read(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        out = np.empty((len(rows), int(self._mask.sum())), np.float32)
        for start in range(0, len(rows), SLAB):
            volumes = self._betas[rows[start : start + SLAB]].transpose(0, 3, 2, 1)
            out[start : start + SLAB] = volumes[:, self._mask] / BETA_SCALE
        return out


class _NiftiSession:
    def __init__(self, path: Path, mask: NDArray[np.bool_]) -> None:
        self.path, self._mask = path, mask
        # Checked at the first read: forty sessions are opened at once, and each costs 5 s.
        self._image = open_image(existing(path, "session of betas"), keep_open=True, whole=False)
        self._checked = False
        shape = self._image.shape
        self.n_trials = int(shape[3]) if len(shape) == 4 else 0
        _check_grid(path, shape[:3], mask)

    def read(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        order = np.argsort(rows, kind="stable")
        out = np.empty((len(rows), int(self._mask.sum())), np.float32)
        wanted = rows[order]
        for start in range(0, self.n_trials, SLAB):
            here = np.flatnonzero((wanted >= start) & (wanted < start + SLAB))
            if len(here):
                slab = self._slab(start)
                out[order[here]] = slab[:, wanted[here] - start].T / BETA_SCALE
        return out

    def _slab(self, start: int) -> NDArray[Any]:
        if not self._checked:
            check_whole(self._image)
            self._checked = True
        with reading(self.path, "an image"):
            volumes = np.asarray(self._image.dataobj[..., start : start + SLAB])
        return np.asarray(volumes[self._mask])


def _check_grid(path: Path, grid: tuple[int, ...], mask: NDArray[np.bool_]) -> None:
    if tuple(grid) != mask.shape:
        raise CorruptFileError(
            f"{path} has the grid {tuple(grid)} but the mask has {mask.shape}. They belong to "
            f"different people or resolutions; use the region of the same person."
        )
