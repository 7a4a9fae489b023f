"""What a result needs to be made again: seed, versions, commit, time, memory, data, looks."""

from __future__ import annotations

import logging
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from neurodecode._version import __version__
from neurodecode.data import Embeddings, Responses, Source, Split, Stimuli
from neurodecode.evidence._fingerprint import data_fingerprint
from neurodecode.evidence._looks import TestLooks, look_key

LOG = logging.getLogger("neurodecode")
PACKAGES = (
    "numpy", "scipy", "scikit-learn", "scikit-image", "torch", "torchvision", "lightning",
    "nilearn", "mne", "nibabel", "h5py", "open-clip-torch", "diffusers", "transformers", "timm",
)  # fmt: skip


class Run:
    """Records what was run; use it as a context and give it to `write_results`.

    Parameters
    ----------
    seed : int
    looks : TestLooks, optional
        Where looks at the test part are counted.
    on_step : callable, optional
        Is told the name of each step as it starts, for a progress display.

    Examples
    --------
    >>> with Run(seed=3) as run:
    ...     _ = sum(range(10))
    >>> run.seconds >= 0, run.as_json()["seed"]
    (True, 3)
    """

    def __init__(
        self,
        seed: int = 0,
        looks: TestLooks | None = None,
        on_step: Callable[[str], None] | None = None,
    ) -> None:
        self.seed = seed
        self.on_step = on_step
        self.looks = looks or TestLooks()
        self.data: dict[str, str] = {}
        self.sources: dict[str, Source] = {}
        self.shown: set[Source] = set()
        self.splits: dict[str, str] = {}
        self.test_looks: dict[str, int] = {}
        self.steps: dict[str, float] = {}
        self.seconds = 0.0
        self._start = time.perf_counter()

    def __enter__(self) -> Self:
        self._start = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.seconds = time.perf_counter() - self._start

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time one step; the times of steps of one name are added up."""
        LOG.info("%s ...", name)
        if self.on_step is not None:
            self.on_step(name)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.steps[name] = self.steps.get(name, 0.0) + time.perf_counter() - start

    def use(self, content: Responses | Embeddings | Stimuli | Sequence[Responses]) -> None:
        """Note the fingerprints of data that went in, and where they come from."""
        if isinstance(content, Stimuli):
            self.shown.add(content.source)
        else:
            self._note([content] if isinstance(content, Responses | Embeddings) else list(content))

    def _note(self, content: Sequence[Responses | Embeddings]) -> None:
        for one in content:
            if isinstance(one, Responses):
                self.data[one.subject] = data_fingerprint(one)
                self.sources[one.provenance.recording] = one.provenance.source
            else:
                self.data[one.space] = data_fingerprint(one)
                self.shown.add(one.source)

    @property
    def simulated(self) -> bool:
        """Is a recording simulated, or of unknown source and of drawn scenes?"""
        kinds = set(self.sources.values())
        drawn = "simulated" in self.shown and kinds != {"recorded"}
        return "simulated" in kinds or drawn

    def look(
        self,
        protocol: str,
        responses: Responses | Sequence[Responses],
        split: Split | Iterable[Split],
    ) -> int:
        """Count a look at the test part of a protocol (all folds together are one look)."""
        folds = [split] if isinstance(split, Split) else list(split)
        people = [responses] if isinstance(responses, Responses) else list(responses)
        self._note(people)
        self.splits[protocol] = _rule(folds)
        self.test_looks[protocol] = self.looks.add(look_key(people, folds), protocol)
        return self.test_looks[protocol]

    def take_over(self, told: Mapping[str, Any]) -> None:
        """Add what another run said of itself (`as_json`): its data, splits, looks and seconds.

        For results that are collected from several processes.

        Examples
        --------
        >>> whole, part = Run(0), Run(1)
        >>> part.data["sub-01"] = "aa"
        >>> whole.take_over(part.as_json())
        >>> whole.data
        {'sub-01': 'aa'}
        """
        self.data |= told["data"]
        self.splits |= told["split"]
        self.seconds += told["seconds"]
        for name, looks in told["test_looks_by_protocol"].items():
            self.test_looks[name] = max(looks, self.test_looks.get(name, 0))
        for name, seconds in told["seconds_by_step"].items():
            self.steps[name] = self.steps.get(name, 0.0) + seconds

    def as_json(self) -> dict[str, Any]:
        """The part of ``results.json`` that says how it was made."""
        running = self.seconds or time.perf_counter() - self._start
        return {
            "split": dict(self.splits),
            "test_looks": max(self.test_looks.values(), default=0),
            "test_looks_by_protocol": dict(self.test_looks),
            "seed": self.seed,
            "versions": versions(),
            "seconds": round(running, 3),
            "seconds_by_step": {name: round(one, 3) for name, one in self.steps.items()},
            "peak_rss_mb": peak_rss_mb(),
            "data": dict(self.data),
            "simulated": self.simulated,
            "recording": list(self.sources),
            "sources": dict(self.sources),
            "git_commit": git_commit(),
        }


def versions() -> dict[str, str]:
    """Versions of Python, of this package and of the installed packages that matter."""
    found = {"neurodecode": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found | {"platform": platform.platform()}


def peak_rss_mb() -> float | None:
    """Largest resident memory of this process so far, in MB; None where it is not told."""
    status = Path("/proc/self/status")
    if status.is_file():  # Linux's getrusage also counts the process that this one was forked from
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 2**10, 1)
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def git_commit(folder: str | Path | None = None) -> str | None:
    """The commit of the checkout that the code runs from, with ``+changes`` if it was edited.

    None for an installed package.
    """
    where = Path(folder) if folder is not None else Path(__file__).parent

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(where), *words],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
        return done.stdout.strip()

    try:
        # a package inside somebody's own repository is not from that repository
        git("ls-files", "--error-unmatch", "__init__.py" if folder is None else ".")
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _rule(folds: list[Split]) -> str:
    sizes = f"{len(folds[0].train)} train, {len(folds[0].validation)} validation, " + (
        f"{len(folds[0].test)} test {folds[0].by} ids"
    )
    times = f", {len(folds)} folds" if len(folds) > 1 else ""
    return f"{folds[0].rule}; {folds[0].by} kept apart ({sizes}{times})"
