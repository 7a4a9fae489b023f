from __future__ import annotations

import io

import pytest

from neurodecode.cli._terminal import Terminal

STEERS = "\x1b]0;title\x07\x1b[2J\x9b31m[/bold] \ud800"
SHOWN = r"\x1b]0;title\x07\x1b[2J\x9b31m[/bold] \ud800"


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [io.StringIO, Screen])
def test_text_from_files_does_not_steer_the_terminal(monkeypatch, stream):
    out, err = stream(), stream()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    monkeypatch.setenv("COLUMNS", "200")
    terminal = Terminal()
    terminal.print(STEERS)
    terminal.error(STEERS)
    terminal.remark(STEERS)
    terminal.table(STEERS, ["what"], [[STEERS]])
    for printed, times in ((out, 3), (err, 2)):
        assert printed.getvalue().count(SHOWN) == times
        assert not {"\x07", "\x9b", "\ud800"} & set(printed.getvalue())
