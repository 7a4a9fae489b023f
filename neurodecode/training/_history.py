"""What happened in each epoch: for the caller, in a CSV file, in TensorBoard, on the terminal."""

from __future__ import annotations

import csv
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from neurodecode.store import atomic_path

LOGGER = logging.getLogger("neurodecode")


@dataclass
class History:
    """What happened in each epoch.

    Parameters
    ----------
    rows : list of dict
        One an epoch: ``epoch``, ``learning_rate``, ``train_<name>`` for each value a step returns
        (mean over the epoch) and ``validation_<name>``.
    best_epoch : int or None
        The epoch whose weights the module has now; None if nothing was validated.
    finished : bool
        Whether training came to its end (by length or by patience).

    Examples
    --------
    >>> History([{"epoch": 0, "train_loss": 2.0}], None, True).column("train_loss")
    [2.0]
    """

    rows: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int | None = None
    finished: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> list[float]:
        """One value over the epochs."""
        return [row[name] for row in self.rows]

    @property
    def best_loss(self) -> float:
        """The lowest validation loss; infinity before the first."""
        if self.best_epoch is None:
            return float("inf")
        return self.rows[self.best_epoch]["validation_loss"]

    def write_csv(self, path: str | Path) -> None:
        """One line an epoch; the file is whole or the older one."""
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        with atomic_path(path) as part, part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(self.rows)


def average(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Mean of each value over the rows that have it."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {
        name: sum(row[name] for row in rows if name in row) / sum(name in row for row in rows)
        for name in names
    }


class Board:
    """TensorBoard's files of a run, or nothing where tensorboard is not installed."""

    def __init__(self, folder: Path | None, first_epoch: int) -> None:
        self._writer: Any = None
        if folder is None:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            LOGGER.info(
                "No TensorBoard files: pip install 'neurodecode-toolkit[tensorboard]' writes them."
            )
            return
        # Epochs that a killed run wrote after its last checkpoint are dropped.
        self._writer = SummaryWriter(str(folder / "tensorboard"), purge_step=first_epoch)

    def add(self, row: dict[str, float]) -> None:
        if self._writer is not None:
            for name, value in row.items():
                self._writer.add_scalar(name, value, int(row["epoch"]))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def progress_bar(show: bool) -> Bar:
    """A bar on the terminal; silent where there is none."""
    console = Console(stderr=True)
    return Bar(
        TextColumn("training"),
        BarColumn(),
        TextColumn("epoch {task.fields[epoch]}"),
        TextColumn("loss {task.fields[loss]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not (show and console.is_terminal),
    )
