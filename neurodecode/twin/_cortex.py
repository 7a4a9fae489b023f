"""One person's visual cortex: units with places, receptive fields and preferences.

Early areas pool contrast and colour under small receptive fields; late areas answer to what an
object is, its colour and where the scene is. The same cortex is read by fMRI (a unit is a voxel)
and by MEG and EEG (a unit is a dipole).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurodecode import scenes
from neurodecode.twin._vision import (
    GRID,
    MAX_OBJECTS,
    N_ENERGY,
    N_MAPS,
    TEXTURES,
    Vision,
    reference,
)

CHUNK = 256
OTHERS_WEIGHT = 0.5
"""What is not the main object draws half of the attention."""


@dataclass(frozen=True)
class Area:
    """A visual area: where it is, how its receptive fields grow, what it answers to.

    Parameters
    ----------
    name : str
    share : float
        Share of all units.
    centre_mm : tuple of 3 floats
        In the right hemisphere, MNI space; approximate.
    field : tuple of 2 floats
        Receptive-field size (standard deviation) at the fovea and its growth with eccentricity,
        where 1 is half of the picture's width.
    content : tuple of 5 floats
        Weights of maps, kind, colour, texture and background.
    likes : dict of str to float
        Kinds or backgrounds that most of its units prefer.
    latency_s : float
        When its response to a stimulus peaks.
    """

    name: str
    share: float
    centre_mm: tuple[float, float, float]
    field: tuple[float, float]
    content: tuple[float, float, float, float, float]
    likes: tuple[tuple[str, float], ...]
    latency_s: float


AREAS = (
    Area("V1", 0.20, (9.0, -90.0, 2.0), (0.07, 0.10), (1.0, 0.0, 0.0, 0.0, 0.0), (), 0.085),
    Area("V2", 0.16, (14.0, -89.0, 8.0), (0.09, 0.15), (1.0, 0.0, 0.0, 0.1, 0.0), (), 0.095),
    Area("V3", 0.13, (22.0, -87.0, 12.0), (0.13, 0.20), (1.0, 0.0, 0.1, 0.2, 0.0), (), 0.105),
    Area("hV4", 0.11, (27.0, -77.0, -13.0), (0.20, 0.30), (0.6, 0.2, 0.7, 0.3, 0.1), (), 0.125),
    Area("LO", 0.14, (41.0, -77.0, -3.0), (0.35, 0.30), (0.2, 1.0, 0.3, 0.3, 0.1), (), 0.150),
    Area(
        "EBA",
        0.08,
        (48.0, -70.0, 4.0),
        (0.50, 0.30),
        (0.1, 1.0, 0.1, 0.0, 0.1),
        (("cat", 1.2), ("bird", 1.0), ("face", 0.5)),
        0.165,
    ),
    Area(
        "FFA",
        0.08,
        (40.0, -52.0, -19.0),
        (0.45, 0.20),
        (0.1, 1.0, 0.1, 0.0, 0.1),
        (("face", 2.0), ("cat", 0.6)),
        0.170,
    ),
    Area(
        "PPA",
        0.10,
        (26.0, -46.0, -10.0),
        (0.60, 0.30),
        (0.1, 0.5, 0.1, 0.1, 1.0),
        (("house", 1.2), ("city", 0.6), ("room", 0.6)),
        0.200,
    ),
)
AREA_NAMES = tuple(area.name for area in AREAS)
# What kinds (in the order of scenes.KINDS) have in common, for all people: animate, made by people,
# large in the world, grasped.
SHARED_MEANING = {
    "face": (1.0, 0.0, 0.0, 0.0),
    "house": (0.0, 1.0, 1.0, 0.0),
    "tree": (0.2, 0.0, 1.0, 0.0),
    "car": (0.0, 1.0, 0.8, 0.0),
    "cat": (1.0, 0.0, 0.0, 0.3),
    "bird": (1.0, 0.0, 0.0, 0.2),
    "ball": (0.0, 0.8, 0.0, 0.8),
    "cup": (0.0, 1.0, 0.0, 1.0),
    "chair": (0.0, 1.0, 0.3, 0.2),
    "boat": (0.0, 1.0, 0.9, 0.0),
    "flower": (0.2, 0.0, 0.0, 0.6),
    "tool": (0.0, 1.0, 0.0, 1.0),
}


class Cortex:
    """Units of one person; `respond` gives their noise-free responses, in standard units.

    Parameters
    ----------
    n_units : int
    seed : sequence of int
        Who it is: another seed is another person.

    Attributes
    ----------
    area : int array, shape (n_units,)
        Index into `AREAS`.
    positions_mm : float array, shape (n_units, 3)
        MNI space, RAS.
    average_mm : float array, shape (n_units, 3)
        Where units of that area and receptive field lie in the average person.
    fields : float32 array, shape (n_units, 256)
        Receptive fields on the 16 x 16 grid; each sums to 1.

    Examples
    --------
    >>> from neurodecode.twin._vision import look
    >>> Cortex(30, seed=(0, 0)).respond(look(["scene-000001"])).shape
    (1, 30)
    """

    def __init__(self, n_units: int, seed: tuple[int, ...]) -> None:
        rng = np.random.default_rng(seed)
        share = np.array([area.share for area in AREAS])
        self.area = rng.permutation(
            np.searchsorted(np.cumsum(share / share.sum()), (np.arange(n_units) + 0.5) / n_units)
        )
        self.side = rng.choice([-1.0, 1.0], n_units)
        self._place(rng)
        self._tune(rng)
        before = self._raw(reference())
        self._mean = before.mean(axis=0)
        self._spread = before.std(axis=0) + 1e-6

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.area)

    @property
    def labels(self) -> NDArray[np.str_]:
        """The area of each unit, by name."""
        return np.asarray(np.array(AREA_NAMES)[self.area])

    def respond(self, vision: Vision) -> NDArray[np.float32]:
        """Responses without noise; mean 0 and spread 1 over the reference scenes.

        Returns
        -------
        float32 array, shape (n_scenes, n_units)
        """
        return np.asarray((self._raw(vision) - self._mean) / self._spread, dtype=np.float32)

    def _place(self, rng: np.random.Generator) -> None:
        """Receptive fields, and from them places: each half of the brain sees the other side."""
        n_units = len(self.area)
        eccentricity = 1.1 * rng.uniform(0.02, 1, n_units) ** 1.5
        angle = rng.uniform(-np.pi / 2, np.pi / 2, n_units)
        centre = np.stack(
            [-self.side * eccentricity * np.cos(angle), eccentricity * np.sin(angle)], axis=1
        )
        base, growth = np.array([area.field for area in AREAS])[self.area].T
        grid = (np.arange(GRID) + 0.5) / GRID * 2 - 1
        down, across = (one.ravel() for one in np.meshgrid(grid, grid, indexing="ij"))
        square = (across - centre[:, :1]) ** 2 + (down - centre[:, 1:]) ** 2
        size = base + growth * eccentricity
        fields = np.exp(-square / (2 * size[:, None] ** 2)) + 1e-9
        self.fields = (fields / fields.sum(axis=1, keepdims=True)).astype(np.float32)
        middle = np.array([area.centre_mm for area in AREAS])
        moved = rng.normal(0, 2.5, (len(AREAS), 3))
        # the fovea lies behind, the upper visual field (negative y) below
        along = np.stack([0 * angle, 12 * (eccentricity - 0.5), 5 * np.sin(angle)], axis=1)
        self.average_mm = middle[self.area] + along
        self.positions_mm = self.average_mm + moved[self.area] + rng.normal(0, 2.0, (n_units, 3))
        for places in (self.average_mm, self.positions_mm):
            places[:, 0] = np.maximum(places[:, 0], 2.0) * self.side

    def _tune(self, rng: np.random.Generator) -> None:
        n_units = len(self.area)
        content = np.array([area.content for area in AREAS])[self.area]
        weights = rng.normal(0, 1, (n_units, N_MAPS)) * 0.5
        # energy and luminance mostly excite; one orientation and one wavelength stand out
        weights[:, :N_ENERGY] += 0.5
        weights[np.arange(n_units), rng.integers(0, N_ENERGY, n_units)] += 2.0
        self._map_weights = (weights / _map_spread()).astype(np.float32)
        self._map_share = content[:, 0].astype(np.float32)
        kind = rng.normal(0, 0.8, (n_units, 4)) @ np.array(list(SHARED_MEANING.values())).T
        kind += rng.normal(0, 0.6, (n_units, len(scenes.KINDS)))
        background = rng.normal(0, 1, (n_units, len(scenes.BACKGROUNDS)))
        self._prefer(rng, kind, background)
        colour = rng.normal(0, 1, (n_units, len(scenes.COLOURS)))
        texture = rng.normal(0, 1, (n_units, len(TEXTURES)))
        tables = {"kind": kind, "colour": colour, "texture": texture}
        self._object_tables = {
            key: (table * content[:, [place]]).T.astype(np.float32)
            for place, (key, table) in enumerate(tables.items(), start=1)
        }
        light = rng.normal(0, 0.3, (n_units, len(scenes.LIGHTS)))
        self._scene_tables = {
            "background": (background * content[:, [4]]).T.astype(np.float32),
            "light": (light * content[:, [4]]).T.astype(np.float32),
        }

    def _prefer(
        self, rng: np.random.Generator, kind: NDArray[np.float64], background: NDArray[np.float64]
    ) -> None:
        """Add what most units of an area like, more or less of it."""
        for unit, area in enumerate(self.area):
            for name, strength in AREAS[area].likes:
                extra = strength * rng.uniform(0.5, 1.5)
                if name in scenes.KINDS:
                    kind[unit, scenes.KINDS.index(name)] += extra
                else:
                    background[unit, scenes.BACKGROUNDS.index(name)] += extra

    def _raw(self, vision: Vision) -> NDArray[np.float32]:
        n_scenes = len(vision.ids)
        values = np.empty((n_scenes, self.n_units), dtype=np.float32)
        for start in range(0, n_scenes, CHUNK):
            rows = slice(start, start + CHUNK)
            values[rows] = self._early(vision, rows) + self._late(vision, rows)
        return values

    def _early(self, vision: Vision, rows: slice) -> NDArray[np.float32]:
        total = np.zeros((len(vision.ids[rows]), self.n_units), dtype=np.float32)
        for one in range(N_MAPS):
            pooled = vision.maps[rows, one] @ self.fields.T
            # responses saturate with contrast (compressive spatial summation)
            pooled = np.sign(pooled) * np.abs(pooled) ** np.float32(0.6)
            total += pooled * self._map_weights[:, one]
        return np.asarray(total * self._map_share)

    def _late(self, vision: Vision, rows: slice) -> NDArray[np.float32]:
        total = np.zeros((len(vision.ids[rows]), self.n_units), dtype=np.float32)
        for place in range(MAX_OBJECTS):
            there = vision.facts["kind"][rows, place] >= 0
            drive = np.sqrt(vision.places[rows, place] @ self.fields.T)
            drive *= 2.0 if place == 0 else 2.0 * OTHERS_WEIGHT
            liking = np.zeros_like(total)
            for key, table in self._object_tables.items():
                liking[there] += table[vision.facts[key][rows, place][there]]
            total += drive * liking
        for key, table in self._scene_tables.items():
            total += table[vision.facts[key][rows]]
        return total


def _map_spread() -> NDArray[np.float32]:
    """How much each map varies over reference scenes, so that none outweighs the others."""
    maps = reference().maps
    return np.asarray((np.abs(maps) ** 0.6).std(axis=(0, 2)) + 1e-6, dtype=np.float32)
