"""A small world that we draw ourselves: objects on backgrounds, still or moving, by id.

Everything follows from the id alone: picture, clip, captions, masks, optical flow, attributes.
Facts and captions are the same on every machine, bit by bit; so are pictures, but for the last
digit of a float that may round a pixel's value up or down by one.

Many pictures at once: ``render_many(ids, workers=-1)`` uses all cores. As with all of Python's
process pools, a script that calls it needs ``if __name__ == "__main__":``.

Examples
--------
>>> from neurodecode import scenes
>>> scenes.render("scene-000123").shape
(64, 64, 3)
"""

from neurodecode.scenes._captions import attributes, caption, captions
from neurodecode.scenes._scene import (
    BACKGROUNDS,
    COLOURS,
    COLUMNS,
    KINDS,
    LIGHTS,
    MOTIONS,
    ROWS,
    SIZES,
    Background,
    Light,
    Motion,
    Scene,
    Thing,
    scene,
    scene_id,
    scene_number,
)
from neurodecode.scenes._stimuli import clip, clips, flow, masks, render, render_many, stimuli

__all__ = [
    "BACKGROUNDS",
    "COLOURS",
    "COLUMNS",
    "KINDS",
    "LIGHTS",
    "MOTIONS",
    "ROWS",
    "SIZES",
    "Background",
    "Light",
    "Motion",
    "Scene",
    "Thing",
    "attributes",
    "caption",
    "captions",
    "clip",
    "clips",
    "flow",
    "masks",
    "render",
    "render_many",
    "scene",
    "scene_id",
    "scene_number",
    "stimuli",
]
