"""Names of cells, which are names of folders too, whatever contenders and people are called."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

# Locks and parts add up to 50 bytes; file systems take 255.
MAX_BYTES = 160


def cell_name(parts: Sequence[str]) -> str:
    """The parts, joined; with a hash of them where the name alone would not tell them apart.

    Examples
    --------
    >>> cell_name(["seed-0", "pooled", "ridge", "all"])
    'seed-0__pooled__ridge__all'
    >>> cell_name(["seed-0", "pooled", "../ridge", "all"])
    'seed-0__pooled__-ridge__all__bad58aab'
    """
    name = "__".join(_plain(part) for part in parts)
    if name.split("__") == list(parts) and len(name.encode()) <= MAX_BYTES:
        return name
    digest = hashlib.blake2b(repr(list(parts)).encode(), digest_size=4).hexdigest()
    short = name.encode()[: MAX_BYTES - 10].decode(errors="ignore")
    return f"{short}__{digest}"


def is_cell_name(name: str) -> bool:
    """Could `cell_name` have made it: is it one folder, no way out and no hidden file?

    Examples
    --------
    >>> is_cell_name("seed-0__pooled__ridge__all"), is_cell_name("../ridge"), is_cell_name("")
    (True, False, False)
    """
    return 0 < len(name.encode(errors="replace")) <= MAX_BYTES and name == _plain(name)


def _plain(part: str) -> str:
    return "".join(one if one.isalnum() or one in "-_." else "-" for one in part).strip(".")
