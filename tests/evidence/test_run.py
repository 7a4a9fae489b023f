from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

from neurodecode.data import Embeddings
from neurodecode.evidence import Run, git_commit, versions


def test_time_is_measured_to_the_end_of_the_block():
    with Run() as run:
        time.sleep(0.05)
    before = run.seconds
    time.sleep(0.05)
    assert 0.05 <= before < 1
    assert run.as_json()["seconds"] == pytest.approx(before, abs=1e-3)


def test_memory_is_the_peak_of_its_process():
    code = (
        "import numpy as np; from neurodecode.evidence import peak_rss_mb\n"
        "before = peak_rss_mb(); block = np.ones((16, 2**20)); middle = peak_rss_mb(); del block\n"
        "print(before, middle, peak_rss_mb())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, middle, after = (float(one) for one in done.stdout.split())
    assert 10 < before < middle - 100
    assert after == pytest.approx(middle, abs=2)  # the kernel counts pages in batches


def test_versions_name_what_is_installed_without_loading_it():
    found = versions()
    assert found["numpy"] == np.__version__
    assert {"neurodecode", "python", "torch", "platform"} <= set(found)


def test_the_commit_is_that_of_the_checkout(tmp_path):
    def git(*words):
        return subprocess.run(
            ["git", "-C", str(tmp_path), *words], check=True, capture_output=True, text=True
        ).stdout.strip()

    assert git_commit(tmp_path) is None
    git("init")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-m", "one")
    assert git_commit(tmp_path) == git("rev-parse", "HEAD")
    (tmp_path / "a").write_text("2")
    assert git_commit(tmp_path) == git("rev-parse", "HEAD") + "+changes"


def test_data_are_noted_by_name():
    run = Run()
    run.use(Embeddings(np.eye(2), ["a", "b"], "toy"))
    assert list(run.as_json()["data"]) == ["toy"]


def test_steps_are_timed_and_told():
    told = []
    run = Run(on_step=told.append)
    for _ in range(2):
        with run.step("fit"):
            time.sleep(0.02)
    with pytest.raises(RuntimeError, match="broken"), run.step("score"):
        raise RuntimeError("broken")
    assert told == ["fit", "fit", "score"]
    steps = run.as_json()["seconds_by_step"]
    assert 0.04 <= steps["fit"] < 1
    assert steps["score"] < 0.02
