"""Read the next items in a thread while the current one is used."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
_END = object()


def prefetch(items: Iterable[T], ahead: int = 3) -> Iterator[T]:
    """Walk over ``items`` while a thread makes up to ``ahead`` of the next ones.

    The order is kept. An error of the thread is raised where its item would have come. When the
    walk is left early, the thread ends.

    Examples
    --------
    >>> list(prefetch(i * i for i in range(4)))
    [0, 1, 4, 9]
    """
    ready: queue.Queue[Any] = queue.Queue(maxsize=ahead)
    left = threading.Event()
    thread = threading.Thread(
        target=_fill, args=(items, ready, left), name="neurodecode-prefetch", daemon=True
    )
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        left.set()
        thread.join()


def _fill(items: Iterable[Any], ready: queue.Queue[Any], left: threading.Event) -> None:
    last: tuple[Any, BaseException | None] = (_END, None)
    try:
        for item in items:
            if not _put((item, None), ready, left):
                return
    except BaseException as error:
        last = (_END, error)
    _put(last, ready, left)


def _put(item: Any, ready: queue.Queue[Any], left: threading.Event) -> bool:
    while not left.is_set():
        try:
            ready.put(item, timeout=0.1)
            return True
        except queue.Full:
            continue
    return False
