"""``neurodecode gallery RESULTS_DIR``; in Python `neurodecode.gallery.build_gallery`."""

from __future__ import annotations

import argparse
from pathlib import Path

from neurodecode.cli._terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("results", type=Path, metavar="RESULTS_DIR", help="what --out named")
    parser.add_argument("--no-open", action="store_true", help="build only, start no browser")


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Build the pages again, print their paths, open the first."""
    from neurodecode.gallery import build_gallery, open_gallery

    pages = build_gallery(options.results)
    for page in pages:
        terminal.print(str(page))
    if not options.no_open and not open_gallery(pages[0]):
        terminal.remark(f"No browser could be started. Open {pages[0].resolve().as_uri()}")
    return 0
