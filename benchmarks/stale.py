"""Which results no longer describe the code, or the models that ship?

    python -m benchmarks.stale

Lists each file of ``benchmarks/results`` whose script, or a module that the script imports, or a
shipped model, is not what it was made with. Comments and docstrings do not count. Exit code 1 if
there is one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks._record import MADE_BY, ROOT, code_of, models

RESULTS = ROOT / "benchmarks" / "results"


def why_stale(file: Path) -> str | None:
    """What has changed since a result was made; None if nothing has."""
    told = json.loads(file.read_text(encoding="utf-8")).get(MADE_BY)
    if told is None:
        return "does not say what it was made by"
    script = ROOT / told["script"]
    if not script.is_file():
        return f"{told['script']} is gone"
    commit = (told["commit"] or "no commit")[:7]
    if told["code"] != code_of(script):
        return f"{told['script']} or what it imports has changed since {commit}"
    if told["models"] != models():
        return f"the shipped models have changed since {commit}"
    return None


def main() -> int:
    """Print one line a stale result."""
    stale = {file: why_stale(file) for file in sorted(RESULTS.glob("*.json"))}
    for file, why in stale.items():
        if why is not None:
            sys.stdout.write(f"{file.name}: {why}\n")
    return int(any(why is not None for why in stale.values()))


if __name__ == "__main__":
    sys.exit(main())
