"""Embeddings already computed, in the store, under a key that follows from what they are."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Embeddings, Stimuli
from neurodecode.errors import CorruptFileError
from neurodecode.store import load, own_folder, save

IN_MEMORY_BYTES = 256 * 2**20
logger = logging.getLogger("neurodecode")


def cache_folder() -> Path:
    """``NEURODECODE_CACHE`` if set, else the platform's cache folder of this user.

    Where that can't be written, a folder for this process alone.
    """
    import pooch

    return own_folder(
        "NEURODECODE_CACHE", lambda: Path(pooch.os_cache("neurodecode")), "Computed embeddings"
    )


def content_key(stimuli: Stimuli, space: str) -> str:
    """A key made of ids, contents and the space (which names configuration and weights).

    Examples
    --------
    >>> one = Stimuli.from_texts({"a": "a cat"})
    >>> other = Stimuli.from_texts({"a": "a boat"})
    >>> content_key(one, "toy") == content_key(other, "toy")
    False
    """
    digest = hashlib.blake2b(json.dumps([space, stimuli.kind]).encode(), digest_size=16)
    for one in stimuli.ids.tolist():
        value = stimuli.load(one)
        if isinstance(value, str):
            parts = [one, value, list(stimuli.captions.get(one, ()))]
            digest.update(json.dumps(parts).encode())
        else:
            parts = [one, list(value.shape), list(stimuli.captions.get(one, ()))]
            digest.update(json.dumps(parts).encode())
            digest.update(np.ascontiguousarray(value).data)
    return digest.hexdigest()


class Computed:
    """Embeddings as a lazy array: a block of rows is computed when it is read.

    Parameters
    ----------
    n_rows : int
    row_shape : tuple of int
    compute : callable
        From a slice of rows to their values, shape (n, *row_shape), float32.
    """

    def __init__(
        self,
        n_rows: int,
        row_shape: tuple[int, ...],
        compute: Callable[[slice], NDArray[np.float32]],
    ) -> None:
        self.shape = (n_rows, *row_shape)
        self.dtype = np.dtype(np.float32)
        self._compute = compute

    def __getitem__(self, index: Any, /) -> NDArray[np.float32]:
        rows = range(self.shape[0])[index]
        return self._compute(slice(rows.start, rows.stop))


def cached(path: Path, fresh: Callable[[], Embeddings]) -> Embeddings:
    """What ``path`` holds if it is whole; else compute it, keep it there, and give it.

    Results up to 256 MB come as arrays in memory, larger ones stay in the file.
    """
    for found in _stored(path):
        return found
    save(path, fresh())
    return _bounded(load(path, verify=False))


def _stored(path: Path) -> Iterator[Embeddings]:
    if not path.is_file():
        return
    try:
        yield _bounded(load(path))
    except CorruptFileError as error:
        logger.warning("A cached file is computed again: %s", error)


def _bounded(found: Embeddings) -> Embeddings:
    size = int(np.prod(found.values.shape, dtype=np.int64)) * np.dtype(found.values.dtype).itemsize
    if size > IN_MEMORY_BYTES:
        return found
    return replace(found, values=found.array())
