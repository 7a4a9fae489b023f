"""References in HDF5 files may lead to items that no group names; these are checked too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import h5py

from neurodecode.errors import CorruptFileError
from neurodecode.files._hdf5 import MAX_ITEMS, PlainGroup, walk_datasets


def reachable_datasets(root: PlainGroup) -> Iterator[h5py.Dataset]:
    """All data sets that names or references lead to, each once.

    Parameters
    ----------
    root : PlainGroup

    Raises
    ------
    UnsafeFileError
        If one of them lies in another file.
    CorruptFileError
        If there are more than a million.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from neurodecode.files import open_hdf5
    >>> file = Path(tempfile.mkdtemp()) / "x.hdf5"
    >>> with h5py.File(file, "w") as new:
    ...     new["a"] = [1.0]
    >>> with open_hdf5(file) as opened:
    ...     [data.name for data in reachable_datasets(opened)]
    ['/a']
    """
    seen: set[int] = set()
    left: list[Any] = [root]
    while left:
        item = left.pop()
        found = (one for _, one in walk_datasets(item)) if isinstance(item, h5py.Group) else [item]
        for data in found:
            address = int(h5py.h5o.get_info(data.id).addr)
            if address in seen:
                continue
            seen.add(address)
            if len(seen) > MAX_ITEMS:
                raise CorruptFileError(
                    f"{root.file.filename} holds more than {MAX_ITEMS} items. It is damaged or "
                    f"made to be read for ever; obtain it again."
                )
            yield data
            left += _targets(root, data)


def _targets(root: PlainGroup, data: h5py.Dataset) -> list[Any]:
    if h5py.check_ref_dtype(data.dtype) is not h5py.Reference:
        return []
    return [root[one] for one in data[()].ravel() if one]
