"""Files from strangers, read as data: what they declare is checked, and nothing in them is run."""

from neurodecode.files._archives import check_workbook, check_zip, open_zip, read_npz
from neurodecode.files._bounds import BELIEVED_BYTES, MAX_RATIO, check_expansion
from neurodecode.files._existing import broken, existing
from neurodecode.files._hdf5 import (
    PlainGroup,
    open_hdf5,
    plain_root,
    reading_hdf5,
    spans_of,
    walk_datasets,
)
from neurodecode.files._heaps import check_heaps, is_text, read_texts
from neurodecode.files._json import read_json
from neurodecode.files._mat import check_mat, mat_names, read_mat
from neurodecode.files._npy import parse_npy, read_npy
from neurodecode.files._pickle import read_pickle
from neurodecode.files._torch import read_torch

__all__ = [
    "BELIEVED_BYTES",
    "MAX_RATIO",
    "PlainGroup",
    "broken",
    "check_expansion",
    "check_heaps",
    "check_mat",
    "check_workbook",
    "check_zip",
    "existing",
    "is_text",
    "mat_names",
    "open_hdf5",
    "open_zip",
    "parse_npy",
    "plain_root",
    "read_json",
    "read_mat",
    "read_npy",
    "read_npz",
    "read_pickle",
    "read_texts",
    "read_torch",
    "reading_hdf5",
    "spans_of",
    "walk_datasets",
]
