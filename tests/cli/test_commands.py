"""The installed command, as a script would call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("neurodecode")
VERBS = ("doctor", "datasets", "gallery")

pytestmark = pytest.mark.skipif(
    not COMMAND.exists(), reason="the neurodecode command is not installed beside this Python"
)


RESULTS = {
    "experiment": "toy",
    "protocols": {},
    "split": "none",
    "test_looks": 0,
    "seed": 0,
    "versions": {},
    "seconds": 1.0,
    "peak_rss_mb": 1.0,
}


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("words", [["--help"], *([verb, "--help"] for verb in VERBS)])
def test_help_everywhere(words):
    done = run(*words)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: neurodecode") and not done.stderr


def test_help_names_every_verb():
    from neurodecode.cli import VERBS as known

    help_text = run("--help").stdout
    assert set(VERBS) <= set(known)
    assert all(verb in help_text for verb in known)


@pytest.mark.parametrize("words", [["--help"], ["datasets"], ["gallery", "--help"]])
def test_light_verbs_start_without_torch(words):
    code = (
        "import sys; from neurodecode.cli import main; main(sys.argv[1:]); "
        "sys.exit(len({'torch', 'mne', 'nilearn', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("words", [[], ["frob"], ["gallery"], ["datasets", "--frob"]])
def test_a_wrong_command_is_2(words):
    done = run(*words)
    assert done.returncode == 2
    assert "usage: neurodecode" in done.stderr and not done.stdout


def test_a_failure_is_1_and_one_line(tmp_path):
    done = run("gallery", str(tmp_path / "none"))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("neurodecode: error: gallery: ")
    assert "holds neither a gallery (gallery.json) nor results.json" in done.stderr


def test_debug_prints_the_traceback(tmp_path):
    done = run("gallery", str(tmp_path / "none"), "--debug")
    assert done.returncode == 1 and "Traceback" in done.stderr


def test_version():
    from neurodecode import __version__

    assert run("--version").stdout == f"neurodecode {__version__}\n"


def test_datasets_prints_one_line_a_data_set():
    from neurodecode.datasets import CATALOGUE

    done = run("datasets", NEURODECODE_DATA="", HOME="/nowhere")
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) == 2 + len(CATALOGUE)
    for one, line in zip(CATALOGUE, lines[2:], strict=True):
        assert line.startswith(one.name) and one.licence in line


def test_datasets_quiet_has_no_remarks():
    assert run("datasets").stderr
    assert not run("datasets", "--quiet").stderr


def test_datasets_finds_a_folder_by_its_name(tmp_path):
    (tmp_path / "fmri_haxby2001_sub1").mkdir()
    entries = json.loads(run("datasets", "--json", "--data", str(tmp_path)).stdout)
    found = {entry["name"]: entry["found"] for entry in entries}
    assert found["haxby"].endswith("fmri_haxby2001_sub1")
    assert not found["miyawaki"]


def test_datasets_says_how_to_obtain_one():
    from neurodecode.datasets import CATALOGUE

    done = run("datasets", "haxby", NEURODECODE_DATA="", HOME="/nowhere")
    one = next(one for one in CATALOGUE if one.name == "haxby")
    assert one.obtain in done.stdout and one.reader in done.stdout
    assert "found     not found" in done.stdout


def test_an_unknown_data_set_is_refused():
    done = run("datasets", "frob")
    assert done.returncode == 1
    assert "There is no data set 'frob' in the catalogue. Known: " in done.stderr


def test_a_missing_data_folder_is_refused(tmp_path):
    done = run("datasets", "--data", str(tmp_path / "none"))
    assert done.returncode == 1 and "There is no data folder" in done.stderr


def test_gallery_builds_and_prints_the_page(tmp_path):
    (tmp_path / "results.json").write_text(json.dumps(RESULTS))
    done = run("gallery", str(tmp_path), "--no-open")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == tmp_path / "gallery" / "index.html"
    assert (tmp_path / "gallery" / "index.html").is_file()


def test_gallery_opens_the_page_in_the_browser_named(tmp_path):
    (tmp_path / "results.json").write_text(json.dumps(RESULTS))
    note = tmp_path / "opened.txt"
    browser = tmp_path / "browser.sh"
    browser.write_text(f'#!/bin/sh\necho "$1" > {note}\n')
    browser.chmod(0o755)
    done = run("gallery", str(tmp_path), BROWSER=f"{browser} %s")
    assert done.returncode == 0
    assert note.read_text().strip() == (tmp_path / "gallery" / "index.html").as_uri()


def test_doctor_reports_as_json(tmp_path):
    (tmp_path / "haxby").mkdir()
    done = run("doctor", "--fast", "--json", "--data", str(tmp_path))
    report = json.loads(done.stdout)
    assert done.returncode == (1 if report["broken"] else 0)
    names = {package["name"]: package for package in report["packages"]}
    assert names["numpy"]["found"] and not names["numpy"]["problem"]
    facts = {fact["name"]: fact["value"] for fact in report["facts"]}
    assert "haxby" in facts["data folder"]
    assert {"python", "cores", "memory", "free disk", "shipped weights"} <= set(facts)


def test_doctor_fails_when_the_data_folder_is_wrong(tmp_path):
    done = run("doctor", "--fast", NEURODECODE_DATA=str(tmp_path / "gone"))
    assert done.returncode == 1
    assert "data folder: There is no data folder" in done.stderr


def test_a_closed_pipe_is_no_error():
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as gone:  # noqa: PTH123
        done = subprocess.run(
            [COMMAND, "datasets", "--quiet"], stdout=gone, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 0 and not done.stderr
