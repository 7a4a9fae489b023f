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

import numpy as np
from filelock import FileLock
from platformdirs import user_state_path

from neurodecode.data import Responses, Split
from neurodecode.errors import CorruptFileError
from neurodecode.evidence._rank import is_first_process
from neurodecode.store import check_writable, own_folder, write_json

LOG = logging.getLogger("neurodecode")
MIRROR = "test_looks.json"
ONCE = "once"
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
    once : str, optional
        Whose looks these are: the same one looking again is not counted again. For studies, whose
        contenders are named before the run, and whose cells may be killed and tried again.

    Examples
    --------
    >>> import tempfile
    >>> looks = TestLooks(tempfile.mkdtemp())
    >>> looks.add("data and split", "first try"), looks.add("data and split")
    (1, 2)
    >>> looks.count("data and split"), looks.count("other")
    (2, 0)
    >>> study = TestLooks(tempfile.mkdtemp(), once="study 1")
    >>> study.add("data and split"), study.add("data and split")
    (1, 1)
    """

    __test__ = False  # the name looks like a test class to pytest

    folder: str | Path | None = None
    mirror: str | Path | None = None
    once: str | None = None

    def add(self, key: str, note: str = "") -> int:
        """Count one more look, and give the number of looks so far.

        Of several processes of one run (torchrun) the first alone counts.
        """
        if not is_first_process():
            return max(1, self.count(key))
        state, mirror = self._state_file(key), self._mirror_file()
        check_writable("NEURODECODE_STATE", state.parent, WHAT)
        with FileLock(f"{state}.lock"):
            ledger = _read(state)
            if self.once is not None and self.once in self._marks(key, ledger):
                return max(_looks(ledger), self._mirrored(key))
            entry = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "note": note}
            entry |= {} if self.once is None else {"once": self.once}
            looks = max(_looks(ledger), self._mirrored(key)) + 1
            history = [*ledger.get("history", []), entry]
            write_json(state, {"key": key, "looks": looks, "history": history})
        if mirror is not None:
            # the lock lies with the state, so that no lock file is left among results
            with FileLock(self._state_file(str(mirror.resolve())).with_suffix(".lock")):
                kept = _read(mirror)
                kept[key] = max(looks, int(kept.get(key, 0)))
                if self.once is not None:
                    kept.setdefault(ONCE, {}).setdefault(key, []).append(self.once)
                write_json(mirror, kept)
        LOG.info("look %d at this test part (%s)", looks, key)
        return looks

    def _marks(self, key: str, ledger: dict[str, Any]) -> list[str]:
        """Who has looked already, of those that are counted once."""
        file = self._mirror_file()
        mirrored = {} if file is None else _read(file).get(ONCE, {})
        own = [one["once"] for one in ledger.get("history", []) if "once" in one]
        return [*own, *mirrored.get(key, [])]

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


def look_key(responses: Responses | Sequence[Responses], split: Split | Iterable[Split]) -> str:
    """The key of a test part: its recordings and test ids, in all folds.

    It says nothing of values, so that preprocessing does not make a new test part of an old one;
    nor of training ids, so that another training part does not either. People without test trials
    don't count.

    Parameters
    ----------
    responses : Responses or sequence of Responses
    split : Split or several

    Examples
    --------
    >>> import numpy as np
    >>> responses = Responses(np.eye(2), ["a", "b"], "s", "fmri")
    >>> key = look_key(responses, Split(["a"], [], ["b"]))
    >>> len(key), key == look_key(responses.with_values(np.eye(2) * 9), Split([], [], ["b"]))
    (33, True)
    """
    people = [responses] if isinstance(responses, Responses) else list(responses)
    folds = [split] if isinstance(split, Split) else list(split)
    tested = [
        one.provenance.recording
        for one in people
        if any(np.isin(one.groups(fold.by), fold.test).any() for fold in folds)
    ]
    parts = [json.dumps([fold.by, fold.test.tolist()]) for fold in folds]
    return f"{_joined(tested)}-{_joined(parts)}"


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
        content = dict(json.loads(file.read_text(encoding="utf-8")))
        _check_ledger(content)
        return content
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise CorruptFileError(
            f"{file} should hold the number of looks at a test part, and can't be read ({error}). "
            f"Delete it to count from zero, and say so where you report the score."
        ) from error


def _check_ledger(content: dict[str, Any]) -> None:
    """A count that is none must not pass for fewer looks than there were."""
    for key, value in content.items():
        if key == "history":
            good = isinstance(value, list) and all(isinstance(one, dict) for one in value)
        elif key == ONCE:
            good = all(isinstance(one, list) for one in value.values())
        elif key == "key" and isinstance(value, str):
            good = True
        else:
            good = type(value) is int and 0 <= value < 2**63
        if not good:
            raise ValueError(f"'{key}' is {value!r:.40}")
