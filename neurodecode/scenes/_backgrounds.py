"""Places to be in: painted from the picture's coordinates, without end to the left and right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.scenes._draws import Draws
from neurodecode.scenes._scene import RGB, Background
from neurodecode.scenes._shapes import Field

Canvas = NDArray[np.floating[Any]]
"""Red, green and blue from 0 to 1, shape (3, height, width)."""
TAU = float(2 * np.pi)


def paint(background: Background, size: int, shift: tuple[float, float] = (0.0, 0.0)) -> Canvas:
    """The background alone, moved by ``shift`` (right, down; heights of the picture).

    Returns
    -------
    float32 array, shape (3, size, size)
    """
    centres = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size)
    x = centres[None, :] - np.float32(shift[0])
    y = centres[:, None] - np.float32(shift[1])
    return PLACES[background.kind](Place(x, y, background, size))


class Place:
    """Coordinates and brushes for one background."""

    def __init__(self, x: Field, y: Field, background: Background, size: int) -> None:
        self.x, self.y, self.size = x, y, size
        self.horizon = background.horizon
        self.form = background.form
        self.draws = Draws(background.form, stream=2)

    def sky(self, top: RGB, low: RGB) -> Canvas:
        """From the top's colour to the one at the horizon."""
        canvas = np.empty((3, self.size, self.size), dtype=np.float32)
        canvas[:] = _blend(top, low, np.clip(self.y / self.horizon, 0, 1))
        return canvas

    def ground(self, canvas: Canvas, far: RGB, near: RGB, edge: Any = 0.0) -> None:
        """All below the horizon plus ``edge`` (which may depend on x)."""
        depth = np.clip((self.y - self.horizon) / (1 - self.horizon), 0, 1)
        self.lay(canvas, self.y - (self.horizon + edge), _blend(far, near, depth))

    def lay(self, canvas: Canvas, inside: Field, colour: Any) -> None:
        """Paint where ``inside`` (a length in heights of the picture) is above 0."""
        cover = np.minimum(np.maximum(inside * self.size + np.float32(0.5), 0), 1)
        self.mix(canvas, cover, colour)

    def mix(self, canvas: Canvas, cover: Any, colour: Any) -> None:
        """Paint with this share of the new colour."""
        ink = np.asarray(colour, dtype=np.float32)
        canvas += cover * ((ink[:, None, None] if ink.ndim == 1 else ink) - canvas)

    def wave(self, cycles: float, phase: float | None = None) -> Field:
        """A sine along x."""
        start = self.draws.uniform() if phase is None else phase
        return np.asarray(np.sin(self.x * (TAU * cycles) + TAU * start))

    def disc(self, canvas: Canvas, radius: float, colour: RGB) -> None:
        """Sun or moon."""
        x, y = self.draws.uniform(0.1, 0.9), self.draws.uniform(0.08, 0.2)
        self.lay(canvas, radius - np.sqrt((self.x - x) ** 2 + (self.y - y) ** 2), colour)

    def random(self, cells: Field) -> Field:
        """A number from 0 to 1 for each whole number."""
        keys = cells.astype(np.int64) * 2654435761 + self.form * 40503
        keys = (keys ^ (keys >> 15)) * 2246822519 & 0xFFFFFFFF
        keys = (keys ^ (keys >> 13)) * 3266489917 & 0xFFFFFFFF
        return ((keys ^ (keys >> 16)) & 0xFFFF).astype(np.float32) / np.float32(65536)


def _blend(start: RGB, end: RGB, share: Field) -> Canvas:
    first, last = (np.asarray(one, dtype=np.float32)[:, None, None] for one in (start, end))
    return np.asarray(first + share * (last - first))


def _clouds(place: Place, canvas: Canvas) -> None:
    high = np.sin(place.y * 23 + place.wave(0.7) * 2) * np.float32(0.6)
    puffs = place.wave(1.3) + np.float32(0.7) * place.wave(2.9) + high - place.y * 2.2
    place.mix(canvas, np.clip(puffs - 0.1, 0, 0.85), (1.0, 1.0, 1.0))


def _meadow(place: Place) -> Canvas:
    canvas = place.sky((0.36, 0.62, 0.93), (0.80, 0.92, 0.99))
    _clouds(place, canvas)
    hill = place.wave(0.8) * 0.05 - 0.09
    place.lay(canvas, place.y - (place.horizon + hill), (0.45, 0.66, 0.42))
    place.ground(canvas, (0.52, 0.76, 0.35), (0.30, 0.60, 0.22), place.wave(0.5) * 0.02)
    blades = place.wave(13) * np.sin(place.y * 90)
    place.mix(
        canvas, np.clip(blades, 0, 1) * (place.y > place.horizon + 0.03) * 0.18, (0.7, 0.85, 0.4)
    )
    return canvas


def _beach(place: Place) -> Canvas:
    canvas = place.sky((0.30, 0.68, 0.95), (0.88, 0.96, 1.0))
    place.disc(canvas, 0.06, (1.0, 0.95, 0.6))
    place.ground(canvas, (0.08, 0.42, 0.66), (0.16, 0.62, 0.75))
    shore = place.wave(1.1) * 0.015 + 0.19
    glitter = np.sin(place.y * 170) * place.wave(3)
    place.mix(canvas, np.clip(glitter - 0.4, 0, 0.5) * (place.y > place.horizon), (0.9, 0.97, 1.0))
    sand = place.y - place.horizon - shore
    place.lay(canvas, sand + 0.025, (0.95, 0.98, 0.98))
    place.lay(canvas, sand, (0.94, 0.85, 0.62))
    return canvas


def _desert(place: Place) -> Canvas:
    canvas = place.sky((0.95, 0.62, 0.35), (1.0, 0.88, 0.62))
    place.disc(canvas, 0.08, (1.0, 0.97, 0.75))
    ridge = np.abs(np.sin(place.x * 2.6 + TAU * place.draws.uniform()))
    place.lay(canvas, place.y - (place.horizon + 0.02 - 0.16 * ridge), (0.80, 0.52, 0.30))
    place.ground(canvas, (0.90, 0.66, 0.38), (0.82, 0.54, 0.28), place.wave(0.7) * 0.03)
    ripples = np.sin(place.y * 75 + place.wave(0.9) * 3)
    place.mix(
        canvas, np.clip(ripples, 0, 1) * (place.y > place.horizon + 0.04) * 0.2, (0.98, 0.8, 0.55)
    )
    return canvas


def _snow(place: Place) -> Canvas:
    canvas = place.sky((0.62, 0.74, 0.88), (0.90, 0.94, 0.98))
    phase = place.draws.uniform()
    for cycles, height, ink in ((1.7, 0.26, (0.55, 0.62, 0.74)), (1.1, 0.18, (0.70, 0.76, 0.85))):
        saw = np.abs((place.x * cycles + phase * cycles) % 1 * 2 - 1)
        top = place.horizon + 0.03 - height * (1 - saw)
        place.lay(canvas, place.y - top, ink)
        place.lay(canvas, np.minimum(place.y - top, top + 0.07 - place.y), (0.98, 0.99, 1.0))
    place.ground(canvas, (0.93, 0.96, 0.99), (0.84, 0.90, 0.97), place.wave(0.6) * 0.02)
    return canvas


def _city(place: Place) -> Canvas:
    canvas = place.sky((0.55, 0.66, 0.78), (0.85, 0.84, 0.82))
    for cells, height, ink in ((5.0, 0.40, (0.62, 0.64, 0.70)), (7.0, 0.28, (0.42, 0.44, 0.52))):
        at = place.x * cells + 1000
        tall = place.random(np.floor(at + cells)) * height + 0.06
        place.lay(canvas, place.y - (place.horizon - tall), ink)
    windows = np.minimum(np.sin(place.x * 132), np.sin(place.y * 132)) - 0.2
    below = place.y - (place.horizon - tall + 0.03)
    place.lay(canvas, np.minimum(windows / 132, below), (0.93, 0.88, 0.62))
    place.ground(canvas, (0.66, 0.64, 0.62), (0.60, 0.58, 0.57))
    road = place.y - place.horizon - 0.12
    place.lay(canvas, road, (0.33, 0.33, 0.36))
    dashes = np.minimum(road - 0.14, 0.17 - road)
    place.lay(canvas, np.minimum(dashes, np.sin(place.x * TAU * 2.5) * 0.05), (0.95, 0.93, 0.85))
    return canvas


def _room(place: Place) -> Canvas:
    walls = ((0.93, 0.82, 0.70), (0.78, 0.86, 0.80), (0.86, 0.78, 0.88), (0.75, 0.82, 0.92))
    wall = place.draws.pick(walls)
    canvas = place.sky(wall, wall)
    stripes = np.clip(place.wave(8) * 3, 0, 1)
    place.mix(canvas, stripes * 0.25, (1.0, 0.98, 0.94))
    left = place.draws.uniform(0.1, 0.6)
    for grow, ink in ((0.025, (0.5, 0.35, 0.22)), (0.0, (0.70, 0.86, 0.97))):
        frame_x = 0.13 + grow - np.abs(place.x - left - 0.13)
        frame_y = 0.11 + grow - np.abs(place.y - 0.18)
        place.lay(canvas, np.minimum(frame_x, frame_y), ink)
    place.ground(canvas, (0.62, 0.42, 0.26), (0.72, 0.50, 0.32))
    planks = np.clip(np.sin((place.x - 0.5) / (0.3 + place.y) * 40) * 4 - 3, 0, 1)
    place.mix(canvas, planks * (place.y > place.horizon) * 0.6, (0.42, 0.27, 0.16))
    skirting = np.minimum(place.y - place.horizon + 0.03, place.horizon - place.y)
    place.lay(canvas, skirting, (0.97, 0.96, 0.93))
    return canvas


def _night(place: Place) -> Canvas:
    canvas = place.sky((0.03, 0.04, 0.16), (0.16, 0.16, 0.38))
    cells_x, cells_y = place.x * 14 + 100, place.y * 14
    keys = np.floor(cells_x) * 131 + np.floor(cells_y)
    bright = np.clip(place.random(keys) * 6 - 4.6, 0, 1)
    spot = np.sqrt((cells_x % 1 - 0.5) ** 2 + (cells_y % 1 - 0.5) ** 2)
    place.mix(canvas, np.clip(1.2 - spot * 5, 0, 1) * bright, (1.0, 1.0, 0.9))
    place.disc(canvas, 0.075, (0.96, 0.95, 0.85))
    hills = place.wave(0.7) * 0.05 - 0.07
    place.lay(canvas, place.y - (place.horizon + hills), (0.07, 0.10, 0.22))
    place.ground(canvas, (0.10, 0.17, 0.26), (0.16, 0.26, 0.30))
    return canvas


def _forest(place: Place) -> Canvas:
    canvas = place.sky((0.20, 0.40, 0.26), (0.62, 0.76, 0.50))
    for cells, thick, ink in ((11.0, 0.14, (0.35, 0.45, 0.33)), (5.0, 0.17, (0.24, 0.20, 0.14))):
        at = place.x * cells + 500
        middle = place.random(np.floor(at)) * 0.5 + 0.25
        trunk = (thick - np.abs(at % 1 - middle)) / cells
        place.lay(canvas, np.minimum(trunk, place.horizon + 0.03 - place.y), ink)
    leaves = place.wave(5) * np.sin(place.y * 30) + place.wave(9) * 0.6 - place.y * 6 + 1.1
    place.mix(canvas, np.clip(leaves, 0, 0.9), (0.12, 0.34, 0.16))
    place.ground(canvas, (0.36, 0.42, 0.20), (0.30, 0.28, 0.15), place.wave(1.2) * 0.012)
    litter = place.wave(11) * np.sin(place.y * 70)
    place.mix(canvas, np.clip(litter, 0, 1) * (place.y > place.horizon) * 0.3, (0.62, 0.42, 0.18))
    return canvas


PLACES: dict[str, Callable[[Place], Canvas]] = {
    "beach": _beach,
    "city": _city,
    "desert": _desert,
    "forest": _forest,
    "meadow": _meadow,
    "night": _night,
    "room": _room,
    "snow": _snow,
}
