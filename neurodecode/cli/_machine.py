"""Cores, memory, disk, devices, the data folder, and weights that are already here."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from neurodecode.cli.datasets import DATA_VARIABLE, find_dataset, recordings_folder
from neurodecode.datasets import CATALOGUE

LOW_DISK_GB = 5.0


@dataclass(frozen=True)
class Fact:
    """One thing about this machine.

    Parameters
    ----------
    name, value : str
    broken : bool
        Does it keep neurodecode from working?
    """

    name: str
    value: str
    broken: bool = False


def machine(data: Path | None = None) -> Iterator[Fact]:
    """System, Python, cores, memory, disk and the data folder."""
    yield Fact("system", f"{platform.system()} {platform.release()} {platform.machine()}")
    yield Fact("python", f"{platform.python_version()} ({sys.executable})")
    yield Fact("cores", str(n_cores()))
    yield Fact("memory", _gigabytes(memory_bytes()))
    yield from _data(data)
    free = shutil.disk_usage(Path.cwd()).free
    low = "; little for a public data set" if free < LOW_DISK_GB * 1e9 else ""
    yield Fact("free disk", f"{_gigabytes(free)} in the current folder{low}")


def n_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> int | None:
    """Memory that this process may use: the machine's, or its container's if that is less."""
    known = []
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        path = Path(name)
        if path.is_file() and (text := path.read_text().strip()).isdigit():
            known.append(int(text))
    return min(known) if known else None


def devices() -> Iterator[Fact]:
    """Devices that torch can compute on; the CPU alone is enough."""
    try:
        import torch
    except Exception as error:
        yield Fact("device", f"unknown, torch can't be imported: {error}")
        return
    if torch.cuda.is_available():
        for i in range(torch.cuda.device_count()):
            found = torch.cuda.get_device_properties(i)
            yield Fact(f"device cuda:{i}", f"{found.name}, {_gigabytes(found.total_memory)}")
    elif torch.backends.mps.is_available():
        yield Fact("device", "mps (Apple)")
    else:
        yield Fact("device", f"cpu, {torch.get_num_threads()} threads; no CUDA or MPS device")


def weights() -> Iterator[Fact]:
    """Models in the package, in the Hugging Face cache and in torch's."""
    import neurodecode

    package = Path(neurodecode.__file__).parent
    shipped = sorted(path for path in package.rglob("*.safetensors"))
    size = sum(path.stat().st_size for path in shipped)
    names = ", ".join(path.parent.name for path in shipped)
    yield Fact(
        "shipped weights", f"{len(shipped)} ({_megabytes(size)}): {names}" if shipped else "none"
    )
    cache = _hub_cache()
    models = sorted(path.name[8:].replace("--", "/") for path in cache.glob("models--*"))
    yield Fact("hub cache", f"{cache}: {', '.join(models) or 'no models'}")
    checkpoints = _torch_home() / "hub" / "checkpoints"
    files = sorted(path.name for path in checkpoints.glob("*.*"))
    yield Fact("torch cache", f"{checkpoints}: {', '.join(files) or 'no weights'}")
    if os.environ.get("HF_HUB_OFFLINE", "") not in ("", "0"):
        yield Fact("hub", "offline, as HF_HUB_OFFLINE asks")


def _data(given: Path | None) -> Iterator[Fact]:
    try:
        folder = recordings_folder(given)
    except FileNotFoundError as error:
        yield Fact("data folder", str(error), broken=True)
        return
    if not folder.is_dir():
        yield Fact("data folder", f"{folder} (not made yet; {DATA_VARIABLE} names another)")
        return
    found = [one.name for one in CATALOGUE if find_dataset(one.name, folder)]
    free = _gigabytes(shutil.disk_usage(folder).free)
    yield Fact("data folder", f"{folder}: {', '.join(found) or 'no known data set'}; {free} free")


def _hub_cache() -> Path:
    home = os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface"
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub")


def _torch_home() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("TORCH_HOME") or Path(cache) / "torch")


def _gigabytes(size: int | None) -> str:
    return "unknown" if size is None else f"{size / 1e9:.1f} GB"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
