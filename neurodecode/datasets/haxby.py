"""Pictures of eight categories, seen by six people (Haxby et al. 2001).

Origin
    J. V. Haxby et al., Distributed and overlapping representations of faces and objects in ventral
    temporal cortex, Science 293 (2001). Faces, houses, cats, bottles, scissors, shoes, chairs and
    scrambled pictures in blocks of 24 s, 12 runs a person, TR 2.5 s.
Licence
    CC BY-SA 3.0 (PyMVPA's data page).
Size and how to obtain, and the three layouts that `read` knows
    - ``nilearn.datasets.fetch_haxby(subjects=[1, 2])``: about 310 MB a person. One image of all
      runs (``bold.nii.gz``, 1452 volumes), ``labels.txt`` (a label and a run number a volume, with
      a head line) and masks of ventral temporal cortex. Give `read` what it returns, or a folder
      ``subj1``.
    - OpenfMRI ds000105: ``sub001/BOLD/task001_run001/bold.nii.gz``, onsets in
      ``sub001/model/model001/onsets`` (or ``bold_events.tsv``), ``bold_moest.txt`` (motion), masks.
    - PyMVPA (github.com/PyMVPA/PyMVPA, mvpa2/data): 4.5 MB, person 1, one slice of 530 voxels:
      ``bold.nii.gz``, ``mask.nii.gz``, ``attributes_literal.txt`` (its ``bold_mc.par`` has 19 lines
      for 1452 volumes and is not used), and an OpenfMRI folder of the same person with the motion.

The events of all three mark the volumes of a block *with* the haemodynamic delay: a block of 24 s
is 9 volumes that start about 3 s after the pictures did. Run 8 of person 5 has no labels: it is
kept, with an empty table of events.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neurodecode.data import Recording, listing, recorded_in
from neurodecode.datasets._files import existing, locate
from neurodecode.datasets._haxby_tables import (
    CATEGORIES,
    read_conditions,
    read_labels,
    read_motion,
    read_onsets,
    read_tr,
)
from neurodecode.datasets._images import open_image
from neurodecode.datasets._volumes import Volumes, events_of, spans
from neurodecode.errors import CorruptFileError

__all__ = ["CATEGORIES", "TR_S", "read", "read_people"]

TR_S = 2.5
log = logging.getLogger("neurodecode")


def read(
    source: str | Path | Mapping[str, Any],
    person: int = 1,
    *,
    image: str = "bold.nii.gz",
    mask: str | Path | None = None,
) -> Recording:
    """The recording of one person, from any of the three layouts.

    Parameters
    ----------
    source : path or mapping
        A folder, or what ``nilearn.datasets.fetch_haxby`` returned.
    person : int
        Number of the person: of those fetched, counted from 1; in an OpenfMRI folder ``sub00N``.
        A folder of one person has number 1.
    image : str
        File name of the images, for an OpenfMRI folder (``'bold_1slice.nii.gz'``,
        ``'bold_25mm.nii.gz'``).
    mask : path, optional
        Voxels to use: a path, or a name below an OpenfMRI person's folder ``masks``. By default
        ventral temporal cortex where there is a mask of it.

    Returns
    -------
    Recording
        One entry a run; events have the columns onset, duration and trial_type (the category).

    Raises
    ------
    CorruptFileError
        If labels and images have different lengths or a table can't be read.
    """
    if isinstance(source, Mapping):
        return _from_nilearn(source, person, mask)
    folder = existing(source, "Haxby folder")
    if (folder / "attributes_literal.txt").exists():
        labels, images = folder / "attributes_literal.txt", folder / "bold.nii.gz"
        found = mask or folder / "mask.nii.gz"
        return _from_labels("haxby-1", images, labels, found)
    if (folder / "labels.txt").exists():
        found = mask or folder / "mask4_vt.nii.gz"
        number = "".join(one for one in folder.name if one.isdigit()) or str(person)
        return _from_labels(f"haxby-{number}", folder / image, folder / "labels.txt", found)
    if (folder / f"sub{person:03d}" / "BOLD").is_dir():
        return _from_openfmri(folder, person, image, mask)
    raise FileNotFoundError(
        f"{folder} is no Haxby folder for person {person}. Expected attributes_literal.txt "
        f"(PyMVPA), labels.txt (nilearn's subjN) or sub{person:03d}/BOLD (OpenfMRI) in it."
    )


def read_people(folder: str | Path, *, image: str = "bold.nii.gz") -> list[Recording]:
    """Everybody in a folder of any of the layouts, or in a folder that holds such folders.

    Parameters
    ----------
    folder : path
        Such as ``nilearn_data/haxby2001`` with ``subj1`` to ``subj6``.
    image : str
        As in `read`.

    Raises
    ------
    FileNotFoundError
        If there is nobody.
    """
    found = locate(folder, "attributes_literal.txt", "labels.txt", "sub[0-9][0-9][0-9]/BOLD")
    people: list[Recording] = []
    for one in found:
        numbers = [int(sub.name[3:]) for sub in sorted(one.glob("sub[0-9][0-9][0-9]"))] or [1]
        people += [read(one, number, image=image) for number in numbers]
    return people


def _from_nilearn(fetched: Mapping[str, Any], person: int, mask: str | Path | None) -> Recording:
    n_people = len(fetched["func"])
    if not 1 <= person <= n_people:
        raise ValueError(f"Person {person} was not fetched; there are persons 1 to {n_people}.")
    images = Path(fetched["func"][person - 1])
    labels = Path(fetched["session_target"][person - 1])
    number = "".join(one for one in images.parent.name if one.isdigit()) or str(person)
    return _from_labels(f"haxby-{number}", images, labels, mask or fetched["mask_vt"][person - 1])


def _from_labels(subject: str, images: Path, labels: Path, mask: str | Path) -> Recording:
    """One image of all runs, with a label and a run number for each volume."""
    names, chunks = read_labels(labels)
    shape = open_image(existing(images, "Haxby image"), whole=False).shape
    if len(shape) != 4 or shape[3] != len(names):
        raise CorruptFileError(
            f"{images} has shape {shape} but {labels.name} labels {len(names)} volumes. "
            f"The last axis should have one volume a label."
        )
    cuts = list(spans(chunks))
    runs = tuple(chunks[start] for start, _ in cuts)
    return Recording(
        subject,
        "fmri",
        tuple(Volumes(images, start, stop) for start, stop in cuts),
        tuple(events_of(names[start:stop], TR_S) for start, stop in cuts),
        runs,
        mask=existing(mask, "mask"),
        tr_s=TR_S,
        provenance=recorded_in(images, f"haxby2001/{subject}"),
    )


def _from_openfmri(folder: Path, person: int, image: str, mask: str | Path | None) -> Recording:
    root = folder / f"sub{person:03d}"
    runs = sorted(path for path in (root / "BOLD").iterdir() if (path / image).exists())
    if not runs:
        have = sorted({path.name for path in (root / "BOLD").glob("*/*.nii.gz")})
        raise FileNotFoundError(
            f"No run under {root / 'BOLD'} has an image '{image}'. There are: {listing(have)}."
        )
    motion = [run / "bold_moest.txt" for run in runs]
    tr_s = TR_S
    if (folder / "scan_key.txt").exists():
        tr_s = read_tr(folder / "scan_key.txt")
    return Recording(
        f"haxby-{person}",
        "fmri",
        tuple(run / image for run in runs),
        tuple(_openfmri_events(folder, root, run) for run in runs),
        tuple(run.name for run in runs),
        mask=_openfmri_mask(root, mask),
        confounds=tuple(
            read_motion(path, run / image) for path, run in zip(motion, runs, strict=True)
        )
        if all(path.exists() for path in motion)
        else None,
        tr_s=tr_s,
        provenance=recorded_in(root, f"haxby2001/haxby-{person}"),
    )


def _openfmri_mask(root: Path, mask: str | Path | None) -> Path | None:
    if mask is not None:
        inside = root / "masks" / mask
        return inside if inside.exists() else existing(mask, "mask")
    found = sorted((root / "masks").rglob("*vt*.nii.gz")) if (root / "masks").is_dir() else []
    return found[0] if len(found) == 1 and found[0].parent.name == "orig" else None


def _openfmri_events(folder: Path, root: Path, run: Path) -> Any:
    """Events from ``bold_events.tsv``, or from one onset file a condition."""
    import pandas

    if (run / "bold_events.tsv").exists():
        return run / "bold_events.tsv"
    names = read_conditions(folder / "models" / "model001" / "condition_key.txt")
    task = run.name.split("_")[0]
    wanted = {condition: name for (of, condition), name in names.items() if of == task}
    onsets = root / "model" / "model001" / "onsets" / run.name
    have = {file.stem: file for file in sorted(onsets.glob("*.txt"))}
    if have and set(have) != set(wanted):
        log.warning(
            "%s has onsets of %s, but condition_key.txt names %s: events are missing.",
            onsets, listing(have), listing(wanted),
        )  # fmt: skip
    rows = [
        {"onset": onset, "duration": duration, "trial_type": wanted[condition]}
        for condition, file in have.items()
        if condition in wanted
        for onset, duration in read_onsets(file)
    ]
    table = pandas.DataFrame(rows, columns=["onset", "duration", "trial_type"])
    return table.sort_values("onset", ignore_index=True)
