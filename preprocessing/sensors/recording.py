"""What `meg` and `eeg` share: from the raw runs of a person to one response a trial, on MNE."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Provenance, Recording, Responses, listing
from neurodecode.preprocessing.sensors.artefacts import Artefacts
from neurodecode.preprocessing.sensors.cleaning import Cleaning, clean, read_raw
from neurodecode.preprocessing.sensors.trials import Window, cut_trials, from_epochs, read_events

__all__ = [
    "Artefacts",
    "Cleaning",
    "Window",
    "clean",
    "cut_trials",
    "from_epochs",
    "join_runs",
    "read_events",
    "read_raw",
    "recording_to_responses",
]

logger = logging.getLogger("neurodecode")


def recording_to_responses(recording: Recording, cleaning: Cleaning, window: Window) -> Responses:
    """Clean every run, cut its trials, join them on the channels that all runs have.

    Raises
    ------
    ValueError
        If the runs have no channel in common, or sampling rates that differ.
    """
    parts = []
    for i, file in enumerate(recording.files):
        raw = clean(read_raw(file), cleaning)
        events = read_events(recording.events[i]).assign(run=recording.runs[i])
        if recording.sessions is not None:
            events = events.assign(session=recording.sessions[i])
        modality: Literal["meg", "eeg"] = "meg" if recording.modality == "meg" else "eeg"
        epochs = cut_trials(raw, events, window)
        parts.append(from_epochs(epochs, subject=recording.subject, modality=modality))
    # the recording's name does not depend on the cleaning and the window
    return replace(join_runs(parts), provenance=recording.provenance)


def join_runs(parts: Sequence[Responses]) -> Responses:
    """Runs of one person as one recording, on the channels that all of them have."""
    shared = [name for name in _units(parts[0]) if all(name in _units(part) for part in parts[1:])]
    rates = sorted({part.sfreq for part in parts if part.sfreq is not None})
    if len(rates) > 1:
        raise ValueError(
            f"Runs of subject '{parts[0].subject}' have sampling rates {rates} Hz. Give one "
            f"resample_hz for all."
        )
    if not shared:
        raise ValueError(f"Runs of subject '{parts[0].subject}' have no channel in common.")
    lost = {name for part in parts for name in _units(part)} - set(shared)
    if lost:
        logger.warning(
            "Left out %d channels that not all runs have (%s).", len(lost), listing(sorted(lost))
        )
    rows = [[_units(part).index(name) for name in shared] for part in parts]
    first = parts[0]
    keys = [key for key in first.metadata if all(key in part.metadata for part in parts)]
    return replace(
        first,
        values=np.concatenate(
            [part.array()[:, row] for part, row in zip(parts, rows, strict=True)]
        ),
        stimulus=np.concatenate([part.stimulus for part in parts]),
        run=_joined(parts, "run"),
        session=_joined(parts, "session"),
        units=np.array(shared),
        positions=None if first.positions is None else first.positions[rows[0]],
        metadata={key: np.concatenate([part.metadata[key] for part in parts]) for key in keys},
        provenance=Provenance.join([part.provenance for part in parts if part.provenance]),
    )


def _units(part: Responses) -> list[str]:
    return [] if part.units is None else part.units.tolist()


def _joined(parts: Sequence[Responses], name: str) -> NDArray[Any] | None:
    columns = [getattr(part, name) for part in parts]
    return None if any(column is None for column in columns) else np.concatenate(columns)
