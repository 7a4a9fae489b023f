"""What a study prints: its plan, its progress, its scores and claims."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from neurodecode.evidence import scores_text
from neurodecode.study._collect import claims_text
from neurodecode.study._plan import Estimate
from neurodecode.study._study import Study


class Told:
    """Prints for people on a terminal, plain lines into a pipe."""

    def plan(self, study: Study, planned: Estimate) -> None:
        """Cells and what they need."""
        head = ("protocol", "contender", "cells", "time each", "memory", "GPUs")
        widths = [max(len(row[i]) for row in (head, *planned.rows)) for i in range(len(head))]
        for row in (head, *planned.rows):
            line = "  ".join(one.ljust(width) for one, width in zip(row, widths, strict=True))
            sys.stdout.write(line.rstrip() + "\n")
        sys.stdout.write(
            f"{study.name}: {planned.n_cells} cells, {planned.core_minutes / 60:.1f} core hours, "
            f"{planned.gpu_minutes / 60:.1f} GPU hours, at most {planned.largest_memory_gb:g} GB "
            f"a cell, {planned.disk_gb:.2f} GB on disk (as the contenders say)\n"
        )

    @contextmanager
    def progress(self) -> Iterator[Callable[[int, int], None]]:
        """A bar on a terminal; nothing into a pipe."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        console = Console(stderr=True)
        with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bar:
            task = bar.add_task("cells", total=None)
            yield lambda done, n_cells: bar.update(task, completed=done, total=n_cells)

    def results(self, results: Mapping[str, Any], out: Path) -> None:
        """Scores, claims, and where the page is."""
        sys.stdout.write(scores_text(results) + "\n")
        sys.stdout.write(claims_text(results) + "\n")
        sys.stdout.write(f"{out / 'index.html'}\n")
