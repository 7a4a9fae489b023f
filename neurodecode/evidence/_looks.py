"""How often has this test part been looked at? Each look makes the next score less surprising."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock
from platformdirs import user_state_path

from neurodecode.data import Responses, Split
from neurodecode.errors import CorruptFileError
from neurodecode.evidence._fingerprint import data_fingerprint
from neurodecode.store import check_writable, own_folder, write_json

LOG = logging.getLogger("neurodecode")
MIRROR = "test_looks.json"
WHAT = "Counts of looks at test parts"


@dataclass(frozen=True)
class TestLooks:
    """The ledger of looks at test parts, kept in the user's state folder and beside the results.

    Parameters
    ----------
    folder : path, optional
        Default: the environment variable ``NEURODECODE_STATE``, else the platform's state folder.
    mirror : path, optional
        Results folder; it keeps the count too (``test_looks.json``), and the larger of the two
        counts. Several processes may add at once.

    Examples
    --------
    >>> import tempfile
    >>> looks = TestLooks(tempfile.mkdtemp())
    >>> looks.add("data and split", "first try"), looks.add("data and split")
    (1, 2)
    >>> looks.count("data and split"), looks.count("other")
    (2, 0)
    """

    __test__ = False  # the name looks like a test class to pytest

    folder: str | Path | None = None
    mirror: str | Path | None = None

    def add(self, key: str, note: str = "") -> int:
        """Count one more look, and give the number of looks so far."""
        state, mirror = self._state_file(key), self._mirror_file()
        check_writable("NEURODECODE_STATE", state.parent, WHAT)
        with FileLock(f"{state}.lock"):
            entry = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "note": note}
            ledger = _read(state)
            looks = max(_looks(ledger), self._mirrored(key)) + 1
            history = [*ledger.get("history", []), entry]
            write_json(state, {"key": key, "looks": looks, "history": history})
        if mirror is not None:
            # the lock lies with the state, so that no lock file is left among results
            with FileLock(self._state_file(str(mirror.resolve())).with_suffix(".lock")):
                kept = _read(mirror)
                kept[key] = max(looks, int(kept.get(key, 0)))
                write_json(mirror, kept)
        LOG.info("look %d at this test part (%s)", looks, key)
        return looks

    def count(self, key: str) -> int:
        """Number of looks so far."""
        return max(_looks(_read(self._state_file(key))), self._mirrored(key))

    def _state_file(self, key: str) -> Path:
        # keys are hashed: a name from outside never becomes a path
        name = hashlib.blake2b(key.encode(), digest_size=12).hexdigest()
        return state_folder(self.folder) / "test_looks" / f"{name}.json"

    def _mirror_file(self) -> Path | None:
        return None if self.mirror is None else Path(self.mirror) / MIRROR

    def _mirrored(self, key: str) -> int:
        file = self._mirror_file()
        return 0 if file is None else int(_read(file).get(key, 0))


def look_key(
    responses: Responses | Sequence[Responses | str], split: Split | Iterable[Split]
) -> str:
    """The key of a test part: hashes of the data and of the split, or of all its folds.

    Parameters
    ----------
    responses : Responses, or sequence of Responses or of their `data_fingerprint`
    split : Split or several

    Examples
    --------
    >>> import numpy as np
    >>> responses = Responses(np.zeros((2, 3)), ["a", "b"], "s", "fmri")
    >>> len(look_key(responses, Split(["a"], [], ["b"])))
    33
    """
    people = [responses] if isinstance(responses, Responses) else list(responses)
    hashes = (one if isinstance(one, str) else data_fingerprint(one) for one in people)
    folds = [split] if isinstance(split, Split) else list(split)
    return f"{_joined(hashes)}-{_joined(one.fingerprint for one in folds)}"


def state_folder(folder: str | Path | None = None) -> Path:
    """Where counts are kept: the given folder, ``NEURODECODE_STATE``, or the platform's own.

    Where that can't be written, a folder for this process alone: the count begins anew, and a
    warning says so.
    """
    if folder is not None:
        return Path(folder)
    return own_folder(
        "NEURODECODE_STATE", lambda: user_state_path("neurodecode", appauthor=False), WHAT
    )


def _joined(hashes: Iterable[str]) -> str:
    return hashlib.blake2b("".join(sorted(hashes)).encode(), digest_size=8).hexdigest()


def _looks(ledger: dict[str, Any]) -> int:
    return int(ledger.get("looks", 0))


def _read(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return dict(content)
    except (ValueError, TypeError) as error:
        raise CorruptFileError(
            f"{file} should hold the number of looks at a test part, and can't be read ({error}). "
            f"Delete it to count from zero, and say so where you report the score."
        ) from error
