"""``neurodecode doctor``; in Python `neurodecode.cli.doctor.diagnose`."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path

from neurodecode.cli._machine import Fact, devices, machine, weights
from neurodecode.cli._packages import Package, check_packages
from neurodecode.cli._terminal import Terminal


@dataclass(frozen=True)
class Report:
    """What was found on this machine.

    Parameters
    ----------
    packages : tuple of Package
        Everything that neurodecode asks for, needed first, then what is optional.
    facts : tuple of Fact
        Machine, devices, data folder, weights.
    """

    packages: tuple[Package, ...]
    facts: tuple[Fact, ...]

    @property
    def broken(self) -> list[str]:
        """What is needed and does not work, one sentence each."""
        packages = [f"{one.name}: {one.problem}" for one in self.packages if one.broken]
        return packages + [f"{one.name}: {one.value}" for one in self.facts if one.broken]


def diagnose(
    *, data: str | Path | None = None, load: bool = True, terminal: Terminal | None = None
) -> Report:
    """Look at what is installed, the devices, the data folder and the weights.

    Parameters
    ----------
    data : path, optional
        Where recordings are; default ``$NEURODECODE_DATA``.
    load : bool, default True
        Import each package too: an installed one may still be broken. Takes some seconds.
    terminal : Terminal, optional
        Where progress is shown.

    Returns
    -------
    Report
    """
    packages = check_packages(load=load, terminal=terminal or Terminal(quiet=True))
    folder = None if data is None else Path(data)
    facts = [*machine(folder), *(devices() if load else []), *weights()]
    return Report(tuple(packages), tuple(facts))


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--data", type=Path, metavar="DIR", help="where recordings are")
    parser.add_argument("--fast", action="store_true", help="compare versions, import nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Print the report; the exit code is 1 if something needed is broken."""
    report = diagnose(data=options.data, load=not options.fast, terminal=terminal)
    if options.json:
        terminal.json(asdict(report) | {"broken": report.broken})
    else:
        _print(report, terminal)
    for problem in report.broken:
        terminal.error(problem)
    return 1 if report.broken else 0


def _print(report: Report, terminal: Terminal) -> None:
    terminal.table(
        "Packages",
        ("package", "wanted", "found", "for", "state"),
        [
            (p.name, p.wanted or "any", p.found or "-", p.extra or "all", p.state)
            for p in report.packages
        ],
    )
    terminal.table("This machine", ("", ""), [(fact.name, fact.value) for fact in report.facts])
    terminal.print("Something needed is broken." if report.broken else "All that is needed works.")
