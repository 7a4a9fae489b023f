"""Where sensors are: measured, moved to the head, or by their names."""

from __future__ import annotations

import mne
import numpy as np
import pytest

from neurodecode.datasets._montage import sensor_places, template_positions
from neurodecode.twin import MEG
from neurodecode.twin._machines import make_info, sensor_positions_mm


def test_measured_places_are_in_mm_of_the_head() -> None:
    info = mne.create_info(["Oz", "Pz", "Cz"], 100.0, "eeg")
    info.set_montage("colin27_1005")
    places = sensor_places(info)
    assert places.shape == (3, 3)
    assert 50 < np.linalg.norm(places, axis=1).mean() < 150
    assert places[0, 1] < places[2, 1], "Oz lies behind Cz"


def test_electrodes_without_places_stand_where_the_template_has_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = ["Oz", "Pz", "Cz"]
    measured = mne.create_info(names, 100.0, "eeg")
    measured.set_montage("colin27_1005")
    found = sensor_places(mne.create_info(names, 100.0, "eeg"))
    np.testing.assert_allclose(found, sensor_places(measured), atol=1.0)
    assert (
        "3 of 3 sensors have no position ('Oz', 'Pz', 'Cz'); they are put where a template has "
        "sensors of these names." in caplog.text
    )


def test_names_that_no_template_knows_leave_positions_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert sensor_places(mne.create_info(["Oz", "X77"], 100.0, "eeg")) is None
    assert "names that no template knows; positions are left out" in caplog.text


def test_meg_sensors_are_moved_from_the_helmet_to_the_head(
    caplog: pytest.LogCaptureFixture,
) -> None:
    info = make_info(MEG, 100.0, np.random.default_rng(0))
    in_head = sensor_places(info)
    np.testing.assert_allclose(in_head, sensor_positions_mm(info), atol=1e-3)
    assert np.abs(in_head - 1e3 * np.array([one["loc"][:3] for one in info["chs"]])).max() > 10
    assert not caplog.text
    info["dev_head_t"] = None
    np.testing.assert_allclose(
        sensor_places(info), 1e3 * np.array([one["loc"][:3] for one in info["chs"]])
    )
    assert "no dev_head_t" in caplog.text


def test_template_knows_ctf_names() -> None:
    assert template_positions(["MLC11-1609", "MRO11-1609"]).shape == (2, 3)
