"""Where sensors are: as the recording says, in head coordinates, or by their names."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import listing

logger = logging.getLogger("neurodecode")

DEVICE_FRAME = 1
"""FIFF's number of the coordinates of the MEG helmet."""
MEG_KINDS = ("mag", "grad", "ref_meg")


def sensor_places(info: Any) -> NDArray[np.float64] | None:
    """Places (n_channels, 3) in mm, head coordinates (RAS), of the sensors of a recording.

    MEG sensors are moved from the helmet's coordinates to the head's by ``dev_head_t``. Sensors
    without a position stand where a template has sensors of their names, with a warning; if a name
    is unknown, all positions are left out, with a warning.

    Parameters
    ----------
    info : mne.Info

    Examples
    --------
    >>> import mne
    >>> sensor_places(mne.create_info(["Oz", "Cz"], 100.0, "eeg")).round(-1).tolist()
    [[-0.0, -80.0, 60.0], [-0.0, 30.0, 140.0]]
    """
    places = np.array([channel["loc"][:3] for channel in info["chs"]]) * 1e3
    known = np.isfinite(places).all(axis=1) & (np.abs(places).sum(axis=1) > 0)
    in_helmet = np.array([channel["coord_frame"] == DEVICE_FRAME for channel in info["chs"]])
    in_helmet &= known & np.array([kind in MEG_KINDS for kind in info.get_channel_types()])
    if in_helmet.any():
        places[in_helmet] = _in_head(places[in_helmet], info["dev_head_t"])
    if known.all():
        return places
    names = np.array(info["ch_names"])[~known]
    template = template_positions(names.tolist())
    if template is None:
        logger.warning(
            "%d of %d sensors have no position (%s) and names that no template knows; positions "
            "are left out.", len(names), len(places), listing(names),
        )  # fmt: skip
        return None
    logger.warning(
        "%d of %d sensors have no position (%s); they are put where a template has sensors of "
        "these names. Set a measured montage if there is one.",
        len(names), len(places), listing(names),
    )  # fmt: skip
    places[~known] = template
    return places


def _in_head(places: NDArray[np.float64], transform: Any) -> NDArray[np.float64]:
    if transform is None:
        logger.warning(
            "The recording has no dev_head_t, so where the head was is not known: positions "
            "of MEG sensors are those in the helmet."
        )
        return places
    move = np.asarray(transform["trans"], dtype=np.float64)
    return np.asarray(places @ move[:3, :3].T + 1e3 * move[:3, 3])


def template_montage() -> Any:
    """MNE's template of the 10-05 system, under the name that this MNE has for it.

    Examples
    --------
    >>> "POz" in template_montage().ch_names
    True
    """
    import mne

    new = "colin27_1005" in mne.channels.get_builtin_montages()
    return mne.channels.make_standard_montage("colin27_1005" if new else "standard_1005")


def template_positions(names: Sequence[str]) -> NDArray[np.float64] | None:
    """Places (n, 3) in mm of sensors that are known by name only; None if one is not known.

    EEG electrodes stand where MNE's template of the 10-05 system has them, in head coordinates;
    CTF gradiometers (``MLC11-1609``) where the description of a CTF-275 helmet has them. People
    differ from both.

    Examples
    --------
    >>> template_positions(["Oz", "POz"]).shape, template_positions(["X1"]) is None
    ((2, 3), True)
    """
    known = _electrodes()
    if names and names[0].startswith("M") and names[0].lower() not in known:
        known = _gradiometers()
    short = [one.split("-")[0].strip(" .").lower() for one in names]
    if not names or any(one not in known for one in short):
        return None
    return np.array([known[one] for one in short]) * 1e3


@cache
def _electrodes() -> dict[str, NDArray[np.float64]]:
    import mne

    montage = template_montage()
    info = mne.create_info(montage.ch_names, 100.0, "eeg", verbose="error")
    info.set_montage(montage, verbose="error")
    return {one["ch_name"].lower(): one["loc"][:3] for one in info["chs"]}


@cache
def _gradiometers() -> dict[str, NDArray[np.float64]]:
    import mne

    helmet = mne.channels.read_meg_canonical_info("ctf275", verbose="error")
    return {one["ch_name"].split("-")[0].lower(): one["loc"][:3] for one in helmet["chs"]}
