"""A real Slurm of one host: ``bash .ci/slurm.sh start``, then ``pytest -m slurm``."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time

import pytest

from neurodecode.study import Slurm, conduct
from tests.study import toy
from tests.study.test_conduct import _figures

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(shutil.which("sbatch") is None, reason="no Slurm here: see .ci/slurm.sh"),
]


def _running() -> list[str]:
    told = subprocess.run(
        ["squeue", "--noheader", "--array", "--states=R", "--format=%i"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return told.stdout.split()


def _kill_two(killed: list[str]) -> None:
    while len(killed) < 2:
        for job in _running():
            if job not in killed and len(killed) < 2:
                subprocess.run(["scancel", "--signal=KILL", "--full", job], check=True)
                killed.append(job)
        time.sleep(0.2)


@pytest.fixture(autouse=True)
def _first_look(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURODECODE_STATE", str(tmp_path / "state"))


def test_jobs_of_slurm_two_of_them_killed_end_with_the_table_of_the_serial_run(
    tmp_path, monkeypatch
):
    serial = conduct(toy.study(), tmp_path / "serial")
    monkeypatch.setenv("NEURODECODE_STATE", str(tmp_path / "state of slurm"))
    killed: list[str] = []
    killer = threading.Thread(target=_kill_two, args=(killed,), daemon=True)
    killer.start()
    by_slurm = conduct(toy.study(), tmp_path / "slurm", executor=Slurm(parallelism=2))
    assert len(killed) == 2
    assert by_slurm["cells"] == {"done": 28, "planned": 28}
    assert _figures(by_slurm) == _figures(serial)
