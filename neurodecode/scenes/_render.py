"""From a scene to pixels: pictures, clips, masks and exact optical flow.

Shapes are painted from back to front; a pixel's share of a shape comes from the distance of its
centre to the edge, which is anti-aliasing without supersampling.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import cos, exp, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from neurodecode.scenes import _backgrounds
from neurodecode.scenes._backgrounds import Canvas
from neurodecode.scenes._scene import DURATION_S, FRAME_RATE, RGB, Scene, Thing
from neurodecode.scenes._shapes import Field, Ink, Part

LIGHT_COLOURS = {"bright": (1.0, 1.0, 1.0), "warm": (1.02, 0.93, 0.80), "dim": (0.72, 0.74, 0.80)}
DEFAULT_SIZE = 64
SHADOW = Part("ellipse", (0.0, 0.97, 0.85, 0.13, 0.0), (0.0, 0.0, 0.0))


@dataclass(frozen=True)
class Pose:
    """Where an object is at one moment: centre, half height, turn (clockwise), mirrored or not."""

    x: float
    y: float
    scale: float
    turn: float
    flip: bool

    def matrix(self) -> NDArray[np.float64]:
        """From the object's frame to the picture's (heights), shape (2, 3)."""
        c, s, side = (
            cos(self.turn) * self.scale,
            sin(self.turn) * self.scale,
            -1.0 if self.flip else 1.0,
        )
        return np.array([[c * side, -s, self.x], [s * side, c, self.y]])


def pose(scene: Scene, index: int, time_s: float = 0.0) -> Pose:
    """Where an object is ``time_s`` after the clip's start; only the main object (0) moves.

    Examples
    --------
    >>> from neurodecode.scenes import scene
    >>> pose(scene(3), 0).x == scene(3).objects[0].x
    True
    """
    thing, motion = scene.objects[index], scene.motion
    if index > 0 or motion.kind == "background":
        return Pose(thing.x, thing.y, thing.scale, thing.tilt, thing.flip)
    return Pose(
        thing.x + motion.velocity[0] * time_s,
        thing.y + motion.velocity[1] * time_s,
        thing.scale * exp(motion.growth * time_s),
        thing.tilt + motion.spin * time_s,
        thing.flip,
    )


def frame_times() -> NDArray[np.float64]:
    """When each frame of a clip is, in seconds: 16 frames in 2 s.

    Examples
    --------
    >>> frame_times()[[0, 1, -1]].tolist()
    [0.0, 0.125, 1.875]
    """
    return np.arange(round(DURATION_S * FRAME_RATE)) / FRAME_RATE


def picture(
    scene: Scene, size: int, time_s: float = 0.0, ground: Canvas | None = None
) -> NDArray[np.uint8]:
    """One moment of a scene, shape (size, size, 3); ``ground`` saves painting the background."""
    canvas = backdrop(scene, size, time_s) if ground is None else ground.copy()
    for index in scene.painted:
        thing, where = scene.objects[index], pose(scene, index, time_s)
        brush = _Brush(canvas, where, scene.light.side)
        brush.shadow()
        for part in thing.parts:
            brush.part(part, thing)
    canvas *= np.asarray(LIGHT_COLOURS[scene.light.kind], dtype=np.float32)[:, None, None]
    np.clip(canvas, 0, 1, out=canvas)
    canvas *= 255
    canvas += np.float32(0.5)
    return np.ascontiguousarray(canvas.astype(np.uint8).transpose(1, 2, 0))


def backdrop(scene: Scene, size: int, time_s: float = 0.0) -> Canvas:
    """The background at one moment, before the light falls on it."""
    shift = (0.0, 0.0)
    if scene.motion.kind == "background":
        shift = (scene.motion.velocity[0] * time_s, scene.motion.velocity[1] * time_s)
    return _backgrounds.paint(scene.background, size, shift)


def coverage(scene: Scene, size: int, time_s: float = 0.0) -> NDArray[np.float32]:
    """How much of each pixel each object covers, hidden or not: shape (n_objects, size, size)."""
    cover = np.zeros((len(scene.objects), size, size), dtype=np.float32)
    for index, thing in enumerate(scene.objects):
        grid = _Grid(pose(scene, index, time_s), size)
        for part in thing.parts:
            placed = grid.window(part)
            if placed is not None:
                rows, columns, x, y = placed
                window = cover[index, rows, columns]
                np.maximum(window, _cover(part.distance(x, y), grid.scale), out=window)
    return cover


def labels(scene: Scene, size: int, time_s: float = 0.0) -> NDArray[np.int8]:
    """Which object is in front at each pixel's centre: its index, -1 for the background."""
    cover = coverage(scene, size, time_s) >= 0.5
    front = np.full((size, size), -1, dtype=np.int8)
    for index in scene.painted:
        front[cover[index]] = index
    return front


def flow(scene: Scene, size: int, time_s: float, step_s: float) -> NDArray[np.float32]:
    """Where each pixel's surface goes in ``step_s``: right and down in pixels, (size, size, 2)."""
    field = np.zeros((size, size, 2), dtype=np.float32)
    if scene.motion.kind == "background":
        field[:] = np.asarray(scene.motion.velocity) * step_s * size
    front = labels(scene, size, time_s)
    for index in range(len(scene.objects)):
        rows, columns = np.nonzero(front == index)
        points = np.stack([columns + 0.5, rows + 0.5, np.full(len(rows), size)]) / size
        start = np.vstack([pose(scene, index, time_s).matrix(), [0, 0, 1]])
        end = pose(scene, index, time_s + step_s).matrix()
        moved = end @ np.linalg.solve(start, points)
        field[rows, columns] = ((moved - points[:2]) * size).T
    return field


class _Grid:
    """Pixels of a picture in the frame of an object at one moment."""

    def __init__(self, where: Pose, size: int) -> None:
        self.where, self.size = where, size
        self.scale = where.scale * size
        self.side = -1.0 if where.flip else 1.0
        self.c, self.s = cos(where.turn), sin(where.turn)
        pixels = _pixels(size)
        across = (pixels[None, :] - where.x * size) / self.scale
        down = (pixels[:, None] - where.y * size) / self.scale
        if where.turn == 0:
            self.x, self.y = across * self.side, down
        else:
            self.x = (self.c * across + self.s * down) * self.side
            self.y = self.c * down - self.s * across

    def window(self, part: Part) -> tuple[slice, slice, Field, Field] | None:
        """The rows and columns that a part may touch, and the object's coordinates there."""
        x, y, half_x, half_y = part.holder
        x *= self.side
        middle_x = self.where.x * self.size + (x * self.c - y * self.s) * self.scale
        middle_y = self.where.y * self.size + (x * self.s + y * self.c) * self.scale
        c, s = abs(self.c), abs(self.s)
        wide = (half_x * c + half_y * s) * self.scale + 1
        high = (half_x * s + half_y * c) * self.scale + 1
        left, right = max(0, int(middle_x - wide)), min(self.size, int(middle_x + wide) + 1)
        top, bottom = max(0, int(middle_y - high)), min(self.size, int(middle_y + high) + 1)
        if left >= right or top >= bottom:
            return None
        rows, columns = slice(top, bottom), slice(left, right)
        if self.where.turn == 0:
            return rows, columns, self.x[:, columns], self.y[rows]
        return rows, columns, self.x[rows, columns], self.y[rows, columns]


@lru_cache(maxsize=16)
def _pixels(size: int) -> Field:
    return np.arange(size, dtype=np.float32) + np.float32(0.5)


def _cover(distance: Field, scale: float) -> Field:
    share = distance * -scale
    share += np.float32(0.5)
    np.maximum(share, 0, out=share)
    return np.asarray(np.minimum(share, 1, out=share))


class _Brush:
    """Paints the parts of one object at one moment."""

    def __init__(self, canvas: Canvas, where: Pose, light_side: int) -> None:
        self.canvas = canvas
        self.grid = _Grid(where, canvas.shape[-1])
        # lighter towards the light, and towards the top
        self.lit = self.grid.x * (0.14 * light_side * self.grid.side) + (0.86 - 0.07 * self.grid.y)

    def shadow(self) -> None:
        placed = self.grid.window(SHADOW)
        if placed is not None:
            rows, columns, x, y = placed
            soft = np.minimum(np.maximum(SHADOW.distance(x, y) * -6, 0), 1)
            self.canvas[:, rows, columns] *= 1 - np.float32(0.38) * soft

    def part(self, part: Part, thing: Thing) -> None:
        placed = self.grid.window(part)
        if placed is None:
            return
        rows, columns, x, y = placed
        distance = part.distance(x, y)
        # darker towards the edge, so that a flat shape looks round
        shade = np.minimum(distance * -1.19, np.float32(0.17))
        shade += self.lit[rows, columns]
        colour = _ink(part.ink, thing.rgb) * shade
        if part.ink == "main" and thing.texture != "plain":
            pattern = _texture(thing, x, y) * np.float32(0.6)
            colour += pattern * (_contrast(thing.rgb) - colour)
        window = self.canvas[:, rows, columns]
        colour -= window
        colour *= _cover(distance, self.grid.scale)
        window += colour


@lru_cache(maxsize=4096)
def _ink(ink: Ink, rgb: RGB) -> Field:
    """An ink's colour, shape (3, 1, 1)."""
    colour = ink if not isinstance(ink, str) else rgb
    if ink == "dark":
        colour = (0.62 * rgb[0], 0.62 * rgb[1], 0.62 * rgb[2])
    elif ink == "light":
        colour = (0.5 + rgb[0] / 2, 0.5 + rgb[1] / 2, 0.5 + rgb[2] / 2)
    return np.asarray(colour, dtype=np.float32)[:, None, None]


@lru_cache(maxsize=4096)
def _contrast(rgb: RGB) -> Field:
    """The texture's second colour: light on dark, dark on light."""
    bright = 0.3 * rgb[0] + 0.6 * rgb[1] + 0.1 * rgb[2]
    second = [one * 0.35 for one in rgb] if bright > 0.5 else [0.35 * one + 0.65 for one in rgb]
    return np.asarray(second, dtype=np.float32)[:, None, None]


def _texture(thing: Thing, x: Field, y: Field) -> Field:
    """Share of the second colour, from 0 to 1, in the object's own coordinates."""
    turn = float(2 * np.pi) / thing.period
    if thing.texture == "striped":
        along = x * cos(thing.turn) + y * sin(thing.turn)
        wave = np.sin(along * turn)
    elif thing.texture == "checked":
        wave = np.sin(x * (turn * 0.8)) * np.sin(y * (turn * 0.8)) * 2
    else:
        wave = (np.cos(x * turn) + np.cos(y * turn)) * 1.6 - sqrt(2) * 0.8
    return np.asarray(np.minimum(np.maximum(wave * 1.5 + 0.5, 0), 1))
