"""Simulated people in the layout of NSD's release."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy.io import savemat
from scipy.spatial import cKDTree

from neurodecode import scenes
from neurodecode.data import Responses, mark_simulated
from neurodecode.twin.layouts.nsd._design import NsdDesign

Form = Literal["nii.gz", "hdf5"]
VOXEL_MM = 1.8
BETA_SCALE = 300.0
COLUMNS = [
    "SUBJECT",
    "SESSION",
    "RUN",
    "TRIAL",
    "73KID",
    "10KID",
    "TIME",
    "ISOLD",
    "ISCORRECT",
    "RT",
]


def write_raw(
    root: str | Path,
    design: NsdDesign,
    people: Sequence[Responses],
    *,
    form: Form = "nii.gz",
    picture_size: int = 425,
    voxel_mm: float = VOXEL_MM,
    betas: str = "betas_fithrf_GLMdenoise_RR",
) -> Path:
    """Write ``nsddata``, ``nsddata_betas`` and ``nsddata_stimuli``.

    Parameters
    ----------
    root : path
    design : NsdDesign
    people : sequence of Responses
        From ``design.people()``: the values are stored as if they were percent signal change.
    form : {'nii.gz', 'hdf5'}
        Of the betas.
    picture_size : int
        Real: 425.
    voxel_mm : float
        Edge of a voxel; real: 1.8.
    betas : str

    Returns
    -------
    Path
        ``root``.
    """
    folder = Path(root)
    mark_simulated(folder, [one.provenance.recording for one in people])
    write_experiment(folder, design)
    with h5py.File(_ready(folder / "nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5"), "w") as file:
        file.create_dataset("imgBrick", data=design.pictures(picture_size), compression="gzip")
    for number, person in enumerate(people, start=1):
        grid = voxel_grid(person, voxel_mm, margin=number)
        _write_behaviour(folder, design, number)
        _write_mask(folder, number, grid)
        place = folder / f"nsddata_betas/ppdata/subj{number:02d}/func1pt8mm/{betas}"
        for session in range(1, design.n_sessions + 1):
            values = person.array()[design.session == session][:, grid.order]
            _write_session(place / f"betas_session{session:02d}", values, grid, form)
    return folder


def write_experiment(folder: Path, design: NsdDesign) -> None:
    """Write the design, the table of pictures and COCO's captions."""
    experiment = folder / "nsddata/experiments/nsd"
    savemat(
        _ready(experiment / "nsd_expdesign.mat"),
        {
            "masterordering": design.masterordering,
            "subjectim": design.subjectim,
            "sharedix": design.sharedix,
        },
    )
    shared = set(design.sharedix[0].tolist())
    with (experiment / "nsd_stim_info_merged.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["", "cocoId", "cocoSplit", "nsdId", "flagged", "shared1000"])
        for one in range(design.n_pictures):
            part = "val2017" if one % 10 == 0 else "train2017"
            table.writerow([one, coco_id(one), part, one, False, one + 1 in shared])
    for part in ("train2017", "val2017"):
        lines = [
            {"image_id": coco_id(one), "id": 10 * one + place, "caption": text}
            for one in range(design.n_pictures)
            if (one % 10 == 0) == (part == "val2017")
            for place, text in enumerate(scenes.captions(design.scene(one)))
        ]
        path = folder / f"nsddata_stimuli/stimuli/nsd/annotations/captions_{part}.json"
        _ready(path).write_text(json.dumps({"annotations": lines}), encoding="utf-8")


def coco_id(picture: int) -> int:
    """A made-up COCO number for a picture (0-based).

    Examples
    --------
    >>> coco_id(3)
    100021
    """
    return 100_000 + 7 * picture


@dataclass(frozen=True, eq=False)
class VoxelGrid:
    """Where a person's voxels lie in an image.

    Parameters
    ----------
    mask : bool array (x, y, z)
    order : int array, shape (n_voxels,)
        The person's voxels in C order of the mask.
    affine : float array (4, 4)
        From grid to mm.
    """

    mask: NDArray[np.bool_]
    order: NDArray[np.intp]
    affine: NDArray[np.float64]


def voxel_grid(person: Responses, voxel_mm: float = VOXEL_MM, margin: int = 1) -> VoxelGrid:
    """Voxels at their places in the smallest box, each in a cell of its own.

    People with other voxels or margins get other grids. A voxel whose cell is taken goes to the
    nearest free one.

    Raises
    ------
    ValueError
        If the person's voxels have no positions.
    """
    if person.positions is None:
        raise ValueError(f"Subject '{person.subject}' has no voxel positions to make an image of.")
    place = np.asarray(person.positions, dtype=np.float64)
    origin = place.min(axis=0) - margin * voxel_mm
    wanted = (place - origin) / voxel_mm
    grid = np.ceil(wanted.max(axis=0)).astype(int) + margin + 1
    taken = np.zeros(grid, dtype=bool)
    cells = np.moveaxis(np.indices(grid), 0, -1).reshape(-1, 3)
    tree = cKDTree(cells)
    index = np.empty((len(wanted), 3), dtype=int)
    for row, one in enumerate(wanted):
        near = cells[np.atleast_1d(tree.query(one, k=min(2048, len(cells)))[1])]
        free = near[~taken[tuple(near.T)]]
        if not len(free):
            raise ValueError(f"voxel_mm={voxel_mm} is too coarse for {len(wanted)} voxels.")
        index[row] = free[0]
        taken[tuple(free[0])] = True
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    affine[:3, 3] = origin
    return VoxelGrid(taken, np.lexsort(index.T[::-1]), affine)


def _write_behaviour(folder: Path, design: NsdDesign, number: int) -> None:
    path = _ready(folder / f"nsddata/ppdata/subj{number:02d}/behav/responses.tsv")
    seen: set[int] = set()
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, delimiter="\t")
        table.writerow(COLUMNS)
        for trial, picture in enumerate(design.shown(number).tolist()):
            place = int(design.masterordering[0, trial])
            when = [design.session[trial], design.run[trial], trial + 1]
            table.writerow([number, *when, picture, place, 0.5, int(picture in seen), 1, 700])
            seen.add(picture)


def _write_mask(folder: Path, number: int, grid: VoxelGrid) -> None:
    path = folder / f"nsddata/ppdata/subj{number:02d}/func1pt8mm/roi/nsdgeneral.nii.gz"
    _save_image(path, np.where(grid.mask, 1, -1).astype(np.int16), grid.affine)


def _write_session(stem: Path, values: NDArray[np.float32], grid: VoxelGrid, form: Form) -> None:
    counts = np.clip(np.round(values * BETA_SCALE), -32768, 32767).astype(np.int16)
    volumes = np.zeros((*grid.mask.shape, len(values)), np.int16)
    volumes[grid.mask] = counts.T
    if form == "hdf5":
        with h5py.File(_ready(stem.with_name(f"{stem.name}.hdf5")), "w") as file:
            betas = volumes.transpose(3, 2, 1, 0)
            file.create_dataset("betas", data=betas, compression="gzip", compression_opts=1)
        return
    _save_image(stem.with_name(f"{stem.name}.nii.gz"), volumes, grid.affine)


def _save_image(path: Path, values: NDArray[np.int16], affine: NDArray[np.float64]) -> None:
    import nibabel

    image = nibabel.Nifti1Image(values, affine)  # type: ignore[no-untyped-call]
    nibabel.save(image, _ready(path))


def _ready(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
