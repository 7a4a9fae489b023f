"""What the README and CONTRIBUTING tell a person to type is what works and what CI runs."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.mark.parametrize("code", blocks("python"))
def test_every_name_that_is_imported_is_there(code: str) -> None:
    imports = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)]
    assert imports
    for node in imports:
        module = importlib.import_module(str(node.module))
        for name in node.names:
            assert hasattr(module, name.name), f"{node.module}.{name.name}"


@pytest.mark.parametrize("code", blocks("python"))
def test_every_function_of_the_package_that_is_called_is_there(code: str) -> None:
    for module, name in re.findall(r"\b(fmri|eeg|twin|scenes)\.(\w+)", code):
        where = "neurodecode.preprocessing" if module in ("fmri", "eeg") else "neurodecode"
        assert hasattr(importlib.import_module(f"{where}.{module}"), name), f"{module}.{name}"


def test_the_first_example_has_twenty_lines() -> None:
    code = blocks("python")[0]
    statements = code.split("\n\n")[1]
    assert len([line for line in statements.splitlines() if line.strip()]) <= 20


def test_files_that_are_linked_are_there() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link


@pytest.mark.parametrize("command", ["neurodecode demo", "pytest -n 2"])
def test_ci_runs_what_the_readme_tells(command: str) -> None:
    assert any(command in one for one in blocks("sh"))
    assert command in CI


def test_ci_runs_what_contributing_tells() -> None:
    told = blocks("sh", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))[0]
    for tool in ("ruff format", "ruff check", "mypy", "lint-imports", "pytest"):
        assert tool in told
        assert tool in CI


@pytest.mark.slow
def test_the_first_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks("python")[0], "README.md", "exec"), {})
    assert (tmp_path / "out" / "index.html").is_file()
    assert (tmp_path / "out" / "results.json").is_file()
