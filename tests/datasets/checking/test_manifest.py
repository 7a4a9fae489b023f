"""Fingerprints that coreutils agree with, and manifests that can't lead out of a folder."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from neurodecode.datasets import check
from neurodecode.datasets.checking import compare, read_manifest, write_manifest
from neurodecode.errors import CorruptFileError

FINE = "0" * 64


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "set"
    (root / "sub 01").mkdir(parents=True)
    (root / "sub 01" / "a_é.tsv").write_text("onset\tduration\n1\t2\n")
    (root / "notes.json").write_text("{}")
    (root / ".git").mkdir()
    (root / ".git" / "x").write_text("not data")
    return root


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="coreutils' sha256sum is not here")
def test_sha256sum_reads_it(folder, tmp_path):
    file = tmp_path / "manifest.sha256"
    check(folder, manifest=file)
    assert set(read_manifest(file)) == {"sub 01/a_é.tsv", "notes.json"}
    subprocess.run(["sha256sum", "-c", "--strict", file], cwd=folder, check=True)


def test_what_changed_is_named(folder):
    file = folder / "manifest.sha256"  # inside: it does not count itself
    assert check(folder, manifest=file).ok
    assert check(folder, verify=file).findings == []
    (folder / "notes.json").write_text("[]")
    (folder / "sub 01" / "a_é.tsv").rename(folder / "b.tsv")
    report = check(folder, verify=file)
    assert {(one.part, one.kind, one.text.rsplit(": ", 1)[1]) for one in report.findings} == {
        ("notes.json", "wrong", "changed"),
        ("sub 01/a_é.tsv", "wrong", "missing"),
        ("b.tsv", "suspect", "not in it"),
    }
    assert not report.ok


def test_a_link_to_nothing_is_content_that_was_never_obtained(folder):
    (folder / "bold.nii.gz").symlink_to(".git/annex/objects/none")
    report = check(folder, manifest=folder / "manifest.sha256")
    texts = [one.text for one in report.findings if one.part == "bold.nii.gz"]
    assert any(
        "is a link to content that is not here. Obtain it (git annex get" in t for t in texts
    )


@pytest.mark.parametrize(
    "line", [f"{FINE}  ../x", f"{FINE}  /etc/passwd", "abc  x", f"{FINE}x", f"{FINE}  a\n{FINE}  a"]
)
def test_a_damaged_or_hostile_manifest_is_refused(folder, tmp_path, line):
    file = tmp_path / "manifest"
    file.write_text(line + "\n")
    with pytest.raises(CorruptFileError, match=r"manifest, line \d, is no line of a manifest"):
        check(folder, verify=file)
    file.write_text("")
    with pytest.raises(CorruptFileError, match="manifest is empty"):
        read_manifest(file)


def test_a_manifest_comes_back(tmp_path):
    write_manifest(tmp_path / "m", {"b": FINE, "a": "1" * 64})
    assert (tmp_path / "m").read_text().splitlines()[0].endswith("  a")
    assert compare(read_manifest(tmp_path / "m"), {"a": "1" * 64, "b": FINE}) == {}
