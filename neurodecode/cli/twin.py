"""``neurodecode twin``; in Python ``neurodecode.twin.write``."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from neurodecode import twin
from neurodecode.cli._terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    small = twin.SMALL
    parser.add_argument("--modality", choices=["fmri", "meg", "eeg"], default="fmri")
    parser.add_argument("--subjects", type=int, default=4, metavar="N", help="people (default 4)")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder to write: new or empty"
    )
    parser.add_argument("--seed", type=int, default=0, help="other people and scenes (default 0)")
    parser.add_argument(
        "--signal",
        type=float,
        default=1.0,
        help="strength of the signal: 1 as published (default), 0 none",
    )
    parser.add_argument(
        "--trials",
        type=int,
        default=small.n_trials,
        metavar="N",
        help=f"training trials a person (default {small.n_trials}); test trials, "
        f"{small.n_test} scenes shown {small.test_repeats} times, come on top",
    )


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write the files and say where they are."""
    if options.subjects < 1:
        raise ValueError(f"--subjects must be at least 1; got {options.subjects}.")
    design = replace(twin.SMALL, n_trials=options.trials)
    n_runs = options.subjects * design.n_sessions * design.runs_per_session
    runs = twin.write_runs(
        options.out,
        options.modality,
        n_subjects=options.subjects,
        seed=options.seed,
        signal=options.signal,
        design=design,
    )
    with terminal.progress() as progress:
        task = progress.add_task(f"simulating {options.modality}", total=n_runs)
        for path in runs:
            progress.update(task, advance=1, description=path.name)
    size = sum(path.stat().st_size for path in options.out.rglob("*") if path.is_file())
    terminal.remark(f"simulated: {options.subjects} people, {n_runs} runs, {size / 1e6:.0f} MB")
    terminal.print(str(options.out))
    return 0
