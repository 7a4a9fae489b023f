"""A home that can't be written stops nothing; a folder that was named and can't be is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from neurodecode.store import _own, own_folder

USES = """
import logging, os
logging.basicConfig(format="%(message)s")
import numpy as np
from neurodecode.data import Stimuli
from neurodecode.evidence import TestLooks
from neurodecode.targets._cache import cache_folder
looks = TestLooks()
print(looks.add("one"), looks.add("one"), looks.count("one"))
print((cache_folder() / "x.txt").write_text("kept"))
"""


def run_without_home(tmp_path, home, **more):
    environment = {key: value for key, value in os.environ.items() if "NEURODECODE" not in key}
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME"):
        environment.pop(name, None)
    environment |= {"HOME": str(home), "TMPDIR": str(tmp_path), "NO_COLOR": "1", **more}
    return subprocess.run(
        [sys.executable, "-c", USES], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("home", ["/proc/none", "/dev/null"])
def test_a_home_that_cant_be_written_is_a_warning(tmp_path, home):
    done = run_without_home(tmp_path, home)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["1 2 2", "4"]
    looks, embeddings = done.stderr.strip().split("\n")
    assert looks.startswith("Counts of looks at test parts can't be kept in ")
    assert "forgotten when this process ends" in looks and "NEURODECODE_STATE" in looks
    assert embeddings.startswith("Computed embeddings can't be kept in ")
    assert embeddings.endswith("in the environment variable NEURODECODE_CACHE.")
    assert list(tmp_path.iterdir()) == []


def test_a_named_folder_that_cant_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURODECODE_CACHE", "/dev/null/cache")
    with pytest.raises(OSError) as told:
        own_folder("NEURODECODE_CACHE", lambda: tmp_path, "Computed embeddings")
    assert str(told.value) == (
        "Computed embeddings are kept in /dev/null/cache, which can't be written (Not a "
        "directory). Name a folder that can be written in the environment variable "
        "NEURODECODE_CACHE."
    )


def test_a_read_only_folder_is_refused_before_work(tmp_path, monkeypatch):
    monkeypatch.setattr(_own.os, "access", lambda *_: False)
    with pytest.raises(OSError, match=r"can't be written \(it is read-only\)"):
        _own.check_writable("NEURODECODE_STATE", tmp_path, "Counts")


def test_the_warning_is_given_once(tmp_path, monkeypatch, caplog):
    monkeypatch.delenv("NEURODECODE_STATE", raising=False)
    folders = {own_folder("NEURODECODE_STATE", lambda: Path("/dev/null/x"), "C") for _ in range(3)}
    assert len(folders) == 1 and len(caplog.messages) == 1
    assert folders.pop().stat().st_mode & 0o077 == 0
