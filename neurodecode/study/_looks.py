"""Looks of a study: all its cells, declared before the run, are one look at a test part."""

from __future__ import annotations

import uuid
from pathlib import Path

from filelock import FileLock

from neurodecode.evidence import TestLooks
from neurodecode.store import atomic_path

TOKEN = "study.id"


def study_looks(out: Path, name: str) -> TestLooks:
    """Where a study counts: once a test part, however often its cells are killed and tried again.

    Running the study anew, in another folder, is another look.
    """
    return TestLooks(mirror=out, once=f"study {name} {_token(out)}")


def _token(out: Path) -> str:
    """The mark of the study in this folder, made once."""
    file = out / TOKEN
    out.mkdir(parents=True, exist_ok=True)
    with FileLock(out / f".{TOKEN}.lock"):
        # an empty mark would be the same for every study whose writer was killed here
        if not file.is_file() or not file.read_bytes().strip():
            with atomic_path(file) as part:
                part.write_text(uuid.uuid4().hex, encoding="utf-8")
        return file.read_text(encoding="utf-8", errors="replace").strip()
