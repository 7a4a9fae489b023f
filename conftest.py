"""Tests and doctests keep looks and computed embeddings in folders of their own, not the user's."""

from __future__ import annotations

import os

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # workers side by side: one thread each, or they starve
    os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@pytest.fixture(autouse=True, scope="session")
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["NEURODECODE_STATE"] = str(tmp_path_factory.mktemp("state"))
    os.environ["NEURODECODE_CACHE"] = str(tmp_path_factory.mktemp("cache"))
