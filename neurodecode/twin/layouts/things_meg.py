"""THINGS-MEG's files from simulated people: epochs with their table, raw runs, derivatives."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neurodecode import scenes
from neurodecode.data import Responses, mark_simulated
from neurodecode.store import atomic_path
from neurodecode.twin._design import Trials
from neurodecode.twin._machines import MEG, make_info
from neurodecode.twin._meeg import MeegPerson

DROPPED = "MRO11"
CATCH = 999999


@dataclass(frozen=True)
class MegCounts:
    """How many of everything; the real ones are 1,654 and 200 concepts x 12, 200 x 12, 2,400.

    Examples
    --------
    >>> MegCounts().n_exp
    12
    """

    n_train_concepts: int = 4
    n_test_concepts: int = 2
    per_concept: int = 2
    test_repeats: int = 12
    n_catch: int = 3

    @property
    def n_exp(self) -> int:
        """Pictures that are shown once."""
        return (self.n_train_concepts + self.n_test_concepts) * self.per_concept


def write_things_meg(
    root: str | Path, subject: int = 1, *, counts: MegCounts = MegCounts(), seed: int = 0
) -> Path:
    """Write one simulated person's published epochs and table of trials.

    Scenes stand in for THINGS pictures; scenes in a row make a concept, which has no meaning.

    Returns
    -------
    Path
        ``derivatives/preprocessed/preprocessed_P{n}-epo.fif``: 271 sensors, 281 samples at 200 Hz.

    Examples
    --------
    >>> import tempfile
    >>> write_things_meg(tempfile.mkdtemp(), counts=MegCounts(1, 1, 1, 2, 1)).name
    'preprocessed_P1-epo.fif'
    """
    import mne

    base = Path(root)
    mark_simulated(base, ("THINGS-MEG", seed))
    table, stimulus = _table(counts, seed)
    _write_table(base, subject, table)
    found = _person(subject, seed).record(_trials(stimulus, table))
    kept = [one for one, name in enumerate(_names(found)) if name != DROPPED][:271]
    baseline = found.array()[:, kept]
    before = baseline[:, :, :20]
    scored = (baseline - before.mean(2, keepdims=True)) / before.std(2, keepdims=True)
    info = make_info(replace(MEG, sfreq=200.0), 200.0, np.random.default_rng(seed))
    info = mne.pick_info(info, kept)
    mne.rename_channels(info, {name: f"{name}-1609" for name in info["ch_names"]})
    code = np.where(table["trial_type"] == "catch", CATCH, table["things_image_nr"]).astype(int)
    events = np.column_stack([np.arange(len(code)) * 400, np.zeros_like(code), code])
    epochs = mne.EpochsArray(
        scored, info, events, tmin=-0.1, metadata=table, baseline=None, verbose="error"
    )
    file = base / "derivatives" / "preprocessed" / f"preprocessed_P{subject}-epo.fif"
    file.parent.mkdir(parents=True, exist_ok=True)
    epochs.save(file, overwrite=True, verbose="error")
    return file


def write_raw_things_meg(root: str | Path, subject: int = 1, *, seed: int = 0) -> Path:
    """Write one raw run with its events and the table of trials.

    CTF's own format can be read but not written by MNE, so the run is a FIF file under the same
    name; sampling rate, sensors, columns and the 150 ms between software and sensor are the same.

    Examples
    --------
    >>> import tempfile
    >>> write_raw_things_meg(tempfile.mkdtemp()).name
    'sub-BIGMEG1_ses-01_task-main_run-01_meg.fif'
    """
    import mne

    base, counts = Path(root), MegCounts(2, 1, 2, 2, 2)
    mark_simulated(base, ("THINGS-MEG", seed))
    table, _ = _table(counts, seed)
    _write_table(base, subject, table)
    rng = np.random.default_rng((seed, subject))
    info = make_info(replace(MEG, sfreq=1200.0), 1200.0, rng)
    n_samples = 1200 * (4 + 2 * len(table))
    values = rng.normal(0, 1e-13, (len(info["ch_names"]), n_samples))
    stem = f"sub-BIGMEG{subject}_ses-01_task-main_run-01"
    folder = base / f"sub-BIGMEG{subject}" / "ses-01" / "meg"
    folder.mkdir(parents=True, exist_ok=True)
    raw = mne.io.RawArray(values, info, verbose="error")
    file = folder / f"{stem}_meg.fif"
    raw.save(file, overwrite=True, verbose="error")
    sample = 1200 * (2 + 2 * np.arange(len(table)))
    value = table["things_image_nr"].where(table["trial_type"] != "catch")
    events = pd.DataFrame(
        {"onset": sample / 1200 - 0.15, "duration": 0.5, "sample": sample, "value": value}
    )
    events.to_csv(folder / f"{stem}_events.tsv", sep="\t", index=False, na_rep="n/a")
    return file


def write_meg_derivative(
    root: str | Path, kind: Literal["atm", "ubp", "neurobridge"] = "atm", *, seed: int = 0
) -> tuple[Path, Path]:
    """Write the training and test file that another project made of the epochs.

    Examples
    --------
    >>> import tempfile
    >>> [one.name for one in write_meg_derivative(tempfile.mkdtemp())]
    ['preprocessed_meg_training.pkl', 'preprocessed_meg_zs_test.pkl']
    """
    folder, rng = Path(root), np.random.default_rng(seed)
    mark_simulated(folder, ("THINGS-MEG", seed))
    n_times = 200 if kind == "neurobridge" else 201
    train = rng.normal(size=(3, 2, 1, 271, n_times)).astype(np.float32)
    test = rng.normal(size=(2, 1, 4, 271, n_times)).astype(np.float32)
    names = [name for name in MeegPerson(0, MEG).infos[0]["ch_names"] if name != DROPPED][:271]
    channels = [f"{name}-1609" for name in names]
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "neurobridge":
        return _save_arrays(folder, train, test)
    if kind == "ubp":
        return _save_torch(folder, train, test)
    files = folder / "preprocessed_meg_training.pkl", folder / "preprocessed_meg_zs_test.pkl"
    for file, values in zip(files, (train, test), strict=True):
        content = {"meg_data": values, "ch_names": channels, "times": np.arange(n_times) / 200.0}
        with atomic_path(file) as part:
            part.write_bytes(pickle.dumps(content))
    return files


def _save_arrays(folder: Path, train: Any, test: Any) -> tuple[Path, Path]:
    for name, values in (("train", train), ("test", test)):
        with atomic_path(folder / f"{name}.npy") as file, file.open("wb") as stream:
            np.save(stream, values)
    return folder / "train.npy", folder / "test.npy"


def _save_torch(folder: Path, train: Any, test: Any) -> tuple[Path, Path]:
    import torch

    paths = {
        "train": [f"training_images/c{i}/c{i}_{j:02d}b.jpg" for i in range(3) for j in range(2)],
        "test": [f"test_images/t{i}/t{i}_01b.jpg" for i in range(2)],
    }
    flat = {"train": train.reshape(6, 1, *train.shape[3:]), "test": test[:, 0]}
    for name, values in flat.items():
        with atomic_path(folder / f"{name}.pt") as file:
            torch.save({"eeg": torch.from_numpy(values).half(), "img": paths[name]}, file)
    return folder / "train.pt", folder / "test.pt"


def _person(subject: int, seed: int) -> MeegPerson:
    return MeegPerson(subject - 1, replace(MEG, sfreq=200.0, window_s=(-0.1, 1.3)), seed)


def _names(found: Responses) -> list[str]:
    return [] if found.units is None else found.units.tolist()


def _trials(stimulus: NDArray[np.str_], table: pd.DataFrame) -> Trials:
    nothing = np.zeros(len(stimulus), dtype=np.intp)
    part = table["trial_type"].to_numpy(dtype=np.str_)
    return Trials(stimulus, nothing, nothing, part, nothing.astype(bool))


def _table(counts: MegCounts, seed: int) -> tuple[pd.DataFrame, NDArray[np.str_]]:
    """The 18 columns in the order of the release, trials mixed; and the scene of each trial."""
    per, n_exp, n_test = counts.per_concept, counts.n_exp, counts.n_test_concepts
    rows: list[dict[str, Any]] = []
    for image in range(n_exp):
        concept, exemplar = image // per + 1, image % per + 1
        path = f"images_meg/scenes{concept}/scenes{concept}_{exemplar:02d}b.jpg"
        rows.append(_row("exp", path, image + 1, concept, exemplar))
    for image in range(n_test):
        concept = counts.n_train_concepts + image + 1
        path = f"images_test_meg/scenes{concept}_{per + 1:02d}s.jpg"
        one = _row("test", path, n_exp + image + 1, concept, per + 1) | {"test_image_nr": image + 1}
        rows += [one] * counts.test_repeats
    for image in range(counts.n_catch):
        number = n_exp + n_test + image + 1
        path = f"images_catch_meg/catch_{image + 1}.jpg"
        rows.append(_row("catch", path, number, np.nan, np.nan))
    table = pd.DataFrame(rows).sample(frac=1, random_state=seed).reset_index(drop=True)
    table["onset"] = 1.5 * np.arange(len(table))
    table["image_on"], table["image_off"] = table["onset"], table["onset"] + 0.5
    first = 30_000_000 + 1000 * seed
    stimulus = [scenes.scene_id(first + int(one)) for one in table["image_nr"]]
    return table, np.array(stimulus)


def _row(kind: str, path: str, image: int, concept: float, exemplar: float) -> dict[str, Any]:
    """The columns in the order of the release."""
    return {
        "trial_type": kind,
        "image_nr": image,
        "category_nr": concept,
        "exemplar_nr": exemplar,
        "test_image_nr": np.nan,
        "things_category_nr": concept,
        "things_image_nr": image,
        "things_exemplar_nr": exemplar,
        "image_path": path,
        "onset": 0.0,
        "image_on": 0.0,
        "image_off": 0.0,
        "responded": 0,
        "key_id": np.nan,
        "key_time": np.nan,
        "RT": np.nan,
        "session_nr": 1,
        "run_nr": 1,
    }


def _write_table(base: Path, subject: int, table: pd.DataFrame) -> None:
    file = base / "sourcedata" / f"sample_attributes_P{subject}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(file) as part:
        table.to_csv(part, index=False)
