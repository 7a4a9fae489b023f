"""Tests and doctests keep looks and computed embeddings in folders of their own, not the user's."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["NEURODECODE_STATE"] = str(tmp_path_factory.mktemp("state"))
    os.environ["NEURODECODE_CACHE"] = str(tmp_path_factory.mktemp("cache"))
