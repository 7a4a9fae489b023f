"""A decoder of streams as a folder, and the verb that plays a recording through it."""

from __future__ import annotations

import mne
import numpy as np
import pytest

from neurodecode.cli import main
from neurodecode.errors import CorruptFileError, MissingDependencyError
from neurodecode.streaming import FileSource, LslSource, StreamDecoder, StreamKit

from .conftest import SFREQ


@pytest.fixture
def recording(tmp_path, signal):
    info = mne.create_info([f"M{i}" for i in range(6)], SFREQ, "mag")
    path = tmp_path / "run_raw.fif"
    mne.io.RawArray(signal, info, verbose="error").save(path, verbose="error")
    return path


def test_kit_decodes_the_same_after_loading(kit, signal, tmp_path):
    again = StreamKit.load(kit.save(tmp_path / "kit"))
    points = [
        np.array([one.point for one in StreamDecoder(
            each.encoder, each.cleaning, each.layout, SFREQ, head=each.head).push(signal)])
        for each in (kit, again)
    ]  # fmt: skip
    np.testing.assert_array_equal(*points)
    assert again.evidence == "Toy."
    assert again.candidates.picture(2) == kit.candidates.picture(2)


def test_damaged_kit_is_refused(kit, tmp_path):
    folder = kit.save(tmp_path / "kit")
    (folder / "stream.npz").write_bytes(b"PK")
    with pytest.raises(CorruptFileError, match="does not hold a decoder of streams"):
        StreamKit.load(folder)


def test_verb_plays_a_recording(kit, recording, tmp_path, capsys):
    folder = kit.save(tmp_path / "kit")
    assert main(["stream", str(recording), "--model", str(folder), "--fast"]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 4 and "scene-" in out
    assert "http://127.0.0.1:" in err and "windows; median" in err


def test_verb_says_that_a_recording_is_too_short(kit, tmp_path, capsys):
    info = mne.create_info([f"M{i}" for i in range(6)], SFREQ, "mag")
    path = tmp_path / "short_raw.fif"
    mne.io.RawArray(np.zeros((6, 100)), info, verbose="error").save(path, verbose="error")
    folder = kit.save(tmp_path / "kit")
    assert main(["stream", str(path), "--model", str(folder), "--fast"]) == 1
    assert "ended before the first window of 0.50 s was complete" in capsys.readouterr().err


def test_missing_channels_are_named(recording):
    raw = mne.io.read_raw(recording, verbose="error")
    with pytest.raises(ValueError, match=r"lacks 1 of 2 channels .* \(such as M9\)"):
        FileSource(raw, ("M1", "M9"))


def test_file_keeps_its_pace(recording):
    raw = mne.io.read_raw(recording, verbose="error").crop(0, 0.2)
    arrived = [at for _, at in FileSource(raw, chunk_s=0.05, pace=1.0).chunks()]
    np.testing.assert_allclose(np.diff(arrived)[:3], 0.05, atol=1e-9)


def test_lsl_without_mne_lsl_says_how_to_get_it():
    try:
        import mne_lsl  # noqa: F401
    except ImportError:
        with pytest.raises(MissingDependencyError, match=r"neurodecode-toolkit\[stream\]"):
            LslSource("amplifier")
    else:
        pytest.skip("MNE-LSL is installed here")
