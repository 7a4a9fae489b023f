"""A full disk is one clear error, whenever it fills, and never a crash."""

from __future__ import annotations

import errno
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neurodecode import store
from neurodecode.data import Responses
from neurodecode.store import _room, _save

LIMITED = """
import resource, sys
import numpy as np
from neurodecode import store
from neurodecode.data import Responses
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), -1))
ids = [f"s{i}" for i in range(300)]
try:
    store.save(sys.argv[1] + "/r.h5", Responses(np.ones((300, 500)), ids, "s", "fmri"))
except OSError as error:
    print(error)
"""


def recording(n_trials=300):
    ids = [f"s{row}" for row in range(n_trials)]
    return Responses(np.ones((n_trials, 500), np.float32), ids, "s", "fmri")


def test_a_disk_that_is_too_small_is_told_before_writing(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 100_000})()
    monkeypatch.setattr(_room.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(OSError) as told:
        store.save(tmp_path / "r.h5", recording())
    assert str(told.value) == (
        f"{tmp_path / 'r.h5'} can't be written: no room (0.7 MB are needed and 0.1 MB free). Free "
        f"some space or write to another disk; what had this name before is unchanged."
    )
    assert told.value.errno == errno.ENOSPC and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("n_written", [0, 1, 8, 16, 24])
def test_a_disk_that_fills_meanwhile_is_told(tmp_path, monkeypatch, n_written):
    """After so many pieces no more is taken: in the values, in the columns, in the last bytes."""
    old = recording(2)
    path = store.save(tmp_path / "r.h5", old)
    left = [n_written]

    class Filling(_room.Sink):
        def __init__(self, path: Path, n_bytes: int) -> None:
            super().__init__(path, 0)
            raw = self._file

            class File:
                def write(self, content):
                    if left[0] == 0:
                        raise OSError(errno.ENOSPC, "No space left on device")
                    left[0] -= 1
                    return raw.write(content)

                def __getattr__(self, name):
                    return getattr(raw, name)

            self._file = File()

    monkeypatch.setattr(_save, "Sink", Filling)
    with pytest.raises(OSError, match=r"r\.h5 can't be written: no room \(No space left on"):
        store.save(path, recording())
    assert np.array_equal(store.load(path).array(), old.array())
    assert [one.name for one in tmp_path.iterdir()] == ["r.h5"]


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs limits of the size of a file")
@pytest.mark.parametrize("limit", [0, 1000, 300_000, 1_200_500])
def test_a_process_survives_the_end_of_its_room(tmp_path, limit):
    """HDF5 by itself ends such a process with a segmentation fault when it exits."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path), str(limit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{tmp_path / 'r.h5'} can't be written: no room (File too large")
    assert done.stderr == "" and list(tmp_path.iterdir()) == []


def test_other_writers_tell_it_too(tmp_path):
    with pytest.raises(OSError) as told, store.atomic_path(tmp_path / "a.txt") as part:
        part.write_text("half")
        raise OSError(errno.EDQUOT, "Disk quota exceeded")
    assert str(told.value) == (
        f"{tmp_path / 'a.txt'} can't be written: no room (Disk quota exceeded). Free some space or "
        f"write to another disk; what had this name before is unchanged."
    )


def test_nothing_is_reserved_for_good(tmp_path):
    path = store.save(tmp_path / "r.h5", recording())
    assert path.stat().st_blocks * 512 < path.stat().st_size + 2**14
    assert resource.getpagesize() <= 2**16
