"""What a run is made of is told, never guessed: a cluster's `srun` on the path changes nothing."""

from __future__ import annotations

import pytest

from neurodecode.training import Plan
from neurodecode.training._setup import make_fabric

JOB = {
    "SLURM_JOB_ID": "12345",
    "SLURM_NTASKS": "4",
    "SLURM_PROCID": "2",
    "SLURM_LOCALID": "2",
    "SLURM_NODEID": "0",
}


@pytest.fixture
def srun(tmp_path, monkeypatch):
    program = tmp_path / "srun"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


@pytest.mark.parametrize("variables", [{}, {"SLURM_JOB_ID": "12345"}, JOB])
def test_one_process_is_one_process_on_a_cluster(srun, monkeypatch, variables):
    """Lightning warns of an srun that was not used; warnings are errors here."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    fabric = make_fabric(Plan(device="cpu"))
    assert (fabric.world_size, fabric.global_rank) == (1, 0)
