"""``neurodecode demo``: the whole chain on simulated people, without a network."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from neurodecode.cli._terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.description = (
        "Simulated people look at scenes; one model decodes what each saw into pictures and "
        "sentences, beside controls. Under 4 minutes on 2 cores for fMRI."
    )
    parser.add_argument(
        "--modality", choices=("fmri", "meg", "eeg", "all"), default="fmri", help="what is recorded"
    )
    parser.add_argument("--subjects", type=int, default=4, metavar="N", help="simulated people")
    parser.add_argument(
        "--trials", type=int, metavar="N", help="training trials each (300 of fMRI, else 1000)"
    )
    parser.add_argument(
        "--signal", type=float, default=1.0, metavar="X", help="1 as published, 0 is only noise"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument(
        "--out", type=Path, default=Path("neurodecode-demo"), metavar="DIR", help="results folder"
    )
    parser.add_argument("--no-open", action="store_true", help="start no browser at the end")


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Run it, show the scores, name the page."""
    terminal.remark("Loading (the first time takes longer) ...")
    from neurodecode.demo import demo
    from neurodecode.evidence import scores_text
    from neurodecode.gallery import open_gallery

    results = demo(
        options.out,
        options.modality,
        n_subjects=options.subjects,
        n_trials=options.trials,
        signal=options.signal,
        seed=options.seed,
    )
    terminal.print(scores_text(results, width=shutil.get_terminal_size((120, 24)).columns))
    terminal.remark(f"{results['seconds']:.0f} s, peak memory {results['peak_rss_mb']:.0f} MB")
    page = (options.out / "index.html").resolve()
    terminal.print(str(page))
    if sys.stdout.isatty() and not options.no_open:
        open_gallery(page)
    return 0
