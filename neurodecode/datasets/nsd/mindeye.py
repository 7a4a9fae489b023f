"""NSD as MindEye2 passes it around: behaviour in tars, betas and pictures in HDF5.

Layout
    - ``wds/subj0X/train/{session}.tar``, ``wds/subj0X/{test,new_test}/0.tar``: members
      ``KEY.behav.npy`` (1, 17), and past, future and old behaviour that is not needed here. Columns
      used: 0 picture (0-based, of 73000), 2 session, 3 run, 5 row of the betas; -1 means missing.
    - ``betas_all_subj0X_fp32_renorm.hdf5``: ``betas`` float32 (n_trials, n_voxels), z-scored by
      voxel with training statistics.
    - ``coco_images_224_float16.hdf5``: ``images`` float16 (73000, 3, 224, 224).
Source
    Scotti et al., MindEye2 (ICML 2024), data release; names and columns from the published code.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Responses, Stimuli, as_picture, recorded_in, take_rows
from neurodecode.datasets._door import reading
from neurodecode.datasets._files import existing, open_hdf5
from neurodecode.datasets.nsd._hdf5 import Hdf5Rows
from neurodecode.datasets.nsd._tar import index_tar
from neurodecode.datasets.nsd._trials import (
    Repeats,
    TestSet,
    numbers_found,
    stimulus_id,
    subject_name,
    with_repeats,
)
from neurodecode.errors import CorruptFileError

log = logging.getLogger("neurodecode")
N_COLUMNS = 17
PICTURE, SESSION, RUN, BETA = 0, 2, 3, 5
TEST_FOLDERS = {"new": "new_test", "old": "test"}


class MindEyeArrays:
    """The release of MindEye2, read lazily.

    Parameters
    ----------
    root : path
        The folder that holds ``wds`` and the HDF5 files.
    test_set : {'new', 'old'}
        1000 pictures of 40 sessions, or 982 of 37.
    n_sessions : int, optional
        Training sessions to use, from the first; default is all that are there.
    """

    def __init__(
        self, root: str | Path, *, test_set: TestSet = "new", n_sessions: int | None = None
    ) -> None:
        self.root = Path(root)
        self.test_set = test_set
        self.n_sessions = n_sessions

    def subjects(self) -> list[int]:
        """People with behaviour files."""
        folder = existing(self.root / "wds", "folder of behaviour files")
        return numbers_found((one.name for one in folder.iterdir()), "subj")

    def responses(self, subject: int, *, repeats: Repeats = "kept") -> Responses:
        """One person's trials; ``metadata`` says their part.

        Raises
        ------
        FileNotFoundError
            If a file is missing, or one of the sessions asked for.
        CorruptFileError
            If behaviour and betas do not fit together.
        """
        name = subject_name(subject)
        betas = Hdf5Rows(self.root / f"betas_all_{name}_fp32_renorm.hdf5", "betas", n_axes=2)
        table, part = self._behaviour(name)
        rows = table[:, BETA].astype(np.int64)
        if rows.min(initial=0) < 0 or rows.max(initial=-1) >= len(betas):
            raise CorruptFileError(
                f"Behaviour of {name} in {self.root / 'wds'} points to rows {rows.min()} to "
                f"{rows.max()}, but {betas.path.name} has {len(betas)}. They are of different "
                f"releases; obtain both again."
            )
        self._check_pictures(name, rows, table[:, PICTURE])
        order = np.argsort(rows, kind="stable")
        table, part, rows = table[order], part[order], rows[order]
        session = table[:, SESSION].astype(int)
        run = [f"{s:02d}-{r:02d}" for s, r in zip(session, table[:, RUN].astype(int), strict=True)]
        return with_repeats(
            Responses(
                take_rows(betas, rows),
                np.array([stimulus_id(one) for one in table[:, PICTURE]]),
                name,
                "fmri",
                run=np.array(run),
                session=session.astype(np.str_),
                metadata={"part": part, "shared1000": table[:, 16] == 1},
                provenance=recorded_in(self.root, f"nsd/{name}"),
            ),
            repeats,
        )

    def stimuli(self) -> Stimuli:
        """All pictures, as uint8 RGB; the release has no captions by picture number."""
        pictures = Hdf5Rows(self.root / "coco_images_224_float16.hdf5", "images", n_axes=4)
        ids = np.array([stimulus_id(one) for one in range(len(pictures))])

        def load(one: str) -> NDArray[np.uint8]:
            values = pictures[int(one.removeprefix("nsd-"))]
            with reading(pictures.path, "pictures") as place:
                place.name = f"'{one}'"
                return as_picture(np.moveaxis(values, 0, -1).astype(np.float32))

        return Stimuli(ids, "image", load)

    def region(self, subject: int, name: str) -> NDArray[np.bool_]:
        """Which voxels belong to a region such as ``'V1'``, shape (n_voxels,)."""
        path = self.root / "brain_region_masks.hdf5"
        with open_hdf5(path) as file:
            with reading(path, "a file of regions"):
                group = file[subject_name(subject)]
                have = list(group)
                values = np.asarray(group[name][:], dtype=bool) if name in have else None
            if values is None:
                raise ValueError(f"{path} has no region '{name}'; it has {', '.join(have)}.")
            return values

    def _check_pictures(self, name: str, rows: NDArray[np.int64], picture: NDArray[Any]) -> None:
        """A row of the betas is one trial of one picture."""
        twice = len(rows) - len(np.unique(rows))
        pairs = len(np.unique(np.column_stack([rows, picture]), axis=0))
        if pairs > len(np.unique(rows)):
            raise CorruptFileError(
                f"Behaviour of {name} in {self.root / 'wds' / name} names several pictures for the "
                f"same row of the betas. A part of it is damaged; obtain it again."
            )
        if twice:
            log.warning(
                "%s: %d trials of %s stand there several times.", self.root / "wds" / name, twice,
                name,
            )  # fmt: skip

    def _behaviour(self, name: str) -> tuple[NDArray[Any], NDArray[np.str_]]:
        folder = self.root / "wds" / name
        there = numbers_found((one.stem for one in existing(folder / "train").glob("*.tar")), "")
        wanted = there if self.n_sessions is None else list(range(self.n_sessions))
        absent = sorted(set(wanted) - set(there))
        if absent:
            raise FileNotFoundError(
                f"{folder / 'train'} lacks {len(absent)} of the {len(wanted)} sessions asked for "
                f"(first: {absent[0]}.tar). Obtain them, or ask for fewer with n_sessions."
            )
        files = [(folder / "train" / f"{one}.tar", "train") for one in wanted]
        files.append((folder / TEST_FOLDERS[self.test_set] / "0.tar", "test"))
        tables, parts = [], []
        for path, part in files:
            table = _table(path)
            tables.append(table)
            parts += [part] * len(table)
        return np.concatenate(tables), np.array(parts)


def _table(path: Path) -> NDArray[Any]:
    rows = [
        sample["behav.npy"].array() for sample in index_tar(path).values() if "behav.npy" in sample
    ]
    if not rows:
        raise CorruptFileError(f"{path} has no member '*.behav.npy'. It is another file.")
    for one in rows:
        if one.shape != (1, N_COLUMNS):
            raise CorruptFileError(
                f"{path} has behaviour of shape {one.shape}, expected (1, {N_COLUMNS}). It is of "
                f"another release."
            )
    with reading(path, "a tar of behaviour"):
        table = np.concatenate(rows).astype(np.float64)
        used = table[:, [PICTURE, SESSION, RUN, BETA]]
        if not np.array_equal(used, np.floor(used)):
            raise ValueError("a picture, session, run or row of betas is no whole number")
        for one in np.unique(used[:, 0]):
            stimulus_id(one)
    return table
