"""NSD as MindEye1 and MindBridge pass it around: ``webdataset_avg_split``.

Layout
    - ``webdataset_avg_split/metadata_subj0X.json``: ``{"totals": {"train", "val", "test"}}``.
    - ``{train,val,test}/{train,val,test}_subj0X_{i}.tar``, or unpacked as MindBridge wants it:
      ``{train,val,test}/subj0X/``. One sample: ``sample%09d.{jpg, nsdgeneral.npy, coco73k.npy,
      num_uniques.npy}``; ``nsdgeneral.npy`` holds three repeats (3, n_voxels), those never recorded
      filled by others, ``num_uniques.npy`` how many differ.
    - captions: ``nsddata/experiments/nsd/nsd_stim_info_merged.csv`` and COCO's
      ``captions_{train,val}2017.json`` beside it (see `neurodecode.datasets.nsd.captions`).
Source
    Scotti et al., MindEye (NeurIPS 2023), data release; Wang et al., MindBridge (CVPR 2024), code.
    Betas are z-scored by session there. How the release was made from raw NSD is not published.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Responses, Stimuli, as_picture, listing, recorded_in
from neurodecode.datasets._door import reading
from neurodecode.datasets._files import existing
from neurodecode.datasets._tables import read_text
from neurodecode.datasets.nsd._captions import captions
from neurodecode.datasets.nsd._lazy import Pieces
from neurodecode.datasets.nsd._tar import Member, index_folder, index_tar
from neurodecode.datasets.nsd._trials import (
    Repeats,
    numbers_found,
    stimulus_id,
    subject_name,
    with_repeats,
)
from neurodecode.errors import CorruptFileError

FOLDERS = {"train": "train", "val": "validation", "test": "test"}
BETAS, NUMBER, UNIQUE, PICTURE = "nsdgeneral.npy", "coco73k.npy", "num_uniques.npy", "jpg"
REPEATS = 3
Sample = dict[str, Member]


class WebDataset:
    """The release of MindEye1, in tars or unpacked, read lazily.

    Parameters
    ----------
    root : path
        The folder that holds ``webdataset_avg_split``, or that folder itself.
    """

    def __init__(self, root: str | Path) -> None:
        given = Path(root)
        inside = given / "webdataset_avg_split"
        self.root = inside if inside.is_dir() else given
        self._samples: dict[int, dict[str, list[tuple[str, Sample]]]] = {}

    def subjects(self) -> list[int]:
        """People with training samples."""
        folder = existing(self.root / "train", "folder of training samples")
        names = {one.name for one in folder.iterdir() if one.is_dir()}
        names |= {one.name.split("_")[1] for one in folder.glob("train_subj*_*.tar")}
        return numbers_found(names, "subj")

    def responses(self, subject: int, *, repeats: Repeats = "kept") -> Responses:
        """One person's trials; ``metadata['part']`` is the release's own split.

        Repeats that only fill a gap are left out where ``num_uniques.npy`` says so; MindBridge's
        unpacked form lacks it, and then all three are kept.

        Raises
        ------
        FileNotFoundError
            If this person is not there.
        CorruptFileError
            If a sample lacks a file or has another number of voxels than the first, or if samples
            are missing.
        """
        samples = [
            (part, key, sample)
            for part, found in self._index(subject).items()
            for key, sample in found
        ]
        repeated = [_n_repeats(sample) for _, _, sample in samples]
        first = samples[0][2][BETAS]
        if first.array().ndim != 2:
            raise CorruptFileError(
                f"'{first.name}' in {first.path} has shape {first.array().shape}, expected (3, "
                f"n_voxels). Obtain it again."
            )
        n_voxels = int(first.array().shape[1])
        owner = np.repeat(np.arange(len(samples)), repeated)
        ids = [_picture_id(sample[NUMBER]) for _, _, sample in samples]
        _check_numbers(subject_name(subject), self.root, ids)

        def read(number: int, rows: NDArray[np.intp]) -> NDArray[Any]:
            part, key, sample = samples[number]
            values = sample[BETAS].array()
            if values.shape != (REPEATS, n_voxels):
                raise CorruptFileError(
                    f"{key}.{BETAS} of {subject_name(subject)} ({part}) in "
                    f"{sample[BETAS].path} has shape {values.shape}, "
                    f"expected (3, {n_voxels}) as in the first sample. It was made with another "
                    f"mask."
                )
            return np.asarray(values[rows])

        parts = np.array([FOLDERS[part] for part, _, _ in samples])
        return with_repeats(
            Responses(
                Pieces(repeated, (n_voxels,), np.float32, read),
                np.array(ids)[owner],
                subject_name(subject),
                "fmri",
                metadata={"part": parts[owner]},
                provenance=recorded_in(self.root, f"nsd/{subject_name(subject)}"),
            ),
            repeats,
        )

    def stimuli(self) -> Stimuli:
        """The pictures of all people, with COCO's captions where those files are there."""
        pictures: dict[str, Member] = {}
        for subject in self.subjects():
            for found in self._index(subject).values():
                for _, sample in found:
                    pictures.setdefault(_picture_id(sample[NUMBER]), sample[PICTURE])
        ids = np.array(sorted(pictures))
        said = captions(self.root.parent, ids)
        return Stimuli(ids, "image", lambda one: _picture(pictures[one]), said)

    def _index(self, subject: int) -> dict[str, list[tuple[str, Sample]]]:
        if subject not in self._samples:
            name = subject_name(subject)
            found = {part: self._part(part, name) for part in FOLDERS}
            if not any(found.values()):
                raise FileNotFoundError(
                    f"{self.root} has no samples of {name}; it has those of "
                    f"{', '.join(subject_name(one) for one in self.subjects())}."
                )
            self._check_totals(name, found)
            self._samples[subject] = found
        return self._samples[subject]

    def _part(self, part: str, name: str) -> list[tuple[str, Sample]]:
        folder = self.root / part
        samples: dict[str, Sample] = {}
        if (folder / name).is_dir():
            samples = index_folder(folder / name)
        else:
            for tar in sorted(folder.glob(f"{part}_{name}_*.tar")):
                samples |= index_tar(tar)
        for key, sample in samples.items():
            for needed in (BETAS, NUMBER, PICTURE):
                if needed not in sample:
                    files = {str(member.path) for member in sample.values()}
                    raise CorruptFileError(
                        f"Sample '{key}' of {name} in {folder} lacks '{needed}'; it has "
                        f"{', '.join(sorted(sample))} in {', '.join(sorted(files))}. Obtain it "
                        f"again."
                    )
        return sorted(samples.items())

    def _check_totals(self, name: str, found: dict[str, list[tuple[str, Sample]]]) -> None:
        path = self.root / f"metadata_{name}.json"
        if not path.is_file():
            return
        text = read_text(path, "a file of totals")
        with reading(path, "a file of totals"):
            totals = {part: int(n) for part, n in json.loads(text)["totals"].items()}
        for part, n_expected in totals.items():
            if part in found and len(found[part]) != n_expected:
                raise CorruptFileError(
                    f"{self.root / part} has {len(found[part])} samples of {name}, but "
                    f"{path.name} says {n_expected}. Files are missing; obtain them."
                )


def _n_repeats(sample: Sample) -> int:
    if UNIQUE not in sample:
        return REPEATS
    member = sample[UNIQUE]
    with reading(member.path, "a number of repeats") as place:
        place.name = f"'{member.name}'"
        found = _whole_number(member)
        if not 1 <= found <= REPEATS:
            raise CorruptFileError(
                f"'{member.name}' in {member.path} says that {found} of {REPEATS} repeats differ; "
                f"1 to {REPEATS} was expected. Obtain it again."
            )
    return found


def _picture_id(member: Member) -> str:
    with reading(member.path, "the number of a picture") as place:
        place.name = f"'{member.name}'"
        return stimulus_id(_whole_number(member))


def _whole_number(member: Member) -> int:
    values = np.ravel(member.array())
    if values.size != 1 or values.dtype.kind not in "iuf" or values[0] != np.floor(values[0]):
        raise CorruptFileError(
            f"'{member.name}' in {member.path} holds {values[:3].tolist()}; one whole number was "
            f"expected. Obtain it again."
        )
    return int(values[0])


def _check_numbers(name: str, root: Path, ids: list[str]) -> None:
    """A person's samples are of different pictures."""
    twice = sorted(one for one, count in Counter(ids).items() if count > 1)
    if twice:
        raise CorruptFileError(
            f"{root} has several samples of {name} for the same pictures ({listing(twice)}). A "
            f"'{NUMBER}' is damaged, or samples were copied; obtain them again."
        )


def _picture(member: Member) -> NDArray[np.uint8]:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(member.read())) as image:
            return as_picture(np.asarray(image.convert("RGB")))
    except Exception as error:  # Pillow's decoders raise a dozen kinds
        raise CorruptFileError(
            f"'{member.name}' in {member.path} is not a picture that can be read: {error}."
        ) from error
