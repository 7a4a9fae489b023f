"""Files one by one, each by what its ending says that it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode import store
from neurodecode.data import Embeddings, Responses
from neurodecode.datasets import _files as files
from neurodecode.datasets import _tables as tables
from neurodecode.datasets._door import reading
from neurodecode.datasets._images import open_image
from neurodecode.datasets.checking._pieces import Piece, Source, of_image, of_raw, of_responses
from neurodecode.errors import CorruptFileError
from neurodecode.files import check_workbook, read_npz, walk_datasets

RAW = (".vhdr", ".fif", ".fif.gz", ".edf", ".bdf", ".gdf", ".set", ".cnt")
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")


def file_source(path: Path) -> Source | None:
    """How to look at a file; None for one of a kind that nothing here reads.

    Examples
    --------
    >>> file_source(Path("README")) is None, file_source(Path("a/x_bold.nii.gz")).name
    (True, 'x_bold.nii.gz')
    """
    name = path.name.lower()
    for endings, look in _LOOKS.items():
        if name.endswith(endings) and not name.endswith(("-epo.fif", "-epo.fif.gz")):
            return Source(path.name, partial(look, path))
    return None


def _image(path: Path) -> list[Piece]:
    return of_image(path)


def _table(path: Path) -> list[Piece]:
    """A table; one of events is compared with itself and with the run that it belongs to."""
    if not path.name.endswith("_events.tsv"):
        tables.check_table(path)
        return []
    frame = tables.read_table(path, "a table of events", ("onset", "duration"))
    with reading(path, "a table of events"):
        onset, duration = frame[["onset", "duration"]].to_numpy(dtype=np.float64).T
        if not np.isfinite(onset).all():
            raise CorruptFileError(f"{path} has onsets that are no numbers.")
        named = next((name for name in ("stimulus", "trial_type") if name in frame), None)
        if named is not None:
            shown = tables.shown_ids(frame[named], named, str(path))
            tables.refuse_doubles(onset, shown, np.nan_to_num(duration), str(path))
        tables.check_samples(frame, onset, str(path))
        _check_inside(path, onset)
    return []


def _check_inside(path: Path, onset: Any) -> None:
    image = path.with_name(path.name.replace("_events.tsv", "_bold.nii.gz"))
    if not image.is_file() or not len(onset):
        return
    head = open_image(image, whole=False)
    length_s = head.shape[-1] * float(head.header.get_zooms()[-1])
    if onset.max() >= length_s:
        raise CorruptFileError(
            f"{path} has an event at {onset.max():g} s, but {image.name} lasts {length_s:g} s. "
            f"They belong to different runs, or onsets are in another unit than seconds."
        )


def _json(path: Path) -> list[Piece]:
    text = tables.read_text(path, "JSON")
    with reading(path, "JSON"):
        json.loads(text)
    return []


def _array(path: Path) -> list[Piece]:
    content = files.read_npy(path, lazy=True)
    held = content.items() if isinstance(content, dict) else [("", content)]
    return [piece for name, values in held for piece in _numbers(name, values)]


def _arrays(path: Path) -> list[Piece]:
    return [piece for name, values in read_npz(path).items() for piece in _numbers(name, values)]


def _pickle(path: Path) -> list[Piece]:
    content = files.read_pickle(path)
    held = content.items() if isinstance(content, dict) else [("", content)]
    return [piece for name, values in held for piece in _numbers(name, values)]


def _torch(path: Path) -> list[Piece]:
    from neurodecode.datasets._things import read_container

    return _numbers("", read_container(path).values)


def _matlab(path: Path) -> list[Piece]:
    held = files.read_mat(path)
    return [piece for name, values in held.items() for piece in _numbers(name, values)]


def _numbers(name: Any, values: Any) -> list[Piece]:
    """An array of numbers, its second axis as units."""
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu" or values.ndim < 2:
        return []
    return [Piece(str(name), values, "row", int(values.shape[1]))]


def _hdf5(path: Path) -> list[Piece]:
    """A file of our store, or any other HDF5 file's arrays."""
    with files.open_hdf5(path) as opened, reading(path, "an HDF5 file"):
        names = [name for name, _ in walk_datasets(opened)]
        ours = "header" in opened.attrs and "fingerprint" in opened.attrs
    if not ours:
        return [_stored(path, name) for name in names if _is_numeric(path, name)]
    content = store.load(path)
    if isinstance(content, Responses):
        return of_responses(content)
    assert isinstance(content, Embeddings)
    return [Piece(content.space, content.values, "row", int(content.values.shape[1]))]


def _is_numeric(path: Path, name: str) -> bool:
    with files.open_hdf5(path) as opened, reading(path, "an HDF5 file"):
        return bool(opened[name].dtype.kind in "fiu" and opened[name].ndim >= 2)


def _stored(path: Path, name: str) -> Piece:
    from neurodecode.datasets.nsd._hdf5 import Hdf5Rows

    with files.open_hdf5(path) as opened, reading(path, "an HDF5 file"):
        n_axes = opened[name].ndim
    rows = Hdf5Rows(path, name, n_axes=n_axes)
    return Piece(name, rows, "row", int(rows.shape[1]))


def _tar(path: Path) -> list[Piece]:
    from neurodecode.datasets.nsd._tar import index_tar

    for sample in index_tar(path).values():
        for extension, member in sample.items():
            if extension.endswith("npy"):
                member.array()
    return []


def _picture(path: Path) -> list[Piece]:
    from neurodecode.data import read_picture

    with reading(path, "a picture"):
        values = np.asarray(read_picture(path))
    return [Piece("", values[None], "picture", 1)]


def _workbook(path: Path) -> list[Piece]:
    import pandas

    check_workbook(path)
    with reading(path, "a workbook"):
        pandas.read_excel(path, sheet_name=None)
    return []


def _text(path: Path) -> list[Piece]:
    with reading(path, "text"):
        path.read_text(encoding="utf-8")
    return []


_LOOKS: dict[tuple[str, ...], Callable[[Path], list[Piece]]] = {
    (".nii", ".nii.gz", ".mgz"): _image,
    RAW: of_raw,
    (".tsv", ".csv"): _table,
    (".json",): _json,
    (".npy",): _array,
    (".npz",): _arrays,
    (".pkl", ".pickle"): _pickle,
    (".pt",): _torch,
    (".mat",): _matlab,
    (".h5", ".hdf5"): _hdf5,
    (".tar",): _tar,
    PICTURES: _picture,
    (".xlsx",): _workbook,
    (".txt",): _text,
}
