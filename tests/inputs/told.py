"""How a bad input has to be answered: one sentence that says what, and is nobody else's error."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

RAW = re.compile(
    r"object has no attribute|could not convert|broadcast|unsupported operand|not subscriptable|"
    r"out of bounds|invalid literal|argument must be|expected a|inhomogeneous shape$|dtype\('"
)
"""What NumPy and Python say by themselves, which tells a user nothing about the input."""


class Case(NamedTuple):
    """A call, and a part of the sentence that has to come."""

    name: str
    call: Callable[[], Any]
    says: str


def check(case: Case) -> None:
    """The call raises one helpful error, of a class that a caller would catch."""
    with pytest.raises((ValueError, TypeError, IndexError)) as caught:
        case.call()
    message = str(caught.value)
    assert case.says in message, message
    assert message.endswith("."), message
    assert not RAW.search(message.replace(case.says, "")), message


def table(cases: list[Case]) -> Any:
    """One test for each case, under its name."""
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), "a name stands twice"
    return pytest.mark.parametrize("case", cases, ids=names)
