"""THINGS-EEG2: rapid series of 16,740 pictures, 10 people (Gifford et al. 2022).

Origin
    osf.io/3jk45; A. T. Gifford, K. Dwivedi, G. Roig, R. M. Cichy, "A large and rich EEG dataset
    for modeling human visual object recognition", NeuroImage 264 (2022), 119754.
Licence
    CC BY 4.0 for the recordings; the pictures (THINGS) are for research only.
Size and layout
    Raw: 1000 Hz, 63 electrodes and a row ``stim``, about 100 GB;
    ``raw_data/sub-XX/ses-YY/raw_eeg_{training,test}.npy``.
    Ready trials, all read here: the official ``preprocessed_data/sub-XX/preprocessed_eeg_{training,
    test}.npy`` (17 electrodes, 100 Hz), the 250 Hz files of NICE and ATM (same names, a bare
    pickle, 63 electrodes, 8.3 GB a person), ``{train,test}.pt`` of UBP, ``{train,test}.npy`` of
    NeuroBridge, and flat files (``preprocessed_eeg_{training,test}_flat.npy``) of Alljoined-1.6M.
    ``image_set/image_metadata.npy`` names pictures and concepts.
How to obtain
    Download from osf.io/3jk45, or the ready trials from the pages of those projects.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neurodecode.data import Recording, Responses, Split, listing, recorded_in
from neurodecode.datasets._door import reading
from neurodecode.datasets._files import existing, read_npy
from neurodecode.datasets._montage import template_montage, template_positions
from neurodecode.datasets._tables import shown_ids
from neurodecode.datasets._things import (
    Container,
    concept_split,
    flat_trials,
    picture_name,
    read_container,
)
from neurodecode.errors import CorruptFileError

logger = logging.getLogger("neurodecode")

PARTS = ("train", "test")
FILES = {
    "train": ("preprocessed_eeg_training.npy", "train.pt", "train.npy",
              "preprocessed_eeg_training_flat.npy"),
    "test": ("preprocessed_eeg_test.npy", "test.pt", "test.npy", "preprocessed_eeg_test_flat.npy"),
}  # fmt: skip
PER_CONCEPT = 10
SHARE_DAMAGED = 0.2
TARGET_CODE = 99999
OFFICIAL_TIMES = 100


def read(
    root: str | Path,
    subject: int,
    *,
    average: bool = False,
    stimulus: dict[str, Sequence[str]] | None = None,
) -> Responses:
    """One person's ready trials, training and test, from any of the known containers.

    Parameters
    ----------
    root : path
        Holds a folder ``sub-XX`` (below a folder such as ``preprocessed_data``, or at once) and,
        if the names of pictures are wanted, ``image_set/image_metadata.npy``.
    subject : int
        1 to 10.
    average : bool
        The mean over the repeats of each picture instead of single trials.
    stimulus : dict of str to sequence of str, optional
        For flat files, which do not say what was shown: ids of the trials of ``'train'`` and
        ``'test'``.

    Returns
    -------
    Responses
        Values (n_trials, n_channels, n_times) float32, as the release scaled them. Columns
        ``part`` and ``concept``; positions of a template cap. Where no names of pictures are
        there, ids are ``train-00001``, and concepts go by tens, as the data set is ordered.

    Raises
    ------
    FileNotFoundError
        If no container is there.
    CorruptFileError
        If a file is truncated, or its sizes do not fit the names of the pictures.
    UnsafeFileError
        If a pickle holds more than data.

    Notes
    -----
    The official files were whitened with covariances that include the *test* trials; a warning
    says so. Start from the raw files to avoid it.
    """
    folder = _subject_folder(Path(root), f"sub-{subject:02d}")
    names = _picture_names(Path(root))
    parts = [
        _part(name, read_container(_file(folder, name)), names, average, stimulus) for name in PARTS
    ]
    first = parts[0][0]
    if parts[0][1].shape[1:] != parts[1][1].shape[1:]:
        raise CorruptFileError(
            f"{folder}: training trials have shape {parts[0][1].shape[1:]}, test trials "
            f"{parts[1][1].shape[1:]}. They are not of one release."
        )
    if len(first.channels) == 17 and first.values.shape[-1] == OFFICIAL_TIMES:
        logger.warning(
            "%s: the official THINGS-EEG2 files were whitened with noise covariances of training "
            "and test trials together. Scores on them have seen the test data.",
            folder,
        )
    columns = pd.concat([one[2] for one in parts])
    return Responses(
        np.concatenate([one[1] for one in parts]),
        columns["stimulus"].to_numpy(dtype=np.str_),
        f"sub-{subject:02d}",
        "eeg",
        dims=("trial", "channel", "time"),
        sfreq=_rate(first.times),
        times=first.times,
        units=np.array(first.channels) if first.channels else None,
        positions=template_positions(first.channels),
        metadata={key: columns[key].to_numpy(dtype=np.str_) for key in ("part", "concept")},
        provenance=recorded_in(folder, f"things-eeg2/sub-{subject:02d}"),
    )


def split(
    responses: Responses | Sequence[Responses], *, validation: float = 0.1, seed: int = 0
) -> Split:
    """The 200 test concepts for testing; a share of the training *concepts* for validation.

    Raises
    ------
    LeakageError
        If a test concept has training trials.

    Examples
    --------
    >>> facts = {"concept": ["cup", "dog", "cat"], "part": ["train", "train", "test"]}
    >>> trials = Responses(np.zeros((3, 2)), list("abc"), "s", "eeg", dims=("trial", "channel"),
    ...                    metadata=facts)
    >>> len(split(trials, validation=0.5).train)
    1
    """
    return concept_split(
        responses, ["test"], validation=validation, seed=seed, rule="THINGS-EEG2's test concepts"
    )


def recording(root: str | Path, subject: int) -> Recording:
    """One person's raw files as a `Recording` for `neurodecode.preprocessing.eeg`.

    Targets of the task (code 99999) are left out. Each session gives a training and a test run.

    Raises
    ------
    FileNotFoundError
        If there is no raw file.
    CorruptFileError
        If a file is truncated or lacks the row ``stim``.
    """
    source, name = Path(root), f"sub-{subject:02d}"
    names = _picture_names(source)
    folder = existing(_first(source, f"raw_data/{name}", name), "folder of raw recordings")
    raws: list[Any] = []
    events: list[pd.DataFrame] = []
    runs: list[str] = []
    for session in sorted(folder.glob("ses-*")):
        for part, word in (("train", "training"), ("test", "test")):
            file = existing(session / f"raw_eeg_{word}.npy", "raw recording")
            raw, codes = _raw(file)
            raws.append(raw)
            with reading(file, "a raw file of THINGS-EEG2"):
                events.append(_events(codes, raw.info["sfreq"], part, names))
            runs.append(f"{session.name}_{word}")
    if not runs:
        raise FileNotFoundError(f"{folder} holds no ses-YY/raw_eeg_training.npy. Check the path.")
    sessions = tuple(run.split("_")[0] for run in runs)
    told = recorded_in(folder, f"things-eeg2/{name}")
    return Recording(
        name, "eeg", tuple(raws), tuple(events), tuple(runs), sessions, provenance=told
    )


def _raw(file: Path) -> tuple[Any, NDArray[np.intp]]:
    content = read_npy(file)
    needed = ("raw_eeg_data", "ch_names", "ch_types", "sfreq")
    if not isinstance(content, dict) or any(key not in content for key in needed):
        raise CorruptFileError(f"{file} is no raw file of THINGS-EEG2: it lacks {needed}.")
    with reading(file, "a raw file of THINGS-EEG2"):
        return _raw_of(file, content)


def _raw_of(file: Path, content: dict[str, Any]) -> tuple[Any, NDArray[np.intp]]:
    import mne

    names = [str(one) for one in content["ch_names"]]
    if "stim" not in names:
        raise CorruptFileError(f"{file} has no trigger channel 'stim'; it has {len(names)} others.")
    values, place = np.asarray(content["raw_eeg_data"]), names.index("stim")
    info = mne.create_info(
        names, float(content["sfreq"]), [str(one) for one in content["ch_types"]], verbose="error"
    )
    codes = np.round(values[place])
    known = (codes == values[place]) & (codes >= 0) & (codes <= TARGET_CODE)
    if not known.all():
        raise CorruptFileError(
            f"{file}: the trigger channel 'stim' holds values that are no codes (0 to "
            f"{TARGET_CODE}). It is damaged; obtain it again."
        )
    raw = mne.io.RawArray(values, info, verbose="error").drop_channels(["stim"])
    raw.set_montage(template_montage(), match_case=False, on_missing="ignore", verbose="error")
    return raw, codes.astype(np.intp)


def _events(
    codes: NDArray[np.intp], sfreq: float, part: str, names: dict[str, pd.DataFrame] | None
) -> pd.DataFrame:
    started = np.flatnonzero((codes != 0) & (np.r_[0, codes[:-1]] == 0))
    started = started[codes[started] != TARGET_CODE]
    image = codes[started] - 1
    table = _names_of(part, int(image.max(initial=-1)) + 1, names).iloc[image]
    return pd.DataFrame({"onset": started / sfreq, "duration": 0.1}).join(
        table.reset_index(drop=True)
    )


def _part(
    part: str,
    container: Container,
    names: dict[str, pd.DataFrame] | None,
    average: bool,
    stimulus: dict[str, Sequence[str]] | None,
) -> tuple[Container, NDArray[np.float32], pd.DataFrame]:
    values = container.values
    if values.ndim == 3:
        return container, values.astype(np.float32), _flat_names(part, len(values), stimulus)
    trials, n_images, n_repeats = flat_trials(values)
    if container.paths and len(container.paths) == n_images:
        table = pd.DataFrame({"stimulus": [picture_name(one) for one in container.paths]})
        table["concept"] = table["stimulus"].str.rsplit("_", n=1).str[0]
        table["part"] = part
    else:
        table = _names_of(part, n_images, names)
    if average:
        return container, trials.reshape(n_images, n_repeats, *trials.shape[1:]).mean(1), table
    return container, trials, table.iloc[np.repeat(np.arange(n_images), n_repeats)]


def _flat_names(
    part: str, n_trials: int, stimulus: dict[str, Sequence[str]] | None
) -> pd.DataFrame:
    ids = (stimulus or {}).get(part)
    if ids is None or len(ids) != n_trials:
        raise ValueError(
            f"Flat files do not say what was shown: give stimulus={{'{part}': ids}} with the "
            f"{n_trials} ids of the {part} trials; got {'none' if ids is None else len(ids)}."
        )
    table = pd.DataFrame({"stimulus": [str(one) for one in ids]})
    return table.assign(concept=table["stimulus"].str.rsplit("_", n=1).str[0], part=part)


def _names_of(part: str, n_images: int, names: dict[str, pd.DataFrame] | None) -> pd.DataFrame:
    if names is not None:
        if n_images > len(names[part]):
            raise CorruptFileError(
                f"image_metadata.npy names {len(names[part])} {part} pictures, but the recording "
                f"has {n_images}."
            )
        return names[part].iloc[:n_images]
    number = np.arange(n_images)
    per = PER_CONCEPT if part == "train" else 1
    return pd.DataFrame(
        {
            "stimulus": [f"{part}-{one + 1:05d}" for one in number],
            "concept": [f"{part}-concept-{one // per + 1:04d}" for one in number],
            "part": part,
        }
    )


def _picture_names(root: Path) -> dict[str, pd.DataFrame] | None:
    file = _first(root, "image_set/image_metadata.npy", "image_metadata.npy")
    if not file.exists():
        return None
    content = read_npy(file)
    keys = [f"{part}_img_{what}" for part in PARTS for what in ("concepts", "files")]
    if not isinstance(content, dict) or any(key not in content for key in keys):
        raise CorruptFileError(f"{file} names no pictures: it needs {', '.join(keys)}.")
    with reading(file, "a table of pictures"):
        tables = {
            part: pd.DataFrame(
                {
                    "stimulus": [picture_name(str(one)) for one in content[f"{part}_img_files"]],
                    "concept": [str(one) for one in content[f"{part}_img_concepts"]],
                    "part": part,
                }
            )
            for part in PARTS
        }
        for table in tables.values():
            shown_ids(table["stimulus"], "picture", str(file))
            _compare_concepts(file, table)
            twice = table["stimulus"][table["stimulus"].duplicated()]
            if len(twice):
                raise CorruptFileError(
                    f"{file} names {len(twice)} pictures twice ({listing(twice)}). A name was "
                    f"changed or doubled; obtain it again."
                )
    return tables


def _compare_concepts(file: Path, table: pd.DataFrame) -> None:
    """Warn where a picture's name and its concept (``00001_cup``) do not belong together."""
    own = table["stimulus"].str.rsplit("_", n=1).str[0]
    other = [
        not concept.endswith(name) for concept, name in zip(table["concept"], own, strict=True)
    ]
    if 0 < sum(other) <= len(other) * SHARE_DAMAGED:
        odd = table[other].iloc[0]
        logger.warning(
            "%s: %d pictures are of another concept than their name says (first: '%s' of '%s'), "
            "unlike the rest. A name was changed.", file, sum(other), odd["stimulus"],
            odd["concept"],
        )  # fmt: skip


def _subject_folder(root: Path, name: str) -> Path:
    for pattern in (
        f"*reprocessed_data*/{name}",
        name,
        f"*/*reprocessed_data*/{name}",
        f"*/{name}",
    ):
        found = [one for one in sorted(existing(root, "folder").glob(pattern)) if _has_trials(one)]
        if found:
            return found[0]
    raise FileNotFoundError(
        f"{root} holds no {name} with ready trials ({', '.join(FILES['train'])}). Check the path."
    )


def _has_trials(folder: Path) -> bool:
    return any((folder / one).exists() for one in FILES["train"])


def _file(folder: Path, part: Literal["train", "test"] | str) -> Path:
    return existing(_first(folder, *FILES[part]), f"file of {part} trials")


def _first(root: Path, *names: str) -> Path:
    return next((root / one for one in names if (root / one).exists()), root / names[0])


def _rate(times: NDArray[np.float64] | None) -> float | None:
    if times is None or len(times) < 2:
        return None
    return round(float((len(times) - 1) / (times[-1] - times[0])), 3)
