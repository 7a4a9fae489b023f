"""One writer at a time, of threads and of processes; a killed one holds up nobody."""

from __future__ import annotations

import errno
import logging
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from neurodecode.store import _lock, one_writer

KILLED = """
import os, sys
from neurodecode.store import one_writer
with one_writer(sys.argv[1]):
    os._exit(9)
"""


def test_threads_wait_for_one_another_and_say_so(tmp_path, caplog):
    inside, most = [], []

    def write(number):
        with one_writer(tmp_path):
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.02)
            inside.remove(number)

    with caplog.at_level(logging.INFO, "neurodecode"), ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(8)))
    assert most == [1] * 8
    assert f"Another process writes the files in {tmp_path}; waiting for it." in caplog.messages


def test_a_killed_writer_holds_up_nobody(tmp_path):
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path], check=False)
    assert done.returncode == 9
    with one_writer(tmp_path):
        pass


def test_without_locks_it_goes_on_with_a_warning(tmp_path, monkeypatch, caplog):
    def none(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(_lock, "_acquire", none)
    with one_writer(tmp_path):
        pass
    assert caplog.messages == [
        f"{tmp_path} can't be locked ([Errno 37] No locks available): let one process at a time "
        f"write it."
    ]


def test_other_failures_are_told(tmp_path, monkeypatch):
    def denied(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(_lock, "_acquire", denied)
    with pytest.raises(PermissionError), one_writer(tmp_path):
        pass


def test_a_folder_that_cant_be_written_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(OSError, match="written") as told, one_writer(tmp_path, "gallery"):
        pass
    assert str(told.value) == (
        f"{tmp_path / '.gallery.lock'} can't be written ({tmp_path} is read-only). Give another "
        f"name or folder."
    )
