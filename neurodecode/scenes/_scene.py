"""What is in a scene: objects, background, light and motion, drawn from its id alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from neurodecode.scenes import _living, _made
from neurodecode.scenes._draws import Draws
from neurodecode.scenes._shapes import Part

RGB = tuple[float, float, float]
DRAWINGS = {
    "face": _living.face,
    "house": _made.house,
    "tree": _living.tree,
    "car": _made.car,
    "cat": _living.cat,
    "bird": _living.bird,
    "ball": _made.ball,
    "cup": _made.cup,
    "chair": _made.chair,
    "boat": _made.boat,
    "flower": _living.flower,
    "tool": _made.tool,
}
KINDS = tuple(DRAWINGS)
COLOURS: dict[str, RGB] = {
    "red": (0.86, 0.16, 0.15),
    "orange": (0.97, 0.55, 0.10),
    "yellow": (0.98, 0.87, 0.20),
    "green": (0.24, 0.66, 0.26),
    "turquoise": (0.15, 0.75, 0.72),
    "blue": (0.17, 0.36, 0.86),
    "purple": (0.54, 0.25, 0.76),
    "pink": (0.98, 0.56, 0.74),
    "brown": (0.52, 0.32, 0.17),
    "white": (0.96, 0.96, 0.94),
    "grey": (0.56, 0.57, 0.59),
    "black": (0.15, 0.15, 0.17),
}
SIZES = {"small": 0.155, "medium": 0.235, "large": 0.325}
"""Half of the height, in heights of the picture."""
TEXTURES = ("plain", "plain", "striped", "spotted", "checked")
COLUMNS = {"left": 0.22, "middle": 0.5, "right": 0.78}
ROWS = ("front", "back")
BACKGROUNDS = ("meadow", "beach", "desert", "snow", "city", "room", "night", "forest")
LIGHTS = ("bright", "warm", "dim")
MOTIONS = ("translation", "rotation", "approach", "background")
DURATION_S = 2.0
FRAME_RATE = 8.0
PREFIX = "scene-"
LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Thing:
    """One object.

    ``x`` and ``y`` are its centre and ``scale`` half of its height, in heights of the picture from
    its upper left corner; ``shape`` is the number that its form is drawn from.
    """

    kind: str
    colour: str
    rgb: RGB
    size: str
    scale: float
    column: str
    row: str
    x: float
    y: float
    texture: str
    period: float
    turn: float
    flip: bool
    tilt: float
    shape: int

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The flat shapes that make it, from back to front."""
        return tuple(DRAWINGS[self.kind](Draws(self.shape, stream=1)))


@dataclass(frozen=True)
class Background:
    """Where the scene is; ``horizon`` in heights from the top, ``form`` seeds its details."""

    kind: str
    horizon: float
    form: int


@dataclass(frozen=True)
class Light:
    """The light's kind, and the side it comes from (-1 left, 1 right)."""

    kind: str
    side: int


@dataclass(frozen=True)
class Motion:
    """How the main object or the background moves in the clip; the picture is the clip's start.

    Parameters
    ----------
    kind : str
        One of `MOTIONS`.
    velocity : tuple of 2 floats
        Of the main object or the background, right and down, in heights of the picture a second.
    spin : float
        Radians a second, clockwise as seen.
    growth : float
        The main object's size grows as ``exp(growth * seconds)``.
    """

    kind: str
    velocity: tuple[float, float] = (0.0, 0.0)
    spin: float = 0.0
    growth: float = 0.0


@dataclass(frozen=True)
class Scene:
    """Everything there is to know about a scene.

    ``objects[0]`` is the main object, the largest of them. `painted` is the order from back to
    front.
    """

    id: str
    background: Background
    objects: tuple[Thing, ...]
    motion: Motion
    light: Light

    @cached_property
    def painted(self) -> tuple[int, ...]:
        """Indices of the objects from the furthest to the nearest."""
        base = [thing.y + thing.scale for thing in self.objects]
        if self.objects[0].size == "large":
            base[0] = 0.0
        return tuple(sorted(range(len(base)), key=lambda i: base[i]))


def scene_id(number: int) -> str:
    """The id of a scene.

    Raises
    ------
    ValueError
        If the number is negative or does not fit 63 bits.

    Examples
    --------
    >>> scene_id(123)
    'scene-000123'
    """
    if not 0 <= number <= LARGEST:
        raise ValueError(f"A scene's number lies between 0 and 2**63 - 1; got {number}.")
    return f"{PREFIX}{number:06d}"


def scene_number(stimulus: str) -> int:
    """The number in a scene's id.

    Raises
    ------
    ValueError
        If it is no scene's id, written as `scene_id` writes it.

    Examples
    --------
    >>> scene_number("scene-000123")
    123
    """
    found = re.fullmatch(r"scene-(\d{6,19})", str(stimulus), flags=re.ASCII)
    if found is None or int(found[1]) > LARGEST or scene_id(int(found[1])) != str(stimulus):
        raise ValueError(
            f"'{stimulus}' is no scene's id. Scenes are named like 'scene-000123': "
            f"take ids from scenes.scene_id(number)."
        )
    return int(found[1])


@lru_cache(maxsize=4096)
def scene(stimulus: str | int) -> Scene:
    """The scene under an id (or a number); the same on every machine.

    Examples
    --------
    >>> scene("scene-000001") == scene(1)
    True
    >>> scene(1).objects[0].kind in KINDS
    True
    """
    name = scene_id(stimulus) if isinstance(stimulus, int) else str(stimulus)
    draws = Draws(scene_number(name))
    background = Background(
        draws.pick(BACKGROUNDS), draws.uniform(0.42, 0.56), int(draws.uniform() * 2**31)
    )
    light = Light(draws.pick(LIGHTS), draws.pick((-1, 1)))
    count = 1 + int(draws.chance(0.6)) + int(draws.chance(0.25))
    columns = list(COLUMNS)
    main_column = draws.pick(columns)
    columns.remove(main_column)
    if draws.chance(0.5):
        columns.reverse()
    main = _main(draws, main_column, background.horizon, alone=count == 1)
    objects = [main]
    for column in columns[: count - 1]:
        objects.append(_other(draws, objects, column, background.horizon))
    return Scene(name, background, tuple(objects), _motion(draws, main), light)


def _main(draws: Draws, column: str, horizon: float, *, alone: bool) -> Thing:
    # among others it is the largest, so that the picture itself tells which object is the main one
    size = draws.pick(list(SIZES) if alone else ["medium", "large"])
    return _thing(draws, draws.pick(KINDS), size, (column, draws.pick(ROWS)), horizon)


def _other(draws: Draws, before: list[Thing], column: str, horizon: float) -> Thing:
    kinds = [kind for kind in KINDS if kind not in [thing.kind for thing in before]]
    size = (
        "medium"
        if before[0].size == "large" and len(before) == 1 and draws.chance(0.3)
        else "small"
    )
    # a large main object would hide whatever stands behind it
    row = "front" if before[0].size == "large" else draws.pick(ROWS)
    return _thing(draws, draws.pick(kinds), size, (column, row), horizon, away=before[0])


def _thing(
    draws: Draws,
    kind: str,
    size: str,
    place: tuple[str, str],
    horizon: float,
    away: Thing | None = None,
) -> Thing:
    column, row = place
    scale = SIZES[size] * draws.uniform(0.92, 1.08)
    base = draws.uniform(0.9, 0.96) if row == "front" else horizon + draws.uniform(0.06, 0.12)
    base = max(base, 2 * scale + 0.02)
    x = COLUMNS[column]
    if away is not None and away.size == "large":
        x = 0.5 + (x - 0.5) * 1.2
    room = max(0.0, 0.5 - scale - 0.02)
    x = 0.5 + min(room, max(-room, x - 0.5 + draws.uniform(-0.04, 0.04)))
    colour = draws.pick(list(COLOURS))
    shade = draws.uniform(-0.05, 0.05)
    red, green, blue = (
        min(1.0, max(0.05, one + shade + draws.uniform(-0.04, 0.04))) for one in COLOURS[colour]
    )
    return Thing(
        kind=kind,
        colour=colour,
        rgb=(red, green, blue),
        size=size,
        scale=scale,
        column=column,
        row=row,
        x=x,
        y=base - scale,
        texture=draws.pick(TEXTURES),
        period=draws.uniform(0.42, 0.56),
        turn=draws.pick((0.0, 0.785, 1.571)),
        flip=draws.chance(0.5),
        tilt=draws.uniform(0.25, 0.8) * draws.pick((-1, 1)) if kind == "tool" else 0.0,
        shape=int(draws.uniform() * 2**31),
    )


def _motion(draws: Draws, main: Thing) -> Motion:
    kind = draws.pick(MOTIONS)
    speed, side, rise = draws.uniform(0.12, 0.25), draws.pick((-1, 1)), draws.uniform(-0.03, 0.03)
    if kind == "translation":
        towards = {"left": 1, "middle": side, "right": -1}[main.column]
        return Motion(kind, velocity=(towards * speed, rise))
    if kind == "rotation":
        return Motion(kind, spin=side * draws.uniform(0.6, 1.8))
    if kind == "approach":
        return Motion(kind, growth=draws.uniform(0.18, 0.34))
    return Motion(kind, velocity=(side * speed, 0.0))
