"""The cells of a study on disk: each outcome is there as a whole, or not at all."""

from __future__ import annotations

import json
import shutil
import traceback
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from filelock import FileLock, Timeout

from neurodecode.errors import CorruptFileError
from neurodecode.store import write_json
from neurodecode.study._identity import differences
from neurodecode.study._outcome import Outcome
from neurodecode.study._study import Cell


class AnyCell(Protocol):
    """What a folder must know of a cell."""

    @property
    def name(self) -> str: ...
    @property
    def key(self) -> str: ...


State = Literal["done", "failed", "running", "pending"]
CELL = "cell.json"


@dataclass(frozen=True)
class CellFolder:
    """``OUT/cells``: a folder for each outcome, the error of each failure, a lock for each cell.

    Parameters
    ----------
    out : path
        Of the study.
    """

    out: Path

    @property
    def root(self) -> Path:
        """Where cells lie."""
        return self.out / "cells"

    def state(self, cell: AnyCell) -> State:
        """How far a cell is."""
        if self.done(cell):
            return "done"
        if self._is_running(cell):
            return "running"
        return "failed" if self.failed(cell) else "pending"

    def done(self, cell: AnyCell) -> bool:
        """Is its outcome there?"""
        return (self.root / cell.name / CELL).is_file()

    def failed(self, cell: AnyCell) -> bool:
        """Is an error of it kept?"""
        return self._failure(cell).is_file()

    @contextmanager
    def claimed(self, cell: AnyCell) -> Iterator[bool]:
        """Is the cell ours to do? The claim ends with the block, or with this process."""
        file = self._lock(cell)
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def write(self, cell: Cell, outcome: Outcome) -> None:
        """Put an outcome in its place; what a killed process left half-way is removed."""
        self._sweep(cell)
        part = self.root / f".{cell.name}.{uuid.uuid4().hex}.part"
        part.mkdir(parents=True)
        try:
            outcome.write(part)
            write_json(part / CELL, {"key": cell.key, "identity": dict(cell.identity)})
            part.rename(self.root / cell.name)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        self._failure(cell).unlink(missing_ok=True)

    def read(self, cell: AnyCell) -> Outcome:
        """The outcome of a cell that is done.

        Raises
        ------
        CorruptFileError
            If it is damaged, or of another cell.
        """
        file = self.root / cell.name / CELL
        if _json(file).get("key") != cell.key:
            raise CorruptFileError(
                f"{file.parent} holds the outcome of another cell. Delete the folder; the cell is "
                f"then computed again."
            )
        return Outcome.read(self.root / cell.name)

    def fail(self, cell: AnyCell, error: BaseException) -> None:
        """Keep the error of a cell."""
        told = {
            "key": cell.key,
            "error": f"{type(error).__name__}: {error}",
            "traceback": "".join(traceback.format_exception(error)),
        }
        write_json(self._failure(cell), told)

    def error(self, cell: AnyCell) -> str:
        """What a failed cell said."""
        return str(_json(self._failure(cell)).get("error", "no reason was kept"))

    def forget_failures(self, cells: Sequence[AnyCell]) -> None:
        """Let failed cells be tried again."""
        for cell in cells:
            self._failure(cell).unlink(missing_ok=True)

    def check(self, cells: Sequence[Cell]) -> None:
        """Refuse a folder whose cells are of other data, another configuration or other code.

        Raises
        ------
        ValueError
            Saying what differs.
        """
        for cell in cells:
            file = self.root / cell.name / CELL
            if not file.is_file():
                continue
            kept = _json(file)
            if kept.get("key") != cell.key:
                changes = "; ".join(differences(kept.get("identity", {}), cell.identity)[:3])
                raise ValueError(
                    f"{file.parent} was made by another study or other code ({changes}). Give "
                    f"another --out, or delete {self.root} to start again."
                )

    def _is_running(self, cell: AnyCell) -> bool:
        """Asked without writing: results may lie where this reader can't write."""
        if not self._lock(cell).is_file():
            return False
        try:
            with self.claimed(cell) as mine:
                return not mine
        except OSError:
            return False

    def _lock(self, cell: AnyCell) -> Path:
        return self.root / ".locks" / f"{cell.name}.lock"

    def _failure(self, cell: AnyCell) -> Path:
        return self.root / f"{cell.name}.failed.json"

    def _sweep(self, cell: AnyCell) -> None:
        for left in self.root.glob(f".{cell.name}.*.part"):
            shutil.rmtree(left, ignore_errors=True)


def _json(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError, RecursionError) as error:
        raise CorruptFileError(f"{file} is no record of a cell ({error}). Delete it.") from error
