"""Versions below which a stranger's file runs code are not allowed, and CI tests the lowest."""

from __future__ import annotations

import tomllib
from importlib.metadata import version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent
SAFE = {"diffusers": Version("0.38"), "torch": Version("2.10")}


def _floors() -> dict[str, Version]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = [Requirement(one) for one in project["dependencies"]]
    return {
        one.name: Version(next(part.version for part in one.specifier if part.operator == ">="))
        for one in required
        if any(part.operator == ">=" for part in one.specifier)
    }


def test_floors_are_safe():
    floors = _floors()
    for name, least in SAFE.items():
        assert floors[name] >= least, name
        assert Version(version(name)) >= least, name


def test_ci_tests_with_the_floors():
    lines = (ROOT / ".ci" / "minimum.txt").read_text(encoding="utf-8").splitlines()
    pinned = [Requirement(line) for line in lines if line and not line.startswith("#")]
    floors = _floors()
    assert {one.name for one in pinned} >= set(SAFE)
    for one in pinned:
        (pin,) = one.specifier
        assert pin.operator == "==" and Version(pin.version) == floors[one.name], one.name


def test_nothing_trusts_remote_code():
    folders = ("neurodecode", "preprocessing", "encoders", "generators", "experiments")
    for file in (one for folder in folders for one in (ROOT / folder).rglob("*.py")):
        text = file.read_text(encoding="utf-8").replace(" ", "")
        assert "trust_remote_code=True" not in text and '"trust_remote_code":True' not in text, file
        for line in text.splitlines():
            if ".from_pretrained(" in line and "=Auto" in line and "AutoencoderKL" not in line:
                assert "trust_remote_code=False" in text, file
