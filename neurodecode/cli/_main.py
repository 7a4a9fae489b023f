"""From the words of a command to a verb, its exit code, and one line for an error."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Protocol, cast

from neurodecode._version import __version__
from neurodecode.cli._terminal import Terminal

OK, FAILURE, USAGE, INTERRUPTED = 0, 1, 2, 130

VERBS: dict[str, tuple[str, str]] = {
    "demo": ("neurodecode.cli.demo", "the whole chain on simulated people, without a network"),
    "doctor": ("neurodecode.cli.doctor", "what is installed here, and does it work"),
    "datasets": ("neurodecode.cli.datasets", "recordings that can be read, and how to obtain them"),
    "check": ("neurodecode.cli.check", "read a data set to its end and tell what is wrong"),
    "prepare": ("neurodecode.cli.prepare", "read a public layout into the store"),
    "twin": ("neurodecode.cli.twin", "write simulated recordings in the files of a real lab"),
    "stream": ("neurodecode.cli.stream", "decode a signal as it arrives, on a page that follows"),
    "run": ("neurodecode.cli.run", "run a study: what is missing is computed, here or by Slurm"),
    "status": ("neurodecode.cli.status", "how far a study is, and what failed"),
    "collect": ("neurodecode.cli.collect", "one table and one gallery of what a study has so far"),
    "gallery": ("neurodecode.cli.gallery", "build the gallery of a results folder and open it"),
}
"""Verb: its module, and what it does in one line."""


class Verb(Protocol):
    """What the module of a verb has."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the verb's arguments."""
        ...

    def run(self, options: argparse.Namespace, terminal: Terminal) -> int:
        """Do it; give back the exit code."""
        ...


def main(words: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    words : sequence of str, optional
        The command's arguments; default those of this process.

    Returns
    -------
    int
        0 for success, 1 for a failure, 2 for a wrong command, 130 if interrupted.

    Examples
    --------
    >>> main(["--version"])  # doctest: +ELLIPSIS
    neurodecode ...
    0
    """
    given = list(sys.argv[1:] if words is None else words)
    try:
        options, verb = _parse(given)
    except SystemExit as stop:  # argparse has printed help, version or what is wrong
        return stop.code if isinstance(stop.code, int) else USAGE
    terminal = Terminal(quiet=options.quiet)
    logging.getLogger("neurodecode").setLevel(logging.ERROR if options.quiet else logging.INFO)
    try:
        code = verb.run(options, terminal)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        terminal.error("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # the reader of our output has gone, as in ``neurodecode datasets | head -1``
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Exception as error:
        if options.debug:
            traceback.print_exc()
        terminal.error(_one_line(options.verb, error))
        return FAILURE


def _parse(words: list[str]) -> tuple[argparse.Namespace, Verb]:
    parser = argparse.ArgumentParser(
        prog="neurodecode",
        description="Pictures, moving pictures and sentences from brain recordings, with the "
        "evidence of how much came from the brain.",
    )
    parser.add_argument("--version", action="version", version=f"neurodecode {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    wanted = next((word for word in words if not word.startswith("-")), None)
    module: Verb | None = None
    for name, (path, summary) in VERBS.items():
        sub = verbs.add_parser(name, help=summary, description=f"{summary.capitalize()}.")
        sub.add_argument("--quiet", action="store_true", help="print errors and results only")
        sub.add_argument("--debug", action="store_true", help="print the traceback of an error")
        if name == wanted:
            module = cast(Verb, importlib.import_module(path))
            module.configure(sub)
    options = parser.parse_args(words)
    assert module is not None  # parse_args has refused any other word
    return options, module


def _one_line(verb: str, error: Exception) -> str:
    text = " ".join(str(error).split()) or "no message"
    expected = isinstance(error, (ValueError, TypeError, OSError, ImportError))
    kind = "" if expected else f"{type(error).__name__}: "
    return f"{verb}: {kind}{text}" + ("" if expected else " (--debug prints the traceback)")
