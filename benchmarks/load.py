"""Load: many viewers of a stream, a gallery of 50,000 items, 10,000 recordings, a slow disk.

Four measurements, each in a process of its own:

- ``viewers``: SensorConv at the published size decodes 272 sensors at their own pace, first with
  nobody at the live page, then with 20 viewers who ask 20 times a second (as the page does, each by
  one connection, from another process) and one who takes a byte of a picture a second. Latency of
  decoding, and of the viewers' answers.
- ``gallery``: 50,000 items with a picture of their own each, and one control; peak of memory above
  what the process had before, size of the page.
- ``recordings``: 10,000 recordings of 100 trials of 50 units: written, then all opened and checked.
- ``slow_disk``: a small network trained from a store whose rows come at 20 MB/s (the reader sleeps;
  the disk itself is not slowed): how near that comes to what the disk allows, memory, and whether
  the weights are those of a fast disk, bit by bit.

Cost: about 5 minutes on 2 cores with ``--minutes 2`` for the slow disk (two hours were asked for;
two minutes show the rate and the memory, not what hours would add).

Measured: ``results/load.json``, told in ``docs/reliability.md``.

Run: ``python -m benchmarks.load --out benchmarks/results/load.json``; ``--only gallery`` for one.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from numpy.typing import NDArray

from benchmarks._record import write_record
from neurodecode import store
from neurodecode.data import Embeddings, Responses, Stimuli, fill_rows
from neurodecode.evidence import Run, git_commit, write_results
from neurodecode.gallery import GalleryItem, write_gallery
from neurodecode.streaming import Candidates, LivePage
from neurodecode.training import Plan, seeded, train

N_VIEWERS, EVERY_S = 20, 0.05
N_ITEMS = 50_000
N_RECORDINGS = 10_000
DISK_MB_S = 20.0
TRIALS, VOXELS, BATCH = 2000, 10_000, 64
log = logging.getLogger("neurodecode")

VIEWERS = """
import json, sys, threading, time
from http.client import HTTPConnection
port, token, n_viewers, seconds, every = sys.argv[1], sys.argv[2], *map(float, sys.argv[3:])
end, waits, counts, failed = time.time() + seconds, [], [], []
def view():
    connection, last = HTTPConnection("127.0.0.1", int(port), timeout=10), None
    try:
        while time.time() < end:
            began = time.perf_counter()
            connection.request("GET", "/state?token=" + token)
            state = json.loads(connection.getresponse().read())
            waits.append(1e3 * (time.perf_counter() - began))
            if last is not None:
                counts.append(state["count"] - last)
            last = state["count"]
            for one in state["nearest"][:1]:
                connection.request("GET", f"/picture/{one['picture']}?token={token}")
                connection.getresponse().read()
            time.sleep(every)
    except Exception as error:
        failed.append(repr(error))
threads = [threading.Thread(target=view) for _ in range(int(n_viewers))]
[one.start() for one in threads]; [one.join() for one in threads]
waits.sort()
print(json.dumps({"n_answers": len(waits), "median_ms": round(waits[len(waits) // 2], 1),
    "p99_ms": round(waits[int(.99 * len(waits))], 1), "worst_ms": round(waits[-1], 1),
    "windows_between_two_answers": round(sum(counts) / len(counts), 2), "failed": failed}))
"""


class Peak:
    """The most memory of this process while it lasts, above what there was before."""

    def __enter__(self) -> Peak:
        self._process, self._done = psutil.Process(), threading.Event()
        self.before = self.most = self._process.memory_info().rss
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._done.wait(0.02):
            self.most = max(self.most, self._process.memory_info().rss)

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def mb(self) -> float:
        """Above what there was, MB."""
        return round((self.most - self.before) / 1e6, 1)


def viewers(seconds: float) -> dict[str, Any]:
    """Decode with nobody at the page, then with 20 viewers and one who sleeps."""
    ids = [f"scene-{i}" for i in range(200)]
    pictures = np.random.default_rng(0).integers(0, 255, (200, 128, 128, 3), dtype=np.uint8)
    points = Embeddings(np.random.default_rng(1).normal(size=(200, 768)), ids, "random")
    candidates = Candidates(points, Stimuli.from_arrays(ids, pictures))
    found: dict[str, Any] = {}
    with LivePage(candidates, title="Load", evidence="None: random weights.") as page:
        found["alone"] = decode(page, seconds)
        words = [page.port, page.token, N_VIEWERS, seconds, EVERY_S]
        asleep = slow_viewer(page)
        watching = subprocess.Popen(
            [sys.executable, "-c", VIEWERS, *map(str, words)], stdout=subprocess.PIPE, text=True
        )
        with Peak() as peak:
            found["with_viewers"] = decode(page, seconds)
        found["answers"] = json.loads(watching.communicate()[0])
        found["memory_mb"] = peak.mb
        asleep.close()
    return found


def slow_viewer(page: LivePage) -> socket.socket:
    """One who asks for pictures again and again and hardly takes them."""
    one = socket.create_connection(("127.0.0.1", page.port))
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    ask = f"GET /picture/1?token={page.token} HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\n\r\n"
    one.sendall(ask.encode() * 50)

    def take() -> None:
        try:
            while one.recv(1):
                time.sleep(1)
        except OSError:
            return

    threading.Thread(target=take, daemon=True).start()
    return one


def decode(page: LivePage, seconds: float) -> dict[str, Any]:
    """Windows at their own pace, shown on the page; latency of each."""
    from benchmarks.streaming import CHUNK, N_SENSORS, SFREQ, make_decoder

    decoder, latency = make_decoder(), []
    noise = np.random.default_rng(1).normal(size=(N_SENSORS, round(10 * SFREQ)))
    noise = noise.cumsum(axis=1) * 1e-14
    began = time.perf_counter()
    for number in range(round(seconds * SFREQ / CHUNK)):
        start = number * CHUNK % noise.shape[1]
        recorded = began + (number + 1) * CHUNK / SFREQ
        time.sleep(max(0.0, recorded - time.perf_counter()))
        for one in decoder.push(noise[:, start : start + CHUNK], recorded):
            nearest = page.candidates.nearest(one.point, 5)
            page.show(nearest, time_s=one.time_s, latency_ms=one.latency_ms)
            latency.append(one.latency_ms)
    low, high = np.percentile(latency, [50, 99])
    return {"n_windows": len(latency), "median_ms": round(low, 1), "p99_ms": round(high, 1)}


def gallery(folder: Path) -> dict[str, Any]:
    """50,000 items, each with a picture of its own."""
    rng = np.random.default_rng(0)
    control = rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)

    def items() -> Iterator[GalleryItem]:
        for number in range(N_ITEMS):
            seen = rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)
            scores = {"pixcorr": float(rng.uniform())}
            yield GalleryItem(f"s{number}", "sub-01", seen, [seen], {"noise": control}, scores)

    with Run() as run:
        pass
    results = write_results(folder / "results", "load", [], run)
    began = time.perf_counter()
    with Peak() as peak:
        page = write_gallery(folder / "gallery", items(), results, title="Load")
    return {
        "n_items": N_ITEMS,
        "seconds": round(time.perf_counter() - began, 1),
        "peak_mb": peak.mb,
        "bytes_of_memory_an_item": round(1e6 * peak.mb / N_ITEMS),
        "page_mb": round(page.stat().st_size / 1e6, 1),
        "n_pictures": sum(1 for _ in (page.parent / "assets").iterdir()),
    }


def recordings(folder: Path) -> dict[str, Any]:
    """10,000 small recordings: written, then all open at once."""
    values = np.random.default_rng(0).normal(size=(100, 50)).astype(np.float32)
    ids = [f"s{row}" for row in range(100)]
    began = time.perf_counter()
    for number in range(N_RECORDINGS):
        one = Responses(values + number, ids, f"sub-{number}", "fmri")
        store.save(folder / f"sub-{number}.h5", one)
    wrote = time.perf_counter() - began
    began = time.perf_counter()
    with Peak() as peak:
        people = [store.load(folder / f"sub-{number}.h5") for number in range(N_RECORDINGS)]
    loaded = time.perf_counter() - began
    for number in (0, N_RECORDINGS // 2, N_RECORDINGS - 1):
        assert np.array_equal(people[number].array(), values + np.float32(number))
    return {
        "n_recordings": N_RECORDINGS,
        "written_a_second": round(N_RECORDINGS / wrote),
        "opened_and_checked_a_second": round(N_RECORDINGS / loaded),
        "open_files": len(psutil.Process().open_files()),
        "memory_mb_for_all": peak.mb,
    }


class Slow:
    """A stored array whose rows come at so many MB a second, whoever asks."""

    def __init__(self, source: Any, mb_s: float) -> None:
        self.source, self.mb_s = source, mb_s
        self.shape, self.dtype = source.shape, source.dtype
        self._free, self._lock = 0.0, threading.Lock()

    def __getitem__(self, index: Any, /) -> NDArray[Any]:
        rows = np.asarray(self.source[index])
        self._wait(rows.nbytes)
        return rows

    def fill_rows(self, index: NDArray[Any], out: NDArray[Any]) -> None:
        """As of a `StoredArray`, later."""
        fill_rows(self.source, index, out)
        self._wait(out.nbytes)

    def _wait(self, n_bytes: int) -> None:
        with self._lock:
            self._free = max(self._free, time.perf_counter()) + n_bytes / 1e6 / self.mb_s
            until = self._free
        time.sleep(max(0.0, until - time.perf_counter()))


def slow_disk(folder: Path, minutes: float) -> dict[str, Any]:
    """Train from a slow store for so many minutes, then the same from a fast one."""
    values = np.random.default_rng(0).normal(size=(TRIALS, VOXELS)).astype(np.float32)
    ids = [f"s{row}" for row in range(TRIALS)]
    path = store.save(folder / "r.h5", Responses(values, ids, "s", "fmri"))
    del values
    stored = store.load(path)
    epoch_s = TRIALS * VOXELS * 4 / 1e6 / DISK_MB_S
    n_epochs = max(2, round(60 * minutes / epoch_s))
    began = time.perf_counter()
    with Peak() as peak:
        slow = fitted(stored.with_values(Slow(stored.values, DISK_MB_S)), n_epochs)
    seconds = time.perf_counter() - began
    began = time.perf_counter()
    fast = fitted(stored, n_epochs)
    alone = time.perf_counter() - began
    return {
        "mb_a_second_allowed": DISK_MB_S,
        "n_epochs": n_epochs,
        "minutes": round(seconds / 60, 2),
        "mb_a_second_reached": round(n_epochs * TRIALS * VOXELS * 4 / 1e6 / seconds, 2),
        "share_of_the_disk": round(n_epochs * epoch_s / seconds, 3),
        "seconds_from_a_fast_disk": round(alone, 1),
        "peak_mb": peak.mb,
        "weights_equal": all(torch.equal(one, slow[name]) for name, one in fast.items()),
    }


def fitted(responses: Responses, n_epochs: int) -> dict[str, torch.Tensor]:
    """Weights of a small network after so many epochs."""
    from neurodecode.encoders.core.trials import PooledTrials

    points = Embeddings(np.random.default_rng(2).normal(size=(TRIALS, 8)), responses.stimulus, "t")
    batches = PooledTrials([responses], {"target": points}, batch_size=BATCH)
    with seeded(0):
        module = torch.nn.Linear(VOXELS, 8)

    def step(module: Any, batch: Any, progress: Any) -> dict[str, torch.Tensor]:
        [one] = batch
        return {"loss": (module(one.values) - one.targets["target"]).square().mean()}

    train(module, step, batches, Plan(max_epochs=n_epochs, device="cpu"))
    return {name: one.clone() for name, one in module.state_dict().items()}


def measure(name: str, minutes: float) -> dict[str, Any]:
    """One of the four, in this process."""
    calls: dict[str, Callable[[Path], dict[str, Any]]] = {
        "viewers": lambda folder: viewers(60 * minutes / 10),
        "gallery": gallery,
        "recordings": recordings,
        "slow_disk": lambda folder: slow_disk(folder, minutes),
    }
    with tempfile.TemporaryDirectory() as folder:
        return calls[name](Path(folder)) | {
            "machine": {
                "cores_allowed": len(os.sched_getaffinity(0)),
                "load_average": round(psutil.getloadavg()[0], 1),
            },
            "commit": git_commit(),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    names = ["viewers", "gallery", "recordings", "slow_disk"]
    parser.add_argument("--only", choices=names, help="this one, in this process")
    parser.add_argument(
        "--minutes", type=float, default=5.0, help="of training; a tenth of viewing"
    )
    parser.add_argument("--out", type=Path, help="JSON file to write; what else it holds stays")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for name in [options.only] if options.only else names:
        if options.only:
            found = measure(name, options.minutes)
        else:
            words = ["-m", "benchmarks.load", "--only", name, "--minutes", str(options.minutes)]
            done = subprocess.run([sys.executable, *words], stdout=subprocess.PIPE, check=True)
            found = json.loads(done.stdout)
        sys.stdout.write(json.dumps(found) + "\n")
        if options.out:
            kept = json.loads(options.out.read_text()) if options.out.is_file() else {}
            write_record(__file__, options.out, kept | {name: found})


if __name__ == "__main__":
    main()
