"""A small world that we draw ourselves: objects on backgrounds, still or moving, by id.

Everything follows from the id alone: picture, clip, captions, masks, optical flow, attributes.

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
