"""Two simulated people, written once in each layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from neurodecode.data import Responses
from neurodecode.twin.layouts import nsd as twin

DESIGN = twin.NsdDesign(n_subjects=2, n_shared=5, n_own=9, n_sessions=3, seed=1)


@pytest.fixture(scope="session")
def design() -> twin.NsdDesign:
    return DESIGN


@pytest.fixture(scope="session")
def people(design: twin.NsdDesign) -> list[Responses]:
    return design.people(n_voxels=40)


@pytest.fixture(scope="session")
def raw(design, people, tmp_path_factory) -> Path:
    return twin.write_raw(
        tmp_path_factory.mktemp("raw"), design, people, picture_size=32, voxel_mm=9
    )


@pytest.fixture(scope="session")
def raw_hdf5(design, people, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("raw5")
    return twin.write_raw(folder, design, people, form="hdf5", picture_size=16, voxel_mm=9)


@pytest.fixture(scope="session")
def tars(design, people, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tars")
    twin.write_webdataset(folder, design, people, picture_size=32, n_validation=2)
    return folder


@pytest.fixture(scope="session")
def unpacked(design, people, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    twin.write_webdataset(folder, design, people, unpacked=True, picture_size=32, n_validation=2)
    return folder


@pytest.fixture(scope="session")
def mindeye(design, people, tmp_path_factory) -> Path:
    return twin.write_mindeye(tmp_path_factory.mktemp("me2"), design, people, picture_size=32)


@pytest.fixture(scope="session")
def arrays(design, people, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bd")
    return twin.write_brain_diffuser(folder, design, people, picture_size=32)
