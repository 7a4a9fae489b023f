"""Temporary names are nobody else's, and those of killed writers go."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from neurodecode import store
from neurodecode.store import _parts
from neurodecode.store._parts import is_stale, machine_key, part_of

KILLED = """
import os, sys
from neurodecode.store import atomic_path
with atomic_path(sys.argv[1]) as part:
    part.write_bytes(b"half")
    os._exit(9)
"""


def test_threads_and_containers_with_one_process_id_have_other_names(tmp_path, monkeypatch):
    monkeypatch.setattr(_parts.os, "getpid", lambda: 1)
    with ThreadPoolExecutor(8) as threads:
        names = list(threads.map(lambda _: part_of(tmp_path / "a"), range(800)))
    assert len(set(names)) == 800


def test_ninety_threads_write_one_file(tmp_path):
    def write(number):
        return store.write_json(tmp_path / "a.json", {"number": number, "long": "x" * 5000})

    with ThreadPoolExecutor(30) as threads:
        list(threads.map(write, range(90)))
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]


def test_the_next_writer_removes_parts_of_killed_ones(tmp_path):
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "a.h5"], check=False)
        assert done.returncode == 9
    _parts._sweep_once.cache_clear()
    store.write_json(tmp_path / "other.json", {})
    assert [one.name for one in tmp_path.iterdir()] == ["other.json"]


def test_parts_of_writers_that_run_stay(tmp_path):
    own = part_of(tmp_path / "a")
    own.touch()
    os.utime(own, (0, 0))
    assert not is_stale(own)


@pytest.mark.parametrize("days", [-400, -2, 2, 400])
def test_parts_of_another_machine_are_stale_after_a_day(tmp_path, days):
    """A time in the future (a clock set back) is no sign of life."""
    other = tmp_path / part_of(tmp_path / "a").name.replace(machine_key(), "0" * 8)
    other.touch()
    assert not is_stale(other)
    when = time.time() + days * 24 * 3600
    os.utime(other, (when, when))
    assert is_stale(other)


def test_other_names_are_left_alone(tmp_path):
    for name in (".a.part", "a.part", ".a.h5.123.part", f".a.{machine_key()}-1-xyz.part"):
        assert not is_stale(tmp_path / name)


def test_a_name_as_long_as_a_system_allows(tmp_path):
    for name in ("n" * 255, "ü" * 127, "with space and ü", "back\\slash"):
        store.write_json(tmp_path / name, {"a": 1})
        assert (tmp_path / name).is_file()
