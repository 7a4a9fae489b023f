"""The folders at the top level are parts of the package, and importing it is cheap."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("preprocessing", "encoders", "generators")


def run(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_the_packages_listed_are_the_folders_on_disk() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    listed = set(settings["packages"])
    on_disk = set()
    for start in ("neurodecode", *PARTS):
        for init in (ROOT / start).rglob("__init__.py"):
            folder = init.parent.relative_to(ROOT)
            if len(folder.parts) > 1 and folder.parts[1] in PARTS and start == "neurodecode":
                continue
            prefix = () if start == "neurodecode" else ("neurodecode",)
            on_disk.add(".".join((*prefix, *folder.parts)))
    assert listed == on_disk


def test_every_mapped_folder_has_a_relative_link() -> None:
    for part in PARTS:
        link = ROOT / "neurodecode" / part
        assert link.is_symlink()
        assert link.readlink() == Path("..") / part


@pytest.mark.parametrize("part", PARTS)
def test_a_part_can_not_be_imported_from_the_root(part: str) -> None:
    result = run(f"import {part}", ROOT)
    assert result.returncode != 0
    assert f"Import neurodecode.{part}, not {part}" in result.stderr


def test_a_part_is_imported_under_the_package(tmp_path: Path) -> None:
    code = "; ".join(f"import neurodecode.{part}" for part in PARTS)
    assert run(code, tmp_path).returncode == 0


def test_import_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys, neurodecode;"
        "print([m for m in ('torch', 'mne', 'nilearn', 'pandas', 'sklearn') if m in sys.modules])"
    )
    result = run(code, tmp_path)
    assert result.stdout.strip() == "[]", result.stderr


def test_parts_list_their_names_by_hand() -> None:
    import neurodecode

    assert {"data", "encoders", "generators", "preprocessing", "store"} <= set(dir(neurodecode))
