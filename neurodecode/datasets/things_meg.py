"""THINGS-MEG: 22,448 pictures on 272 axial gradiometers, 4 people (Hebart et al. 2023).

Origin
    openneuro.org ds004212; M. N. Hebart et al., "THINGS-data, a multimodal collection of
    large-scale datasets for investigating object representations in human brain and behavior",
    eLife 12 (2023), e82580.
Licence
    CC0 for the recordings; the pictures (THINGS) are for research only.
Size and layout
    Raw: ``sub-BIGMEG{1..4}/ses-{01..12}/meg/*_meg.ds`` (CTF, 1200 Hz) with ``*_events.tsv``, about
    460 GB; ``sourcedata/sample_attributes_P{1..4}.csv``, 27,048 trials x 18 columns.
    Epochs: ``derivatives/preprocessed/preprocessed_P{n}-epo.fif``, 271 sensors, 281 samples at
    200 Hz, 36 GB for all. Other projects' files are read as well: ATM's ``.pkl``, UBP's ``.pt``,
    NeuroBridge's ``.npy``.
    Each person saw 22,248 pictures once (1,854 concepts, 12 each), 200 test pictures 12 times, and
    catch pictures, which are left out here.
How to obtain
    ``openneuro download ds004212``; the epochs alone from plus.figshare.com (THINGS-data).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neurodecode.data import Recording, Responses, Split, recorded_in
from neurodecode.datasets._door import reading
from neurodecode.datasets._files import existing
from neurodecode.datasets._montage import sensor_places, template_positions
from neurodecode.datasets._recordings import check_recording
from neurodecode.datasets._things import concept_split, flat_trials, picture_name, read_container
from neurodecode.datasets._things_meg_tables import (
    COLUMNS,
    check_trials,
    read_table,
    shown_events,
    trial_facts,
)
from neurodecode.errors import CorruptFileError

__all__ = [
    "COLUMNS",
    "of_part",
    "read_derivative",
    "read_epochs",
    "read_table",
    "recording",
    "split",
    "trial_facts",
]

BLOCK = 512
TestSet = Literal["small", "large"]


def read_epochs(
    root: str | Path,
    subject: int,
    *,
    window_s: tuple[float | None, float | None] = (None, None),
) -> Responses:
    """One person's published epochs, catch trials left out.

    Parameters
    ----------
    root : path
        The data set's folder, or the one that holds ``preprocessed_P{n}-epo.fif``.
    subject : int
        1 to 4.
    window_s : pair of float or None
        Part of the trial to read, seconds from onset; all of 27,048 x 271 x 281 takes 8.2 GB.

    Returns
    -------
    Responses
        Values (n_trials, n_channels, n_times), float32, z-scored by its authors. Columns
        ``concept``, ``part`` and the table's numbers. ``part`` is ``'small'`` for the 200 repeated
        pictures, ``'large'`` for the other pictures of their concepts, else ``'train'``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CorruptFileError
        If the file is truncated or its table does not fit.
    """
    import mne

    file = _epochs_file(Path(root), subject)
    check_recording(file)
    with reading(file, "epochs"):
        epochs = mne.read_epochs(file, preload=False, verbose="error")
    table = epochs.metadata
    if table is None:
        table = read_table(Path(root), subject)
    if len(table) != len(epochs):
        raise CorruptFileError(
            f"{file} has {len(epochs)} epochs but the table of trials has {len(table)} rows."
        )
    with reading(file, "epochs"):
        check_trials(table, str(file))
        facts = trial_facts(table)
    shown = np.flatnonzero((table["trial_type"] != "catch").to_numpy())
    inside = _inside(epochs.times, window_s)
    values = _read_blocks(epochs, shown, inside, file)
    facts = facts.iloc[shown]
    return Responses(
        values,
        facts["stimulus"].to_numpy(dtype=np.str_),
        f"sub-BIGMEG{subject}",
        "meg",
        dims=("trial", "channel", "time"),
        run=_runs(facts),
        session=np.array([f"ses-{one:02d}" for one in facts["session_nr"]]),
        sfreq=float(epochs.info["sfreq"]),
        times=epochs.times[inside],
        units=np.asarray(epochs.ch_names),
        positions=sensor_places(epochs.info),
        metadata={
            key: facts[key].to_numpy() for key in ("concept", "part", "image_nr", "things_image_nr")
        },
        provenance=recorded_in(file, f"things-meg/sub-BIGMEG{subject}"),
    )


def read_derivative(train: str | Path, test: str | Path, subject: int) -> Responses:
    """The trials that ATM, UBP or NeuroBridge made of the epochs.

    Training and test concepts are apart in them; the test part is the small set.

    Parameters
    ----------
    train, test : path
        ``preprocessed_meg_training.pkl`` and ``preprocessed_meg_zs_test.pkl``, ``train.pt`` and
        ``test.pt``, or ``train.npy`` and ``test.npy``.
    subject : int

    Raises
    ------
    CorruptFileError
        If a file is truncated or of another kind.
    UnsafeFileError
        If a pickle holds more than data.
    """
    values, tables = [], []
    for part, path in (("train", train), ("small", test)):
        container = read_container(path)
        if container.values.ndim < 4:
            raise CorruptFileError(
                f"{path} holds trials of shape {container.values.shape}; expected (images, "
                f"[images,] repeats, channels, times)."
            )
        trials, n_images, n_repeats = flat_trials(container.values)
        values.append(trials)
        table = _derivative_names(part, container.values.shape, n_images, container.paths)
        tables.append(table.iloc[np.repeat(np.arange(n_images), n_repeats)])
        times, channels = container.times, container.channels
    table = pd.concat(tables)
    return Responses(
        np.concatenate(values),
        table["stimulus"].to_numpy(dtype=np.str_),
        f"sub-BIGMEG{subject}",
        "meg",
        dims=("trial", "channel", "time"),
        sfreq=200.0,
        times=times,
        units=np.array(channels) if channels else None,
        positions=template_positions(channels),
        metadata={key: table[key].to_numpy(dtype=np.str_) for key in ("concept", "part")},
        provenance=recorded_in(train, f"things-meg/sub-BIGMEG{subject}"),
    )


def recording(root: str | Path, subject: int) -> Recording:
    """One person's raw runs as a `Recording` for `neurodecode.preprocessing.meg`.

    Onsets are those of ``sample`` in the events (set by the optical sensor), which the software's
    ``onset`` misses by about 150 ms. Catch trials are left out.

    Raises
    ------
    FileNotFoundError
        If there is no run.
    CorruptFileError
        If the events lack a column, or name pictures that the table of trials lacks.
    """
    from mne_bids import BIDSPath

    source = existing(root, "folder")
    place = BIDSPath(root=source, subject=f"BIGMEG{subject}", datatype="meg", suffix="meg")
    runs = [one for one in sorted(place.match(), key=str) if one.extension in (".ds", ".fif")]
    if not runs:
        raise FileNotFoundError(
            f"{source} holds no sub-BIGMEG{subject}/ses-*/meg/*_meg.ds. Check the path."
        )
    trials = trial_facts(read_table(source, subject))
    return Recording(
        f"sub-BIGMEG{subject}",
        "meg",
        tuple(Path(one.fpath) for one in runs),
        tuple(shown_events(Path(one.fpath), trials, _sfreq(Path(one.fpath))) for one in runs),
        tuple(f"ses-{one.session}_run-{one.run}" for one in runs),
        tuple(f"ses-{one.session}" for one in runs),
        provenance=recorded_in(source, f"things-meg/sub-BIGMEG{subject}"),
    )


def split(
    responses: Responses | Sequence[Responses], *, validation: float = 0.2, seed: int = 0
) -> Split:
    """The 200 test concepts for testing, never in training; a share of the others to validate on.

    Parameters
    ----------
    responses : Responses or sequence of them
        With the trials of one test set: see `of_part`.
    validation : float
        Share of the training concepts.
    seed : int

    Sources
    -------
    Benchetrit et al. 2024, section 2.4: the small and the large test set. They validate on random
    pictures; here on concepts, so that validation asks what the test asks.

    Raises
    ------
    LeakageError
        If a test concept has training trials.
    """
    return concept_split(
        responses,
        ["small", "large"],
        validation=validation,
        seed=seed,
        rule="THINGS-MEG's test concepts",
    )


def of_part(responses: Responses, test: TestSet) -> Responses:
    """All trials but those of the other test set.

    The small one has 200 pictures, 12 trials each; the large one 2,400 other pictures of the same
    concepts, one trial each.

    Examples
    --------
    >>> facts = {"part": ["train", "small", "large"]}
    >>> trials = Responses(np.zeros((3, 2)), list("abc"), "s", "meg", dims=("trial", "channel"),
    ...                    metadata=facts)
    >>> of_part(trials, "small").stimulus.tolist()
    ['a', 'b']
    """
    other = "large" if test == "small" else "small"
    return responses.take(responses.groups("part") != other)


def _sfreq(file: Path) -> float:
    import mne

    check_recording(file)
    with reading(file, "a raw recording"):
        return float(mne.io.read_raw(file, preload=False, verbose="error").info["sfreq"])


def _inside(
    times: NDArray[np.float64], window_s: tuple[float | None, float | None]
) -> NDArray[np.bool_]:
    low, high = (
        one if one is not None else side for one, side in zip(window_s, times[[0, -1]], strict=True)
    )
    inside = (times >= low - 1e-6) & (times <= high + 1e-6)
    if not inside.any():
        raise ValueError(
            f"window_s={window_s} lies outside the trials ({times[0]:g} to {times[-1]:g} s)."
        )
    return np.asarray(inside)


def _read_blocks(
    epochs: Any, rows: NDArray[np.intp], inside: NDArray[np.bool_], file: Path
) -> NDArray[np.float32]:
    shape = (len(rows), len(epochs.ch_names), int(inside.sum()))
    values = np.empty(shape, dtype=np.float32)
    for start in range(0, len(rows), BLOCK):
        some = rows[start : start + BLOCK]
        with reading(file, "epochs") as place:
            place.name = f"trials {int(some[0])} to {int(some[-1])} of {len(epochs)}"
            values[start : start + len(some)] = epochs[some].get_data(verbose="error")[:, :, inside]
    return values


def _runs(facts: pd.DataFrame) -> NDArray[np.str_]:
    pairs = zip(facts["session_nr"], facts["run_nr"], strict=True)
    return np.array([f"ses-{session:02d}_run-{run:02d}" for session, run in pairs])


def _epochs_file(root: Path, subject: int) -> Path:
    name = f"preprocessed_P{subject}-epo.fif"
    for place in (root / name, root / "derivatives" / "preprocessed" / name):
        if place.exists():
            return place
    raise FileNotFoundError(
        f"{root} holds neither {name} nor derivatives/preprocessed/{name}. Check the path."
    )


def _derivative_names(
    part: str, shape: tuple[int, ...], n_images: int, paths: tuple[str, ...]
) -> pd.DataFrame:
    if len(paths) == n_images:
        stimulus = pd.Series([picture_name(one) for one in paths])
        concept = stimulus.str.rsplit("_", n=1).str[0]
    else:
        per = shape[1] if len(shape) == 5 else 1
        number = np.arange(n_images)
        concept = pd.Series([f"{part}-concept-{one // per + 1:04d}" for one in number])
        stimulus = concept + pd.Series([f"_{one % per + 1:02d}" for one in number])
    return pd.DataFrame({"stimulus": stimulus, "concept": concept, "part": part})
