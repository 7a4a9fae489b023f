"""Pictures drawn from a stream, beside it: as often as the generator can, never in its way."""

from __future__ import annotations

import io
import logging
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from neurodecode.contracts import Generator
from neurodecode.data import Embeddings

logger = logging.getLogger("neurodecode")


@dataclass(frozen=True)
class Drawn:
    """A picture, and which signal it was drawn from.

    Parameters
    ----------
    number : int
        Counts from 1.
    time_s : float
        Last sample that was used, seconds since the stream began.
    png : bytes

    Examples
    --------
    >>> Drawn(1, 2.5, b"").number
    1
    """

    number: int
    time_s: float
    png: bytes


class Drawing:
    """Draws the newest point that it was offered, in a thread of its own.

    Points that come while a picture is being drawn replace one another: only the newest is drawn
    next, so that decoding never waits. Seeds are equal, so that pictures change with the signal
    alone.

    Parameters
    ----------
    generator : Generator
        Of pictures. Points of a regression head suit it best.
    space : str
        Of the points.
    seed : int

    Examples
    --------
    >>> from neurodecode.generators import DirectImage
    >>> from neurodecode.targets import Pixels
    >>> target = Pixels(2)
    >>> with Drawing(DirectImage(target), target.space) as drawing:
    ...     drawing.offer(np.zeros((2, 2, 3)), 1.5)
    ...     drawing.wait(1).time_s
    1.5
    """

    def __init__(self, generator: Generator, space: str, seed: int = 0) -> None:
        self.generator, self.space, self.seed = generator, space, seed
        self._news = threading.Condition()
        self._waiting: tuple[NDArray[Any], float] | None = None
        self._closed = False
        self.last: Drawn | None = None
        self.failure: str | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._draw_on, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._news:
            self._closed = True
            self._news.notify_all()
        self._thread.join()

    def offer(self, point: NDArray[Any], time_s: float) -> None:
        """Have this point drawn, unless a newer one comes first."""
        with self._news:
            self._waiting = (np.array(point, dtype=np.float32), time_s)
            self._news.notify_all()

    def wait(self, number: int, timeout_s: float = 60.0) -> Drawn:
        """The picture of this number or a later one, when it is there.

        Raises
        ------
        TimeoutError
            If it is not drawn in time, or drawing failed.
        """

        def there() -> bool:
            return self.failure is not None or (
                self.last is not None and self.last.number >= number
            )

        with self._news:
            self._news.wait_for(there, timeout_s)
            if self.last is None or self.last.number < number:
                raise TimeoutError(f"Picture {number} was not drawn: {self.failure or 'too slow'}.")
            return self.last

    def _draw_on(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._closed or self._waiting is not None)
                if self._closed or self._waiting is None:
                    return
                (point, time_s), self._waiting = self._waiting, None
                number = 1 if self.last is None else self.last.number + 1
            try:
                drawn = Drawn(number, time_s, self._png(point))
            except Exception as error:  # a generator may fail in any way; the stream goes on
                logger.exception("Drawing stopped; decoding goes on.")
                with self._news:
                    self.failure = f"{type(error).__name__}: {error}"
                    self._news.notify_all()
                return
            with self._news:
                self.last = drawn
                self._news.notify_all()

    def _png(self, point: NDArray[Any]) -> bytes:
        from PIL import Image

        rows = Embeddings(point[None], np.array(["window"]), self.space)
        made = self.generator.generate(rows, seed=self.seed, n_samples=1)
        buffer = io.BytesIO()
        Image.fromarray(np.asarray(made.values[0, 0], dtype=np.uint8)).save(buffer, "PNG")
        return buffer.getvalue()
