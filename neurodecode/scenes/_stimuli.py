"""Scenes by id: pictures, clips, masks and flow, one or many."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Stimuli, as_ids
from neurodecode.scenes import _render
from neurodecode.scenes._captions import attributes, captions
from neurodecode.scenes._render import DEFAULT_SIZE
from neurodecode.scenes._scene import FRAME_RATE, Scene, scene, scene_id

CHUNK = 64
METADATA = ("kind", "colour", "size", "column", "row", "texture", "background", "light", "motion")


def render(one: Scene | str | int, size: int = DEFAULT_SIZE) -> NDArray[np.uint8]:
    """The picture of a scene.

    Returns
    -------
    uint8 array, shape (size, size, 3)

    Examples
    --------
    >>> render("scene-000001", size=16).shape
    (16, 16, 3)
    """
    return _render.picture(_known(one, size), size)


def clip(one: Scene | str | int, size: int = DEFAULT_SIZE) -> NDArray[np.uint8]:
    """The scene in motion: 2 s at 8 frames a second; the first frame is the picture.

    Returns
    -------
    uint8 array, shape (16, size, size, 3)

    Examples
    --------
    >>> bool((clip(1, size=16)[0] == render(1, size=16)).all())
    True
    """
    known = _known(one, size)
    ground = None if known.motion.kind == "background" else _render.backdrop(known, size)
    return np.stack(
        [_render.picture(known, size, float(time), ground) for time in _render.frame_times()]
    )


def masks(
    one: Scene | str | int, size: int = DEFAULT_SIZE, time_s: float = 0.0
) -> NDArray[np.bool_]:
    """Where each object is seen: pixels whose centre it covers, unless something is in front.

    Returns
    -------
    bool array, shape (n_objects, size, size); the main object first

    Examples
    --------
    >>> int(masks(1, size=16).sum(axis=0).max())
    1
    """
    known = _known(one, size)
    front = _render.labels(known, size, time_s)
    return np.stack([front == index for index in range(len(known.objects))])


def flow(one: Scene | str | int, size: int = DEFAULT_SIZE) -> NDArray[np.float32]:
    """Exact optical flow of the clip: where the surface seen at each pixel is one frame later.

    Returns
    -------
    float32 array, shape (15, size, size, 2): right and down, in pixels a frame

    Examples
    --------
    >>> flow(1, size=16).shape
    (15, 16, 16, 2)
    """
    known = _known(one, size)
    times = _render.frame_times()[:-1]
    return np.stack([_render.flow(known, size, float(time), 1 / FRAME_RATE) for time in times])


def render_many(
    ids: Iterable[str | int], size: int = DEFAULT_SIZE, workers: int | None = None
) -> NDArray[np.uint8]:
    """Pictures of many scenes.

    Parameters
    ----------
    ids : iterable of str or int
    size : int
        Pixels a side.
    workers : int, optional
        Processes to share the work (``-1``: one a core); by default it is done here.

    Returns
    -------
    uint8 array, shape (n_scenes, size, size, 3)

    Examples
    --------
    >>> render_many([1, 2], size=16).shape
    (2, 16, 16, 3)
    """
    names = _names(ids)
    pictures = np.empty((len(names), size, size, 3), dtype=np.uint8)
    groups = [names[start : start + CHUNK] for start in range(0, len(names), CHUNK)]
    n_workers = multiprocessing.cpu_count() if workers == -1 else (workers or 1)
    if n_workers == 1 or len(groups) < 2:
        done = map(partial(_render_group, size=size), groups)
        _fill(pictures, done)
        return pictures
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(n_workers, len(groups)), mp_context=spawn) as pool:
        _fill(pictures, pool.map(partial(_render_group, size=size), groups))
    return pictures


def stimuli(ids: Iterable[str | int], size: int = DEFAULT_SIZE) -> Stimuli:
    """Pictures of scenes, drawn when asked for, with captions and attributes.

    Examples
    --------
    >>> some = stimuli([1, 2])
    >>> some
    Stimuli(2 images)
    >>> some["scene-000002"].shape, len(some.captions["scene-000002"])
    ((64, 64, 3), 4)
    """
    return _collect(ids, size, moving=False)


def clips(ids: Iterable[str | int], size: int = DEFAULT_SIZE) -> Stimuli:
    """Clips of scenes, drawn when asked for; their captions say what moves.

    Examples
    --------
    >>> clips([1])["scene-000001"].shape
    (16, 64, 64, 3)
    """
    return _collect(ids, size, moving=True)


def _collect(ids: Iterable[str | int], size: int, *, moving: bool) -> Stimuli:
    names = _names(ids)
    facts = [attributes(name) for name in names]
    return Stimuli(
        as_ids("stimulus", names),
        "video" if moving else "image",
        partial(clip if moving else render, size=size),
        {name: captions(name, clip=moving) for name in names},
        {key: np.array([one[key] for one in facts], dtype=np.str_) for key in METADATA},
        "simulated",
    )


def _render_group(names: Sequence[str], size: int) -> NDArray[np.uint8]:
    return np.stack([render(name, size) for name in names])


def _fill(pictures: NDArray[np.uint8], groups: Iterable[NDArray[np.uint8]]) -> None:
    start = 0
    for group in groups:
        pictures[start : start + len(group)] = group
        start += len(group)


def _names(ids: Iterable[str | int]) -> list[str]:
    return [scene_id(one) if isinstance(one, int | np.integer) else str(one) for one in ids]


def _known(one: Scene | str | int, size: int) -> Scene:
    if size < 8:
        raise ValueError(f"A picture has at least 8 pixels a side; got size={size}.")
    if isinstance(one, Scene):
        return one
    return scene(int(one) if isinstance(one, int | np.integer) else str(one))
