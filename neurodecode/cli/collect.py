"""``neurodecode collect``: one table and one gallery of what a study has so far."""

from __future__ import annotations

import argparse
from pathlib import Path

from neurodecode.cli._terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("out", type=Path, metavar="OUT", help="results folder of a study")


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Collect, and show the table."""
    from neurodecode.evidence import scores_text
    from neurodecode.study import claims_text, collect

    results = collect(options.out)
    terminal.print(scores_text(results))
    terminal.print(claims_text(results))
    terminal.print(str(options.out / "index.html"))
    return 0
