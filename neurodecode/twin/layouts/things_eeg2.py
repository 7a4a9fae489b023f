"""THINGS-EEG2's files, in every container that is around, from simulated people."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode import scenes
from neurodecode.data import mark_simulated
from neurodecode.store import atomic_path
from neurodecode.twin._design import Trials
from neurodecode.twin._machines import EEG
from neurodecode.twin._meeg import MeegPerson

ContainerKind = Literal["official", "nice", "ubp", "neurobridge", "flat"]
POSTERIOR = ("P7", "P5", "P3", "P1", "Pz", "P2", "P4", "P6", "P8", "PO7", "PO3", "POz", "PO4",
             "PO8", "O1", "Oz", "O2")  # fmt: skip
WORD = {"train": "training", "test": "test"}


@dataclass(frozen=True)
class EegCounts:
    """How many of everything; the real ones are 1,654 x 10 x 4, 200 x 80.

    Examples
    --------
    >>> EegCounts().n_train
    30
    """

    n_concepts: int = 3
    per_concept: int = 10
    train_repeats: int = 2
    n_test: int = 4
    test_repeats: int = 3

    @property
    def n_train(self) -> int:
        """Training pictures."""
        return self.n_concepts * self.per_concept


def write_things_eeg2(
    root: str | Path,
    subject: int = 1,
    kind: ContainerKind = "official",
    *,
    counts: EegCounts = EegCounts(),
    seed: int = 0,
) -> Path:
    """Write one simulated person's ready trials, the pictures' names and the pictures.

    Scenes stand in for THINGS pictures; ten scenes in a row make a concept, which has no meaning.

    Parameters
    ----------
    root : path
    subject : int
    kind : {'official', 'nice', 'ubp', 'neurobridge', 'flat'}
        Names, keys, shapes, dtypes and quirks of that release; repeats and pictures are fewer.
    counts : EegCounts
    seed : int

    Returns
    -------
    Path
        The person's folder.

    Examples
    --------
    >>> import tempfile
    >>> folder = write_things_eeg2(tempfile.mkdtemp(), counts=EegCounts(1, 2, 1, 1, 2))
    >>> sorted(one.name for one in folder.iterdir())
    ['preprocessed_eeg_test.npy', 'preprocessed_eeg_training.npy']
    """
    base = Path(root)
    mark_simulated(base, ("THINGS-EEG2", seed))
    names = _write_pictures(base / "image_set", counts, seed)
    folder = base / "preprocessed_data" / f"sub-{subject:02d}"
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("train", "test"):
        values, channels, times = _record(part, subject, kind, counts, seed)
        _WRITERS[kind](folder, part, values, channels, times, names[part])
    return folder


def write_raw_things_eeg2(root: str | Path, subject: int = 1, *, seed: int = 0) -> Path:
    """Write two raw files of one session: 63 electrodes and ``stim`` at 1000 Hz, noise in volts.

    Examples
    --------
    >>> import tempfile
    >>> write_raw_things_eeg2(tempfile.mkdtemp()).name
    'ses-01'
    """
    base, counts = Path(root), EegCounts()
    mark_simulated(base, ("THINGS-EEG2", seed))
    _write_pictures(base / "image_set", counts, seed)
    folder = base / "raw_data" / f"sub-{subject:02d}" / "ses-01"
    folder.mkdir(parents=True, exist_ok=True)
    channels = [*_channels(63)[1], "stim"]
    rng = np.random.default_rng((seed, subject))
    for part, n_images in (("train", counts.n_train), ("test", counts.n_test)):
        codes = np.append(np.arange(n_images) + 1, 99999)
        values = rng.normal(0, 1e-5, (64, 1000 + 200 * len(codes) + 1000))
        values[-1] = 0
        values[-1, 1000 + 200 * np.arange(len(codes))] = codes
        content = {
            "raw_eeg_data": values,
            "ch_names": channels,
            "ch_types": ["eeg"] * 63 + ["stim"],
            "sfreq": 1000,
            "highpass": 0.01,
            "lowpass": 100,
        }
        with atomic_path(folder / f"raw_eeg_{WORD[part]}.npy") as file, file.open("wb") as stream:
            np.save(stream, np.array(content, dtype=object), allow_pickle=True)
    return folder


def _write_pictures(folder: Path, counts: EegCounts, seed: int) -> dict[str, list[str]]:
    from PIL import Image

    paths: dict[str, list[str]] = {"train": [], "test": []}
    content: dict[str, list[str]] = {}
    for part, n_images in (("train", counts.n_train), ("test", counts.n_test)):
        per = counts.per_concept if part == "train" else 1
        first = 0 if part == "train" else counts.n_concepts
        concepts = [f"scenes{first + one // per + 1}" for one in range(n_images)]
        files = [f"{name}_{one % per + 1:02d}b.jpg" for one, name in enumerate(concepts)]
        things = [f"{int(name.removeprefix('scenes')):05d}_{name}" for name in concepts]
        pictures = scenes.stimuli(_ids(part, counts, seed), size=32)
        for concept, file, one in zip(things, files, pictures.ids.tolist(), strict=True):
            path = folder / f"{WORD[part]}_images" / concept / file
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pictures[one]).save(path)
            paths[part].append(str(path.relative_to(folder).as_posix()))
        content |= {
            f"{part}_img_concepts": things,
            f"{part}_img_concepts_THINGS": things,
            f"{part}_img_files": files,
        }
    with atomic_path(folder / "image_metadata.npy") as target, target.open("wb") as stream:
        np.save(stream, np.array(content, dtype=object), allow_pickle=True)
    return paths


def _ids(part: str, counts: EegCounts, seed: int) -> list[str]:
    first = 20_000_000 + 1000 * seed + (0 if part == "train" else counts.n_train)
    number = counts.n_train if part == "train" else counts.n_test
    return [scenes.scene_id(first + one) for one in range(number)]


def _channels(number: int) -> tuple[list[int], list[str]]:
    """Rows of the simulated cap that the release has: 17, 32 or 63 electrodes."""
    names = [str(one) for one in MeegPerson(0, EEG).infos[0]["ch_names"]]
    wanted = list(POSTERIOR) if number == len(POSTERIOR) else names[:number]
    return [names.index(one) for one in wanted], wanted


def _record(
    part: str, subject: int, kind: ContainerKind, counts: EegCounts, seed: int
) -> tuple[NDArray[np.float32], list[str], NDArray[np.float64]]:
    """(n_images, n_repeats, c, t) of one part, channel names and times."""
    sfreq, window = (100.0, (-0.2, 0.79)) if kind == "official" else (250.0, (0.0, 0.996))
    person = MeegPerson(subject - 1, replace(EEG, sfreq=sfreq, window_s=window), seed)
    ids = _ids(part, counts, seed)
    repeats = counts.train_repeats if part == "train" else counts.test_repeats
    stimulus = np.repeat(ids, repeats)
    nothing = np.zeros(len(stimulus), dtype=np.intp)
    trials = Trials(stimulus, nothing, nothing, np.full(len(stimulus), part), nothing.astype(bool))
    found = person.record(trials)
    rows, names = _channels({"official": 17, "flat": 32}.get(kind, 63))
    values = found.array()[:, rows]
    return values.reshape(len(ids), repeats, *values.shape[1:]), names, person.machine.times


def _save_official(
    folder: Path, part: str, values: Any, channels: Sequence[str], times: Any, paths: Any
) -> None:
    content = {
        "preprocessed_eeg_data": values.astype(np.float64),
        "ch_names": list(channels),
        "times": times,
    }
    target = folder / f"preprocessed_eeg_{WORD[part]}.npy"
    with atomic_path(target) as file, file.open("wb") as stream:
        np.save(stream, np.array(content, dtype=object), allow_pickle=True)


def _save_nice(
    folder: Path, part: str, values: Any, channels: Sequence[str], times: Any, paths: Any
) -> None:
    """A bare pickle under the ending .npy, whose times still have the 50 that were cut."""
    content = {
        "preprocessed_eeg_data": values.astype(np.float64),
        "ch_names": list(channels),
        "times": np.arange(-50, 250) / 250.0,
    }
    with atomic_path(folder / f"preprocessed_eeg_{WORD[part]}.npy") as file:
        file.write_bytes(pickle.dumps(content, protocol=4))


def _save_ubp(
    folder: Path, part: str, values: Any, channels: Sequence[str], times: Any, paths: Any
) -> None:
    import torch

    content = {
        "eeg": torch.from_numpy(1e5 * values).half(),
        "img": [f"{one}" for one in paths],
        "ch_names": list(channels),
        "times": torch.from_numpy(times),
    }
    with atomic_path(folder / f"{part}.pt") as file:
        torch.save(content, file)


def _save_neurobridge(
    folder: Path, part: str, values: Any, channels: Sequence[str], times: Any, paths: Any
) -> None:
    per = EegCounts().per_concept if part == "train" and len(values) % 10 == 0 else 1
    grouped = values.reshape(-1, per, *values.shape[1:]) if part == "train" else values[:, None]
    with atomic_path(folder / f"{part}.npy") as file, file.open("wb") as stream:
        np.save(stream, grouped.astype(np.float32))


def _save_flat(
    folder: Path, part: str, values: Any, channels: Sequence[str], times: Any, paths: Any
) -> None:
    content = {
        "preprocessed_eeg_data": values.reshape(-1, *values.shape[2:]).astype(np.float64),
        "configs": {"sfreq": 250},
        "ch_names": list(channels),
        "times": times,
    }
    with atomic_path(folder / f"preprocessed_eeg_{WORD[part]}_flat.npy") as file:
        file.write_bytes(pickle.dumps(content, protocol=4))


_WRITERS = {
    "official": _save_official,
    "nice": _save_nice,
    "ubp": _save_ubp,
    "neurobridge": _save_neurobridge,
    "flat": _save_flat,
}
