"""Regions of interest and parcels, matched to voxels by their place in mm."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from neurodecode.data import Responses, listing
from neurodecode.preprocessing.fmri.images import (
    brain_map,
    grid_index,
    load_image,
    name_of,
    read_values,
)
from neurodecode.preprocessing.fmri.voxels import take_voxels


def label_voxels(
    responses: Responses, atlas: Any, names: Mapping[int, str] | None = None
) -> Responses:
    """The same responses, with the region of each voxel in ``units``.

    Parameters
    ----------
    responses : Responses
        With positions.
    atlas : path or image
        Whole numbers, 0 outside all regions; its grid may differ from the recording's, but both
        must be in the same space (that person's, or a standard one).
    names : mapping of int to str, optional
        From number to name; the number itself otherwise.

    Returns
    -------
    Responses
        ``units`` is ``''`` for voxels outside all regions.

    Examples
    --------
    >>> import nibabel
    >>> atlas = nibabel.Nifti1Image(np.array([[[1, 2]]], np.int16), np.eye(4))
    >>> places = np.array([[0.0, 0, 1], [0, 0, 9]])
    >>> responses = Responses(np.eye(2), ["a", "b"], "s", "fmri", positions=places)
    >>> label_voxels(responses, atlas, {2: "V1"}).units.tolist()
    ['V1', '']
    """
    labels = atlas_labels(responses, atlas)
    known = {} if names is None else {int(number): name for number, name in names.items()}
    units = [known.get(one, str(one)) if one else "" for one in labels.tolist()]
    return responses.with_values(responses.values, units=np.array(units))


def in_region(responses: Responses, region: Any, label: int | str | None = None) -> Responses:
    """The voxels inside a region.

    Parameters
    ----------
    responses : Responses
    region : path or image
        A mask, or an atlas of which ``label`` is the region's number. To choose by name, first
        call `label_voxels`, then give the name as ``region``.
    label : int, optional
        All voxels above 0 when None.

    Raises
    ------
    ValueError
        If no voxel lies inside.

    Examples
    --------
    >>> responses = Responses(np.eye(2), ["a", "b"], "s", "fmri", units=["V1", "V2"])
    >>> in_region(responses, "V2").values.tolist()
    [[0.0], [1.0]]
    """
    if isinstance(region, str) and responses.units is not None and not Path(region).exists():
        inside = responses.units == region
        what = f"'{region}' among {listing(sorted(set(responses.units.tolist())), 12)}"
    else:
        labels = atlas_labels(responses, region)
        inside = labels > 0 if label is None else labels == int(label)
        what = name_of(region) if label is None else f"label {label} of {name_of(region)}"
    if not inside.any():
        raise ValueError(
            f"None of the {responses.n_units} voxels of subject '{responses.subject}' lies in the "
            f"region {what}. Check that both are in the same space."
        )
    return take_voxels(responses, np.flatnonzero(inside))


class Parcels(BaseEstimator):  # type: ignore[misc]
    """The mean response of each region of an atlas.

    What nilearn's NiftiLabelsMasker does to images (strategy 'mean'), on the voxels of responses:
    only voxels that were kept are averaged.

    Parameters
    ----------
    atlas : path or image
        Whole numbers, 0 outside all regions.
    names : mapping of int to str, optional

    Attributes
    ----------
    weights_ : float array, shape (n_voxels, n_parcels)
    units_ : str array, shape (n_parcels,)
    positions_ : float array, shape (n_parcels, 3)
        Mean position of the voxels of a parcel, mm.

    Examples
    --------
    >>> import nibabel
    >>> atlas = nibabel.Nifti1Image(np.array([[[1, 1]]], np.int16), np.eye(4))
    >>> places = np.array([[0.0, 0, 0], [0, 0, 1]])
    >>> responses = Responses([[1.0, 3.0]], ["a"], "s", "fmri", positions=places)
    >>> parcels = Parcels(atlas).fit(responses)
    >>> parcels.transform(responses).values.tolist()
    [[2.0]]
    >>> parcels.inverse_transform(np.array([5.0])).get_fdata().tolist()
    [[[5.0, 5.0]]]
    """

    def __init__(self, atlas: Any, names: Mapping[int, str] | None = None) -> None:
        self.atlas = atlas
        self.names = names

    def fit(self, responses: Responses) -> Self:
        """Find the parcel of each voxel; the values are not used."""
        labels = atlas_labels(responses, self.atlas)
        numbers = np.unique(labels[labels != 0])
        if not len(numbers):
            raise ValueError(
                f"None of the {responses.n_units} voxels of subject '{responses.subject}' lies in "
                f"a region of {name_of(self.atlas)}. Check that both are in the same space."
            )
        member = (labels[:, None] == numbers).astype(np.float32)
        self.weights_ = member / member.sum(axis=0)
        known = {} if self.names is None else self.names
        self.units_ = np.array([str(known.get(int(one), one)) for one in numbers])
        self.voxels_ = np.asarray(responses.positions)
        self.positions_ = self.weights_.T @ self.voxels_
        return self

    def transform(self, responses: Responses) -> Responses:
        """Parcel means, dims ``('trial', 'parcel')``."""
        if not hasattr(self, "weights_"):
            raise ValueError("Parcels is not fitted. Call fit() first.")
        if responses.n_units != len(self.weights_):
            raise ValueError(
                f"Parcels was fitted on {len(self.weights_)} voxels; subject "
                f"'{responses.subject}' has {responses.n_units}."
            )
        return responses.with_values(
            responses.array() @ self.weights_,
            dims=("trial", "parcel"),
            units=self.units_,
            positions=self.positions_,
        )

    def inverse_transform(self, values: NDArray[Any]) -> Any:
        """An image on the atlas's grid with each parcel's value at its voxels.

        Parameters
        ----------
        values : float array, shape (n_parcels,) or (n_maps, n_parcels)
        """
        spread = np.asarray(values) @ (self.weights_ > 0).T
        return brain_map(spread, self.voxels_, self.atlas)


def atlas_labels(responses: Responses, atlas: Any) -> NDArray[np.int64]:
    """The atlas's number at each voxel's place; 0 outside its grid."""
    if responses.positions is None:
        raise ValueError(
            f"Responses of subject '{responses.subject}' have no positions: regions can't be "
            f"found. Make them from images, or give positions= in mm."
        )
    values = np.rint(np.nan_to_num(read_values(atlas))).astype(np.int64)
    values = values[..., 0] if values.ndim == 4 and values.shape[3] == 1 else values
    if values.ndim != 3:
        raise ValueError(f"{name_of(atlas)} has shape {values.shape}; an atlas has three axes.")
    index = grid_index(responses.positions, load_image(atlas).affine)
    inside = ((index >= 0) & (index < values.shape)).all(axis=1)
    labels = np.zeros(len(index), dtype=np.int64)
    labels[inside] = values[tuple(index[inside].T)]
    return labels
