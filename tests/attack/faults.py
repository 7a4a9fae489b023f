"""Faults of machines: kills, full disks, writers at once, no home, odd names, Ctrl-C, clocks.

Each writer of the package runs in a process of its own, which a fault meets at a moment drawn at
random. Afterwards what stands under a name has to be whole, the old or the new, the next writer has
to succeed, and nobody's temporary file may be left. What a process says is *success*, *one clear
error* (a class that a caller catches, with the name of the file in its sentence) or one of what
must not be: *unclear*, *crash* (a signal of its own making), *half* (read back as neither).

Cost: the long form (500 kills) takes about 4 minutes on one core, ``--kills 40`` 30 seconds.
Figures: ``docs/reliability.md``.

Run: ``python -m tests.attack.faults --kills 500 --out benchmarks/results/faults.json``
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from neurodecode import store
from neurodecode.data import Embeddings, Responses, Split
from neurodecode.datasets import nsd
from neurodecode.encoders import Ridge
from neurodecode.evidence import Run, TestLooks, write_results
from neurodecode.gallery import GalleryItem, build_gallery, write_gallery
from neurodecode.targets import _cache
from neurodecode.twin.layouts import nsd as twin

Outcome = str
BAD = ("unclear", "crash", "half", "left over")
ROWS, COLUMNS = 400, 3000


class Writers:
    """Every writer, with how its result is read back; ``seed`` says which of two contents."""

    def __init__(self, source: Path) -> None:
        self.source = source
        rng = np.random.default_rng(0)
        self.values = [rng.normal(size=(ROWS, COLUMNS)).astype(np.float32) for _ in range(2)]
        self.pictures = rng.integers(0, 255, (2, 40, 24, 24, 3), dtype=np.uint8)
        ids = [f"s{row}" for row in range(30)]
        points = Embeddings(rng.normal(size=(30, 4)), ids, "toy")
        self.models = [
            Ridge().fit(
                Responses(rng.normal(size=(30, 2000)), ids, "s", "fmri"), points, Split(ids, [], [])
            )
            for _ in range(2)
        ]
        with Run() as run:
            pass
        self.results = write_results(source / "results", "toy", [], run)
        design = twin.NsdDesign(n_subjects=2, n_shared=4, n_own=8, n_sessions=2)
        twin.write_raw(
            source / "raw", design, design.people(20), form="hdf5", picture_size=8, voxel_mm=12
        )
        self.jobs: dict[str, tuple[Callable[[Path, int], Any], Callable[[Path], Any]]] = {
            "store": (self.store, lambda out: self._which(store.load(out / "r.h5").array())),
            "json": (self.json, lambda out: json.loads((out / "a.json").read_text())["seed"]),
            "gallery": (self.gallery, self.read_gallery),
            "prepare": (self.prepare, self.read_prepared),
            "model": (self.model, self.read_model),
        }

    def store(self, out: Path, seed: int) -> None:
        """A recording of 5 MB."""
        ids = [f"s{row}" for row in range(ROWS)]
        store.save(out / "r.h5", Responses(self.values[seed], ids, "s", "fmri"))

    def _which(self, values: Any) -> int:
        return next(seed for seed in range(2) if np.array_equal(values, self.values[seed]))

    def json(self, out: Path, seed: int) -> None:
        """A table of 3 MB."""
        store.write_json(out / "a.json", {"seed": seed, "rows": list(range(200_000))})

    def gallery(self, out: Path, seed: int) -> None:
        """Forty pictures."""
        shown = self.pictures[seed]
        items = (GalleryItem(f"s{i}", "p", one, [one], {}, {}) for i, one in enumerate(shown))
        write_gallery(out / "gallery", items, self.results, title=f"seed {seed}")

    def read_gallery(self, out: Path) -> int:
        """The gallery of which content it is; one with a picture missing is refused."""
        build_gallery(out / "gallery")
        content = json.loads((out / "gallery/gallery.json").read_text())
        return int(content["title"].split()[1])

    def prepare(self, out: Path, seed: int) -> None:
        """Two people of a twin of NSD; always the same content."""
        nsd.prepare(nsd.RawNsd(self.source / "raw"), out / "nsd", part_rows=9)

    def read_prepared(self, out: Path) -> int:
        """0 if all is there and whole."""
        notes = json.loads((out / "nsd/prepared.json").read_text())
        for name, one in notes["people"].items():
            assert len(store.load(out / f"nsd/{name}.h5")) == one["trials"]
        assert len(json.loads((out / "nsd/split.json").read_text())["test"]) == 4
        return 0

    def model(self, out: Path, seed: int) -> None:
        """A ridge with weights of 32 kB, its configuration and card."""
        self.models[seed].save(out / "model")

    def read_model(self, out: Path) -> int:
        """Which of the two it is."""
        weights = Ridge.load(out / "model").weights("s")
        return next(i for i in range(2) if np.array_equal(weights, self.models[i].weights("s")))


def in_process(call: Callable[[], Any], fault: Callable[[int], None] | None = None) -> Outcome:
    """Call in a forked process that ``fault`` may meet; what became of it."""
    reading, writing = os.pipe()
    # an interrupt between fork and try would run this process' own clearing up in the child
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    child = os.fork()
    if child == 0:
        os.close(reading)
        _call_and_leave(call, writing)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    os.close(writing)
    if fault is not None:
        fault(child)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == 1:
        return said
    return {0: "success", 130: "interrupted", -signal.SIGKILL: "killed"}.get(status, "crash")


def _call_and_leave(call: Callable[[], Any], writing: int) -> None:
    code = 0
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        call()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    except KeyboardInterrupt:
        code = 130
    except BaseException as error:
        os.write(writing, told(error).encode()[:4000])
        code = 1
    finally:
        os._exit(code)


def told(error: BaseException) -> Outcome:
    """Is this one clear error? A sentence of a class that callers catch, which names a file."""
    message = str(error)
    clear = isinstance(error, OSError | ValueError) and len(message) > 30 and "/" in message
    if clear:
        return "one clear error"
    return f"unclear: {type(error).__name__}: {message} {traceback.format_exc(limit=-3)}"


def leftovers(folder: Path) -> int:
    """Temporary files below a folder."""
    return sum(path.name.endswith(".part") for path in folder.rglob("*"))


class Faults:
    """Runs the faults and counts what became of each writer."""

    def __init__(self, writers: Writers, folder: Path, seed: int = 0) -> None:
        self.writers, self.folder = writers, folder
        self.rng = np.random.default_rng(seed)
        self.counts: dict[str, Counter[str]] = {}
        self.unclear: list[str] = []

    def note(self, fault: str, outcome: Outcome) -> None:
        """Count one outcome."""
        if outcome.startswith("unclear"):
            self.unclear.append(f"{fault}: {outcome}")
        self.counts.setdefault(fault, Counter())[outcome.partition(":")[0]] += 1

    @contextmanager
    def fresh(self) -> Iterator[Path]:
        """A folder for one fault."""
        out = Path(tempfile.mkdtemp(dir=self.folder))
        try:
            yield out
        finally:
            shutil.rmtree(out, ignore_errors=True)

    def stopped(self, fault: str, number: signal.Signals, times: int) -> None:
        """Stop writers at a random moment, in one folder a writer; read back and go on."""
        for job, (write, read) in self.writers.jobs.items():
            with self.fresh() as out:
                write(out, 0)
                usual = min(self._seconds(lambda w=write, o=out: w(o, 1)) for _ in range(3))
                quota, met = max(1, times // len(self.writers.jobs)), 0
                for turn in range(4 * quota):
                    if met == quota:  # so many were met while they wrote
                        break
                    if job == "prepare":
                        shutil.rmtree(out / "nsd", ignore_errors=True)
                    wait = float(self.rng.uniform(0, usual))
                    outcome = in_process(
                        lambda w=write, o=out, t=turn: w(o, t % 2),
                        lambda child, s=wait: (time.sleep(s), _send(child, number)),
                    )
                    met += outcome in ("killed", "interrupted")
                    self.note(f"{fault}, {job}", outcome)
                    if job != "prepare":  # its folder may lack what no run has finished
                        self._read(f"{fault}, {job}", lambda r=read, o=out: r(o))
                self.note(f"after {fault}, {job}", in_process(lambda w=write, o=out: w(o, 0)))
                self._read(f"after {fault}, {job}", lambda r=read, o=out: r(o))
                if leftovers(out):
                    self.note(f"after {fault}, {job}", "left over")

    def _seconds(self, call: Callable[[], Any]) -> float:
        began = time.perf_counter()
        in_process(call)
        return time.perf_counter() - began

    def _read(self, fault: str, read: Callable[[], Any]) -> None:
        try:
            read()
        except Exception as error:
            self.unclear.append(f"{fault}: half: {type(error).__name__}: {error}")
            self.note(fault, "half")

    def full(self, times: int) -> None:
        """The end of the room that the system lets a file have, at random."""
        for job, (write, read) in self.writers.jobs.items():
            with self.fresh() as out:
                write(out, 0)
                largest = max(one.stat().st_size for one in out.rglob("*") if one.is_file())
                for _ in range(times // len(self.writers.jobs)):
                    if job == "prepare":
                        shutil.rmtree(out / "nsd", ignore_errors=True)
                    limit = int(self.rng.integers(0, largest))
                    self.note(f"full, {job}", in_process(_limited(write, out, limit)))
                    if job != "prepare":
                        self._read(f"full, {job}", lambda r=read, o=out: r(o))
                if leftovers(out):
                    self.note(f"full, {job}", "left over")

    def small_disk(self, times: int) -> None:
        """A disk of 2 MB that others have filled more or less; needs the right to mount one."""
        disk = self.folder / "disk"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            self.note("full disk", "not tried: no right to mount one")
            return
        try:
            for turn in range(times):
                write = list(self.writers.jobs.values())[turn % len(self.writers.jobs)][0]
                (disk / "others").write_bytes(b"x" * int(self.rng.integers(2**19, 2**21)))
                out = disk / "out"
                self.note("full disk", in_process(lambda w=write, o=out: w(o, 0)))
                if leftovers(disk):
                    self.note("full disk", "left over")
                shutil.rmtree(out, ignore_errors=True)
        finally:
            subprocess.run(["umount", str(disk)], check=False)

    def at_once(self, n_writers: int, times: int) -> None:
        """Several writers of one name."""
        for job, (write, read) in self.writers.jobs.items():
            for _ in range(times):
                with self.fresh() as out:
                    children = [_forked(lambda w=write, o=out, s=s: w(o, s % 2), out)
                                for s in range(n_writers)]  # fmt: skip
                    for child in children:
                        self.note(f"at once, {job}", child())
                    self._read(f"at once, {job}", lambda r=read, o=out: r(o))
                    if leftovers(out):
                        self.note(f"at once, {job}", "left over")

    def odd_names(self) -> None:
        """Folders that are called as nobody should call them."""
        with self.fresh() as out:
            for name in odd_folders():
                for write, read in self.writers.jobs.values():
                    outcome = in_process(lambda w=write, r=read, o=out / name: (w(o, 0), r(o)))
                    self.note("odd names", outcome)
            (out / "file").touch()
            (out / "taken" / "r.h5").mkdir(parents=True)
            (out / "taken" / "a.json").mkdir()
            for where in (out / "file", out / "file" / "below", Path("/proc/none"), out / "taken"):
                for job in ("store", "json"):
                    write = self.writers.jobs[job][0]
                    self.note("places that are none", in_process(lambda w=write, o=where: w(o, 0)))

    def no_home(self) -> None:
        """Looks and computed embeddings where the home can't be written."""
        for home in ("/proc/none", "/dev/null", ""):
            with self.fresh() as out:
                self.note("no home", in_process(lambda h=home, o=out: _without_home(h, o)))

    def clocks(self, times: int) -> None:
        """Files from years to come, and a clock that goes back while somebody writes."""
        for job, (write, read) in self.writers.jobs.items():
            for turn in range(times):
                with self.fresh() as out:
                    write(out, 0)
                    years = float(self.rng.uniform(-20, 20)) * 365 * 24 * 3600
                    for path in out.rglob("*"):
                        os.utime(path, (time.time() + years,) * 2)
                    back = lambda w=write, o=out, t=turn: _back_in_time(lambda: w(o, t % 2))  # noqa: E731
                    self.note(f"clock, {job}", in_process(back))
                    self._read(f"clock, {job}", lambda r=read, o=out: r(o))


def odd_folders() -> list[str]:
    """Names that systems admit."""
    return [
        "with space", "  ", "ünïcödé-脳", "new\nline", "tab\t", "'quotes\"", "$HOME", "`ls`", "~",
        "-rf",
        "%20", "a;b", "back\\slash", "*", "trailing.", "n" * 255, "脳" * 85, "a/" * 60 + "deep",
        "/".join(["long" * 50] * 15), "\udce4 bytes that are no UTF-8",
    ]  # fmt: skip


def _send(child: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(child, number)


def _limited(write: Callable[[Path, int], Any], out: Path, limit: int) -> Callable[[], Any]:
    def call() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, -1))
        write(out, 1)

    return call


def _forked(call: Callable[[], Any], out: Path) -> Callable[[], Outcome]:
    """Start a process now; the function given waits for it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.write(writing, in_process(call).encode()[:4000])
        os._exit(0)
    os.close(writing)

    def outcome() -> Outcome:
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read().decode(errors="replace")
        os.waitpid(child, 0)
        return said

    return outcome


def _without_home(home: str, out: Path) -> None:
    for name in ("NEURODECODE_STATE", "NEURODECODE_CACHE", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        os.environ.pop(name, None)
    if home:
        os.environ["HOME"] = home
    else:
        del os.environ["HOME"]
        os.environ["XDG_STATE_HOME"] = os.environ["XDG_CACHE_HOME"] = "/proc/none"
    tempfile.tempdir = str(out)
    looks = TestLooks()
    assert [looks.add("one"), looks.add("one"), looks.count("one")] == [1, 2, 2]
    points = Embeddings(np.eye(3), list("abc"), "toy")
    path = _cache.cache_folder() / "targets" / "x.h5"
    for _ in range(2):
        assert np.array_equal(_cache.cached(path, lambda: points).array(), points.array())


def _back_in_time(call: Callable[[], Any]) -> None:
    true = time.time
    began = true()
    time.time = lambda: began - 1000 * (true() - began)
    call()


def run(kills: int, folder: Path) -> dict[str, Any]:
    """All faults; ``kills`` says how many, the others follow in proportion."""
    writers = Writers(folder / "source")
    faults = Faults(writers, folder)
    seconds: dict[str, float] = {}
    share = max(1, kills // 100)
    for name, call in {
        "kills": lambda: faults.stopped("kill", signal.SIGKILL, kills),
        "ctrl_c": lambda: faults.stopped("Ctrl-C", signal.SIGINT, kills // 5),
        "full": lambda: faults.full(kills // 5),
        "full_disk": lambda: faults.small_disk(kills // 5),
        "at_once": lambda: faults.at_once(4, share),
        "odd_names": faults.odd_names,
        "no_home": faults.no_home,
        "clocks": lambda: faults.clocks(share),
    }.items():
        began = time.perf_counter()
        call()
        seconds[name] = round(time.perf_counter() - began, 1)
    counts = {fault: dict(one) for fault, one in faults.counts.items()}
    bad = {word: sum(one.get(word, 0) for one in counts.values()) for word in BAD}
    return {"kills": kills, "counts": counts, "bad": bad, "seconds": seconds,
            "examples_of_bad": faults.unclear[:10]}  # fmt: skip


def main() -> int:
    """Run, print, and say by the exit code whether anything was bad."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--out", type=Path, help="JSON file to write")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = run(options.kills, Path(folder))
    if options.out is not None:
        from neurodecode.evidence import git_commit

        store.write_json(options.out, {"commit": git_commit()} | report)
    sys.stdout.write(json.dumps(report, indent=1) + "\n")
    return int(any(report["bad"].values()))


if __name__ == "__main__":
    sys.exit(main())
