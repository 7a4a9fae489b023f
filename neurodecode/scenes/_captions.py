"""What a scene is, in words and in a table."""

from __future__ import annotations

from neurodecode.scenes._draws import Draws
from neurodecode.scenes._scene import Scene, Thing, scene

PLACES = {
    "beach": "on a beach",
    "city": "in a city street",
    "desert": "in a desert",
    "forest": "in a forest",
    "meadow": "in a meadow",
    "night": "under a night sky",
    "room": "in a room",
    "snow": "in the snow",
}
SIDES = {"left": "on the left", "middle": "in the middle", "right": "on the right"}
DEPTHS = {"front": "in front", "back": "further back"}


def attributes(stimulus: str | int) -> dict[str, str]:
    """The facts of a scene, as words.

    Keys: ``kind, colour, size, column, row, texture`` of the main object; ``background, light,
    motion, direction, n_objects``; ``second_*`` and ``third_*`` for other objects, ``'none'``
    where there is none.

    Examples
    --------
    >>> facts = attributes("scene-000001")
    >>> facts["kind"], facts["colour"], facts["background"]
    ('tool', 'pink', 'snow')
    """
    one = scene(stimulus)
    facts = {
        "background": one.background.kind,
        "light": one.light.kind,
        "motion": one.motion.kind,
        "direction": _direction(one),
        "n_objects": str(len(one.objects)),
    }
    for place, prefix in enumerate(("", "second_", "third_")):
        thing = one.objects[place] if place < len(one.objects) else None
        for name in ("kind", "colour", "size", "column", "row", "texture"):
            facts[prefix + name] = "none" if thing is None else str(getattr(thing, name))
    return facts


def captions(stimulus: str | int, *, clip: bool = False) -> list[str]:
    """Four sentences that say the same: exact, and different for different scenes.

    Parameters
    ----------
    stimulus : str or int
    clip : bool, default False
        Also say what moves.

    Examples
    --------
    >>> captions("scene-000001")[0]
    'A small pink striped tool in the middle, further back, in the snow in dim light.'
    """
    one = scene(stimulus)
    main, others = one.objects[0], one.objects[1:]
    where, light = PLACES[one.background.kind], f"{one.light.kind} light"
    side, depth = SIDES[main.column], DEPTHS[main.row]
    with_others = f", with {' and '.join(_short(thing) for thing in others)}" if others else ""
    moves = f", {_moving(one)}" if clip else ""
    names = " and ".join(_short(thing) for thing in others)
    also = f" There is also {names}." if others else ""
    sentences = [
        f"{_noun(main)} {side}, {depth}, {where} in {light}{with_others}{moves}",
        f"{where} in {light}, {_noun(main)} {side}, {depth}{with_others}{moves}",
        f"a picture of {_noun(main)} {where}, {side}, {depth}, {light}{with_others}{moves}",
        f"{_noun(main)} stands {side}, {depth}, {where}, {light}{moves}.{also}",
    ]
    return [sentence[0].upper() + sentence[1:].rstrip(".") + "." for sentence in sentences]


def caption(stimulus: str | int, *, clip: bool = False, seed: int = 0) -> str:
    """One of the captions, the same one for the same seed."""
    one = scene(stimulus)
    return Draws(hash_of(one.id), stream=3 + seed).pick(captions(one.id, clip=clip))


def hash_of(name: str) -> int:
    """The number in an id."""
    return int(name.rsplit("-", 1)[1])


def _noun(thing: Thing) -> str:
    texture = "" if thing.texture == "plain" else f"{thing.texture} "
    return f"a {thing.size} {thing.colour} {texture}{thing.kind}"


def _short(thing: Thing) -> str:
    texture = "" if thing.texture == "plain" else f"{thing.texture} "
    words = f"{thing.colour} {texture}{thing.kind}"
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words} {SIDES[thing.column]}"


def _direction(one: Scene) -> str:
    motion = one.motion
    if motion.kind == "rotation":
        return "clockwise" if motion.spin > 0 else "counter-clockwise"
    if motion.kind == "approach":
        return "closer"
    return "right" if motion.velocity[0] > 0 else "left"


def _moving(one: Scene) -> str:
    direction = _direction(one)
    return {
        "translation": f"moving to the {direction}",
        "rotation": f"turning {direction}",
        "approach": "coming closer",
        "background": f"while the background moves to the {direction}",
    }[one.motion.kind]
