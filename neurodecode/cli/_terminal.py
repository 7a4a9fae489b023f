"""What a command prints: results on stdout, errors and progress on stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Terminal:
    """Prints for people on a terminal and plain text into a pipe.

    Parameters
    ----------
    quiet : bool
        No progress and no remarks; results and errors stay.

    Examples
    --------
    >>> Terminal(quiet=True).remark("not shown")
    >>> Terminal().print("shown")
    shown
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet

    def print(self, text: str = "") -> None:
        """Print a result."""
        sys.stdout.write(f"{visible(text)}\n")

    def remark(self, text: str) -> None:
        """Print what is good to know, unless quiet."""
        if not self.quiet:
            sys.stderr.write(f"{visible(text)}\n")

    def error(self, text: str) -> None:
        """Print one line about what went wrong."""
        sys.stderr.write(f"neurodecode: error: {visible(text)}\n")

    def json(self, content: Any) -> None:
        """Print a result for programs."""
        self.print(json.dumps(content, indent=2, ensure_ascii=False))

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table: folded to a terminal's width, one line a row into a pipe."""
        if not sys.stdout.isatty():
            self.print(f"# {title}")
            for line in _aligned([columns, *rows]):
                self.print(line)
            return
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(
            title=Text(visible(title)),
            title_justify="left",
            title_style="bold",
            box=box.SIMPLE_HEAD,
        )
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(Text(visible(str(cell))) for cell in row))
        Console(file=sys.stdout, highlight=False).print(table)

    def progress(self) -> Progress:
        """A progress bar on stderr; silent when quiet or when stderr is no terminal."""
        from rich.console import Console
        from rich.progress import Progress

        silent = self.quiet or not sys.stderr.isatty()
        return Progress(console=Console(stderr=True), disable=silent, transient=True)


def visible(text: str) -> str:
    r"""Text from files and their names, which must not steer the terminal it is printed on.

    Examples
    --------
    >>> visible("a\tb\n") == "a\tb\n", visible("\x1b[31mred")
    (True, '\\x1b[31mred')
    """
    plain = CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
    return plain.encode("utf-8", "backslashreplace").decode()


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    plain = [[" ".join(str(cell).split()) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*plain, strict=True)]
    for row in plain:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()
