"""``neurodecode prepare``; in Python ``neurodecode.datasets.nsd.prepare``."""

from __future__ import annotations

import argparse
from pathlib import Path

from neurodecode.cli._terminal import Terminal
from neurodecode.datasets import nsd


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("dataset", choices=["nsd"], help="which data set")
    parser.add_argument("--layout", required=True, choices=sorted(nsd.LAYOUTS))
    parser.add_argument("--root", required=True, type=Path, metavar="DIR", help="its folder")
    parser.add_argument("--out", required=True, type=Path, metavar="STORE", help="folder to write")
    parser.add_argument("--subjects", type=int, nargs="+", metavar="N", help="default: all there")
    parser.add_argument("--repeats", choices=["kept", "averaged"], default=None)
    parser.add_argument("--dtype", choices=["float32", "float16"], default=None)
    parser.add_argument("--dry-run", action="store_true", help="say what would be written")


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write the store, or say what it would hold."""
    if not options.root.is_dir():
        raise FileNotFoundError(f"There is no folder {options.root}.")
    layout = nsd.LAYOUTS[options.layout](options.root)
    means_only = options.layout == "brain-diffuser"
    repeats: nsd.Repeats = options.repeats or ("averaged" if means_only else "kept")
    subjects = options.subjects or layout.subjects()
    if options.dry_run:
        rows = []
        for one in subjects:
            found = layout.responses(one, repeats=repeats)
            size = found.n_trials * found.n_units * (2 if options.dtype == "float16" else 4)
            shape = [str(found.n_trials), str(found.n_units)]
            rows.append([found.subject, *shape, f"{size / 1e9:.2f} GB"])
        terminal.table("Would be written", ("subject", "trials", "voxels", "size"), rows)
        return 0
    written = nsd.prepare(
        layout, options.out, subjects=subjects, repeats=repeats, dtype=options.dtype
    )
    for subject, path in written.items():
        terminal.print(f"{subject} {path}")
    return 0
