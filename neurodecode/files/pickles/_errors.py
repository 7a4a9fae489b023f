"""What can be wrong with a pickle; `neurodecode.files` says it with the file's name."""

from __future__ import annotations


class PickleError(Exception):
    """A pickle can't be read; ``offset`` is the byte of the instruction, set by the machine."""

    offset: int = 0


class RefusalError(PickleError):
    """The pickle asks for something that is no data; the message names it."""


class DamageError(PickleError):
    """The pickle is cut off, altered, or larger than what it is stored in; the message says how."""


def named(text: str) -> str:
    r"""A name out of a file, short and printable whatever it holds.

    Examples
    --------
    >>> named("os.system"), named("a" * 200)[-4:], named("a\nb")
    ('os.system', 'a...', 'a?b')
    """
    shown = "".join(one if one.isprintable() else "?" for one in text[:80])
    return shown + ("..." if len(text) > 80 else "")
