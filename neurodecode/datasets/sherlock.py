"""Fifty minutes of a film that people watched, with descriptions of its scenes (Chen et al. 2017).

Origin
    J. Chen, Y. C. Leong, C. J. Honey, C. H. Yong, K. A. Norman, U. Hasson, Shared memories reveal
    shared structure in neural activity across individuals, Nature Neuroscience 20 (2017). The first
    50 minutes of an episode of the BBC's Sherlock, in two scans.
Licence
    Not stated with these files. Cite the paper; see Princeton DataSpace dsp01nz8062179 before
    passing the recordings on.
Size and how to obtain
    29 MB for 8 people: the folder ``sherlock_nifti_kit_v2_withdata`` of
    github.com/Summer-MIND/mind_2018.
Layout
    - ``subjects/sN/pmc_nn_sherlock_movie_sN.mat``: ``rdata`` (481 voxels of posterior medial
      cortex, 1976 volumes of 1.5 s), z-scored over time; any number of people.
    - ``Sherlock_Segments_1000_NN_2017.xlsx``: 1000 segments with first and last volume (from 1),
      descriptions and codes; the column of scene marks has 50 numbered scenes and unnamed cuts
      inside them.
    - ``roi_timecourses/REGION_sherlock_movie_roicorr.mat``: ``roitc`` (1976 volumes, 17 people).

The recordings are already shifted by 3 volumes (4.5 s) against the film: add no delay. The first
scan is volumes 1 to 946. One person's (s5) last 50 volumes were not recorded and repeat one volume:
a constant tail is found in anybody and left out. A region's file without time courses (``a1_rev``)
is passed over with a warning. Scenes 1 and 28 are the same cartoon, shown before each scan.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Responses, Stimuli, recorded_in
from neurodecode.datasets._door import reading
from neurodecode.datasets._files import existing, locate, read_mat
from neurodecode.errors import CorruptFileError
from neurodecode.files import check_workbook

TR_S = 1.5
FIRST_SCAN = 946
_SEGMENTS = "Sherlock_Segments_1000_NN_2017.xlsx"
_START, _END = "Start Time (TRs, 1.5s)", "End Time (TRs, 1.5s)"
_NUMBER = "Segment Number"
_MARK, _TEXT = "Scene Segments", "Scene Details - A Level"

log = logging.getLogger("neurodecode")


def read(folder: str | Path, *, min_duration_s: float = 9.0) -> list[Responses]:
    """The mean response of each person to each scene.

    Parameters
    ----------
    folder : path
        The folder of the layout above, or one that holds it.
    min_duration_s : float
        Shorter scenes are left out.

    Returns
    -------
    list of Responses, shape (n_scenes, n_voxels)
        One for each person, by number; a scene that falls into a missing tail is absent. Runs
        are the two scans.
    """
    shown = scenes(folder, min_duration_s=min_duration_s)
    return [scene_means(person, shown) for person in read_film(folder)]


def read_film(folder: str | Path) -> list[Responses]:
    """Each person's responses, volume by volume; ids ``'tr-0001'`` count from the film's start.

    Raises
    ------
    FileNotFoundError
        If the folder holds nobody's recording.
    CorruptFileError
        If a recording is truncated, has another shape or holds values that are no numbers.
    """
    root = _root(folder)
    files = sorted((root / "subjects").glob("s*/pmc_nn_sherlock_movie_s*.mat"), key=_number)
    if not files:
        raise FileNotFoundError(
            f"No recording under {root / 'subjects'}; expected files named "
            f"sN/pmc_nn_sherlock_movie_sN.mat."
        )
    return [_person(file) for file in files]


def scenes(folder: str | Path, *, min_duration_s: float = 9.0) -> Stimuli:
    """The scenes' texts: the descriptions of a scene's segments, one after the other.

    A scene lasts from one mark in the table to the next. Ids are ``'scene-04'`` for a numbered
    scene and ``'scene-04.1'`` for what follows an unnamed cut inside it.

    Returns
    -------
    Stimuli
        With metadata ``start`` and ``stop`` (volumes counted from 0, ``stop`` excluded), ``run``
        ('1' or '2') and ``title``.
    """
    file = existing(_root(folder) / _SEGMENTS, "Sherlock segment table")
    with reading(file, "a table of segments"):
        rows = _scene_rows(file)
    kept = [row for row in rows if (row["stop"] - row["start"]) * TR_S >= min_duration_s]
    columns = {
        name: np.array([row[name] for row in kept]) for name in ("start", "stop", "run", "title")
    }
    return Stimuli.from_texts({row["id"]: row["text"] for row in kept}, metadata=columns)


def scene_means(film: Responses, shown: Stimuli) -> Responses:
    """One person's mean response to each scene that was recorded in full.

    Parameters
    ----------
    film : Responses
        As `read_film` gives it.
    shown : Stimuli
        As `scenes` gives it.
    """
    volume = {one: row for row, one in enumerate(film.stimulus.tolist())}
    values = film.array()
    kept: list[int] = []
    spanned: list[list[Any]] = []
    means: list[NDArray[Any]] = []
    spans = zip(shown.metadata["start"], shown.metadata["stop"], strict=True)
    for place, (start, stop) in enumerate(spans):
        rows = [volume.get(_volume_id(one)) for one in range(int(start), int(stop))]
        if None not in rows:
            means.append(values[np.array(rows, dtype=np.intp)].mean(axis=0))
            kept.append(place)
            spanned.append(rows)
    if not kept:
        raise ValueError(
            f"None of the {len(shown)} scenes was recorded in full by {film.subject}, who has "
            f"{len(film)} volumes."
        )
    columns = {name: column[kept] for name, column in shown.metadata.items()}
    return Responses(
        np.stack(means),
        shown.ids[kept],
        film.subject,
        "fmri",
        run=columns.pop("run"),
        metadata=columns,
        provenance=film.provenance.take(np.concatenate(spanned)).merge(
            np.repeat(np.arange(len(kept)), [len(rows) for rows in spanned]), len(kept)
        ),
    )


def read_roi_timecourses(folder: str | Path) -> list[Responses]:
    """Mean time courses of the regions, for each of the 17 people, volume by volume.

    Returns
    -------
    list of Responses, shape (1976, n_regions)
        ``dims`` is ``('trial', 'parcel')`` and ``units`` names the regions.
    """
    root = existing(_root(folder) / "roi_timecourses", "folder of time courses")
    courses: dict[str, NDArray[Any]] = {}
    for file in sorted(root.glob("*_sherlock_movie_roicorr.mat")):
        with reading(file, "time courses of a region"):
            course = np.atleast_2d(read_mat(file, ["roitc"])["roitc"]).astype(np.float32)
        if len(course) < 2 or not np.isfinite(course).all():
            log.warning("%s holds no time courses (shape %s): left out.", file, course.shape)
            continue
        courses[file.name.removesuffix("_sherlock_movie_roicorr.mat")] = course
    if len({course.shape for course in courses.values()}) != 1:
        shapes = {name: course.shape for name, course in courses.items()}
        raise CorruptFileError(f"The regions in {root} have different or no shapes: {shapes}.")
    stacked = np.stack(list(courses.values()), axis=-1)
    ids = np.array([_volume_id(one) for one in range(len(stacked))])
    return [
        Responses(
            stacked[:, person],
            ids,
            f"sherlock-{person + 1}",
            "fmri",
            dims=("trial", "parcel"),
            run=_scan(np.arange(len(stacked))),
            units=np.array(list(courses)),
            provenance=recorded_in(root, f"sherlock/person-{person + 1}/regions"),
        )
        for person in range(stacked.shape[1])
    ]


def constant_tail(values: NDArray[Any]) -> int:
    """How many last rows only repeat the row before them.

    Examples
    --------
    >>> constant_tail(np.array([[1.0], [2.0], [2.0], [2.0]]))
    2
    """
    same = (values == values[-1]).all(axis=1)
    different = np.flatnonzero(~same)
    return int(len(values) - 2 - different[-1]) if len(different) else max(len(values) - 1, 0)


def _person(file: Path) -> Responses:
    with reading(file, "a film recording"):
        values = np.asarray(read_mat(file, ["rdata"])["rdata"])
    if values.ndim != 2 or values.dtype.kind != "f" or not np.isfinite(values).all():
        raise CorruptFileError(
            f"{file}: rdata has shape {values.shape} and dtype {values.dtype}; finite numbers "
            f"(voxels, volumes) were expected."
        )
    course = values.T.astype(np.float32)
    lost = constant_tail(course)
    if lost:
        log.warning("%s: the last %d volumes are constant and left out.", file, lost)
    kept = course[: len(course) - lost]
    place = np.arange(len(kept))
    return Responses(
        kept,
        np.array([_volume_id(one) for one in range(len(kept))]),
        f"sherlock-{_number(file)}",
        "fmri",
        run=_scan(place),
        provenance=recorded_in(file, f"sherlock/person-{_number(file)}"),
    )


def _root(folder: str | Path) -> Path:
    return locate(folder, _SEGMENTS, "subjects/s[0-9]*", "roi_timecourses")[0]


def _number(file: Path) -> int:
    return int(re.sub(r"\D", "", file.parent.name) or 0)


def _volume_id(place: int) -> str:
    return f"tr-{place + 1:04d}"


def _scan(place: NDArray[Any]) -> NDArray[np.str_]:
    return np.where(place < FIRST_SCAN, "1", "2")


def _scene_rows(file: Path) -> list[dict[str, Any]]:
    scene, cut, title = 0, 0, ""
    rows: list[dict[str, Any]] = []
    for _, segment in _segment_table(file).iterrows():
        mark, text = segment[_MARK], str(segment[_TEXT]).strip()
        if rows and not isinstance(mark, str):
            rows[-1] |= {"text": f"{rows[-1]['text']} {text}", "stop": int(segment[_END])}
            continue
        numbered = re.match(r"\s*(\d+)\.\s*(.*)", str(mark))
        if numbered:
            scene, cut, title = int(numbered[1]), 0, numbered[2].strip()
        else:
            cut += 1
        start = int(segment[_START]) - 1
        rows.append(
            {
                "id": f"scene-{scene:02d}" + (f".{cut}" if cut else ""),
                "title": title,
                "start": start,
                "stop": int(segment[_END]),
                "run": "1" if start < FIRST_SCAN else "2",
                "text": text,
            }
        )
    return rows


def _segment_table(file: Path) -> Any:
    """The 1000 segments; those after the end of the first scan have no volumes and are dropped."""
    import pandas

    check_workbook(file, "table")
    table = pandas.read_excel(file)
    table.columns = [str(name).strip() for name in table.columns]
    absent = [name for name in (_START, _END, _MARK, _TEXT) if name not in table.columns]
    if absent:
        raise CorruptFileError(f"{file} has no column {absent}; it has {list(table.columns)}.")
    if _NUMBER in table.columns:
        wrong = np.flatnonzero(table[_NUMBER].to_numpy() != np.arange(1, len(table) + 1))
        if len(wrong):
            raise CorruptFileError(
                f"{file}, row {wrong[0] + 1}, is segment {table[_NUMBER].iloc[wrong[0]]}; segments "
                f"are numbered without a gap. Rows were dropped, doubled or swapped."
            )
    kept = table.dropna(subset=[_START, _END])
    start, end = (kept[name].to_numpy(dtype=np.float64) for name in (_START, _END))
    back = (end < start) | (start < np.r_[0, end[:-1]])
    if back.any():
        raise CorruptFileError(
            f"{file}: segment {int(back.argmax()) + 1} of those with times ends before it starts, "
            f"or starts before the last one ended. A time was changed; obtain it again."
        )
    return kept
