"""Simulated people in the layouts of MindEye1/MindBridge, MindEye2 and Brain-Diffuser."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from neurodecode import scenes
from neurodecode.data import Responses, mark_simulated
from neurodecode.twin.layouts.nsd._design import NsdDesign
from neurodecode.twin.layouts.nsd._raw import write_experiment

Members = Iterable[tuple[str, bytes]]
FILLED = 3
N_COLUMNS = 17


def write_webdataset(
    root: str | Path,
    design: NsdDesign,
    people: Sequence[Responses],
    *,
    unpacked: bool = False,
    picture_size: int = 256,
    n_validation: int = 4,
) -> Path:
    """Write ``webdataset_avg_split`` and the files its captions come from.

    Parameters
    ----------
    root : path
    design : NsdDesign
    people : sequence of Responses
        From ``design.people()``.
    unpacked : bool
        Folders of files without ``num_uniques.npy``, as MindBridge reads them, instead of tars.
    picture_size : int
    n_validation : int
        Real: 300.
    """
    mark_simulated(root, [one.provenance.recording for one in people])
    folder = Path(root) / "webdataset_avg_split"
    write_experiment(Path(root), design)
    pictures = [_jpeg(one) for one in design.pictures(picture_size)]
    for number, person in enumerate(people, start=1):
        name = f"subj{number:02d}"
        totals = {}
        for part, chosen in _release_parts(design, person, n_validation).items():
            members = _samples(person, chosen, pictures, short=unpacked)
            if unpacked:
                _write_folder(folder / part / name, members)
            else:
                _write_tar(folder / part / f"{part}_{name}_0.tar", members)
            totals[part] = len(chosen)
        (folder / f"metadata_{name}.json").write_text(json.dumps({"totals": totals}))
    return folder


def write_mindeye(
    root: str | Path, design: NsdDesign, people: Sequence[Responses], *, picture_size: int = 224
) -> Path:
    """Write MindEye2's release: behaviour tars, betas and pictures.

    Parameters
    ----------
    root : path
    design : NsdDesign
    people : sequence of Responses
        From ``design.people()``; stored z-scored by voxel with training statistics.
    picture_size : int
        Real: 224.
    """
    folder = Path(root)
    mark_simulated(folder, [one.provenance.recording for one in people])
    pictures = np.moveaxis(design.pictures(picture_size), -1, 1) / np.float16(255)
    with h5py.File(folder / "coco_images_224_float16.hdf5", "w") as file:
        file["images"] = pictures.astype(np.float16)
    shared = np.isin(np.arange(1, design.n_pictures + 1), design.sharedix)
    np.save(folder / "shared1000.npy", shared)
    for number, person in enumerate(people, start=1):
        name = f"subj{number:02d}"
        table = _behaviour(design, number)
        test = table[:, 16] == 1
        with h5py.File(folder / f"betas_all_{name}_fp32_renorm.hdf5", "w") as file:
            train = person.array()[~test]
            scaled = (person.array() - train.mean(axis=0)) / train.std(axis=0)
            file["betas"] = scaled.astype(np.float32)
        with h5py.File(folder / "brain_region_masks.hdf5", "a") as file:
            early = np.char.startswith(np.asarray(person.units), "V1")
            file[f"{name}/nsd_general"] = np.ones(person.n_units, dtype=bool)
            file[f"{name}/V1"] = early
        for session in range(1, design.n_sessions + 1):
            rows = table[(table[:, 2] == session) & ~test]
            _write_tar(folder / f"wds/{name}/train/{session - 1}.tar", _behaviour_members(rows))
        for part, last in (("new_test", 40), ("test", 37)):
            rows = table[test & (table[:, 2] <= last)]
            _write_tar(folder / f"wds/{name}/{part}/0.tar", _behaviour_members(rows))
    return folder


def write_brain_diffuser(
    root: str | Path, design: NsdDesign, people: Sequence[Responses], *, picture_size: int = 425
) -> Path:
    """Write Brain-Diffuser's processed arrays, and the design that names their rows.

    Parameters
    ----------
    root : path
        Becomes its folder ``data``.
    design : NsdDesign
    people : sequence of Responses
        From ``design.people()``.
    picture_size : int
        Real: 425.
    """
    folder = Path(root)
    mark_simulated(folder, [one.provenance.recording for one in people])
    write_experiment(folder, design)
    for number, person in enumerate(people, start=1):
        place = folder / f"processed_data/subj{number:02d}"
        place.mkdir(parents=True, exist_ok=True)
        mean = person.average_repeats()
        order = design.masterordering[0]
        first = order[np.sort(np.unique(order, return_index=True)[1])]
        test = first <= design.n_shared
        for part, rows in (("train", ~test), ("test", test)):
            chosen = design.subjectim[number - 1][first[rows].astype(int) - 1] - 1
            betas = mean.select([f"nsd-{one:05d}" for one in chosen]).array(np.float64) * 300.0
            said = [(scenes.captions(design.scene(one)) + [""] * 5)[:5] for one in chosen]
            stem = f"nsd_{part}"
            np.save(place / f"{stem}_fmriavg_nsdgeneral_sub{number}.npy", betas)
            np.save(place / f"{stem}_cap_sub{number}.npy", np.array(said, dtype=np.str_))
            shown = design.pictures(picture_size)[chosen].astype(np.float64)
            np.save(place / f"{stem}_stim_sub{number}.npy", shown)
    return folder


def _release_parts(design: NsdDesign, person: Responses, n_validation: int) -> dict[str, list[str]]:
    shared = {f"nsd-{one - 1:05d}" for one in design.sharedix[0].tolist()}
    seen = list(dict.fromkeys(person.stimulus.tolist()))
    own = [one for one in seen if one not in shared]
    test = [one for one in seen if one in shared]
    return {"train": own[n_validation:], "val": own[:n_validation], "test": test}


def _samples(
    person: Responses, chosen: Sequence[str], pictures: Sequence[bytes], *, short: bool
) -> Members:
    values = person.array()
    for number, one in enumerate(chosen):
        trials = np.flatnonzero(person.stimulus == one)[:FILLED]
        filled = np.resize(trials, FILLED)
        picture = int(one.removeprefix("nsd-"))
        arrays: dict[str, NDArray[Any]] = {
            "nsdgeneral.npy": values[filled],
            "coco73k.npy": np.array([picture]),
        }
        if not short:
            arrays |= {"trial.npy": filled, "num_uniques.npy": np.array([len(trials)])}
        key = f"sample{number:09d}"
        yield f"{key}.jpg", pictures[picture]
        for name, array in arrays.items():
            yield f"{key}.{name}", _npy(array)


def _behaviour(design: NsdDesign, number: int) -> NDArray[np.float64]:
    """MindEye2's 17 columns of each trial; what nobody reads here is -1."""
    table = np.full((design.n_trials, N_COLUMNS), -1.0)
    shown = design.shown(number)
    table[:, 0] = shown - 1
    table[:, 1] = number
    table[:, 2], table[:, 3] = design.session, design.run
    table[:, 4] = table[:, 5] = np.arange(design.n_trials)
    table[:, 16] = np.isin(shown, design.sharedix)
    return table


def _behaviour_members(rows: NDArray[np.float64]) -> Members:
    for row in rows:
        key = f"{int(row[5]):09d}"
        yield f"{key}.behav.npy", _npy(row[None])
        for name, length in (("past_behav", 15), ("future_behav", 15), ("olds_behav", 3)):
            yield f"{key}.{name}.npy", _npy(np.full((length, N_COLUMNS), -1.0))


def _write_tar(path: Path, members: Members) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            about = tarfile.TarInfo(name)
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))


def _write_folder(folder: Path, members: Members) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in members:
        (folder / name).write_bytes(content)


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()
