"""Living things, as lists of flat parts that vary: face, cat, bird, tree, flower."""

from __future__ import annotations

from math import cos, pi, sin

from neurodecode.scenes._draws import Draws
from neurodecode.scenes._shapes import Part

BARK = (0.43, 0.28, 0.16)
LEAF = (0.25, 0.55, 0.22)
WHITE = (0.97, 0.97, 0.97)
BLACK = (0.08, 0.08, 0.09)
LIPS = (0.70, 0.20, 0.22)
HAIRS = (
    (0.16, 0.10, 0.07),
    (0.38, 0.22, 0.10),
    (0.85, 0.68, 0.32),
    (0.60, 0.60, 0.62),
    (0.55, 0.2, 0.1),
)
BEAKS = ((0.98, 0.65, 0.12), (0.90, 0.38, 0.12), (0.30, 0.28, 0.26))


def face(draws: Draws) -> list[Part]:
    """A face: hair, eyes, brows, nose and mouth of different make, maybe glasses."""
    wide, long = draws.uniform(0.64, 0.8), draws.uniform(0.82, 0.94)
    hair, style = draws.pick(HAIRS), draws.pick(("short", "long", "bald", "curls"))
    parts = _hair(style, hair, wide, long)
    for side in (-1, 1):
        parts.append(Part("ellipse", (side * wide, 0.12, 0.13, 0.2, 0.0), "dark"))
    parts.append(Part("ellipse", (0.0, 0.06, wide, long, 0.0)))
    if style != "bald":
        fringe = draws.uniform(-0.72, -0.58)
        parts.append(
            Part("ellipse", (draws.uniform(-0.2, 0.2), fringe, wide * 0.84, 0.24, 0.0), hair)
        )
    apart, eye, height = (
        draws.uniform(0.27, 0.36),
        draws.uniform(0.12, 0.16),
        draws.uniform(-0.15, 0.0),
    )
    for side in (-1, 1):
        parts.append(Part("ellipse", (side * apart, height, eye * 1.3, eye, 0.0), WHITE))
        parts.append(Part("ellipse", (side * apart, height, eye * 0.6, eye * 0.75, 0.0), BLACK))
        brow = (
            side * (apart - 0.15),
            height - 0.24,
            side * (apart + 0.16),
            height - 0.2,
            0.05,
            0.04,
        )
        parts.append(Part("line", brow, hair))
    glasses = (-1, 1) if draws.chance(0.3) else ()
    parts += [Part("ring", (s * apart, height, 0.25, 0.23, 0.0, 0.035), BLACK) for s in glasses]
    parts.append(Part("line", (0.0, height + 0.15, 0.03, 0.34, 0.04, 0.09), "dark"))
    return parts + _mouth(draws)


def _hair(style: str, ink: tuple[float, float, float], wide: float, long: float) -> list[Part]:
    top = 0.06 - long
    if style == "long":
        return [Part("box", (0.0, 0.1, wide + 0.16, long + 0.02, 0.5, 0.0), ink)]
    if style == "short":
        return [Part("ellipse", (0.0, top + 0.5, wide + 0.08, 0.58, 0.0), ink)]
    if style == "curls":
        around = [pi * (1.08 + 0.84 * i / 6) for i in range(7)]
        return [
            Part("ellipse", (wide * cos(a), 0.55 * sin(a) - 0.2, 0.26, 0.26, 0.0), ink)
            for a in around
        ]
    return []


def _mouth(draws: Draws) -> list[Part]:
    wide, height = draws.uniform(0.2, 0.34), draws.uniform(0.52, 0.62)
    kind = draws.pick(("smile", "open", "flat"))
    if kind == "open":
        return [Part("ellipse", (0.0, height, wide * 0.6, 0.15, 0.0), LIPS)]
    bend = 0.1 if kind == "smile" else 0.0
    return [
        Part("line", (-wide, height - bend, -wide * 0.4, height, 0.05, 0.06), LIPS),
        Part("line", (-wide * 0.4, height, wide * 0.4, height, 0.06, 0.06), LIPS),
        Part("line", (wide * 0.4, height, wide, height - bend, 0.06, 0.05), LIPS),
    ]


def cat(draws: Draws) -> list[Part]:
    """A cat, sitting or standing, with its tail up or down."""
    ear = draws.uniform(0.28, 0.4)
    if draws.chance(0.5):
        fat = draws.uniform(0.42, 0.55)
        tail = draws.uniform(-0.1, 0.5)
        parts = [
            Part("line", (fat * 0.7, 0.86, 0.85, tail, 0.11, 0.08)),
            Part("ellipse", (0.0, 0.5, fat, 0.52, 0.0)),
            Part("ellipse", (0.0, 0.6, fat * 0.5, 0.34, 0.0), "light"),
            Part("ellipse", (-0.2, 0.92, 0.17, 0.1, 0.0), "light"),
            Part("ellipse", (0.2, 0.92, 0.17, 0.1, 0.0), "light"),
        ]
        return parts + _cat_head(0.0, -0.38, draws.uniform(0.4, 0.48), ear)
    long = draws.uniform(0.5, 0.6)
    parts = [Part("line", (-long, 0.2, -0.92, draws.uniform(-0.7, 0.0), 0.1, 0.07))]
    for x in (-long + 0.02, -long + 0.26, long - 0.4, long - 0.16):
        parts.append(Part("line", (x, 0.4, x, 0.9, 0.11, 0.09), "dark"))
    parts.append(Part("ellipse", (-0.08, 0.3, long + 0.08, 0.32, 0.0)))
    return parts + _cat_head(0.55, -0.18, draws.uniform(0.34, 0.4), ear)


def _cat_head(x: float, y: float, size: float, ear: float) -> list[Part]:
    parts = []
    for side in (-1, 1):
        tip = (x + side * size * 0.8, y - size - ear * 0.6)
        near, far = (
            (x + side * size * 0.15, y - size * 0.8),
            (x + side * size * 0.98, y - size * 0.3),
        )
        corners = (*near, *tip, *far) if side > 0 else (*far, *tip, *near)
        parts.append(Part("polygon", corners, "dark"))
    parts.append(Part("ellipse", (x, y, size, size * 0.88, 0.0)))
    for side in (-1, 1):
        eye_x = x + side * size * 0.42
        parts.append(
            Part("ellipse", (eye_x, y - 0.05, size * 0.24, size * 0.27, 0.0), (0.9, 0.95, 0.4))
        )
        parts.append(Part("ellipse", (eye_x, y - 0.05, size * 0.1, size * 0.25, 0.0), BLACK))
        whisker = (
            x + side * size * 0.3,
            y + size * 0.4,
            x + side * size * 1.2,
            y + size * 0.35,
            0.02,
            0.015,
        )
        parts.append(Part("line", whisker, WHITE))
    parts.append(Part("ellipse", (x, y + size * 0.38, size * 0.34, size * 0.24, 0.0), "light"))
    parts.append(
        Part("ellipse", (x, y + size * 0.28, size * 0.13, size * 0.1, 0.0), (0.9, 0.45, 0.5))
    )
    return parts


def bird(draws: Draws) -> list[Part]:
    """A bird: on its legs, or with its wings spread."""
    beak, size = draws.pick(BEAKS), draws.uniform(0.26, 0.34)
    turn, long = draws.uniform(-0.35, -0.1), draws.uniform(0.18, 0.42)
    fly = draws.chance(0.4)
    parts = [Part("polygon", (-0.45, 0.05, -0.98, -0.1 + long, -0.9, 0.4, -0.4, 0.4), "dark")]
    if fly:
        parts.append(Part("polygon", (-0.3, 0.1, -0.55, -0.95, 0.25, 0.05), "dark"))
    else:
        for x in (-0.12, 0.14):
            parts.append(Part("line", (x, 0.5, x + 0.04, 0.95, 0.045, 0.045), beak))
    tip = draws.uniform(0.9, 1.0)
    parts += [
        Part("polygon", (0.66, -0.46, tip, -0.3, 0.66, -0.2), beak),
        Part("ellipse", (-0.05, 0.2, 0.6, 0.4, turn)),
        Part("ellipse", (0.1, 0.34, 0.34, 0.22, turn), "light"),
        Part("ellipse", (0.46, -0.34, size, size, 0.0)),
        Part("ellipse", (0.54, -0.4, 0.09, 0.09, 0.0), WHITE),
        Part("ellipse", (0.56, -0.4, 0.055, 0.055, 0.0), BLACK),
    ]
    if fly:
        parts.append(Part("polygon", (-0.4, 0.1, -0.15, -0.98, 0.3, 0.15), "light"))
    else:
        parts.append(Part("ellipse", (-0.2, 0.16, 0.4, 0.2, turn - 0.25), "dark"))
    if draws.chance(0.3):
        parts.append(Part("line", (0.4, -0.6, 0.2, -0.85, 0.08, 0.03), "dark"))
    return parts


def tree(draws: Draws) -> list[Part]:
    """A tree: round crown, fir or poplar."""
    kind, thick = draws.pick(("round", "fir", "poplar")), draws.uniform(0.08, 0.15)
    parts = [Part("line", (0.0, 0.95, 0.0, 0.1, thick * 1.3, thick), BARK)]
    if kind == "poplar":
        wide = draws.uniform(0.34, 0.46)
        parts.append(Part("ellipse", (0.0, -0.25, wide, 0.75, 0.0)))
    elif kind == "fir":
        wide = draws.uniform(0.6, 0.8)
        for i, ink in enumerate(("dark", "main", "light")):
            half, base, tip = wide * (1 - 0.24 * i), 0.62 - 0.44 * i, -0.15 - 0.42 * i
            parts.append(Part("polygon", (-half, base, 0.0, tip, half, base), ink))
    else:
        if draws.chance(0.5):
            parts.append(Part("line", (0.0, 0.4, 0.35, 0.0, thick * 0.7, 0.05), BARK))
        spread, size = draws.uniform(0.36, 0.48), draws.uniform(0.38, 0.48)
        for x, y, ink in (
            (-1.0, 0.1, "dark"),
            (1.0, 0.05, "dark"),
            (0.0, -0.75, "main"),
            (0.0, 0.0, "main"),
        ):
            parts.append(Part("ellipse", (x * spread, y * 0.5 - 0.22, size, size, 0.0), ink))
        parts.append(Part("ellipse", (-0.22, -0.62, 0.2, 0.16, 0.4), "light"))
    if kind != "fir" and draws.chance(0.35):
        for x, y in ((-0.2, -0.1), (0.18, -0.35), (0.08, 0.02)):
            parts.append(Part("ellipse", (x, y, 0.08, 0.08, 0.0), (0.9, 0.2, 0.15)))
    return parts


def flower(draws: Draws) -> list[Part]:
    """A flower: a daisy of five to nine petals, or a tulip."""
    bend, height = draws.uniform(-0.16, 0.16), draws.uniform(-0.45, -0.3)
    parts = [Part("line", (0.0, 0.98, bend, height, 0.07, 0.06), LEAF)]
    for side in draws.pick(((-1,), (1,), (-1, 1))):
        y = draws.uniform(0.45, 0.65)
        parts.append(Part("ellipse", (side * 0.28, y, 0.3, 0.12, -side * 0.6), LEAF))
    if draws.chance(0.3):
        for x, turn, ink in ((-0.24, -0.3, "dark"), (0.24, 0.3, "dark"), (0.0, 0.0, "main")):
            parts.append(Part("ellipse", (bend + x, height - 0.1, 0.24, 0.48, turn), ink))
        return parts
    n_petals, long = draws.pick((5, 6, 7, 9)), draws.uniform(0.26, 0.32)
    fat, first = draws.uniform(0.8, 1.15) * 0.9 / n_petals, draws.uniform(0, pi)
    for i in range(n_petals):
        angle = first + 2 * pi * i / n_petals
        x, y = bend + 0.32 * cos(angle), height - 0.02 + 0.32 * sin(angle)
        parts.append(Part("ellipse", (x, y, long, fat + 0.03, angle)))
    middle = draws.pick(((0.98, 0.8, 0.2), (0.45, 0.28, 0.1), (0.98, 0.95, 0.8)))
    parts.append(Part("ellipse", (bend, height - 0.02, 0.19, 0.19, 0.0), middle))
    return parts
