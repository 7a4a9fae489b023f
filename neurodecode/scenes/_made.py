"""Things people make, as flat parts that vary: house, car, cup, chair, boat, ball, tool."""

from __future__ import annotations

from math import cos, pi, sin

from neurodecode.scenes._draws import Draws
from neurodecode.scenes._shapes import Part

GLASS = (0.72, 0.87, 0.95)
WOOD = (0.55, 0.36, 0.19)
RUBBER = (0.12, 0.12, 0.13)
STEEL = (0.72, 0.74, 0.77)
ROOFS = ((0.62, 0.25, 0.18), (0.36, 0.30, 0.30), (0.30, 0.36, 0.48), (0.45, 0.32, 0.2))
DOORS = ((0.42, 0.26, 0.14), (0.25, 0.36, 0.30), (0.62, 0.20, 0.18), (0.22, 0.25, 0.42))


def house(draws: Draws) -> list[Part]:
    """A house: gable, hip or flat roof, door, one or two floors of windows, maybe a chimney."""
    wide = draws.uniform(0.62, 0.88)
    eaves = draws.uniform(-0.35, 0.05)
    roof, ink = draws.pick(("gable", "hip", "flat")), draws.pick(ROOFS)
    top = eaves - draws.uniform(0.45, 0.62)
    parts = [Part("box", (0.0, (1 + eaves) / 2, wide, (1 - eaves) / 2, 0.0, 0.0))]
    if draws.chance(0.6):
        side = draws.pick((-1, 1)) * wide * 0.55
        parts.insert(0, Part("box", (side, top + 0.25, 0.1, 0.3, 0.0, 0.0), (0.5, 0.3, 0.25)))
    out = wide + 0.12
    if roof == "flat":
        parts.append(Part("box", (0.0, eaves - 0.04, out, 0.09, 0.0, 0.0), ink))
    else:
        ridge = 0.05 if roof == "gable" else wide * 0.55
        parts.append(Part("polygon", (-out, eaves, -ridge, top, ridge, top, out, eaves), ink))
    door = draws.pick((-0.5, 0.0, 0.5)) * wide
    parts.append(Part("box", (door, 0.75, 0.15, 0.27, 0.03, 0.0), draws.pick(DOORS)))
    return parts + _windows(draws, wide, eaves, door)


def _windows(draws: Draws, wide: float, eaves: float, door: float) -> list[Part]:
    half = draws.uniform(0.11, 0.15)
    rows = (eaves + 0.26, 0.62) if eaves < -0.15 else (0.45,)
    columns = draws.pick(((-0.55, 0.55), (-0.6, 0.0, 0.6)))
    parts = []
    for y in rows:
        for x in columns:
            if y > 0.3 and abs(x * wide - door) < 0.3:
                continue
            parts.append(Part("box", (x * wide, y, half + 0.04, half + 0.04, 0.0, 0.0), "light"))
            parts.append(Part("box", (x * wide, y, half, half, 0.0, 0.0), GLASS))
    return parts


def car(draws: Draws) -> list[Part]:
    """A car seen from the side: saloon, van or beetle."""
    kind = draws.pick(("saloon", "van", "beetle"))
    wheel = draws.uniform(0.2, 0.26)
    body = 1 - wheel
    height = draws.uniform(0.22, 0.28)
    parts: list[Part] = []
    if kind == "van":
        parts += [
            Part("box", (-0.05, body - 0.42, 0.92, 0.46, 0.12, 0.0)),
            Part("box", (0.58, body - 0.6, 0.22, 0.18, 0.05, 0.0), GLASS),
            Part("box", (0.05, body - 0.6, 0.22, 0.18, 0.05, 0.0), GLASS),
        ]
    elif kind == "saloon":
        slope = draws.uniform(0.12, 0.26)
        low, high = body - 0.3, body - 0.72
        cabin = (-0.62, low, -0.62 + slope, high, 0.35 - slope / 2, high, 0.45, low)
        glass = (-0.5, low, -0.52 + slope, high + 0.1, 0.26 - slope / 2, high + 0.1, 0.33, low)
        parts += [Part("polygon", cabin), Part("polygon", glass, GLASS)]
        parts += [Part("box", (-0.08, high + 0.22, 0.035, 0.22, 0.0, 0.0), "dark")]
    else:
        parts += [
            Part("ellipse", (0.0, body - 0.28, 0.68, 0.5, 0.0)),
            Part("ellipse", (0.05, body - 0.36, 0.48, 0.28, 0.0), GLASS),
            Part("box", (0.0, body - 0.5, 0.035, 0.24, 0.0, 0.0), "dark"),
        ]
    parts.append(Part("box", (0.0, body - 0.16, 0.98, height, 0.14, 0.0)))
    parts.append(Part("ellipse", (0.88, body - 0.22, 0.08, 0.08, 0.0), (1.0, 0.95, 0.6)))
    for x in (-0.55, 0.55):
        parts.append(Part("ellipse", (x, 1 - wheel, wheel, wheel, 0.0), RUBBER))
        parts.append(Part("ellipse", (x, 1 - wheel, wheel / 2, wheel / 2, 0.0), STEEL))
    return parts


def cup(draws: Draws) -> list[Part]:
    """A cup: straight, flared or round, with a handle, maybe a saucer and steam."""
    top, bottom = draws.uniform(0.5, 0.66), draws.uniform(0.34, 0.55)
    high, handle = draws.uniform(-0.55, -0.2), draws.uniform(0.24, 0.32)
    middle = (high + 0.9) / 2
    parts = [Part("ring", (top + 0.06, middle, handle, handle * 1.1, 0.0, 0.075), "dark")]
    if draws.chance(0.5):
        parts.append(Part("ellipse", (0.0, 0.92, 0.92, 0.12, 0.0), "light"))
    if draws.chance(0.4):
        parts.append(Part("ellipse", (0.0, high + 0.35, top, 0.95 - high - 0.38, 0.0)))
        parts.append(Part("box", (0.0, high + 0.2, top, 0.22, 0.05, 0.0)))
    else:
        parts.append(Part("polygon", (-top, high, top, high, bottom, 0.94, -bottom, 0.94)))
    parts.append(Part("ellipse", (0.0, high, top, 0.15, 0.0), "light"))
    parts.append(Part("ellipse", (0.0, high + 0.02, top - 0.08, 0.1, 0.0), (0.3, 0.18, 0.1)))
    if draws.chance(0.5):
        for x in (-0.2, 0.15):
            parts.append(Part("line", (x, high - 0.2, x + 0.1, -0.95, 0.06, 0.02), (0.9,) * 3))
    return parts


def chair(draws: Draws) -> list[Part]:
    """A chair seen half from the side: slatted, solid or an armchair."""
    kind = draws.pick(("slats", "solid", "arm"))
    seat = draws.uniform(0.1, 0.3)
    leg = draws.uniform(0.06, 0.1)
    parts = [
        Part("line", (-0.32, seat, -0.36, 0.86, leg, leg * 0.8), "dark"),
        Part("line", (0.62, seat, 0.66, 0.86, leg, leg * 0.8), "dark"),
        Part("line", (-0.6, seat, -0.62, 0.95, leg, leg * 0.8)),
        Part("line", (0.4, seat, 0.42, 0.95, leg, leg * 0.8)),
    ]
    lean = draws.uniform(0.0, 0.12)
    if kind == "slats":
        for x in (-0.62, -0.2):
            parts.append(Part("line", (x, seat, x - lean, -0.9, leg, leg)))
        for y in (-0.8, -0.45, -0.1):
            parts.append(Part("box", (-0.42 - lean * 0.8, y, 0.24, 0.08, 0.02, 0.0), "light"))
    else:
        back = (-0.66, seat, -0.7 - lean, -0.92, -0.2 - lean, -0.98, -0.1, seat)
        parts.append(Part("polygon", back))
    if kind == "arm":
        parts.append(Part("box", (0.05, seat - 0.32, 0.5, 0.09, 0.08, 0.0), "dark"))
        parts.append(Part("line", (0.48, seat - 0.3, 0.48, seat, 0.07, 0.07), "dark"))
    parts.append(
        Part("polygon", (-0.68, seat + 0.1, -0.5, seat - 0.14, 0.78, seat - 0.14, 0.6, seat + 0.1))
    )
    return parts


def boat(draws: Draws) -> list[Part]:
    """A boat: one or two sails, or a steamer."""
    deck = draws.uniform(0.42, 0.58)
    bow = draws.uniform(0.85, 0.98)
    hull = Part("polygon", (-0.9, deck, bow, deck, bow * 0.62, 0.98, -0.62, 0.98))
    if draws.chance(0.35):
        parts = [
            Part("box", (-0.1, deck - 0.22, 0.52, 0.24, 0.03, 0.0), (0.95, 0.95, 0.92)),
            Part("box", (-0.2, deck - 0.72, 0.14, 0.36, 0.0, 0.0), "dark"),
            Part("box", (-0.2, deck - 0.98, 0.14, 0.08, 0.0, 0.0), RUBBER),
        ]
        for x in (-0.42, -0.1, 0.22):
            parts.append(Part("ellipse", (x, deck - 0.24, 0.09, 0.09, 0.0), GLASS))
        return [*parts, hull]
    mast, sail = draws.uniform(-0.25, 0.1), draws.pick(((0.97, 0.95, 0.9), (0.98, 0.9, 0.7)))
    reach = draws.uniform(0.6, 0.8)
    parts = [
        Part("line", (mast, deck, mast, -0.95, 0.05, 0.04), WOOD),
        Part(
            "polygon",
            (mast + 0.06, -0.9, mast + reach, deck - 0.12, mast + 0.06, deck - 0.12),
            sail,
        ),
    ]
    if draws.chance(0.6):
        left = (mast - 0.06, -0.7, mast - 0.06, deck - 0.12, mast - 0.58, deck - 0.12)
        parts.append(Part("polygon", left, "light"))
    return [*parts, hull, Part("box", (0.0, deck + 0.03, 0.86, 0.05, 0.0, 0.0), "light")]


def ball(draws: Draws) -> list[Part]:
    """A ball: banded, with a star of patches, or plain with a shine."""
    kind = draws.pick(("band", "patches", "plain"))
    turn = draws.uniform(-0.8, 0.8)
    parts = [Part("ellipse", (0.0, 0.0, 1.0, 1.0, 0.0))]
    if kind == "band":
        parts.append(Part("ellipse", (0.0, 0.0, 0.97, 0.22, turn), "light"))
        parts.append(Part("ellipse", (0.0, 0.0, 0.97, 0.09, turn), "dark"))
    elif kind == "patches":
        parts.append(Part("ellipse", (0.0, 0.0, 0.28, 0.28, 0.0), "dark"))
        for i in range(5):
            angle = turn + 2 * pi * i / 5
            x, y = 0.68 * cos(angle), 0.68 * sin(angle)
            parts.append(Part("ellipse", (x, y, 0.15, 0.22, angle), "dark"))
    parts.append(Part("ellipse", (-0.36, -0.42, 0.24, 0.15, -0.7), (1.0, 1.0, 1.0)))
    return parts


def tool(draws: Draws) -> list[Part]:
    """A tool, leaning: hammer, spanner, screwdriver or spade."""
    kind = draws.pick(("hammer", "spanner", "screwdriver", "spade"))
    return {"hammer": _hammer, "spanner": _spanner, "screwdriver": _screwdriver, "spade": _spade}[
        kind
    ](draws)


def _hammer(draws: Draws) -> list[Part]:
    thick, claw = draws.uniform(0.09, 0.13), draws.uniform(0.4, 0.6)
    return [
        Part("line", (0.0, -0.6, 0.0, 0.9, thick, thick * 1.2), WOOD),
        Part("box", (0.12, -0.7, 0.5, 0.2, 0.05, 0.0)),
        Part("polygon", (-0.3, -0.88, -0.3, -0.52, -0.3 - claw, -0.46)),
        Part("box", (0.62, -0.7, 0.1, 0.27, 0.03, 0.0), "dark"),
    ]


def _spanner(draws: Draws) -> list[Part]:
    thick, jaw = draws.uniform(0.12, 0.16), draws.uniform(0.24, 0.3)
    return [
        Part("line", (0.0, -0.3, 0.0, 0.6, thick, thick)),
        Part("ring", (0.0, 0.72, 0.2, 0.2, 0.0, 0.1)),
        Part("line", (0.0, -0.4, -jaw, -0.6, 0.14, 0.12)),
        Part("line", (0.0, -0.4, jaw, -0.6, 0.14, 0.12)),
        Part("line", (-jaw, -0.6, -jaw * 0.8, -0.92, 0.12, 0.07)),
        Part("line", (jaw, -0.6, jaw * 0.8, -0.92, 0.12, 0.07)),
    ]


def _screwdriver(draws: Draws) -> list[Part]:
    grip, thin = draws.uniform(0.2, 0.27), draws.uniform(0.06, 0.09)
    return [
        Part("line", (0.0, 0.2, 0.0, -0.9, thin, thin), STEEL),
        Part("polygon", (-thin, -0.95, thin, -0.95, thin * 1.8, -0.75, -thin * 1.8, -0.75), STEEL),
        Part("box", (0.0, 0.55, grip, 0.42, 0.15, 0.0)),
        Part("box", (0.0, 0.16, grip * 0.7, 0.08, 0.0, 0.0), "dark"),
    ]


def _spade(draws: Draws) -> list[Part]:
    wide, grip = draws.uniform(0.3, 0.4), draws.uniform(0.22, 0.32)
    return [
        Part("line", (0.0, 0.2, 0.0, -0.85, 0.07, 0.07), WOOD),
        Part("line", (-grip, -0.9, grip, -0.9, 0.08, 0.08), WOOD),
        Part("box", (0.0, 0.4, wide, 0.28, 0.04, 0.0)),
        Part("polygon", (-wide, 0.6, wide, 0.6, 0.0, 0.99)),
    ]
