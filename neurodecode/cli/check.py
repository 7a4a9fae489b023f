"""``neurodecode check``; in Python `neurodecode.datasets.checking.check`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from neurodecode.cli._terminal import Terminal
from neurodecode.datasets.checking import COLUMNS, Report, Source, check


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("path", type=Path, help="a data set, a store, or a file")
    parser.add_argument(
        "--manifest", type=Path, metavar="FILE", help="write the fingerprint of every file there"
    )
    parser.add_argument(
        "--verify", type=Path, metavar="FILE", help="compare every file with the fingerprints there"
    )
    parser.add_argument("--strict", action="store_true", help="suspects are wrong too")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Print the table and what is wrong; the exit code is 1 if something is."""

    def watch(sources: Sequence[Source]) -> Iterator[Source]:
        with terminal.progress() as progress:
            bar = progress.add_task("reading", total=len(sources))
            for source in sources:
                progress.update(bar, description=source.name[-40:])
                yield source
                progress.advance(bar)

    report = check(options.path, manifest=options.manifest, verify=options.verify, watch=watch)
    if options.json:
        terminal.json(asdict(report) | {"path": str(report.path), "ok": report.ok})
    else:
        _print(report, terminal)
    return 0 if report.ok and not (options.strict and report.findings) else 1


def _print(report: Report, terminal: Terminal) -> None:
    terminal.table(f"{report.path} ({report.layout})", COLUMNS, report.rows)
    for one in report.findings:
        terminal.print(f"{one.kind}: {one.part}: {one.text}")
    counts = {
        kind: sum(one.kind == kind for one in report.findings) for kind in ("wrong", "suspect")
    }
    terminal.print(
        f"{len(report.rows)} parts, {counts['wrong']} wrong, {counts['suspect']} suspect."
    )
