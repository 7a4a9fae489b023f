"""``neurodecode status``: how far a study is; reads its folder alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from neurodecode.cli._terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("out", type=Path, metavar="OUT", help="results folder of a study")


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Show the number of cells in each state, and the errors of those that failed."""
    from neurodecode.study import status

    found = status(options.out)
    rows = [[state, str(count)] for state, count in found.states.items()]
    terminal.table(
        f"{found.study}: {found.done} of {found.n_cells} cells", ("state", "cells"), rows
    )
    for name, error in found.errors.items():
        terminal.print(f"{name}: {error}")
    return 1 if found.errors else 0
