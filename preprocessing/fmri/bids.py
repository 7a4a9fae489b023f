"""A BIDS folder (raw, or fMRIPrep's derivatives) as recordings.

Sources
-------
BIDS specification 1.9, and fMRIPrep's outputs: entities in file names, ``desc-preproc_bold``,
``desc-brain_mask``, ``desc-confounds_timeseries``.
"""

from __future__ import annotations

import json
from pathlib import Path

from neurodecode.data import Recording, listing
from neurodecode.datasets._door import reading
from neurodecode.datasets._tables import read_text
from neurodecode.errors import CorruptFileError

LONGEST_TR_S = 100


def read_bids(
    folder: str | Path,
    subject: str,
    *,
    task: str | None = None,
    space: str | None = None,
    raw: str | Path | None = None,
) -> Recording:
    """The runs of one person in a BIDS folder or a derivatives folder.

    Parameters
    ----------
    folder : path
        With ``sub-SUBJECT`` in it. Where a run has preprocessed images (``desc-preproc``), these
        are taken.
    subject : str
        With or without ``sub-``.
    task, space : str, optional
        Entities of the runs wanted. If the runs have several, one must be chosen.
    raw : path, optional
        The raw BIDS folder with the tables of events; by default ``folder`` itself, or for
        ``RAW/derivatives/NAME`` the folder RAW.

    Returns
    -------
    Recording
        Sessions are BIDS sessions; confounds are given where every run has them. One mask serves
        all runs: that of the first run, or else the person's only mask without a space in the
        derivatives below the folder.

    Raises
    ------
    FileNotFoundError
        If the person has no run, or a run no events.
    ValueError
        If there are several tasks or spaces and none was chosen.
    """
    root, person = Path(folder), f"sub-{subject.removeprefix('sub-')}"
    images = _runs(root, person, task, space)
    files = tuple(_preprocessed(images, root / person))
    events = tuple(_events(file, _raw_folder(root, raw), person) for file in files)
    masks = [_sibling(file, "desc-brain_mask.nii.gz") for file in files]
    confounds = [_sibling(file, "desc-confounds_timeseries.tsv", space=False) for file in files]
    sessions = [entity(file, "ses") or "1" for file in files]
    return Recording(
        person,
        "fmri",
        files,
        events,
        tuple(_run_id(file) for file in files),
        sessions=tuple(sessions),
        mask=masks[0] or _shared_mask(root, person),
        confounds=tuple(confounds) if all(confounds) else None,
        tr_s=_tr_s(files[0]),
    )


def entity(path: Path, name: str) -> str | None:
    """An entity of a BIDS file name.

    Examples
    --------
    >>> entity(Path("sub-01_task-film_bold.nii.gz"), "task")
    'film'
    """
    parts = dict(part.split("-", 1) for part in path.name.split("_") if "-" in part)
    return parts.get(name)


def _runs(root: Path, person: str, task: str | None, space: str | None) -> list[Path]:
    found = sorted((root / person).glob("**/func/*_bold.nii*"))
    wanted = [
        file
        for file in found
        if task in (None, entity(file, "task")) and space in (None, entity(file, "space"))
    ]
    if not wanted:
        raise FileNotFoundError(
            f"No run of {person} with task {task} and space {space} under {root / person}; there "
            f"are {len(found)} images ({listing([file.name for file in found], 3)})."
        )
    return wanted


def _preprocessed(images: list[Path], where: Path) -> list[Path]:
    """One image a run: preprocessed ones where there are any; one task and one space."""
    chosen = [file for file in images if entity(file, "desc") == "preproc"] or images
    for name in ("task", "space", "desc", "echo"):
        values = sorted({entity(file, name) or "none" for file in chosen})
        if len(values) > 1:
            raise ValueError(
                f"The images under {where} have several values of '{name}': {listing(values)}. "
                f"Choose one by task= or space=."
            )
    return chosen


def _run_id(file: Path) -> str:
    """Session and run, unique within the person."""
    parts = [f"{name}-{entity(file, name)}" for name in ("ses", "run") if entity(file, name)]
    return "_".join(parts) or "1"


def _raw_folder(root: Path, raw: str | Path | None) -> Path:
    if raw is not None:
        return Path(raw)
    return root.parent.parent if root.parent.name == "derivatives" else root


def _events(file: Path, raw: Path, person: str) -> Path:
    kept = [part for part in file.name.split("_") if part.split("-")[0] in _RAW_ENTITIES]
    table = raw / file.parent.relative_to(_above(file, person)) / f"{'_'.join(kept)}_events.tsv"
    if not table.exists():
        raise FileNotFoundError(
            f"{file.name} has no events: {table} does not exist. Give the raw BIDS folder by raw=."
        )
    return table


_RAW_ENTITIES = ("sub", "ses", "task", "acq", "ce", "rec", "dir", "run")


def _above(file: Path, person: str) -> Path:
    return next(parent.parent for parent in file.parents if parent.name == person)


def _sibling(file: Path, ending: str, *, space: bool = True) -> Path | None:
    kept = [
        part
        for part in file.name.split("_")
        if part.split("-")[0] in _RAW_ENTITIES or (space and part.startswith("space-"))
    ]
    found = file.with_name("_".join([*kept, ending]))
    return found if found.exists() else None


def _shared_mask(root: Path, person: str) -> Path | None:
    """The one brain mask of this person in any derivatives, in the space of the raw images."""
    found = [
        file
        for file in sorted(root.glob(f"derivatives/*/{person}/**/*_desc-brain_mask.nii.gz"))
        if entity(file, "space") is None
    ]
    return found[0] if len(found) == 1 else None


def _tr_s(file: Path) -> float | None:
    """From the sidecar; None leaves it to the image's header."""
    sidecar = file.with_name(file.name.split(".nii")[0] + ".json")
    if not sidecar.exists():
        return None
    text = read_text(sidecar, "a sidecar")
    with reading(sidecar, "a sidecar"):
        stated = json.loads(text).get("RepetitionTime")
        if stated is not None and not 0 < float(stated) < LONGEST_TR_S:
            raise CorruptFileError(
                f"{sidecar} states a RepetitionTime of {stated} s; one between 0 and "
                f"{LONGEST_TR_S} s was expected."
            )
        return None if stated is None else float(stated)
