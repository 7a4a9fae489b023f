"""Which layout a folder has, and its parts by the reader that knows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from neurodecode.datasets.checking._files import file_source
from neurodecode.datasets.checking._manifest import files_in
from neurodecode.datasets.checking._pieces import (
    Piece,
    Source,
    of_raw,
    of_responses,
    of_stimuli,
)


@dataclass(frozen=True)
class Layout:
    """A layout, by what its folder holds.

    Parameters
    ----------
    name : str
    marks : tuple of str
        Patterns of `Path.glob`, one of which is there.
    sources : callable
        Its parts.

    Examples
    --------
    >>> recognise(Path("/nonexistent")).name
    'files'
    """

    name: str
    marks: tuple[str, ...]
    sources: Callable[[Path], list[Source]]


def recognise(path: Path) -> Layout:
    """The layout of a folder; ``'files'`` where no reader knows it, or for a file."""
    for layout in LAYOUTS:
        if path.is_dir() and any(next(path.glob(mark), None) for mark in layout.marks):
            return layout
    return FILES


def _files(path: Path) -> list[Source]:
    found = [(file, file_source(file)) for file in files_in(path)]
    named = [(file.relative_to(path) if path.is_dir() else file, one) for file, one in found]
    return [Source(str(name), one.load) for name, one in named if one is not None]


def _nsd(kind: str, path: Path) -> list[Source]:
    from neurodecode.datasets import nsd

    layout = nsd.LAYOUTS[kind](path)
    repeats: Any = "averaged" if kind == "brain-diffuser" else "kept"

    def person(number: int) -> Iterable[Piece]:
        return of_responses(layout.responses(number, repeats=repeats))

    people = [Source(f"subj{one:02d}", partial(person, one)) for one in layout.subjects()]
    return [*people, Source("stimuli", lambda: of_stimuli(layout.stimuli()))]


def _haxby(path: Path) -> list[Source]:
    from neurodecode.datasets import haxby

    def tables() -> Iterable[Piece]:
        haxby.read_people(path)
        return []

    images = [one for one in _files(path) if one.name.endswith((".nii", ".nii.gz"))]
    return [Source("labels and events", tables), *images]


def _miyawaki(path: Path) -> list[Source]:
    from neurodecode.datasets import miyawaki

    return [
        Source("trials", lambda: of_responses(miyawaki.read(path))),
        Source("stimuli", lambda: of_stimuli(miyawaki.stimuli(path))),
    ]


def _sherlock(path: Path) -> list[Source]:
    from neurodecode.datasets import sherlock

    return [
        Source(
            "film", lambda: [one for who in sherlock.read_film(path) for one in of_responses(who)]
        ),
        Source("scenes", lambda: of_stimuli(sherlock.scenes(path))),
    ]


def _ssvep(path: Path) -> list[Source]:
    from neurodecode.datasets import ssvep

    runs = [file for one in ssvep.read(path) for file in one.files]
    return [Source(str(file.relative_to(path)), partial(of_raw, file)) for file in runs]


def _zuco(path: Path) -> list[Source]:
    from neurodecode.datasets import zuco

    def person(paths: list[Path]) -> Iterable[Piece]:
        return of_responses(zuco.read_subject(paths)[0], unit="µV")

    return [Source(name, partial(person, paths)) for name, paths in zuco.find_files(path).items()]


def _eeg2(path: Path) -> list[Source]:
    from neurodecode.datasets import things_eeg2

    def person(number: int) -> Iterable[Piece]:
        return of_responses(things_eeg2.read(path, number))

    names = {file.name for mark in ("sub-*", "*/sub-*") for file in path.glob(mark)}
    numbers = sorted(int(name[4:]) for name in names if name[4:].isdigit())
    return [Source(f"sub-{one:02d}", partial(person, one)) for one in numbers]


def _things_meg(path: Path) -> list[Source]:
    from neurodecode.datasets import things_meg

    def person(number: int) -> Iterable[Piece]:
        return of_responses(things_meg.read_epochs(path, number))

    files = [*path.rglob("preprocessed_P*-epo.fif")]
    numbers = sorted(int(file.name[14:].split("-")[0]) for file in files)
    return [Source(f"sub-BIGMEG{one}", partial(person, one)) for one in numbers]


FILES = Layout("files", (), _files)
LAYOUTS: tuple[Layout, ...] = (
    Layout("BIDS", ("dataset_description.json",), _files),
    Layout("NSD, raw", ("nsddata_betas",), partial(_nsd, "raw")),
    Layout(
        "NSD, webdataset_avg_split",
        ("webdataset_avg_split", "train/train_subj*.tar", "train/subj*"),
        partial(_nsd, "webdataset"),
    ),
    Layout("NSD, MindEye2", ("wds/subj*",), partial(_nsd, "mindeye2")),
    Layout("NSD, Brain-Diffuser", ("processed_data/subj*",), partial(_nsd, "brain-diffuser")),
    Layout("Haxby 2001", ("attributes_literal.txt", "labels.txt", "sub[0-9]*/BOLD"), _haxby),
    Layout("Miyawaki 2008", ("miyawaki_structured_28x28.mat",), _miyawaki),
    Layout("Sherlock", ("Sherlock_Segments*.xlsx",), _sherlock),
    Layout("SSVEP exoskeleton", ("subject*/record-*.gdf",), _ssvep),
    Layout("ZuCo", ("results*.mat", "*/results*.mat", "*/*/results*.mat"), _zuco),
    Layout("THINGS-EEG2", ("*reprocessed_data*/sub-*", "sub-*/*.npy", "sub-*/*.pt"), _eeg2),
    Layout(
        "THINGS-MEG, epochs",
        ("preprocessed_P*-epo.fif", "derivatives/preprocessed/preprocessed_P*-epo.fif"),
        _things_meg,
    ),
)
"""In this order: the first whose mark is there."""
