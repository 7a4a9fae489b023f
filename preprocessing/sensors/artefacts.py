"""Blinks, heartbeats and muscles taken out by independent components that are named."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import mne
import numpy as np

from neurodecode.errors import MissingDependencyError

logger = logging.getLogger("neurodecode")

BAND_HZ = (1.0, 100.0)
"""What ICLabel was trained on."""


@dataclass(frozen=True)
class Artefacts:
    """Which independent components are taken out of EEG.

    Components are fitted to each whole run, without knowing what was shown; they are named by
    ICLabel, a network that ships with mne-icalabel.

    Parameters
    ----------
    n_components : int or float
        How many, or the share of variance that they explain.
    remove : tuple of str
        Names of ICLabel: ``'eye blink'``, ``'muscle artifact'``, ``'heart beat'``,
        ``'line noise'``, ``'channel noise'``.
    at_least : float
        A component is taken out if its name is this certain.
    seed : int

    Sources
    -------
    Pion-Tonachini, Kreutz-Delgado, Makeig 2019 (ICLabel), NeuroImage 198: trained on extended
    infomax of average-referenced EEG from 1 to 100 Hz, so components are fitted to a copy filtered
    so, and then taken out of the signal as it was.

    Examples
    --------
    >>> Artefacts().remove[0]
    'eye blink'
    """

    n_components: int | float = 0.99
    remove: tuple[str, ...] = ("eye blink", "muscle artifact", "heart beat")
    at_least: float = 0.8
    seed: int = 0


def without_artefacts(raw: mne.io.BaseRaw, artefacts: Artefacts) -> mne.io.BaseRaw:
    """EEG without the components that are artefacts; the input is not changed.

    Raises
    ------
    MissingDependencyError
        If mne-icalabel is not installed.
    ValueError
        If channels are not EEG or have no positions, which ICLabel looks at.
    """
    try:
        from mne_icalabel import label_components
    except ImportError as error:
        raise MissingDependencyError(
            "Naming independent components needs mne-icalabel: "
            "pip install 'neurodecode-toolkit[ica]'"
        ) from error
    kinds = sorted(set(raw.get_channel_types()))
    if kinds != ["eeg"]:
        raise ValueError(
            f"ICLabel names components of EEG; the signal has {', '.join(kinds)}. Use picks='eeg', "
            f"or leave artefacts out."
        )
    if raw.get_montage() is None:
        raise ValueError(
            "ICLabel looks at maps of the head, but the electrodes have no positions. Set a "
            "montage first: raw.set_montage(...)."
        )
    band = _filtered(raw)
    ica = mne.preprocessing.ICA(
        artefacts.n_components,
        method="infomax",
        fit_params={"extended": True},
        random_state=artefacts.seed,
        verbose="error",
    ).fit(band, verbose="error")
    with mne.use_log_level("error"):
        found: dict[str, Any] = label_components(band, ica, method="iclabel")
    sure = np.asarray(found["y_pred_proba"]) >= artefacts.at_least
    ica.exclude = [
        place
        for place, (name, certain) in enumerate(zip(found["labels"], sure, strict=True))
        if certain and name in artefacts.remove
    ]
    logger.info(
        "Took out %d of %d independent components (%s).",
        len(ica.exclude),
        ica.n_components_,
        ", ".join(found["labels"][place] for place in ica.exclude) or "none",
    )
    return ica.apply(raw.copy(), verbose="error")


def _filtered(raw: mne.io.BaseRaw) -> mne.io.BaseRaw:
    low, high = BAND_HZ
    below = raw.info["sfreq"] / 2 - 1
    if high >= below:
        logger.warning(
            "ICLabel was trained on EEG up to %g Hz; this one is sampled at %g Hz, so names of "
            "muscles are less certain.", high, raw.info["sfreq"],
        )  # fmt: skip
    band = raw.copy().filter(low, high if high < below else None, picks="all", verbose="error")
    return band.set_eeg_reference("average", verbose="error")
