"""NSD as Brain-Diffuser prepares it: one array a part and person.

Layout
    - ``data/processed_data/subjXX/nsd_{train,test}_fmriavg_nsdgeneral_sub{N}.npy`` float64
      (8859 | 982, n_voxels), mean of the repeats, percent signal times 300;
      ``..._stim_sub{N}.npy`` (…, 425, 425, 3) float64 with values 0 to 255; ``..._cap_sub{N}.npy``
      (…, 5) fixed-width text.
    - ``data/extracted_features/subjXX/nsd_clip{vision,text}_{train,test}.npy``,
      ``nsd_vdvae_features_31l.npz`` (``train_latents``, ``test_latents``).
    - row order: first appearance in ``masterordering`` of ``nsd_expdesign.mat``; train are the ids
      above 1000 of it, test the others; 37 sessions.
Source
    Ozcelik & VanRullen, Brain-Diffuser (Scientific Reports 2023), published code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Embeddings, Responses, Stimuli, as_picture, recorded_in
from neurodecode.datasets._door import reading
from neurodecode.datasets._files import existing, read_mat, read_npy
from neurodecode.datasets.nsd._lazy import Pieces
from neurodecode.datasets.nsd._trials import (
    Repeats,
    numbers_found,
    stimulus_id,
    subject_name,
)
from neurodecode.errors import CorruptFileError
from neurodecode.files import read_npz

PARTS = ("train", "test")
AXES = {"fmriavg_nsdgeneral": 2, "stim": 4, "cap": 2}
N_SHARED, N_TRIALS = 1000, 750 * 37
Feature = Literal["clipvision", "cliptext", "vdvae"]


class BrainDiffuserArrays:
    """Brain-Diffuser's arrays, memory-mapped.

    Parameters
    ----------
    root : path
        The folder that holds ``processed_data`` and ``extracted_features``, usually ``data``.
    design : path, optional
        ``nsd_expdesign.mat``, which names the rows as pictures of NSD. Default: where NSD has it
        under ``root/nsddata`` or beside; without it ids count rows, and people can't be pooled.
    n_shared, n_trials : int
        Size of the design: shared pictures, and trials of the sessions used.
    """

    def __init__(
        self,
        root: str | Path,
        *,
        design: str | Path | None = None,
        n_shared: int = N_SHARED,
        n_trials: int = N_TRIALS,
    ) -> None:
        self.root = Path(root)
        self.design = design
        self.n_shared = n_shared
        self.n_trials = n_trials

    def subjects(self) -> list[int]:
        """People with processed data."""
        folder = existing(self.root / "processed_data", "folder of processed data")
        return numbers_found((one.name for one in folder.iterdir()), "subj")

    def responses(self, subject: int, *, repeats: Repeats = "averaged") -> Responses:
        """The mean response to each picture, in percent signal change.

        Raises
        ------
        ValueError
            If single trials are asked for, which these arrays do not have.
        CorruptFileError
            If arrays disagree in length.
        """
        if repeats != "averaged":
            raise ValueError(
                f"Brain-Diffuser's arrays hold means over repeats; repeats='{repeats}' can't be "
                f"had. Use repeats='averaged', or read raw NSD."
            )
        arrays = [self._array(subject, part, "fmriavg_nsdgeneral") for part in PARTS]
        widths = {one.shape[1] for one in arrays}
        if len(widths) > 1:
            raise CorruptFileError(
                f"Arrays of {subject_name(subject)} have {sorted(widths)} voxels in train and "
                f"test. They were made with different masks."
            )
        return Responses(
            self._joined(arrays, np.float32, 300.0),
            self._ids(subject, [len(one) for one in arrays]),
            subject_name(subject),
            "fmri",
            metadata={"part": np.repeat(PARTS, [len(one) for one in arrays])},
            provenance=recorded_in(self.root, f"nsd/{subject_name(subject)}"),
        )

    def stimuli(self) -> Stimuli:
        """The pictures of all people, with their captions."""
        places: dict[str, tuple[Any, int]] = {}
        said: dict[str, list[str]] = {}
        for subject in self.subjects():
            pictures = [self._array(subject, part, "stim") for part in PARTS]
            texts = [self._array(subject, part, "cap") for part in PARTS]
            ids = self._ids(subject, [len(one) for one in pictures])
            rows = [(array, row) for array in pictures for row in range(len(array))]
            lines = [line for array in texts for line in array]
            if len(lines) != len(rows):
                raise CorruptFileError(
                    f"{self.root / 'processed_data' / subject_name(subject)} has captions of "
                    f"{len(lines)} pictures but {len(rows)} pictures. They are of different "
                    f"releases; obtain both again."
                )
            for one, place, line in zip(ids, rows, lines, strict=True):
                places.setdefault(one, place)
                said.setdefault(one, [str(text).strip() for text in line if str(text).strip()])

        def load(one: str) -> NDArray[np.uint8]:
            array, row = places[one]
            return as_picture(np.asarray(array[row]).astype(np.uint8))

        captions = {one: lines for one, lines in said.items() if lines}
        return Stimuli(np.array(sorted(places)), "image", load, captions)

    def features(self, subject: int, name: Feature) -> Embeddings:
        """Features of the pictures, as Brain-Diffuser extracted them."""
        folder = self.root / "extracted_features" / subject_name(subject)
        if name == "vdvae":
            path = existing(folder / "nsd_vdvae_features_31l.npz", "file of features")
            arrays = list(read_npz(path, [f"{part}_latents" for part in PARTS]).values())
        else:
            arrays = [read_npy(folder / f"nsd_{name}_{part}.npy", lazy=True) for part in PARTS]
        if any(one.ndim < 2 or one.shape[1:] != arrays[0].shape[1:] for one in arrays):
            raise CorruptFileError(
                f"The features '{name}' of {subject_name(subject)} in {self.root} have the shapes "
                f"{[one.shape for one in arrays]}; (n_pictures, ...) was expected of both parts."
            )
        ids = self._ids(subject, [len(one) for one in arrays])
        return Embeddings(self._joined(arrays, np.float32, 1.0), ids, f"brain-diffuser-{name}")

    def _array(self, subject: int, part: str, kind: str) -> Any:
        folder = self.root / "processed_data" / subject_name(subject)
        path = folder / f"nsd_{part}_{kind}_sub{subject}.npy"
        array = read_npy(path, lazy=True)
        if getattr(array, "ndim", 0) != AXES[kind] or (kind == "cap") != (array.dtype.kind in "US"):
            raise CorruptFileError(
                f"{path} holds {getattr(array, 'dtype', type(array).__name__)} of shape "
                f"{getattr(array, 'shape', ())}; {AXES[kind]} axes of "
                f"{'text' if kind == 'cap' else 'numbers'} were expected. It is another file, or "
                f"damaged; obtain it again."
            )
        return array

    @staticmethod
    def _joined(arrays: list[Any], dtype: Any, scale: float) -> Pieces:
        return Pieces(
            [len(one) for one in arrays],
            arrays[0].shape[1:],
            dtype,
            lambda source, rows: np.asarray(arrays[source][rows]) / scale,
        )

    def _ids(self, subject: int, sizes: list[int]) -> NDArray[np.str_]:
        path = self._design_file()
        if path is None:
            name = subject_name(subject)
            return np.array(
                [
                    f"{name}-{part}-{row:05d}"
                    for part, size in zip(PARTS, sizes, strict=True)
                    for row in range(size)
                ]
            )
        design = read_mat(path, ["masterordering", "subjectim"])
        with reading(path, "NSD's design"):
            order = np.ravel(design["masterordering"])[: self.n_trials].astype(np.intp)
            pictures = np.atleast_2d(design["subjectim"]).astype(np.int64)
        first = order[np.sort(np.unique(order, return_index=True)[1])]
        rows = [first[first > self.n_shared], first[first <= self.n_shared]]
        if [len(one) for one in rows] != sizes:
            raise CorruptFileError(
                f"{path} plans {len(rows[0])} training and {len(rows[1])} test pictures in "
                f"{self.n_trials} trials, but the arrays of {subject_name(subject)} have "
                f"{sizes[0]} and {sizes[1]}. They are of different releases."
            )
        with reading(path, "NSD's design"):
            own = pictures[subject - 1][np.concatenate(rows) - 1]
            return np.array([stimulus_id(one - 1) for one in own])

    def _design_file(self) -> Path | None:
        if self.design is not None:
            return existing(self.design, "experiment design")
        tail = Path("nsddata/experiments/nsd/nsd_expdesign.mat")
        for folder in (self.root, self.root.parent):
            if (folder / tail).is_file():
                return folder / tail
        return None
