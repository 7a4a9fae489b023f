"""NSD as its authors release it: sessions of single-trial betas as NIfTI or HDF5.

Layout
    - ``nsddata/experiments/nsd/nsd_expdesign.mat``: ``masterordering`` (1, 30000), ``subjectim``
      (8, 10000), ``sharedix`` (1, 1000); all 1-based.
    - ``nsddata/ppdata/subjXX/behav/responses.tsv``: ``SESSION RUN TRIAL 73KID`` (1-based).
    - ``nsddata/ppdata/subjXX/func1pt8mm/roi/nsdgeneral.nii.gz`` and other regions.
    - ``nsddata_betas/ppdata/subjXX/func1pt8mm/BETAS/betas_sessionYY.nii.gz`` (x, y, z, 750)
      int16, or ``.hdf5``: ``betas`` (750, z, y, x); percent signal change times 300.
    - ``nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5``: ``imgBrick`` uint8 (73000, 425, 425, 3), and
      COCO's captions.
Source
    Allen et al., A massive 7T fMRI dataset to bridge cognitive neuroscience and artificial
    intelligence, Nature Neuroscience 2022.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Responses, Stimuli, recorded_in
from neurodecode.datasets._door import reading
from neurodecode.datasets._files import existing, read_mat
from neurodecode.datasets._tables import read_table
from neurodecode.datasets.nsd._captions import captions
from neurodecode.datasets.nsd._hdf5 import Hdf5Rows
from neurodecode.datasets.nsd._lazy import Pieces
from neurodecode.datasets.nsd._sessions import open_session, read_mask
from neurodecode.datasets.nsd._trials import (
    TEST_SESSIONS,
    Repeats,
    TestSet,
    numbers_found,
    stimulus_id,
    subject_name,
    with_repeats,
)
from neurodecode.errors import CorruptFileError

DESIGN = Path("nsddata/experiments/nsd/nsd_expdesign.mat")
PICTURES = Path("nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5")
SPACE = "func1pt8mm"
RUNS_MOST = 100
COLUMNS = ("SESSION", "RUN", "73KID")
log = logging.getLogger("neurodecode")


class RawNsd:
    """The release of NSD, read lazily.

    Parameters
    ----------
    root : path
        The folder that holds ``nsddata``, ``nsddata_betas`` and ``nsddata_stimuli``.
    betas : str
        Which version of the betas.
    roi : str
        The region whose voxels to read: a file of ``roi``; values above zero.
    test_set : {'new', 'old'}
        Sessions up to 40 (1000 shared pictures) or up to 37 (982).
    n_sessions : int, optional
        Fewer sessions, from the first: 1 is the "one hour" of MindEye2.
    missing : {'refuse', 'skip'}
        What to do about sessions whose betas are not there.
    """

    def __init__(
        self,
        root: str | Path,
        *,
        betas: str = "betas_fithrf_GLMdenoise_RR",
        roi: str = "nsdgeneral",
        test_set: TestSet = "new",
        n_sessions: int | None = None,
        missing: Literal["refuse", "skip"] = "refuse",
    ) -> None:
        self.root = Path(root)
        self.betas = betas
        self.roi = roi
        self.test_set = test_set
        self.n_sessions = n_sessions
        self.missing = missing

    def subjects(self) -> list[int]:
        """People with betas."""
        folder = existing(self.root / "nsddata_betas" / "ppdata", "folder of betas")
        return numbers_found((one.name for one in folder.iterdir()), "subj")

    def responses(self, subject: int, *, repeats: Repeats = "kept") -> Responses:
        """One person's trials in percent signal change; positions are those of the mask, in mm.

        Voxels are in C order of the mask (x, y, z). HDF5 is read by trial; NIfTI is quick only in
        order, so store it first (``neurodecode prepare nsd``).

        Raises
        ------
        FileNotFoundError
            If betas, behaviour or mask are missing; names the sessions.
        CorruptFileError
            If a session has another grid than the mask, or another number of trials than the
            behaviour.
        """
        name = subject_name(subject)
        region = self.root / "nsddata/ppdata" / name / SPACE / "roi" / f"{self.roi}.nii.gz"
        mask, positions = read_mask(region)
        table = self._trials(name)
        wanted = self._sessions(name, table["SESSION"])
        files = [open_session(self._folder(name), session, mask) for session in wanted]
        table = {key: column[np.isin(table["SESSION"], wanted)] for key, column in table.items()}
        for session, file in zip(wanted, files, strict=True):
            n_trials = int((table["SESSION"] == session).sum())
            if file.n_trials != n_trials:
                raise CorruptFileError(
                    f"{file.path} has {file.n_trials} trials but responses.tsv, the behaviour of "
                    f"{name}, has {n_trials} in session {session}. One of them is incomplete."
                )
        values = Pieces(
            [file.n_trials for file in files],
            (int(mask.sum()),),
            np.float32,
            lambda source, rows: files[source].read(rows),
        )
        shared = np.isin(table["73KID"], self._shared())
        pairs = zip(table["SESSION"], table["RUN"], strict=True)
        return with_repeats(
            Responses(
                values,
                np.array([stimulus_id(one - 1) for one in table["73KID"]]),
                name,
                "fmri",
                run=np.array([f"{session:02d}-{run:02d}" for session, run in pairs]),
                session=table["SESSION"].astype(np.str_),
                positions=positions,
                metadata={"shared1000": shared},
                provenance=recorded_in(self.root, f"nsd/{name}"),
            ),
            repeats,
        )

    def stimuli(self) -> Stimuli:
        """All pictures, with COCO's captions where those files are there."""
        pictures = Hdf5Rows(self.root / PICTURES, "imgBrick", n_axes=4)
        ids = np.array([stimulus_id(one) for one in range(len(pictures))])
        said = captions(self.root, ids)
        return Stimuli(ids, "image", lambda one: pictures[int(one.removeprefix("nsd-"))], said)

    def _folder(self, name: str) -> Path:
        return self.root / "nsddata_betas/ppdata" / name / SPACE / self.betas

    def _shared(self) -> NDArray[Any]:
        design = read_mat(self.root / DESIGN, ["sharedix"])
        with reading(self.root / DESIGN, "NSD's design"):
            return np.ravel(design["sharedix"]).astype(np.int64)

    def _trials(self, name: str) -> dict[str, NDArray[np.int64]]:
        path = existing(
            self.root / "nsddata/ppdata" / name / "behav" / "responses.tsv", "behaviour file"
        )
        rows = read_table(path, "a table of behaviour", COLUMNS)
        with reading(path, "a table of behaviour"):
            table = {key: rows[key].to_numpy(dtype=np.float64) for key in COLUMNS}
            if any((column != np.floor(column)).any() for column in table.values()):
                raise ValueError(f"one of {', '.join(COLUMNS)} is no whole number")
            table = {key: column.astype(np.int64) for key, column in table.items()}
            back = np.diff(table["SESSION"] * RUNS_MOST + table["RUN"]) < 0
            if back.any() or min(column.min(initial=1) for column in table.values()) < 1:
                raise CorruptFileError(
                    f"{path}: sessions and runs go back or are none (first: row "
                    f"{int(back.argmax()) + 2}). Trials stand in the order in which they were "
                    f"shown: rows were swapped or changed; obtain it again."
                )
        self._check_order(path, name, table["73KID"])
        return table

    def _check_order(self, path: Path, name: str, shown: NDArray[np.int64]) -> None:
        """The behaviour must name the pictures that the design says were shown."""
        design = read_mat(self.root / DESIGN, ["masterordering", "subjectim"])
        with reading(self.root / DESIGN, "NSD's design"):
            own = np.atleast_2d(design["subjectim"])[int(name.removeprefix("subj")) - 1]
            planned = own[np.ravel(design["masterordering"])[: len(shown)].astype(np.intp) - 1]
        if len(planned) != len(shown) or not np.array_equal(planned, shown):
            raise CorruptFileError(
                f"{path} names other pictures than {DESIGN.name} plans for {name}. They belong to "
                f"different people or releases."
            )

    def _sessions(self, name: str, session: NDArray[np.int64]) -> list[int]:
        most = TEST_SESSIONS[self.test_set] if self.n_sessions is None else self.n_sessions
        wanted = [one for one in sorted(set(session.tolist())) if one <= most]
        folder = existing(self._folder(name), "folder of betas")
        there = {one.name.split(".")[0] for one in folder.iterdir()}
        absent = [one for one in wanted if f"betas_session{one:02d}" not in there]
        if absent and self.missing == "refuse":
            raise FileNotFoundError(
                f"{folder} lacks {len(absent)} of {len(wanted)} sessions ({_numbers(absent)}). "
                f"Obtain them, or leave them out with missing='skip'."
            )
        if absent:
            log.warning("%s: sessions %s are missing and left out.", name, _numbers(absent))
        return [one for one in wanted if one not in absent]


def _numbers(sessions: Sequence[int]) -> str:
    return ", ".join(str(one) for one in sessions)
