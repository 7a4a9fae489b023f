"""One broken file read in a process of its own, and what came of it."""

from __future__ import annotations

import faulthandler
import hashlib
import logging
import os
import pickle
import resource
import select
import signal
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode import errors

SECONDS = 20.0
MAX_BYTES = 2 * 2**30
# A reader that asks for more is stopped here; it counts as over 2 GB.
HARD_BYTES = 6 * 2**30
OURS = (
    errors.CorruptFileError, errors.UnsafeFileError, errors.LeakageError, ValueError,
    FileNotFoundError,
)  # fmt: skip


@dataclass
class Outcome:
    """What a reader made of a file.

    Parameters
    ----------
    kind : {'same', 'changed', 'error', 'hang', 'crash'}
    changed : tuple of str
        The parts of the content that are others than before.
    """

    kind: str
    error: str = ""
    message: str = ""
    changed: tuple[str, ...] = ()
    warned: bool = False
    n_bytes: int = 0
    seconds: float = 0.0
    ran_code: bool = False
    traceback: str = ""
    marks: set[str] = field(default_factory=set)


def digest(content: dict[str, Any]) -> dict[str, str]:
    """A fingerprint of each part of what was read."""
    return {name: _digest(value) for name, value in content.items()}


def _digest(value: Any) -> str:
    if value is None or isinstance(value, (str, int, float)):
        return repr(value)
    array = np.asarray(value)
    if array.dtype.kind in "OU":
        return hashlib.sha1(repr((array.shape, array.tolist())).encode()).hexdigest()
    head = f"{array.dtype.kind}{array.shape}".encode()
    return hashlib.sha1(head + np.ascontiguousarray(array).tobytes()).hexdigest()


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def judge(
    read: Callable[[], dict[str, Any]],
    expected: dict[str, str],
    trace: Path,
    *,
    usual_warnings: frozenset[str] = frozenset(),
    seconds: float = SECONDS,
) -> Outcome:
    """Read in a forked process with bounds on time and memory.

    Parameters
    ----------
    read : callable
        Gives the content.
    expected : dict of str to str
        `digest` of the content before the file was changed.
    trace : Path
        What code in the file would leave behind.
    """
    reader, writer = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _child(read, expected, writer, usual_warnings)
    os.close(writer)
    answer = _answer(reader, child, seconds)
    os.close(reader)
    _, status = os.waitpid(child, 0)
    if answer is None:
        outcome = Outcome("hang")
    elif not answer:
        outcome = Outcome("crash", error=f"signal {os.WTERMSIG(status)}")
    else:
        outcome = pickle.loads(answer)
    outcome.seconds = time.monotonic() - started
    outcome.ran_code = trace.exists()
    return outcome


def _answer(reader: int, child: int, seconds: float) -> bytes | None:
    """What the process says; None where it says nothing in time."""
    parts, end = [], time.monotonic() + seconds
    while True:
        ready, _, _ = select.select([reader], [], [], max(end - time.monotonic(), 0))
        if not ready:
            os.kill(child, signal.SIGKILL)
            return None
        part = os.read(reader, 2**16)
        if not part:
            return b"".join(parts)
        parts.append(part)


def _child(
    read: Callable[[], dict[str, Any]],
    expected: dict[str, str],
    writer: int,
    usual: frozenset[str],
) -> None:
    code = 1
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        faulthandler.disable()  # pytest's own, which would tell of each crash
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        before = _memory("VmRSS")
        limit = _memory("VmSize") + HARD_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
        outcome = _read(read, expected, usual)
        outcome.n_bytes = max(_memory("VmHWM") - before, 0)
        answer = pickle.dumps(outcome)
        while answer:
            answer = answer[os.write(writer, answer) :]
        code = 0
    finally:
        os._exit(code)


def _memory(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def _read(
    read: Callable[[], dict[str, Any]], expected: dict[str, str], usual: frozenset[str]
) -> Outcome:
    heard = _Heard()
    logger = logging.getLogger("neurodecode")
    logger.addHandler(heard)
    logger.propagate = False
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            got = digest(read())
        except BaseException as error:
            return _failed(error)
    changed = [name for name in expected.keys() | got.keys() if expected.get(name) != got.get(name)]
    said = {str(one.message) for one in caught} | set(heard.said)
    kind = "changed" if changed else "same"
    return Outcome(kind, changed=tuple(sorted(changed)), warned=bool(said - usual),
                   message=" | ".join(sorted(said))[:500])  # fmt: skip


def _failed(error: BaseException) -> Outcome:
    import traceback

    marks = set() if type(error) in OURS else {"bare"}
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f"{one.filename}:{one.lineno}" for one in frames if "neurodecode" in one.filename]
    where = ours[-1] if ours else ""
    return Outcome("error", type(error).__name__, str(error), traceback=where, marks=marks)
