"""Flat shapes as signed distances: below 0 inside, above 0 outside, in the object's own units.

The object's frame: x to the right, y down, both from -1 to 1; it stands on y = 1. Coordinates come
as arrays that broadcast to the window that is painted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import cos, hypot, sin
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Field: TypeAlias = NDArray[np.floating[Any]]
Ink: TypeAlias = str | tuple[float, float, float]
Box: TypeAlias = tuple[float, float, float, float]
"""Centre x, centre y, half width and half height of a box that holds the shape."""


@dataclass(frozen=True)
class Part:
    """One flat shape of an object.

    Parameters
    ----------
    shape : str
        A key of `SHAPES`.
    numbers : tuple of float
        What that shape takes.
    ink : str or tuple of 3 floats
        ``'main'`` (the object's colour and texture), ``'dark'`` or ``'light'`` (shades of it), or
        a fixed colour, RGB from 0 to 1.
    """

    shape: str
    numbers: tuple[float, ...]
    ink: Ink = "main"

    @cached_property
    def holder(self) -> Box:
        """A box that holds the shape, in the object's frame."""
        return HOLDERS[self.shape](self.numbers)

    def distance(self, x: Field, y: Field) -> Field:
        """Signed distance to the edge at each point."""
        return SHAPES[self.shape](x, y, self.numbers)


def ellipse(x: Field, y: Field, numbers: tuple[float, ...]) -> Field:
    """Ellipse: centre, radii, turn; the distance is exact to first order at the edge.

    Examples
    --------
    >>> import numpy as np
    >>> ellipse(np.float32([0, 2]), np.float32([0, 0]), (0, 0, 1, 1, 0)).tolist()
    [-1.0, 1.0]
    """
    centre_x, centre_y, radius_x, radius_y, turn = numbers
    x, y = _turned(x - centre_x, y - centre_y, turn)
    if radius_x == radius_y:
        return np.sqrt(x * x + y * y) - radius_x
    x, y = x / radius_x, y / radius_y
    length = np.sqrt(x * x + y * y)
    x, y = x / radius_x, y / radius_y
    slope = np.sqrt(x * x + y * y) + np.float32(1e-6)
    return np.asarray(np.maximum(length * (length - 1) / slope, (length - 1) * min(numbers[2:4])))


def ring(x: Field, y: Field, numbers: tuple[float, ...]) -> Field:
    """Outline of an ellipse: centre, radii, turn, half of the line's width."""
    return np.abs(ellipse(x, y, numbers[:5])) - numbers[5]


def box(x: Field, y: Field, numbers: tuple[float, ...]) -> Field:
    """Box: centre, half width, half height, radius of the corners, turn."""
    centre_x, centre_y, half_x, half_y, corner, turn = numbers
    x, y = _turned(x - centre_x, y - centre_y, turn)
    x, y = np.abs(x) - (half_x - corner), np.abs(y) - (half_y - corner)
    if corner == 0:
        return np.asarray(np.maximum(x, y))
    outside = np.sqrt(np.maximum(x, 0) ** 2 + np.maximum(y, 0) ** 2)
    return np.asarray(outside + np.minimum(np.maximum(x, y), 0) - corner)


def polygon(x: Field, y: Field, numbers: tuple[float, ...]) -> Field:
    """Convex polygon: its corners, clockwise as seen (y points down)."""
    distance: Field | None = None
    corners = list(zip(numbers[::2], numbers[1::2], strict=True))
    for (from_x, from_y), (to_x, to_y) in zip(corners, corners[1:] + corners[:1], strict=True):
        length = hypot(to_x - from_x, to_y - from_y)
        normal_x, normal_y = (to_y - from_y) / length, (from_x - to_x) / length
        edge = x * normal_x + (y * normal_y - (from_x * normal_x + from_y * normal_y))
        distance = edge if distance is None else np.maximum(distance, edge, out=distance)
    if distance is None:
        raise ValueError("A polygon needs corners; got none.")
    return distance


def line(x: Field, y: Field, numbers: tuple[float, ...]) -> Field:
    """Stroke with round ends: from, to, half width at the start and at the end."""
    from_x, from_y, to_x, to_y, start, end = numbers
    along_x, along_y = to_x - from_x, to_y - from_y
    square = along_x * along_x + along_y * along_y + 1e-9
    x, y = x - from_x, y - from_y
    share = np.minimum(np.maximum((x * along_x + y * along_y) / square, 0), 1)
    return np.sqrt((x - share * along_x) ** 2 + (y - share * along_y) ** 2) - (
        start + (end - start) * share
    )


SHAPES: dict[str, Callable[[Field, Field, tuple[float, ...]], Field]] = {
    "box": box,
    "ellipse": ellipse,
    "line": line,
    "polygon": polygon,
    "ring": ring,
}


def _hold_line(numbers: tuple[float, ...]) -> Box:
    from_x, from_y, to_x, to_y, start, end = numbers
    thick = max(start, end)
    half_x, half_y = abs(to_x - from_x) / 2 + thick, abs(to_y - from_y) / 2 + thick
    return (from_x + to_x) / 2, (from_y + to_y) / 2, half_x, half_y


def _hold_polygon(numbers: tuple[float, ...]) -> Box:
    x, y = numbers[::2], numbers[1::2]
    centre = (min(x) + max(x)) / 2, (min(y) + max(y)) / 2
    return *centre, (max(x) - min(x)) / 2, (max(y) - min(y)) / 2


def _hold_turned(numbers: tuple[float, ...], turn: float) -> Box:
    """An ellipse or a box; the box that holds a box is larger than the one of its ellipse."""
    c, s = abs(cos(turn)), abs(sin(turn))
    half_x, half_y = numbers[2:4]
    return numbers[0], numbers[1], half_x * c + half_y * s, half_x * s + half_y * c


def _hold_ring(numbers: tuple[float, ...]) -> Box:
    x, y, half_x, half_y = _hold_turned(numbers, numbers[4])
    return x, y, half_x + numbers[5], half_y + numbers[5]


HOLDERS: dict[str, Callable[[tuple[float, ...]], Box]] = {
    "box": lambda numbers: _hold_turned(numbers, numbers[5]),
    "ellipse": lambda numbers: _hold_turned(numbers, numbers[4]),
    "line": _hold_line,
    "polygon": _hold_polygon,
    "ring": _hold_ring,
}


def _turned(x: Field, y: Field, turn: float) -> tuple[Field, Field]:
    if turn == 0:
        return x, y
    c, s = cos(turn), sin(turn)
    return c * x + s * y, c * y - s * x
