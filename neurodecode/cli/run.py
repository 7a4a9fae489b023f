"""``neurodecode run``; in Python ``neurodecode.study.conduct``."""

from __future__ import annotations

import argparse

from neurodecode.cli._terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.description = (
        "Run a study: SCRIPT.py, a YAML file, or the name of an experiment that comes along. Its "
        "own options follow, with --out DIR, --jobs N, --slurm KEY=VALUE ..., --dry-run, --retry. "
        "A killed study goes on where it was."
    )
    parser.add_argument("target", metavar="SCRIPT_OR_YAML")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="OPTION", help="of the study")


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Run it."""
    from neurodecode.study import load_script, run_study

    make, words = load_script(options.target)
    run_study(make, [*words, *options.words])
    return 0
