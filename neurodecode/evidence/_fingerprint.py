"""Short hashes that say: these data, and no others."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from neurodecode.data import Embeddings, Responses, blocks


def data_fingerprint(content: Responses | Embeddings) -> str:
    """A short hash of values and ids; the same wherever and however they are stored.

    Lazy values are read block by block.

    Examples
    --------
    >>> one = Embeddings(np.eye(2, dtype=np.float32), ["a", "b"], "toy")
    >>> data_fingerprint(one) == data_fingerprint(one.select(["a", "b"]))
    True
    >>> data_fingerprint(one) == data_fingerprint(one.select(["b", "a"]))
    False
    """
    digest = hashlib.blake2b(digest_size=8)
    who = content.subject if isinstance(content, Responses) else content.space
    digest.update(repr((who, tuple(content.values.shape))).encode())
    digest.update("\0".join(content.stimulus.tolist()).encode())
    for name in ("run", "session"):
        column = getattr(content, name, None)
        digest.update(b"-" if column is None else "\0".join(column.tolist()).encode())
    for _, block in blocks(content.values):
        digest.update(_plain(block).data)
    return digest.hexdigest()


def _plain(block: Any) -> Any:
    return np.ascontiguousarray(block, dtype=np.float32)
