"""Every public reader with a small twin of its files, and what it reads as comparable content."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas as pd
from PIL import Image
from scipy.io import savemat

from neurodecode import store, twin
from neurodecode.data import MARKER, Recording, Responses, Stimuli
from neurodecode.datasets import (
    haxby,
    miyawaki,
    nsd,
    sherlock,
    ssvep,
    things_eeg2,
    things_meg,
    zuco,
)
from neurodecode.preprocessing import eeg, fmri, meg
from neurodecode.twin.layouts import nsd as nsd_twin
from neurodecode.twin.layouts.things_eeg2 import (
    EegCounts,
    write_raw_things_eeg2,
    write_things_eeg2,
)
from neurodecode.twin.layouts.things_meg import (
    MegCounts,
    write_meg_derivative,
    write_raw_things_meg,
    write_things_meg,
)
from tests.attack.gdf import write_gdf

Content = dict[str, Any]


@dataclass(frozen=True)
class Reader:
    """A reader, and what writes files for it.

    Parameters
    ----------
    write : callable
        Fills an empty folder.
    read : callable
        Reads the folder to the end.
    checked : tuple of str
        Endings whose format holds a checksum: what is altered there must be found.
    """

    write: Callable[[Path], object]
    read: Callable[[Path], Content]
    checked: tuple[str, ...] = (".gz", ".pt", ".npz", ".xlsx", ".safetensors")


def of_responses(responses: Responses) -> Content:
    """All that responses hold, as arrays."""
    names = ("stimulus", "run", "session", "times", "positions", "units", "valid")
    content = {name: getattr(responses, name) for name in names}
    content |= {f"metadata {name}": column for name, column in responses.metadata.items()}
    content["sfreq"] = responses.sfreq
    return {"values": responses.array(), **content}


def of_stimuli(stimuli: Stimuli) -> Content:
    """Ids and the first pictures or texts."""
    content = {"ids": stimuli.ids}
    if stimuli.kind != "text":
        content["pictures"] = np.stack([stimuli.load(one) for one in stimuli.ids[:6]])
    return content


def of_recording(recording: Recording) -> Content:
    """Signals and events of a recording."""
    content: Content = {"tr_s": recording.tr_s, "runs": np.array(recording.runs)}
    for run, (file, events) in enumerate(zip(recording.files, recording.events, strict=True)):
        image = file.load() if hasattr(file, "load") else file
        if hasattr(image, "get_fdata"):
            content[f"signal {run}"] = image.get_fdata()
        elif hasattr(image, "get_data"):
            content[f"signal {run}"] = image.get_data()
        if isinstance(events, pd.DataFrame):
            content[f"events {run}"] = events.to_csv()
    return content


DESIGN = nsd_twin.NsdDesign(n_subjects=1, n_shared=4, n_own=4, n_sessions=2, n_repeats=2, seed=1)


def _nsd(write: Callable[..., object], **options: Any) -> Callable[[Path], object]:
    return lambda folder: write(
        folder, DESIGN, DESIGN.people(n_voxels=30), picture_size=16, **options
    )


def _read_nsd(layout: Callable[[Path], Any], repeats: str = "kept") -> Callable[[Path], Content]:
    def read(folder: Path) -> Content:
        source = layout(folder)
        content = of_responses(source.responses(1, repeats=repeats))
        return content | {f"stimuli {k}": v for k, v in of_stimuli(source.stimuli()).items()}

    return read


def _brain_diffuser(folder: Path) -> nsd.BrainDiffuserArrays:
    return nsd.BrainDiffuserArrays(folder, n_shared=DESIGN.n_shared)


EEG = EegCounts(2, 2, 2, 2, 2)
MEG = MegCounts(1, 1, 2, 2, 1)


def _eeg2(kind: str) -> Reader:
    ids = {"train": [f"cup_{i}" for i in range(8)], "test": [f"dog_{i}" for i in range(4)]}
    return Reader(
        lambda folder: write_things_eeg2(folder, kind=kind, counts=EEG),
        lambda folder: of_responses(
            things_eeg2.read(folder, 1, stimulus=ids if kind == "flat" else None)
        ),
    )


def _read_derivative(folder: Path) -> Content:
    files = sorted(one for one in folder.iterdir() if one.is_file() and one.name != MARKER)
    train, test = sorted(files, key=lambda one: "test" in one.name)[:2]
    return of_responses(things_meg.read_derivative(train, test, 1))


def _derivative(kind: str) -> Reader:
    return Reader(lambda folder: write_meg_derivative(folder, kind), _read_derivative)


def _write_zuco(version: int) -> Callable[[Path], object]:
    plan = twin.Reading(n_channels=4)
    return lambda folder: twin.write_reading(folder, 1, 6, version=version, plan=plan)


def _read_zuco(folder: Path) -> Content:
    content: Content = {}
    for name, files in zuco.find_files(folder).items():
        for file in files:
            for sentence in zuco.read_sentences(file):
                key = f"{name} {file.name} {sentence.index}"
                content[key] = sentence.content
                content[f"{key} raw"] = sentence.eeg
                content[f"{key} words"] = "|".join(
                    f"{word.content},{word.n_fixations}" for word in sentence.words
                )
        content[f"{name} responses"] = zuco.read_subject(files)[0].array()
    return content


def _write_haxby(folder: Path) -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 999, (4, 4, 4, 24)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), folder / "bold.nii.gz")
    mask = np.ones((4, 4, 4), np.uint8)
    nibabel.save(nibabel.Nifti1Image(mask, np.eye(4)), folder / "mask.nii.gz")
    labels = ["rest", "face", "face", "rest", "house", "rest"] * 2
    lines = [f"{label} {run}" for run in (0, 1) for label in labels]
    (folder / "attributes_literal.txt").write_text("\n".join(lines) + "\n")


def _write_openfmri(folder: Path) -> None:
    run = folder / "sub002" / "BOLD" / "task001_run001"
    run.mkdir(parents=True)
    values = np.random.default_rng(0).integers(0, 999, (4, 4, 4, 6)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), run / "bold.nii.gz")
    masks = folder / "sub002" / "masks" / "orig"
    masks.mkdir(parents=True)
    nibabel.save(nibabel.Nifti1Image(np.ones((4, 4, 4), "u1"), np.eye(4)), masks / "vt.nii.gz")
    np.savetxt(run / "bold_moest.txt", np.zeros((6, 6)))
    (folder / "scan_key.txt").write_text("TR 2.0\n")
    table = "onset\tduration\ttrial_type\n2.5\t2.5\tface\n7.5\t2.5\thouse\n"
    (run / "bold_events.tsv").write_text(table)


def _write_miyawaki(folder: Path) -> None:
    rng = np.random.default_rng(0)
    squares = (rng.random((2, 10, 10)) > 0.5).astype(float)
    big = squares[:, (np.arange(28) * 10 // 28)][:, :, (np.arange(28) * 10 // 28)]
    row = big.transpose(0, 2, 1).reshape(2, 784)
    which, order = np.array([0, 1, 1, 0, 0, 1]), np.array([2, 0, 5, 1, 3, 4])
    voxels = np.arange(6.0)[:, None] * np.ones(3)
    runs = np.array([21, 21, 22, 22, 23, 23])[:, None]
    train, test = order[:4], order[4:]
    content = {
        "fmriTrn": voxels[train], "fmriTest": voxels[test], "stimTrn": row[which[train]],
        "stimTest": row[which[test]], "labelTrn": runs[train], "labelTest": runs[test],
        "train_indices": train[None], "test_indices": test[None],
    }  # fmt: skip
    savemat(folder / "miyawaki_structured_28x28.mat", content)


def _read_miyawaki(folder: Path) -> Content:
    content = of_responses(miyawaki.read(folder))
    pictures = miyawaki.stimuli(folder / "miyawaki_structured_28x28.mat")
    return content | {f"stimuli {k}": v for k, v in of_stimuli(pictures).items()}


def _write_sherlock(folder: Path) -> None:
    rng = np.random.default_rng(0)
    columns = ["Segment Number", "Start Time (TRs, 1.5s)", "End Time (TRs, 1.5s)",
               "Scene Segments", "Scene Details - A Level "]  # fmt: skip
    table = pd.DataFrame(
        [(1, 1.0, 3.0, "1. Cartoon", "People dance. "), (2, 4.0, 6.0, None, "Popcorn."),
         (3, 7.0, 14.0, "2. War", "Gunfire."), (4, 947.0, 960.0, "3. Back", "After.")],
        columns=columns,
    )  # fmt: skip
    table.to_excel(folder / "Sherlock_Segments_1000_NN_2017.xlsx", index=False)
    for number in (1, 2):
        path = folder / "subjects" / f"s{number}" / f"pmc_nn_sherlock_movie_s{number}.mat"
        path.parent.mkdir(parents=True)
        savemat(path, {"rdata": rng.normal(size=(4, 960)).astype(np.float32)})
    (folder / "roi_timecourses").mkdir()
    for name in ("v1", "a1"):
        file = folder / "roi_timecourses" / f"{name}_sherlock_movie_roicorr.mat"
        savemat(file, {"roitc": rng.normal(size=(950, 3))}, do_compression=name == "a1")


def _read_sherlock(folder: Path) -> Content:
    content: Content = {}
    for person in sherlock.read(folder, min_duration_s=0):
        content |= {f"{person.subject} {k}": v for k, v in of_responses(person).items()}
    for person in sherlock.read_roi_timecourses(folder):
        content |= {f"roi {person.subject} {k}": v for k, v in of_responses(person).items()}
    scenes = sherlock.scenes(folder)
    return content | {f"text {one}": scenes.load(one) for one in scenes.ids}


def _write_ssvep(folder: Path) -> None:
    """Four trials, with the cue and the start of each as GDF events."""
    classes = [int(one) for one in (*ssvep.CLASSES,)]
    codes = [code for cue in classes for code in (cue, int(ssvep.START))]
    (folder / "subject01").mkdir()
    write_gdf(folder / "subject01" / "record-[2012].gdf", tuple(codes))


def _read_ssvep(folder: Path) -> Content:
    [recording] = ssvep.read(folder)
    window = eeg.Window(0.0, 0.1, baseline_s=None)
    return of_responses(
        eeg.single_trials(recording, cleaning=eeg.Cleaning(picks="eeg"), window=window)
    )


def _write_labels(folder: Path) -> None:
    films = ["1;A film to see.;;1", "2;Not a good film.;;-1", "3;It lasts two hours.;;0"]
    (folder / "sentiment_labels_task1.csv").write_text("\n".join(films) + "\n")
    lives = ["1;12;He was born in 1950.;AWARD", "2;13;She won a big prize.;CONTROL"]
    (folder / "nr_1.csv").write_text("\n".join(lives) + "\n")


def _read_labels(folder: Path) -> Content:
    return {name: "|".join(sorted(map(str, found.items())))
            for name, found in zuco.read_labels(folder).items()}  # fmt: skip


def _write_squares(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for run in (1, 2):
        stem = f"data_figure_run0{run}"
        values = rng.normal(size=(3, 3, 3, 20)).astype("f4")
        nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), folder / f"{stem}.nii.gz")
        rows = np.repeat((rng.random((5, 100)) > 0.5).astype(int), 4, axis=0)
        rows[:4] = -1
        np.savetxt(folder / f"{stem}_label.csv", rows, "%d", delimiter=",")
    mask = nibabel.Nifti1Image(np.ones((3, 3, 3), np.uint8), np.eye(4))
    nibabel.save(mask, folder / "mask.nii.gz")


def _read_squares(folder: Path) -> Content:
    fetched = {
        "func": sorted(map(str, folder.glob("*run0?.nii.gz"))),
        "label": sorted(map(str, folder.glob("*label.csv"))),
        "mask": str(folder / "mask.nii.gz"),
    }
    content = of_responses(fmri.single_trials(miyawaki.from_nilearn(fetched), fmri.BlockMeans()))
    pictures = miyawaki.stimuli_from_nilearn(fetched)
    return content | {f"stimuli {k}": v for k, v in of_stimuli(pictures).items()}


def _read_captions(folder: Path) -> Content:
    said = nsd.captions(folder, [nsd.stimulus_id(one) for one in range(100)])
    return {name: "|".join(lines) for name, lines in said.items()} | {"n": len(said)}


def _write_pictures(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("a.png", "b.png", "c.bmp"):
        Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(folder / name)


def _read_pictures(folder: Path) -> Content:
    names = ("a.png", "b.png", "c.bmp")
    stimuli = Stimuli.from_files({name: folder / name for name in names})
    return {f"pictures {name}": stimuli.load(name) for name in names}


def _responses() -> Responses:
    rng = np.random.default_rng(0)
    return Responses(
        rng.normal(size=(12, 5, 4)).astype(np.float32),
        np.array([f"picture-{i % 6}é" for i in range(12)]),
        "sub-01",
        "eeg",
        dims=("trial", "channel", "time"),
        sfreq=100.0,
        times=np.arange(4) / 100,
        run=np.repeat(["1", "2"], 6),
        units=np.array([f"E{i}" for i in range(5)]),
        metadata={"part": np.repeat(["train", "test"], 6), "rating": np.arange(12.0)},
    )


PLAN = twin.Design(n_trials=6, n_test=2, test_repeats=2, n_sessions=1, runs_per_session=2)


def _bids(modality: str) -> Callable[[Path], object]:
    return lambda folder: twin.write(folder / "d", modality, n_subjects=1, design=PLAN)


def _read_fmri(folder: Path) -> Content:
    recording = fmri.read_bids(folder / "d", "01")
    return of_responses(fmri.single_trials(recording, fmri.BlockMeans()))


def _read_sensors(module: Any, kind: str) -> Callable[[Path], Content]:
    def read(folder: Path) -> Content:
        files = sorted(
            one for ending in ("*_meg.fif", "*_eeg.vhdr") for one in (folder / "d").rglob(ending)
        )
        tables = [str(path).rsplit("_", 1)[0] + "_events.tsv" for path in files]
        runs = [f"run-{number}" for number in range(len(files))]
        recording = Recording("sub-01", kind, files, tables, runs)
        window = module.Window(0.0, 0.3, baseline_s=None)
        return of_responses(
            module.single_trials(recording, cleaning=module.CLEANING, window=window)
        )

    return read


READERS: Mapping[str, Reader] = {
    "nsd raw": Reader(_nsd(nsd_twin.write_raw, voxel_mm=12), _read_nsd(nsd.RawNsd)),
    "nsd raw hdf5": Reader(
        _nsd(nsd_twin.write_raw, voxel_mm=12, form="hdf5"), _read_nsd(nsd.RawNsd)
    ),
    "nsd tars": Reader(_nsd(nsd_twin.write_webdataset, n_validation=1), _read_nsd(nsd.WebDataset)),
    "nsd unpacked": Reader(
        _nsd(nsd_twin.write_webdataset, n_validation=1, unpacked=True), _read_nsd(nsd.WebDataset)
    ),
    "mindeye2": Reader(_nsd(nsd_twin.write_mindeye), _read_nsd(nsd.MindEyeArrays)),
    "brain-diffuser": Reader(
        _nsd(nsd_twin.write_brain_diffuser), _read_nsd(_brain_diffuser, "averaged")
    ),
    **{f"eeg2 {kind}": _eeg2(kind) for kind in ("official", "nice", "ubp", "neurobridge", "flat")},
    "eeg2 raw": Reader(
        write_raw_things_eeg2, lambda folder: of_recording(things_eeg2.recording(folder, 1))
    ),
    **{f"meg {kind}": _derivative(kind) for kind in ("atm", "ubp", "neurobridge")},
    "meg epochs": Reader(
        lambda folder: write_things_meg(folder, counts=MEG),
        lambda folder: of_responses(things_meg.read_epochs(folder, 1)),
    ),
    "meg raw": Reader(
        write_raw_things_meg, lambda folder: of_recording(things_meg.recording(folder, 1))
    ),
    "zuco 1": Reader(_write_zuco(1), _read_zuco),
    "zuco 2": Reader(_write_zuco(2), _read_zuco),
    "haxby": Reader(_write_haxby, lambda folder: of_recording(haxby.read(folder))),
    "haxby openfmri": Reader(_write_openfmri, lambda folder: of_recording(haxby.read(folder, 2))),
    "miyawaki": Reader(_write_miyawaki, _read_miyawaki),
    "miyawaki nilearn": Reader(_write_squares, _read_squares),
    "sherlock": Reader(_write_sherlock, _read_sherlock),
    "ssvep": Reader(_write_ssvep, _read_ssvep),
    "zuco labels": Reader(_write_labels, _read_labels),
    "captions": Reader(_nsd(nsd_twin.write_raw, voxel_mm=12), _read_captions),
    "pictures": Reader(_write_pictures, _read_pictures, checked=(".png",)),
    "store": Reader(
        lambda folder: store.save(folder / "sub-01.h5", _responses()),
        lambda folder: of_responses(store.load(folder / "sub-01.h5")),
        checked=(".h5",),
    ),
    "bids fmri": Reader(_bids("fmri"), _read_fmri),
    "bids meg": Reader(_bids("meg"), _read_sensors(meg, "meg")),
    "bids eeg": Reader(_bids("eeg"), _read_sensors(eeg, "eeg")),
}


def files_of(folder: Path) -> Iterator[Path]:
    """The files of a layout, in a fixed order."""
    return (one for one in sorted(folder.rglob("*")) if one.is_file())
