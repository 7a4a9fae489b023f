"""MEG and EEG files that were cut off are not shorter recordings."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import mne
import numpy as np
import pybv
import pytest

from neurodecode.datasets._recordings import check_recording, check_sidecar
from neurodecode.errors import CorruptFileError
from tests.attack import gdf

N_CHANNELS, N_TIMES, SFREQ, VALUES = gdf.N_CHANNELS, gdf.N_TIMES, gdf.SFREQ, gdf.VALUES
RECORDED = Path(os.environ.get("NEURODECODE_DATA", "../shared/data"))


def _raw():
    info = mne.create_info(["Oz", "O1", "O2"], SFREQ, "eeg")
    return mne.io.RawArray(VALUES, info, verbose="error")


def write_brainvision(folder: Path) -> Path:
    events = [{"onset": 390, "duration": 1, "description": 7, "type": "Stimulus"}]
    pybv.write_brainvision(
        data=VALUES, sfreq=SFREQ, ch_names=["Oz", "O1", "O2"], fname_base="x", folder_out=folder,
        events=events,
    )  # fmt: skip
    return folder / "x.vhdr"


def write_fif(folder: Path) -> Path:
    _raw().save(folder / "x_raw.fif", verbose="error")
    return folder / "x_raw.fif"


def write_gdf(folder: Path, version: str = "2.20") -> Path:
    return gdf.write_gdf(folder / "x.gdf", version=version)


def write_edf(folder: Path) -> Path:
    fields = [
        "0".ljust(8), "X".ljust(80), "X".ljust(80), "01.01.20", "00.00.00",
        str(256 * (1 + N_CHANNELS)).ljust(8), " " * 44, "4".ljust(8), "1".ljust(8),
        str(N_CHANNELS).ljust(4),
    ]  # fmt: skip
    sizes = {"Oz": 16, "": 80, "uV": 8, "-100": 8, "100": 8, "-32768": 8, "32767": 8, " ": 80}
    fields += [value.ljust(size) * N_CHANNELS for value, size in sizes.items()]
    fields += ["100".ljust(8) * N_CHANNELS, " " * 32 * N_CHANNELS]
    steps = (VALUES.reshape(N_CHANNELS, 4, 100).transpose(1, 0, 2) * 1e6).astype("<i2")
    file = folder / "x.edf"
    file.write_bytes("".join(fields).encode() + steps.tobytes())
    return file


WRITERS = [write_brainvision, write_fif, write_gdf, write_edf]


def _refused(file: Path) -> str:
    with pytest.raises(CorruptFileError) as error:
        check_recording(file)
    return str(error.value)


@pytest.mark.parametrize("write", WRITERS, ids=lambda one: one.__name__)
def test_whole_files_pass_and_are_those_that_mne_reads(tmp_path, write):
    file = write(tmp_path)
    check_recording(file)
    raw = mne.io.read_raw(file, verbose="error")
    assert (len(raw.ch_names), raw.n_times, raw.info["sfreq"]) == (N_CHANNELS, N_TIMES, SFREQ)


@pytest.mark.parametrize("write", WRITERS, ids=lambda one: one.__name__)
def test_no_cut_off_file_passes(tmp_path, write):
    """But one: BrainVision cut between two samples behind its last marker; its sidecar knows."""
    file = write(tmp_path)
    data = file.with_suffix(".eeg") if file.suffix == ".vhdr" else file
    content = data.read_bytes()
    for n_bytes in [*range(0, len(content), 37), len(content) - 1]:
        data.write_bytes(content[:n_bytes])
        assert str(data) in _refused(file), n_bytes


@pytest.mark.parametrize("version", ["1.25", "2.20", "2.51"])
def test_both_kinds_of_gdf_events_are_counted(tmp_path, version):
    file = write_gdf(tmp_path, version)
    check_recording(file)
    raw = mne.io.read_raw_gdf(file, verbose="error")
    assert raw.annotations.description.tolist() == ["769", "770"]
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    assert _refused(file) == (
        f"{file} is cut off: its events should end at byte {len(content)}, but it has "
        f"{len(content) - 1} bytes. Obtain it again."
    )


def test_brainvision_says_what_is_missing(tmp_path):
    header = write_brainvision(tmp_path)
    data = header.with_suffix(".eeg")
    content = data.read_bytes()
    data.write_bytes(content[:-1])
    assert _refused(header) == (
        f"{data} is cut off inside a sample: {len(content) - 1} bytes are no multiple of the 12 "
        f"bytes of 3 channels that x.vhdr declares. Obtain it again."
    )
    data.write_bytes(content[: 12 * 300])
    assert _refused(header) == (
        f"{data} has 300 samples, but x.vmrk has a marker at sample 391. It is cut off or belongs "
        f"to another file of markers; obtain both again."
    )
    data.write_bytes(content[: 12 * 399])
    text = header.read_text()
    header.write_text(text.replace("NumberOfChannels=3", "NumberOfChannels=3\nDataPoints=400"))
    assert _refused(header) == (
        f"{data} has 399 samples, but x.vhdr declares 400. It is cut off or belongs to another "
        f"header; obtain both again."
    )
    header.with_suffix(".vmrk").write_text("<html>")
    header.write_text(text)
    assert "x.vmrk has no part [Marker Infos]" in _refused(header)
    data.unlink()
    with pytest.raises(FileNotFoundError, match=r"There is no .*x\.eeg, which x\.vhdr names"):
        check_recording(header)


def test_fif_that_points_nowhere_is_refused(tmp_path):
    file = write_fif(tmp_path)
    content = bytearray(file.read_bytes())
    content[8:12] = np.array([2**30], ">i4").tobytes()
    file.write_bytes(bytes(content))
    assert _refused(file) == (
        f"{file} is cut off or damaged: tag 100 at byte 0 has {2**30} bytes, but the file ends at "
        f"{len(content)}. Obtain it again."
    )


def test_a_flipped_bit_in_a_packed_fif_is_found(tmp_path):
    packed = tmp_path / "x_raw.fif.gz"
    content = bytearray(gzip.compress(write_fif(tmp_path).read_bytes(), compresslevel=0))
    packed.write_bytes(bytes(content))
    check_recording(packed)
    content[len(content) // 2] ^= 1
    packed.write_bytes(bytes(content))
    assert f"{packed} can't be read as a recording: error: Error -3" in _refused(packed)


@pytest.mark.parametrize("stated", [3.99, 4.0, 4, 3.5])
def test_the_sidecar_knows_how_long_it_was(tmp_path, stated):
    """With or without the last sample's time, and to the places it is written with."""
    file = tmp_path / "x_eeg.vhdr"
    file.with_suffix(".json").write_text(json.dumps({"RecordingDuration": stated}))
    if stated != 3.5:
        check_sidecar(file, SFREQ, N_TIMES)
        return
    with pytest.raises(CorruptFileError) as error:
        check_sidecar(file, SFREQ, N_TIMES)
    assert str(error.value) == (
        f"{file} lasts 4 s but x_eeg.json says 3.5 s. It is cut off, or they belong to different "
        f"recordings."
    )


def test_the_sidecar_knows_the_rate(tmp_path):
    file = tmp_path / "x_eeg.vhdr"
    check_sidecar(file, SFREQ, N_TIMES)  # without a sidecar
    file.with_suffix(".json").write_text(json.dumps({"SamplingFrequency": 250}))
    with pytest.raises(CorruptFileError) as error:
        check_sidecar(file, SFREQ, N_TIMES)
    assert str(error.value) == (
        f"{file} has 100 samples a second but x_eeg.json says 250. One of them is damaged, or they "
        f"belong to different recordings."
    )
    file.with_suffix(".json").write_text("{")
    with pytest.raises(CorruptFileError, match=r"x_eeg\.json can't be read as a sidecar: JSONDec"):
        check_sidecar(file, SFREQ, N_TIMES)


@pytest.mark.recorded
@pytest.mark.skipif(not RECORDED.is_dir(), reason="no real recordings are here")
def test_real_recordings_pass():
    files = [*RECORDED.rglob("*.gdf"), *RECORDED.rglob("*.fif.gz")]
    assert files
    for file in files:
        check_recording(file)


@pytest.mark.parametrize("key", ["RecordingDuration", "SamplingFrequency"])
def test_a_sidecar_that_states_no_number_does_not_pass(tmp_path, key):
    file = tmp_path / "x_eeg.vhdr"
    (tmp_path / "x_eeg.json").write_text(f'{{"{key}": NaN}}')
    with pytest.raises(CorruptFileError, match=r"x_eeg\.json says nan"):
        check_sidecar(file, SFREQ, N_TIMES)
