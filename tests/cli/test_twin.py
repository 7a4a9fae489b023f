"""``neurodecode twin`` writes a simulated data set, and never over somebody's files."""

from __future__ import annotations

import json

import pytest

from neurodecode.cli import main

SMALL = ("--subjects", "1", "--trials", "10")


@pytest.mark.parametrize(("modality", "ending"), [("fmri", "_bold.nii.gz"), ("eeg", "_eeg.vhdr")])
def test_a_data_set_is_written_and_its_folder_printed(tmp_path, capsys, modality, ending):
    out = tmp_path / "twin"
    assert main(["twin", "--modality", modality, "--out", str(out), *SMALL, "--signal", "0.5"]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert len(list(out.rglob(f"*{ending}"))) == 10
    said = json.loads((out / "dataset_description.json").read_text())
    assert said["Name"].startswith(f"Simulated {modality}")
    assert "signal 0.5" in " ".join((out / "README").read_text().split())


def test_a_folder_with_files_is_refused(tmp_path, capsys):
    (tmp_path / "data.txt").write_text("mine")
    assert main(["twin", "--out", str(tmp_path), *SMALL]) == 1
    said = capsys.readouterr().err
    assert "exists and is not an empty folder. Nothing was written; name a new folder." in said
    assert [path.name for path in tmp_path.iterdir()] == ["data.txt"]


def test_nobody_can_not_be_simulated(tmp_path, capsys):
    assert main(["twin", "--out", str(tmp_path / "new"), "--subjects", "0"]) == 1
    assert "--subjects must be at least 1; got 0." in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
