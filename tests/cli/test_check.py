"""``neurodecode check``: a table, sentences, and an exit code for scripts."""

from __future__ import annotations

import json

import numpy as np
import pytest

from neurodecode.cli import main


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "set"
    root.mkdir()
    np.save(root / "betas.npy", np.random.default_rng(0).normal(size=(20, 3)))
    return root


def test_good_data_exit_with_0_and_are_told_in_a_table(folder, capsys):
    assert main(["check", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"# {folder} (files)"
    assert lines[1].split() == ["what", "rows", "shape", "rate", "unit", "range", "state"]
    assert lines[2].split()[:6] == ["betas.npy", "20", "rows", "20", "x", "3"]
    assert lines[2].endswith("good")
    assert lines[3] == "1 parts, 0 wrong, 0 suspect."


def test_a_manifest_is_written_and_compared(folder, tmp_path, capsys):
    file = tmp_path / "manifest.sha256"
    assert main(["check", str(folder), "--manifest", str(file)]) == 0
    assert main(["check", str(folder), "--verify", str(file)]) == 0
    np.save(folder / "betas.npy", np.random.default_rng(1).normal(size=(20, 3)))
    assert main(["check", str(folder), "--verify", str(file)]) == 1
    assert f"wrong: betas.npy: by the manifest {file}: changed" in capsys.readouterr().out


def test_suspects_count_only_where_they_are_to(folder, capsys):
    values = np.random.default_rng(0).normal(size=(20, 3))
    values[:, 1] = 4
    np.save(folder / "betas.npy", values)
    assert main(["check", str(folder)]) == 0
    assert "suspect: betas.npy: 1 of 3 units never change" in capsys.readouterr().out
    assert main(["check", str(folder), "--strict"]) == 1


def test_json_for_programs(folder, capsys):
    np.save(folder / "betas.npy", np.zeros((20, 3)))
    assert main(["check", str(folder), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert not told["ok"]
    assert told["findings"] == [{"part": "betas.npy", "kind": "wrong", "text": "all values are 0"}]


def test_a_path_that_is_not_there_is_one_line(tmp_path, capsys):
    assert main(["check", str(tmp_path / "gone")]) == 1
    error = capsys.readouterr().err.splitlines()
    assert error == [
        f"neurodecode: error: check: There is no file or folder at {tmp_path / 'gone'}. Check the "
        f"path."
    ]
