"""Files from strangers, read as data: what they declare is checked, and nothing in them is run."""

from neurodecode.files._existing import broken, existing
from neurodecode.files._hdf5 import open_hdf5
from neurodecode.files._mat import mat_names, read_mat
from neurodecode.files._npy import read_npy
from neurodecode.files._pickle import read_pickle

__all__ = [
    "broken",
    "existing",
    "mat_names",
    "open_hdf5",
    "read_mat",
    "read_npy",
    "read_pickle",
]
