"""Read the next items in a thread while the current one is used."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import torch

from neurodecode.training._tensors import tensors_of

T = TypeVar("T")
_END = object()


def prefetch(items: Iterable[T], ahead: int = 3, device: torch.device | None = None) -> Iterator[T]:
    """Walk over ``items`` while a thread makes up to ``ahead`` of the next ones.

    The order is kept. An error of the thread is raised where its item would have come. When the
    walk is left early, the thread ends. For a CUDA device the thread works on a stream of its own,
    so that what it copies there passes while the device computes.

    Examples
    --------
    >>> list(prefetch(i * i for i in range(4)))
    [0, 1, 4, 9]
    """
    if device is not None and device.type == "cuda":
        stream = torch.cuda.Stream(device)
        # What the items are made from may still be on its way.
        stream.wait_stream(torch.cuda.current_stream(device))
        return _joined(_walk(_aside(items, stream), ahead), device)
    return _walk(items, ahead)


def _aside(items: Iterable[T], stream: torch.cuda.Stream) -> Iterator[tuple[T, torch.cuda.Event]]:
    """Items made on another stream, each with the event that it is there."""
    with torch.cuda.stream(stream):
        for item in items:
            there = torch.cuda.Event()
            there.record(stream)
            yield item, there


def _joined(items: Iterable[tuple[T, torch.cuda.Event]], device: torch.device) -> Iterator[T]:
    """The items, for use on the caller's stream."""
    for item, there in items:
        current = torch.cuda.current_stream(device)
        current.wait_event(there)
        for tensor in tensors_of(item):
            if tensor.is_cuda:
                tensor.record_stream(current)
        yield item


def _walk(items: Iterable[T], ahead: int) -> Iterator[T]:
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
