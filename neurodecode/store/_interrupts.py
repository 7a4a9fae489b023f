"""Ctrl-C waits while HDF5 writes: it can't be left in the middle of a call."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def held_interrupts() -> Iterator[Callable[[], None]]:
    """Hold Ctrl-C back until the function that is given is called, or the block has ended.

    An interrupt that Python raised inside of a function that HDF5 calls would be lost, or come out
    as another error. In threads other than the main one, where none arrive, nothing is changed.

    Examples
    --------
    >>> with held_interrupts() as let_through:
    ...     let_through()
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield lambda: None
        return
    arrived: list[tuple[int, FrameType | None]] = []

    def let_through() -> None:
        if arrived:
            number, frame = arrived.pop()
            arrived.clear()
            before(number, frame)

    signal.signal(signal.SIGINT, lambda number, frame: arrived.append((number, frame)))
    try:
        yield let_through
    finally:
        signal.signal(signal.SIGINT, before)
    let_through()
