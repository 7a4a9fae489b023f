"""Every layout that a twin writes comes back as simulated from the reader of the real one."""

from __future__ import annotations

from typing import Any

import pytest

from neurodecode import twin
from neurodecode.data import MARKER
from neurodecode.datasets import zuco
from tests.attack import readers

LAYOUTS = ("nsd ", "mindeye2", "brain-diffuser", "eeg2 ", "meg ", "bids ")
BY_TWINS = [name for name in readers.READERS if name.startswith(LAYOUTS)]


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Provenances of what the readers of the harness give."""
    found: list[Any] = []
    for name in ("of_responses", "of_recording"):

        def keep(given: Any) -> dict[str, Any]:
            found.append(given.provenance)
            return {}

        monkeypatch.setattr(readers, name, keep)
    return found


@pytest.mark.parametrize("layout", BY_TWINS)
def test_a_twins_files_are_read_as_simulated_and_without_the_mark_as_recorded(
    layout, tmp_path, sources
):
    reader = readers.READERS[layout]
    reader.write(tmp_path)
    reader.read(tmp_path)
    assert {one.source for one in sources} == {"simulated"}
    assert all(one.recording.startswith("twin-") for one in sources)
    sources.clear()
    marks = [*tmp_path.rglob(MARKER), *tmp_path.rglob("dataset_description.json")]
    min(marks, key=lambda path: len(path.parts)).unlink()
    reader.read(tmp_path)
    assert {one.source for one in sources} == {"recorded"}
    names = {one.recording.partition("/")[0] for one in sources}
    expected = {"nsd", "things-eeg2", "things-meg", "sub-01", "01"}
    assert names <= expected, names


@pytest.mark.parametrize("version", [1, 2])
def test_reading_experiments_too(tmp_path, version):
    plan = twin.Reading(n_channels=4)
    files = twin.write_reading(tmp_path, 1, 6, version=version, plan=plan)
    responses, _ = zuco.read_subject(files)
    assert responses.provenance.source == "simulated"
    (tmp_path / MARKER).unlink()
    responses, _ = zuco.read_subject(files)
    assert responses.provenance.recording == f"zuco/{responses.subject}"
