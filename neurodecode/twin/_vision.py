"""What a simulated brain takes from a scene: contrast and colour maps, and what is where.

Computed from the rendered picture and the scene's facts alone, never from a network that is also a
decoder's target space: no decoder is given its own target for free.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode import scenes
from neurodecode.data import find_rows

SIZE = 64
GRID = 16
"""Maps are pooled to 16 x 16 before receptive fields read them."""
ORIENTATIONS = 4
WAVELENGTHS_PX = (4.0, 8.0)
N_ENERGY = ORIENTATIONS * len(WAVELENGTHS_PX)
N_MAPS = N_ENERGY + 3
MAX_OBJECTS = 3
CHUNK = 128
TEXTURES = ("plain", "striped", "spotted", "checked")
# Scenes that set each unit's mean and spread; no person is ever shown one of them.
REFERENCE = range(5_000_000, 5_000_256)


@dataclass(frozen=True, eq=False)
class Vision:
    """What there is to see in some scenes.

    Parameters
    ----------
    ids : tuple of str, length n_scenes
    maps : float32 array, shape (n_scenes, 11, 256)
        Contrast energy at 2 wavelengths and 4 orientations; luminance; red-green; blue-yellow.
    places : float32 array, shape (n_scenes, 3, 256)
        Share of each cell of the 16 x 16 grid in which object 1, 2, 3 is seen.
    facts : dict of str to int array, shape (n_scenes, 3) or (n_scenes,)
        ``kind``, ``colour``, ``texture`` of each object (-1 where there is none); ``background``
        and ``light`` of the scene.
    """

    ids: tuple[str, ...]
    maps: NDArray[np.float32]
    places: NDArray[np.float32]
    facts: dict[str, NDArray[np.intp]]

    def rows(self, stimulus: Iterable[Any]) -> NDArray[np.intp]:
        """The row of each stimulus.

        Raises
        ------
        ValueError
            If a stimulus was not looked at.
        """
        return find_rows(np.array(self.ids), list(stimulus), what="scenes looked at")


def look(ids: Sequence[str]) -> Vision:
    """Render scenes and take their maps.

    Examples
    --------
    >>> look(["scene-000001"]).maps.shape
    (1, 11, 256)
    """
    maps = np.empty((len(ids), N_MAPS, GRID * GRID), dtype=np.float32)
    places = np.zeros((len(ids), MAX_OBJECTS, GRID * GRID), dtype=np.float32)
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        pictures = scenes.render_many(part, SIZE).astype(np.float32) / np.float32(255)
        maps[start : start + CHUNK] = _maps(pictures)
        for row, one in enumerate(part, start=start):
            seen = _pool(scenes.masks(one, SIZE).astype(np.float32))
            places[row, : len(seen)] = seen
    return Vision(tuple(ids), maps, places, _facts(ids))


@lru_cache(maxsize=1)
def reference() -> Vision:
    """The scenes that set each unit's mean and spread."""
    return look([scenes.scene_id(number) for number in REFERENCE])


def _maps(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    red, green, blue = np.moveaxis(pictures, -1, 0)
    light = 0.3 * red + 0.6 * green + 0.1 * blue
    spectrum = np.fft.fft2(light - light.mean(axis=(1, 2), keepdims=True))
    energy = [np.abs(np.fft.ifft2(spectrum * one)) for one in _gabors()]
    colour = [light, red - green, blue - (red + green) / 2]
    return np.stack([_pool(np.asarray(one, dtype=np.float32)) for one in energy + colour], axis=1)


@lru_cache(maxsize=1)
def _gabors() -> tuple[NDArray[np.float64], ...]:
    """Transfer functions of Gabor filters of one octave; one-sided, so that |output| is energy."""
    down, across = np.meshgrid(np.fft.fftfreq(SIZE), np.fft.fftfreq(SIZE), indexing="ij")
    filters = []
    for wavelength in WAVELENGTHS_PX:
        for turn in range(ORIENTATIONS):
            angle = np.pi * turn / ORIENTATIONS
            centre = np.array([np.sin(angle), np.cos(angle)]) / wavelength
            square = (down - centre[0]) ** 2 + (across - centre[1]) ** 2
            filters.append(2 * np.exp(-square / (2 * (0.35 / wavelength) ** 2)))
    return tuple(filters)


def _pool(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    step = SIZE // GRID
    blocks = pictures.reshape(len(pictures), GRID, step, GRID, step)
    return np.asarray(blocks.mean(axis=(2, 4)).reshape(len(pictures), -1), dtype=np.float32)


def _facts(ids: Sequence[str]) -> dict[str, NDArray[np.intp]]:
    names = {"kind": scenes.KINDS, "colour": tuple(scenes.COLOURS), "texture": TEXTURES}
    facts: dict[str, NDArray[np.intp]] = {
        key: np.full((len(ids), MAX_OBJECTS), -1, dtype=np.intp) for key in names
    }
    facts["background"] = np.empty(len(ids), dtype=np.intp)
    facts["light"] = np.empty(len(ids), dtype=np.intp)
    for row, stimulus in enumerate(ids):
        scene = scenes.scene(stimulus)
        facts["background"][row] = scenes.BACKGROUNDS.index(scene.background.kind)
        facts["light"][row] = scenes.LIGHTS.index(scene.light.kind)
        for place, thing in enumerate(scene.objects):
            for key, known in names.items():
                facts[key][row, place] = known.index(getattr(thing, key))
    return facts
