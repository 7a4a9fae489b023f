"""Results of benchmarks with what they were made by: the commit, the code they ran, the models."""

from __future__ import annotations

import ast
import hashlib
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import neurodecode
from neurodecode.evidence import git_commit, versions
from neurodecode.store import write_json

ROOT = Path(__file__).parent.parent
PACKAGE = Path(neurodecode.__file__).parent
MODELS = PACKAGE / "targets" / "small_models"
MADE_BY = "made_by"


def write_record(script: str, out: str | Path, content: Mapping[str, Any]) -> Path:
    """Write a result with what it was made by.

    Parameters
    ----------
    script : str
        ``__file__`` of the benchmark.
    out : path
    content : mapping
        What was measured.
    """
    return write_json(out, {**content, MADE_BY: made_by(script)})


def made_by(script: str) -> dict[str, Any]:
    """The command, commit, versions, machine, code and shipped models of this run.

    ``NEURODECODE_COMMIT`` names the commit where the checkout does not know it (a copy without
    history on another machine); the hash of the code is computed in any case.
    """
    import torch

    path = Path(script).resolve().relative_to(ROOT).as_posix()
    return {
        "script": path,
        "arguments": [Path(one).name if one.startswith("/") else one for one in sys.argv[1:]],
        "commit": os.environ.get("NEURODECODE_COMMIT") or git_commit(),
        "versions": versions(),
        "machine": platform.processor() or platform.machine(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "code": code_of(ROOT / path),
        "models": models(),
    }


def code_of(script: Path) -> str:
    """A hash of a script and of all modules of this package that it imports, directly or not."""
    digest = hashlib.blake2b(digest_size=8)
    for file in sorted(_reached(script)):
        digest.update(file.relative_to(ROOT).as_posix().encode())
        digest.update(_meaning(file).encode())
    return digest.hexdigest()


@cache
def models() -> str:
    """A hash of the small models that ship."""
    digest = hashlib.blake2b(digest_size=8)
    for file in sorted(MODELS.rglob("*")):
        if file.is_file() and file.suffix in (".safetensors", ".json"):
            digest.update(file.relative_to(MODELS).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _meaning(file: Path) -> str:
    """The code without comments and docstrings, which change no figure."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            first = body[0].value
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                body[0] = ast.Expr(ast.Constant(""))
    return ast.dump(tree)


def _reached(script: Path) -> set[Path]:
    reached, waiting = set[Path](), [script]
    while waiting:
        file = waiting.pop()
        if file in reached:
            continue
        reached.add(file)
        waiting += [one for one in _imports(file) if one not in reached]
    return reached


def _imports(file: Path) -> tuple[Path, ...]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = list[Path]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for name in node.names:
                found += _files(node.module, name.name)
        elif isinstance(node, ast.Import):
            for name in node.names:
                found += _files(name.name, None)
    return tuple(found)


def _files(module: str, name: str | None) -> Iterator[Path]:
    """The file of a module, and that of a name which the module imports lazily or holds."""
    top, *rest = module.split(".")
    if top not in ("neurodecode", "benchmarks"):
        return
    folder = ROOT.joinpath(top, *rest)
    if folder.with_suffix(".py").is_file():
        yield folder.with_suffix(".py")
        return
    if not folder.is_dir():
        return
    if (folder / "__init__.py").is_file():
        yield folder / "__init__.py"
    if name is None:
        return
    if (folder / f"{name}.py").is_file() or (folder / name).is_dir():
        yield from _files(f"{module}.{name}", None)
        return
    for source in _lazy(folder).get(name, ()):
        yield from _files(f"{module}.{source}", name)


@cache
def _lazy(folder: Path) -> dict[str, tuple[str, ...]]:
    """Names that a package loads when asked, and the modules they come from."""
    stub = folder / "__init__.pyi"
    if not stub.is_file():
        return {}
    names: dict[str, tuple[str, ...]] = {}
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
            for one in node.names:
                names[one.asname or one.name] = (node.module,)
    return names
