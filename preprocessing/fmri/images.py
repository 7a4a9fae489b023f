"""Images and masks, read with their file's name in every error; and the way back to an image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.datasets._door import reading
from neurodecode.datasets._images import WHAT, check_whole, open_image

AFFINE_TOLERANCE_MM = 1e-3


def name_of(image: Any) -> str:
    """What to call an image in a message: its file, or its kind.

    Examples
    --------
    >>> name_of(np.zeros((2, 2)))
    'an array of shape (2, 2)'
    """
    if isinstance(image, str | Path):
        return str(image)
    if isinstance(image, np.ndarray):
        return f"an array of shape {image.shape}"
    if hasattr(image, "get_filename"):
        return str(image.get_filename() or f"an image of shape {image.shape}")
    return str(image)


def load_image(image: Any) -> Any:
    """A NIfTI path, a loaded image, or an object with ``load()``, as a nibabel image.

    Raises
    ------
    CorruptFileError
        If the file is no image or damaged; a compressed one is unpacked to its end once.
    """
    if isinstance(image, str | Path):
        return open_image(image)
    with reading(name_of(image), WHAT):
        loaded = image if hasattr(image, "get_fdata") else image.load()
        if hasattr(loaded, "file_map"):
            check_whole(loaded)
    return loaded


def read_values(image: Any) -> NDArray[Any]:
    """All values of an image as float32, scaled by its header; the image does not keep them.

    Raises
    ------
    CorruptFileError
        If the file is cut off.
    """
    loaded = load_image(image)
    with reading(name_of(image), WHAT):
        return np.asarray(loaded.get_fdata(dtype=np.float32, caching="unchanged"))


def read_mask(mask: Any) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """A mask as booleans, shape (x, y, z), and its affine.

    Raises
    ------
    ValueError
        If it has other than three axes or is empty.
    """
    values = read_values(mask)
    if values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]
    if values.ndim != 3:
        raise ValueError(
            f"{name_of(mask)} is no mask: it has shape {values.shape}; three axes were expected."
        )
    inside = np.nan_to_num(values) > 0
    if not inside.any():
        raise ValueError(f"The mask {name_of(mask)} is empty: no voxel is above 0.")
    return inside, np.asarray(load_image(mask).affine, dtype=np.float64)


def masked_series(
    image: Any, inside: NDArray[np.bool_], affine: NDArray[np.float64]
) -> NDArray[np.float32]:
    """The time series of the voxels in a mask, shape (n_volumes, n_voxels).

    Raises
    ------
    ValueError
        If the image has other than four axes, or does not lie on the mask's grid.
    """
    loaded = load_image(image)
    if len(loaded.shape) != 4:
        raise ValueError(
            f"{name_of(image)} has shape {loaded.shape}; a recording has four axes (x, y, z, time)."
        )
    if loaded.shape[:3] != inside.shape:
        raise ValueError(
            f"{name_of(image)} has a grid of {loaded.shape[:3]} voxels but the mask one of "
            f"{inside.shape}. Resample the mask to the image "
            f"(nilearn.image.resample_to_img with interpolation='nearest')."
        )
    if not np.allclose(loaded.affine, affine, atol=AFFINE_TOLERANCE_MM):
        raise ValueError(
            f"The affine of {name_of(image)} does not match the mask's: voxels would be taken from "
            f"places up to {_shift_mm(loaded.affine, affine, inside.shape):.1f} mm away. Resample "
            f"the mask to the image (nilearn.image.resample_to_img with interpolation='nearest')."
        )
    return np.ascontiguousarray(read_values(image)[inside].T)


def voxel_positions(inside: NDArray[np.bool_], affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the voxels of a mask are, in mm (RAS), shape (n_voxels, 3).

    Examples
    --------
    >>> voxel_positions(np.ones((1, 1, 2), bool), np.diag([3.0, 3.0, 2.0, 1.0])).tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 2.0]]
    """
    index = np.argwhere(inside)
    return np.asarray(index @ affine[:3, :3].T + affine[:3, 3])


def brain_map(values: NDArray[Any], positions: NDArray[Any], like: Any) -> Any:
    """Put values back to where their voxels are: the image of a map, or of several.

    Parameters
    ----------
    values : array, shape (n_voxels,) or (n_maps, n_voxels)
    positions : float array, shape (n_voxels, 3)
        In mm, as `Responses.positions` holds them.
    like : path or image
        An image on the grid wanted, usually the mask.

    Returns
    -------
    nibabel.Nifti1Image
        Zero where there is no voxel.

    Raises
    ------
    ValueError
        If lengths disagree, or a voxel lies outside the grid.

    Examples
    --------
    >>> import nibabel
    >>> mask = nibabel.Nifti1Image(np.ones((1, 1, 2), np.uint8), np.diag([3, 3, 2, 1]))
    >>> image = brain_map(np.array([5.0]), np.array([[0.0, 0.0, 2.0]]), mask)
    >>> image.get_fdata().tolist()
    [[[0.0, 5.0]]]
    """
    import nibabel

    maps = np.asarray(values, dtype=np.float32)
    if maps.ndim not in (1, 2) or maps.shape[-1] != len(positions):
        raise ValueError(
            f"A map of shape {maps.shape} does not fit {len(positions)} positions; its last axis "
            f"should be the voxels."
        )
    grid = load_image(like)
    index = grid_index(positions, grid.affine)
    shape = grid.shape[:3]
    if (index < 0).any() or (index >= shape).any():
        raise ValueError(
            f"Some of the {len(positions)} voxels lie outside the grid {shape} of {name_of(like)}. "
            f"Give the mask that the responses were made with."
        )
    image = np.zeros((*shape, *maps.shape[:-1]), dtype=np.float32)
    image[tuple(index.T)] = maps.T
    return nibabel.Nifti1Image(image, grid.affine)  # type: ignore[no-untyped-call]


def grid_index(positions: NDArray[Any], affine: NDArray[Any]) -> NDArray[np.intp]:
    """The voxel of a grid that is nearest to each position, shape (n_positions, 3)."""
    inverse = np.linalg.inv(affine)
    place = np.asarray(positions) @ inverse[:3, :3].T + inverse[:3, 3]
    return np.asarray(np.rint(place), dtype=np.intp)


def _shift_mm(one: NDArray[Any], other: NDArray[Any], shape: tuple[int, ...]) -> float:
    corners = np.array([[0, 0, 0, 1], [*(size - 1 for size in shape), 1]])
    return float(np.linalg.norm((corners @ (one - other).T)[:, :3], axis=1).max())
