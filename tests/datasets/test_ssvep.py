"""Flicker recordings: files that are broken, or lack the triggers, are one clear error each."""

from __future__ import annotations

from pathlib import Path

import mne
import numpy as np
import pytest

from neurodecode.datasets import ssvep
from neurodecode.errors import CorruptFileError


def played(monkeypatch: pytest.MonkeyPatch, markers: dict[float, str]) -> None:
    """Let every GDF file hold ten seconds of nothing, with these markers."""
    raw = mne.io.RawArray(
        np.zeros((2, 1000)), mne.create_info(["Oz", "O1"], 100.0, "eeg"), verbose="error"
    )
    raw.set_annotations(mne.Annotations(list(markers), [0.0] * len(markers), [*markers.values()]))
    monkeypatch.setattr(mne.io, "read_raw_gdf", lambda *_, **__: raw)


@pytest.mark.parametrize("content", [b"", b"GDF 2.20" + bytes(300), b"nothing of this kind" * 50])
def test_a_broken_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.gdf"
    file.write_bytes(content)
    with pytest.raises(CorruptFileError, match=r"broken\.gdf can't be read as a (GDF|rec)"):
        ssvep.events_of(file)


def test_trials_have_the_class_that_was_cued_before(monkeypatch: pytest.MonkeyPatch) -> None:
    cue, name = next(iter(ssvep.CLASSES.items()))
    played(monkeypatch, {1.0: cue, 2.0: ssvep.START, 4.0: cue, 5.0: ssvep.START})
    events = ssvep.events_of("any.gdf")
    assert events["onset"].tolist() == [2.0, 5.0]
    assert events["stimulus"].tolist() == [name, name]


def test_no_trial_takes_the_cue_of_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged cue gave its trial the class of the trial before it, without a word."""
    cue = next(iter(ssvep.CLASSES))
    played(monkeypatch, {1.0: cue, 2.0: ssvep.START, 4.0: "1", 5.0: ssvep.START})
    with pytest.raises(CorruptFileError) as error:
        ssvep.events_of("any.gdf")
    assert str(error.value) == (
        "any.gdf starts a trial at 5.000 s without a cue of its own. A marker is damaged; obtain "
        "it again."
    )
    played(monkeypatch, {1.0: cue, 2.0: cue, 5.0: ssvep.START})
    with pytest.raises(CorruptFileError, match=r"any\.gdf has a second cue at 2\.000 s"):
        ssvep.events_of("any.gdf")


def test_a_file_without_triggers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    played(monkeypatch, {1.0: "something else"})
    with pytest.raises(
        CorruptFileError, match=r"any\.gdf has no trial marker .*; its markers are something else\."
    ):
        ssvep.events_of("any.gdf")


def test_a_trial_before_any_cue_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    played(monkeypatch, {1.0: ssvep.START})
    with pytest.raises(CorruptFileError, match=r"starts a trial at 1\.000 s without a cue"):
        ssvep.events_of("any.gdf")
