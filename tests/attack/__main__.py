"""Break files and see what the readers make of them.

``python -m tests.attack --n 10000`` from the repository's root. Small twins of all layouts are
written; in each case one file is damaged (bits, blocks, ends, rows, other content) or replaced by
a hostile one (code, bombs, links to others' files), and the layout is read to its end in a process
of its own with 20 seconds and 6 GB. The same seed gives the same cases.

    python -m tests.attack --n 300 --readers "nsd raw" store     # some readers
    python -m tests.attack --n 300 --readers store --show 20     # the failures one by one
    python -m tests.attack --case "store" 7000012                # one case again, with its error

The columns: ``clear errors`` are ours or ValueError and name a file; ``warnings`` gave other
content and said so; ``same`` gave the same content (the change fell where nothing is read);
``silent`` gave other content without a word, by reason below the table. A reason with MISSED or
READ AS DATA is a defect, as is anything under hangs, crashes, over 2 GB, unnamed, bare (another
type of error) or code run; the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from tests.attack.campaign import Bench, Case, attack, failures, table
from tests.attack.judge import SECONDS
from tests.attack.readers import READERS


def _line(case: Case) -> str:
    outcome = case.outcome
    marks = ", ".join(sorted(outcome.marks)) or case.reason or outcome.kind
    said = f"{outcome.error}: {outcome.message}" if outcome.error else ", ".join(outcome.changed)
    return (
        f"[{marks}] {case.reader} | {case.file} | {case.change} | seed {case.seed} | "
        f"{outcome.traceback} | {said[:300]!r}"
    )


def _again(name: str, seed: int) -> None:
    with tempfile.TemporaryDirectory(prefix="attack-") as root:
        print(_line(Bench(name, Path(root)).run(seed)))


def _summary(cases: list[Case]) -> str:
    """The same failure at the same line once, with how often and a seed."""
    groups = Counter[tuple[str, ...]]()
    first: dict[tuple[str, ...], Case] = {}
    for case in cases:
        outcome = case.outcome
        key = (*sorted(outcome.marks), case.reason, outcome.kind, outcome.error, outcome.traceback)
        groups[key] += 1
        first.setdefault(key, case)
    return "\n".join(f"{number:5d} x {_line(first[key])}" for key, number in groups.most_common())


def main() -> int:
    """Run and print; 1 where a reader did what it must not."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = __doc__
    parser.add_argument("--n", type=int, default=2000, help="files to break")
    parser.add_argument("--readers", nargs="+", default=list(READERS), choices=list(READERS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for one file")
    parser.add_argument("--show", type=int, default=0, help="failures to show one by one")
    parser.add_argument("--json", type=Path, help="write all cases here")
    parser.add_argument("--case", nargs=2, metavar=("READER", "SEED"), help="one case again")
    options = parser.parse_args()
    if options.case:
        _again(options.case[0], int(options.case[1]))
        return 0
    started = time.monotonic()
    cases = attack(options.n, options.readers, seed=options.seed, n_jobs=options.jobs,
                   seconds=options.seconds)  # fmt: skip
    print(table(cases))
    wrong = failures(cases)
    print(f"\n{len(cases)} files in {time.monotonic() - started:.0f} s, {len(wrong)} failures")
    print(_summary(wrong))
    for case in wrong[: options.show]:
        print(_line(case))
    if options.json:
        written = [asdict(case) for case in cases]
        options.json.write_text(json.dumps(written, default=sorted), encoding="utf-8")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
