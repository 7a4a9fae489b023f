"""JSON files."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from neurodecode.files._existing import broken, existing


def read_json(path: str | Path, what: str = "JSON file") -> Any:
    """Read a JSON file in UTF-8.

    Parameters
    ----------
    path : path
    what : str
        What it should be, for messages.

    Returns
    -------
    dict, list, str, number, bool or None

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    CorruptFileError
        If it is no JSON, no UTF-8, names something twice, or is nested deeper than Python can read.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "x.json"
    >>> _ = file.write_text('{"RepetitionTime": 2.0}')
    >>> read_json(file)
    {'RepetitionTime': 2.0}
    """
    file = existing(path, what)
    try:
        text = file.read_text(encoding="utf-8-sig")
        return json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise broken(file, what, "it is nested too deep") from None
    except ValueError as error:  # no UTF-8, no JSON, a number of 5000 digits
        raise broken(file, what, error) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are there once: of two values nothing says which is meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        double = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"it names '{double:.40}' twice")
    return found
