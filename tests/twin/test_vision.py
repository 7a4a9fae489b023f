"""The brain sees the picture and the facts, nothing else."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from neurodecode import scenes
from neurodecode.twin import look
from neurodecode.twin._vision import N_MAPS, ORIENTATIONS, _maps


def _grating(angle: float, wavelength: float) -> np.ndarray:
    down, across = np.mgrid[:64, :64]
    wave = np.sin(2 * np.pi * (across * np.cos(angle) + down * np.sin(angle)) / wavelength)
    return np.repeat((0.5 + 0.5 * wave)[None, :, :, None], 3, axis=-1).astype(np.float32)


def test_a_grating_drives_the_map_of_its_orientation_and_wavelength():
    for place, wavelength in enumerate((4.0, 8.0)):
        for turn in range(ORIENTATIONS):
            energy = _maps(_grating(np.pi * turn / ORIENTATIONS, wavelength))[0].mean(axis=1)
            assert energy[: N_MAPS - 3].argmax() == place * ORIENTATIONS + turn


def test_a_grey_picture_has_no_energy_and_no_colour():
    maps = _maps(np.full((1, 64, 64, 3), 0.4, dtype=np.float32))[0]
    assert np.allclose(maps[:-3], 0, atol=1e-6)
    assert np.allclose(maps[-3], 0.4)
    assert np.allclose(maps[-2:], 0, atol=1e-6)


def test_places_are_the_masks_at_low_resolution():
    seen = look(["scene-000004"])
    masks = scenes.masks(4)
    assert np.allclose(seen.places[0, : len(masks)].sum(axis=1) * 16, masks.sum(axis=(1, 2)))
    assert not seen.places[0, len(masks) :].any()
    assert (seen.facts["kind"][0] >= 0).sum() == len(masks)


def test_no_network_is_loaded_to_look():
    code = (
        "import sys; from neurodecode import twin;"
        "twin.fmri(1, 2, n_voxels=8, design=twin.Design(n_test=1, test_repeats=1));"
        "print([name for name in ('torch', 'open_clip', 'timm') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
