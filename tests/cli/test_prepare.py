"""``neurodecode prepare nsd`` on a simulated layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from neurodecode import store
from neurodecode.cli import main
from neurodecode.twin.layouts import nsd as twin


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    design = twin.NsdDesign(n_subjects=2, n_shared=4, n_own=8, n_sessions=2)
    folder = tmp_path_factory.mktemp("raw")
    return twin.write_raw(
        folder, design, design.people(20), form="hdf5", picture_size=8, voxel_mm=12
    )


def words(root: Path, out: Path) -> list[str]:
    return ["prepare", "nsd", "--layout", "raw", "--root", str(root), "--out", str(out)]


def test_it_writes_the_store(root: Path, tmp_path: Path, capsys) -> None:
    assert main([*words(root, tmp_path), "--subjects", "2"]) == 0
    assert len(store.load(tmp_path / "subj02.h5")) == 36
    assert "subj02" in capsys.readouterr().out


def test_a_dry_run_writes_nothing(root: Path, tmp_path: Path, capsys) -> None:
    assert main([*words(root, tmp_path / "out"), "--dry-run"]) == 0
    assert not (tmp_path / "out").exists()
    assert "36" in capsys.readouterr().out


def test_an_absent_folder_is_one_line(tmp_path: Path, capsys) -> None:
    assert main(words(tmp_path / "nothing", tmp_path)) == 1
    assert f"There is no folder {tmp_path / 'nothing'}." in capsys.readouterr().err
