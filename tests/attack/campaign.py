"""Many broken files, read one by one in several processes, and the table of what came of them."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import shutil
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.attack.damage import damages_for
from tests.attack.hostile import hostile_for
from tests.attack.judge import MAX_BYTES, SECONDS, Outcome, digest, judge
from tests.attack.readers import READERS, files_of

COLUMNS = ("files", "clear errors", "warnings", "same", "silent", "hangs", "crashes", "over 2 GB",
           "unnamed", "bare", "code run")  # fmt: skip
HOSTILE_SHARE = 0.15


@dataclass
class Case:
    """One broken file: reader, file, what was done to it, with which seed."""

    reader: str
    file: str
    change: str
    seed: int
    outcome: Outcome
    reason: str = ""


class Bench:
    """The files of one reader, whole, and what it reads from them."""

    def __init__(self, name: str, root: Path, seconds: float = SECONDS) -> None:
        self.name, self.reader, self.seconds = name, READERS[name], seconds
        self.whole, self.work, self.trace = root / "whole", root / "work", root / "trace"
        self.whole.mkdir(parents=True)
        with _quiet() as said:
            self.reader.write(self.whole)
            self.expected = digest(self.reader.read(self.whole))
        self.usual = frozenset(said)
        self.files = [one.relative_to(self.whole) for one in files_of(self.whole)]
        self.files = [one for one in self.files if self._is_read(one)]

    def _is_read(self, file: Path) -> bool:
        """Whether the reader looks at a file at all; what it leaves alone can't be broken."""
        if file.name in ("README", "LICENSE", "CHANGES"):
            return False
        return self._judged(file, lambda path: path.write_bytes(b"")).kind != "same"

    def run(self, seed: int) -> Case:
        """Break one file, chosen by the seed, and read."""
        rng = np.random.default_rng(seed)
        file = self.files[int(rng.integers(len(self.files)))]
        content = (self.whole / file).read_bytes()
        hostile = hostile_for(self.whole / file)
        if hostile and rng.random() < HOSTILE_SHARE:
            change = sorted(hostile)[int(rng.integers(len(hostile)))]
            make = hostile[change]
            outcome = self._judged(file, lambda path: make(path, content, self.trace))
            change = f"hostile: {change}"
        else:
            damages = damages_for(file.name)
            change = sorted(damages)[int(rng.integers(len(damages)))]
            broken = damages[change](rng, content)
            outcome = self._judged(file, lambda path: path.write_bytes(broken))
        self._mark(outcome, file, change)
        return Case(
            self.name, str(file), change, seed, outcome, self._reason(outcome, file, change)
        )

    def _judged(self, file: Path, breaks: Any) -> Outcome:
        shutil.rmtree(self.work, ignore_errors=True)
        if self.trace.exists():
            self.trace.rmdir()
        shutil.copytree(self.whole, self.work, copy_function=os.link)
        target = self.work / file
        target.unlink()
        shutil.copyfile(self.whole / file, target)  # not linked: it is changed in place
        breaks(target)
        return judge(lambda: self.reader.read(self.work), self.expected, self.trace,
                     usual_warnings=self.usual, seconds=self.seconds)  # fmt: skip

    def _mark(self, outcome: Outcome, file: Path, change: str) -> None:
        if outcome.kind == "error" and not any(one.name in outcome.message for one in self.files):
            outcome.marks.add("unnamed")
        if outcome.n_bytes > MAX_BYTES:
            outcome.marks.add("over 2 GB")

    def _reason(self, outcome: Outcome, file: Path, change: str) -> str:
        """Why a change was read without a word, by what the format could have told."""
        if outcome.kind != "changed" or outcome.warned:
            return ""
        if change.startswith("hostile"):
            return f"{change}: READ AS DATA"
        if file.name.endswith(self.reader.checked) and change != "packed flip":
            return f"{file.suffix} holds a checksum: MISSED"
        if change in ("cut", "cut little", "empty", "page", "noise", "longer"):
            return f"{change} {file.suffix}: MISSED"
        parts = {_part(one) for one in outcome.changed}
        if change.startswith(("rows", "cell")):
            return f"{change}: " + ", ".join(sorted(parts))
        what = "values" if parts <= {"values", "signal", "pictures"} else "other facts"
        return f"no checksum in {file.suffix}: {what}"


def _part(name: str) -> str:
    words = [one for one in ("values", "signal", "pictures", "events") if one in name]
    return words[0] if words else name.rsplit(maxsplit=1)[-1]


@contextlib.contextmanager
def _quiet() -> Iterator[set[str]]:
    """What is said while whole files are read; it is no warning of damage."""
    said: set[str] = set()
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.add(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("neurodecode")
    logger.addHandler(handler)
    before, logger.propagate = logger.propagate, False
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield said
    said |= {str(one.message) for one in caught}
    logger.removeHandler(handler)
    logger.propagate = before


def _share(work: tuple[str, list[int], float]) -> list[Case]:
    """All cases of one reader that fall to one process."""
    name, seeds, seconds = work
    with tempfile.TemporaryDirectory(prefix="attack-") as root:
        bench = Bench(name, Path(root), seconds)
        return [bench.run(seed) for seed in seeds]


def attack(
    n_files: int,
    readers: Sequence[str] = tuple(READERS),
    *,
    seed: int = 0,
    n_jobs: int = 2,
    seconds: float = SECONDS,
) -> list[Case]:
    """Break this many files, evenly over the readers.

    Returns
    -------
    list of Case
        The same ones for the same seed, readers and number.
    """
    order = {name: place for place, name in enumerate(READERS)}
    shares: list[tuple[str, list[int], float]] = []
    for place, name in enumerate(readers):
        n_mine = n_files // len(readers) + (place < n_files % len(readers))
        seeds = [seed * 10**9 + order[name] * 10**6 + one for one in range(n_mine)]
        size = max(1, min(100, len(seeds)))
        shares += [(name, seeds[start : start + size], seconds)
                   for start in range(0, len(seeds), size)]  # fmt: skip
    if n_jobs == 1:
        return [case for share in shares for case in _share(share)]
    context = multiprocessing.get_context("spawn")
    with context.Pool(n_jobs, maxtasksperchild=8) as pool:
        return [case for cases in pool.imap(_share, shares) for case in cases]


def counts(cases: Iterable[Case]) -> dict[str, int]:
    """How many cases fall under each column."""
    found = Counter[str]()
    for case in cases:
        outcome = case.outcome
        found["files"] += 1
        clear = outcome.kind == "error" and not outcome.marks
        found["clear errors"] += clear
        found["warnings"] += outcome.kind == "changed" and outcome.warned
        found["silent"] += outcome.kind == "changed" and not outcome.warned
        found["same"] += outcome.kind == "same"
        found["hangs"] += outcome.kind == "hang"
        found["crashes"] += outcome.kind == "crash"
        found["code run"] += outcome.ran_code
        for mark in outcome.marks:
            found[mark] += 1
    return {column: found[column] for column in COLUMNS}


def reasons(cases: Iterable[Case]) -> Counter[str]:
    """Silent changes by reason."""
    return Counter(case.reason for case in cases if case.reason)


def failures(cases: Iterable[Case]) -> list[Case]:
    """The cases that must not be: hangs, crashes, memory, bare or unnamed errors, code, misses."""
    return [
        case
        for case in cases
        if case.outcome.kind in ("hang", "crash")
        or case.outcome.marks
        or case.outcome.ran_code
        or case.reason.isupper()
        or "MISSED" in case.reason
        or "READ AS DATA" in case.reason
    ]


def table(cases: Sequence[Case]) -> str:
    """The table, a row a reader, and the silent changes by reason below it."""
    names = list(dict.fromkeys(case.reader for case in cases))
    rows = [(name, counts(case for case in cases if case.reader == name)) for name in names]
    rows.append(("all", counts(cases)))
    width = max(len(name) for name, _ in rows)
    lines = [" ".join([" " * width, *COLUMNS])]
    for name, found in rows:
        cells = [str(found[column]).rjust(len(column)) for column in COLUMNS]
        lines.append(" ".join([name.ljust(width), *cells]))
    lines += ["", "Silent changes by reason"]
    lines += [f"{number:6d}  {reason}" for reason, number in reasons(cases).most_common()]
    return "\n".join(lines)
