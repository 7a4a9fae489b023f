"""Pictures, clips, masks and flow agree with what the scene says."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from neurodecode import scenes
from neurodecode.scenes import _render
from neurodecode.scenes._shapes import SHAPES

MEANS = [
    [196.1, 193.2, 177.1],
    [133.2, 176.1, 155.6],
    [123.3, 106.8, 110.0],
    [173.2, 169.3, 152.3],
    [151.6, 121.1, 87.4],
]


def _of_kind(motion: str, n_scenes: int = 4) -> list[scenes.Scene]:
    found = [scenes.scene(i) for i in range(200) if scenes.scene(i).motion.kind == motion]
    return found[:n_scenes]


def test_masks_are_where_the_objects_are():
    """Compared with eight times the resolution, where a mask has no room for error."""
    for i in range(12):
        fine = scenes.masks(i, size=512).reshape(-1, 64, 8, 64, 8).mean(axis=(2, 4))
        coarse = scenes.masks(i, size=64)
        certain = (fine < 0.1) | (fine > 0.9)
        assert np.array_equal(coarse[certain], fine[certain] > 0.5)
        doubtful = np.abs(fine - 0.5) < 0.1
        assert ((coarse != (fine > 0.5)) & ~doubtful).mean() < 0.003


def test_recolouring_an_object_changes_its_pixels_only():
    for i in range(20):
        scene = scenes.scene(i)
        main = replace(scene.objects[0], rgb=(0.3, 0.9, 0.5), texture="plain")
        other = replace(scene, objects=(main, *scene.objects[1:]))
        changed = (scenes.render(scene) != scenes.render(other)).any(axis=-1)
        cover = _render.coverage(scene, 64)[0]
        assert changed.any()
        assert not changed[cover == 0].any()


def test_every_object_is_seen():
    seen = [scenes.masks(i).sum(axis=(1, 2)) for i in range(200)]
    assert min(count[0] for count in seen) > 40
    assert min(count.min() for count in seen) > 20
    assert all(scenes.masks(i).sum(axis=0).max() == 1 for i in range(20))


@pytest.mark.parametrize("motion", scenes.MOTIONS)
def test_flow_is_where_points_of_the_object_go(motion):
    """Follow a point fixed to the object, by the drawing of its pose at two moments."""
    for scene in _of_kind(motion):
        flow = scenes.flow(scene)
        for frame in (0, 7, 14):
            start, end = (
                _render.pose(scene, 0, time).matrix() for time in (frame / 8, (frame + 1) / 8)
            )
            front = _render.labels(scene, 64, frame / 8)
            for u, v in ((0.0, 0.0), (0.3, -0.2), (-0.25, 0.4)):
                point = start @ [u, v, 1] * 64
                pixel = np.floor(point).astype(int)
                if not ((pixel >= 0) & (pixel < 64)).all() or front[pixel[1], pixel[0]] != 0:
                    continue
                centre = pixel + 0.5
                inside = np.linalg.solve(start[:, :2], centre / 64 - start[:, 2])
                moved = (end @ [*inside, 1] - start @ [*inside, 1]) * 64
                assert np.allclose(flow[frame, pixel[1], pixel[0]], moved, atol=1e-4)


def test_flow_carries_one_frame_into_the_next():
    """Pull the next frame back along the flow: it must look more like this frame than unmoved."""
    from scipy.ndimage import binary_erosion, map_coordinates

    for motion in scenes.MOTIONS:
        for scene in _of_kind(motion, 3):
            clip = scenes.clip(scene, size=192).astype(float)
            flow = scenes.flow(scene, size=192)
            front = _render.labels(scene, 192, 0.0)
            part = binary_erosion(
                front == (-1 if motion == "background" else 0),
                iterations=8 if motion == "background" else 2,
            )
            rows, columns = np.mgrid[:192, :192].astype(float)
            at = [rows + flow[0, ..., 1], columns + flow[0, ..., 0]]
            part &= (at[1] > 0) & (at[1] < 191)
            pulled = np.stack(
                [map_coordinates(one, at, order=1) for one in clip[1].transpose(2, 0, 1)], -1
            )
            still = np.abs(clip[1] - clip[0])[part].mean()
            assert np.abs(pulled - clip[0])[part].mean() < 0.6 * still


def test_what_does_not_move_has_no_flow():
    for scene in _of_kind("translation"):
        flow, front = scenes.flow(scene), _render.labels(scene, 64, 0.0)
        assert not flow[0][front != 0].any()
        expected = np.asarray(scene.motion.velocity) / 8 * 64
        assert np.allclose(flow[0][front == 0], expected, atol=1e-4)


def test_a_clip_starts_with_the_picture_and_moves():
    for motion in scenes.MOTIONS:
        clip = scenes.clip(_of_kind(motion, 1)[0])
        assert clip.shape == (16, 64, 64, 3)
        assert np.array_equal(clip[0], scenes.render(_of_kind(motion, 1)[0]))
        assert all((one != other).any() for one, other in pairwise(clip))


def test_pictures_never_change():
    """Models that we ship were trained on these pictures; a rounding of one pixel is allowed."""
    mean = [scenes.render(i).mean(axis=(0, 1)) for i in (0, 3, 7, 12, 19)]
    assert np.allclose(mean, MEANS, atol=0.1)


def test_sizes_show_the_same_scene():
    small, large = scenes.render(4, size=64), scenes.render(4, size=256)
    pooled = large.reshape(64, 4, 64, 4, 3).mean(axis=(1, 3))
    assert np.abs(pooled - small).mean() < 4
    with pytest.raises(ValueError, match="at least 8 pixels a side; got size=4"):
        scenes.render(4, size=4)


def test_workers_draw_what_one_process_draws():
    alone = scenes.render_many(range(130), size=16)
    assert np.array_equal(alone, scenes.render_many(range(130), size=16, workers=2))


def test_stimuli_carry_captions_and_attributes():
    some = scenes.stimuli([3, "scene-000001"])
    assert some.ids.tolist() == ["scene-000003", "scene-000001"]
    assert some.metadata["kind"].tolist() == [scenes.attributes(i)["kind"] for i in (3, 1)]
    assert some.captions["scene-000001"] == scenes.captions(1)
    assert np.array_equal(some["scene-000003"], scenes.render(3))
    moving = scenes.clips([3])
    assert moving.kind == "video"
    assert moving.captions["scene-000003"] == scenes.captions(3, clip=True)


def test_distances_are_negative_inside_and_rise_by_one_a_unit():
    grid = np.linspace(-2, 2, 401, dtype=np.float32)
    x, y = grid[None, :], grid[:, None]
    shapes = {
        "ellipse": (0.1, -0.2, 0.8, 0.5, 0.4),
        "ring": (0.0, 0.0, 0.8, 0.6, 0.0, 0.1),
        "box": (0.1, 0.0, 0.7, 0.4, 0.2, 0.3),
        "polygon": (-0.6, -0.5, 0.7, -0.5, 0.2, 0.8),
        "line": (-0.5, -0.5, 0.5, 0.3, 0.2, 0.1),
    }
    assert set(shapes) == set(SHAPES)
    for name, numbers in shapes.items():
        distance = SHAPES[name](x, y, numbers)
        slope = np.hypot(*np.gradient(distance, 0.01))
        edge = np.abs(distance) < 0.03
        assert 0.85 < np.median(slope[edge]) < 1.15, name
        assert distance.min() < -0.05 < 0 < distance.max()
