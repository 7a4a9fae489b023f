"""What all folders have: names, descriptions, people, pictures; BIDS 1.9."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from neurodecode import scenes
from neurodecode._version import __version__
from neurodecode.data import twin_name
from neurodecode.store import atomic_path, write_json

TASK = "scenes"
README = """Simulated recordings: nobody was measured.

Simulated people look at drawn scenes. Written by neurodecode {version}, twin.write(); seed {seed},
signal {signal:g}. What is simulated, what is not, and the published figures that set the strength
of the signal are in the package's docs/twin.md. Free of rights.
"""


def describe(
    folder: Path,
    modality: str,
    subjects: Sequence[str],
    *,
    seed: int,
    signal: float,
    design: Any,
) -> None:
    """Write dataset_description.json, README and participants.tsv."""
    twin = twin_name((modality, subjects, seed, float(signal), design))
    write_json(
        folder / "dataset_description.json",
        {
            "Name": f"Simulated {modality} of people who look at drawn scenes",
            "BIDSVersion": "1.9.0",
            "DatasetType": "raw",
            "License": "CC0",
            "GeneratedBy": [
                {
                    "Name": "neurodecode",
                    "Version": __version__,
                    "Description": f"neurodecode.twin ({twin})",
                }
            ],
        },
    )
    write_text(folder / "README", README.format(version=__version__, seed=seed, signal=signal))
    rows = [["participant_id", "species"], *([one, "simulated"] for one in subjects)]
    write_table(folder / "participants.tsv", rows)
    write_json(
        folder / "participants.json",
        {"species": {"Description": "Always 'simulated': no human being was measured."}},
    )


def write_pictures(folder: Path, ids: Iterable[str], size: int = 64) -> None:
    """Write the scenes shown as PNG files under ``stimuli``."""
    from PIL import Image

    for one in sorted(set(ids)):
        with atomic_path(folder / "stimuli" / f"{one}.png") as part:
            Image.fromarray(scenes.render(one, size)).save(part, format="PNG")


def stem(subject: str, session: int, run: int) -> str:
    """The beginning of all names of one run; sessions and runs count from 0.

    Examples
    --------
    >>> stem("sub-01", 0, 1)
    'sub-01_ses-01_task-scenes_run-02'
    """
    return f"{subject}_ses-{session + 1:02d}_task-{TASK}_run-{run + 1:02d}"


def write_table(path: Path, rows: Sequence[Sequence[Any]]) -> None:
    """Write rows of cells as tab-separated text."""
    write_text(path, "".join("\t".join(str(cell) for cell in row) + "\n" for row in rows))


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8")
