"""A page that shows what is decoded now, for a browser on this machine and nobody else."""

from __future__ import annotations

import io
import json
import secrets
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Embeddings, Stimuli
from neurodecode.streaming._drawing import Drawing
from neurodecode.streaming._server import PageServer, handler_of

LOCAL = "127.0.0.1"


@dataclass(frozen=True)
class Nearest:
    """A candidate and how near it lies.

    Examples
    --------
    >>> Nearest("cup", 0.5, None).stimulus
    'cup'
    """

    stimulus: str
    similarity: float
    picture: int | None


class Candidates:
    """Known stimuli that windows are compared with, by cosine.

    Parameters
    ----------
    points : Embeddings
        One row a candidate.
    stimuli : Stimuli, optional
        Their pictures, for the page.

    Examples
    --------
    >>> known = Candidates(Embeddings(np.eye(3), ["a", "b", "c"], "toy"))
    >>> [one.stimulus for one in known.nearest(np.array([0.1, 3.0, 1.0]), 2)]
    ['b', 'c']
    """

    def __init__(self, points: Embeddings, stimuli: Stimuli | None = None) -> None:
        self.points, self.stimuli = points, stimuli
        rows = points.array().reshape(len(points), -1)
        norm = np.linalg.norm(rows, axis=1, keepdims=True)
        self._rows = rows / np.where(norm > 0, norm, 1.0)
        self._has_pictures = stimuli is not None and stimuli.kind == "image"

    def __len__(self) -> int:
        return len(self.points)

    def nearest(self, point: NDArray[Any], n_nearest: int = 5) -> list[Nearest]:
        """The nearest candidates, nearest first."""
        flat = np.asarray(point, dtype=np.float32).ravel()
        cosine = self._rows @ (flat / (np.linalg.norm(flat) or 1.0))
        order = np.argsort(-cosine, kind="stable")[:n_nearest]
        return [
            Nearest(
                str(self.points.stimulus[place]),
                float(cosine[place]),
                int(place) if self._has_pictures else None,
            )
            for place in order
        ]

    def picture(self, place: int) -> bytes | None:
        """One candidate's picture as PNG."""
        from PIL import Image

        if not self._has_pictures or self.stimuli is None or place >= len(self.points):
            return None
        image = Image.fromarray(self.stimuli[str(self.points.stimulus[place])])
        image.thumbnail((256, 256))
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        return buffer.getvalue()


@dataclass
class State:
    """What the page shows; ``count`` grows with every window."""

    title: str
    evidence: str
    count: int = 0
    time_s: float = 0.0
    latency_ms: float = 0.0
    truth: str | None = None
    finished: bool = False
    nearest: Sequence[Nearest] = field(default_factory=tuple)
    drawn: int | None = None
    drawn_time_s: float = 0.0
    drawn_failure: str | None = None


class LivePage:
    """Serves the page on 127.0.0.1, as long as the ``with`` block lasts.

    Requests that name another host are refused, so that no web page elsewhere can read the
    decoder through a borrowed name. Everything else that runs on the machine, other people's
    programs too, can reach the port: each request has to carry the token in the page's address
    (128 random bits, made anew each time), or is answered 403. All text is set as text, never as
    HTML.

    Parameters
    ----------
    candidates : Candidates
    title, evidence : str
        Heading, and what should be known about how much to believe.
    port : int
        0 takes any free port.
    drawing : Drawing, optional
        Pictures drawn from the signal, beside the nearest candidates.

    Examples
    --------
    >>> known = Candidates(Embeddings(np.eye(2), ["a", "b"], "toy"))
    >>> with LivePage(known, title="Toy", evidence="Chance: 1 of 2.") as page:
    ...     page.url.endswith(f"/?token={page.token}")
    ...     page.show(known.nearest(np.ones(2), 1), time_s=1.0, latency_ms=3.0)
    ...     page.state.count
    True
    1
    """

    def __init__(
        self,
        candidates: Candidates,
        *,
        title: str,
        evidence: str,
        port: int = 0,
        drawing: Drawing | None = None,
    ) -> None:
        self.candidates, self.drawing = candidates, drawing
        self.state = State(title, evidence)
        self.is_open = False
        self._lock = threading.Lock()
        self._server = PageServer((LOCAL, port), handler_of(self))
        self.port = self._server.server_port
        self.token = secrets.token_urlsafe(16)
        self.url = f"http://{LOCAL}:{self.port}/?token={self.token}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.is_open = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.is_open = False
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def show(
        self,
        nearest: Sequence[Nearest],
        *,
        time_s: float,
        latency_ms: float,
        truth: str | None = None,
    ) -> None:
        """Show the result of one window."""
        with self._lock:
            self.state.nearest, self.state.truth = tuple(nearest), truth
            self.state.time_s, self.state.latency_ms = time_s, latency_ms
            self.state.count += 1

    def finish(self) -> None:
        """Say that no more will come."""
        with self._lock:
            self.state.finished = True

    def as_json(self) -> bytes:
        """What the page asks for."""
        drawn = None if self.drawing is None else self.drawing.last
        with self._lock:
            if drawn is not None:
                self.state.drawn, self.state.drawn_time_s = drawn.number, drawn.time_s
            if self.drawing is not None:
                self.state.drawn_failure = self.drawing.failure
            return json.dumps(asdict(self.state)).encode()

    def picture(self, kind: str, number: int) -> bytes | None:
        """A candidate's picture, or the last one drawn if it still has this number."""
        if kind == "picture":
            return self.candidates.picture(number)
        drawn = None if self.drawing is None else self.drawing.last
        return drawn.png if drawn is not None and drawn.number == number else None
