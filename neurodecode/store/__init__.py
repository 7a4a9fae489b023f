"""One HDF5 file for each recording and each set of embeddings, opened lazily and checked.

A file is written under a temporary name and renamed when whole, so that a name in the store always
names a finished file. It carries a fingerprint of its content, which `load` compares.
"""

from neurodecode.store._array import StoredArray
from neurodecode.store._atomic import atomic_path, make_folder_of, write_json
from neurodecode.store._hdf5 import fingerprint_of, load
from neurodecode.store._lock import one_writer
from neurodecode.store._own import check_writable, own_folder
from neurodecode.store._save import save

__all__ = [
    "StoredArray",
    "atomic_path",
    "check_writable",
    "fingerprint_of",
    "load",
    "make_folder_of",
    "one_writer",
    "own_folder",
    "save",
    "write_json",
]
