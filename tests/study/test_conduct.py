from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neurodecode.study import Processes, Slurm, collect, conduct, dry_run, status
from tests.study import toy


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEURODECODE_STATE", str(tmp_path_factory.mktemp("state")))
        return out, conduct(toy.study(), out)


@pytest.fixture(autouse=True)
def _first_look(tmp_path, monkeypatch):
    """Each run here is the first: another study of the same people would be a second look."""
    monkeypatch.setenv("NEURODECODE_STATE", str(tmp_path / "state"))


def _figures(results):
    """All that is computed, without what tells of the run."""
    return json.dumps([results["protocols"], results["claims"]], sort_keys=True)


def test_results_tell_scores_contenders_claims_and_cells(whole):
    out, results = whole
    assert set(results["protocols"]) == {"within_subject", "pooled", "new_subject_20"}
    pooled = results["protocols"]["pooled"]
    assert pooled["scores"]["two_way"]["value"] > 0.9
    assert pooled["scores"]["two_way"]["verdict"] == "shown"
    assert "strong" in pooled["controls"] and "noise" in pooled["controls"]
    assert set(pooled["contenders"]) == {"ridge", "strong"}
    assert pooled["scores"]["two_way"]["best_closed_form"] == "strong"
    assert results["cells"] == {"done": 28, "planned": 28}
    assert results["simulated"] is True
    assert [one["verdict"] for one in results["claims"]][1] == "holds"
    assert (out / "index.html").is_file()


def test_all_cells_together_are_one_look(whole):
    assert whole[1]["test_looks"] == 1


def test_another_study_of_the_same_people_is_another_look(whole, tmp_path):
    conduct(toy.study(), tmp_path / "first")
    second = conduct(toy.study(), tmp_path / "second")
    assert second["test_looks"] == 2
    assert second["protocols"]["pooled"]["scores"]["two_way"]["verdict"] == "suspect"


def test_what_is_done_is_not_computed_again(whole, monkeypatch):
    out, results = whole
    monkeypatch.setattr("neurodecode.study._conduct.work", None)
    assert _figures(conduct(toy.study(), out)) == _figures(results)


def test_a_lost_cell_comes_back_digit_by_digit(whole, tmp_path):
    out, results = whole
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    shutil.rmtree(copy / "cells" / "seed-1__pooled__ridge__all")
    assert status(copy).states == {"done": 27, "pending": 1}
    assert _figures(conduct(toy.study(), copy)) == _figures(results)


def test_other_data_configuration_or_code_is_refused(whole):
    with pytest.raises(ValueError) as error:
        conduct(toy.study(noise=0.7), whole[0])
    assert "(data.settings.noise was 0.5, is 0.7). Give another --out" in str(error.value)


def test_a_failed_cell_keeps_its_error_and_is_tried_again_when_asked(tmp_path, monkeypatch):
    study = toy.study(fails=True)
    with pytest.raises(RuntimeError, match=r"14 of 42 cells failed .*ValueError: no fit today"):
        conduct(study, tmp_path)
    told = status(tmp_path)
    assert told.states == {"done": 28, "failed": 14}
    assert set(told.errors.values()) == {"ValueError: no fit today"}
    monkeypatch.setenv("NEURODECODE_TEST_FAILS", "0")
    with pytest.raises(RuntimeError):
        conduct(study, tmp_path)  # not without retry
    assert conduct(study, tmp_path, retry=True)["cells"] == {"done": 42, "planned": 42}


def test_a_part_can_be_collected(whole, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(whole[0], copy)
    for one in (copy / "cells").glob("seed-?__pooled__*"):
        shutil.rmtree(one)
    results = collect(copy)
    assert set(results["protocols"]) == {"within_subject", "new_subject_20"}
    assert {one["verdict"] for one in results["claims"]} == {"not computed"}


def test_dry_run_adds_up_what_contenders_need():
    told = dry_run(toy.study())
    assert told.n_cells == 28
    assert told.largest_memory_gb == 4.0
    assert told.core_minutes == 14 * 1 + 14 * 60


def test_no_slurm_is_told_before_work(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match="There is no Slurm here: 'sbatch' is not on the PATH"):
        conduct(toy.study(), tmp_path / "out", executor=Slurm())
    assert not (tmp_path / "out").exists()


def test_two_at_once_in_a_folder_are_refused(tmp_path):
    from filelock import FileLock

    refused = pytest.raises(ValueError, match="Another process is running a study in")
    with FileLock(tmp_path / ".study.lock"), refused:
        conduct(toy.study(), tmp_path)


@pytest.mark.slow
def test_processes_give_the_serial_table(whole, tmp_path):
    assert _figures(conduct(toy.study(), tmp_path, executor=Processes(2))) == _figures(whole[1])


SCRIPT = """
from tests.study import toy
from neurodecode.study import run_study
def study():
    return toy.study()
run_study(study)
"""


@pytest.mark.slow
def test_killed_ten_times_it_ends_as_if_undisturbed(whole, tmp_path):
    out, script = tmp_path / "out", tmp_path / "script.py"
    script.write_text(SCRIPT)
    words = [sys.executable, str(script), "--out", str(out), "--jobs", "2"]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    for _ in range(10):
        running = subprocess.Popen(words, start_new_session=True, env=env)
        time.sleep(4)
        os.killpg(running.pid, signal.SIGKILL)
        assert running.wait() in (0, -signal.SIGKILL)
    subprocess.run(words, check=True, env=env)
    results = json.loads((out / "results.json").read_text())
    assert _figures(results) == _figures(whole[1])
    assert not list((out / "cells").glob("*.part"))
