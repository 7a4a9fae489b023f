"""What is missing, cut off, unsafe or of another person is refused by name."""

from __future__ import annotations

import io
import pickle
import shutil
import tarfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from neurodecode.datasets import nsd
from neurodecode.datasets.nsd._tar import index_tar
from neurodecode.errors import CorruptFileError

BETAS = "nsddata_betas/ppdata/subj01/func1pt8mm/betas_fithrf_GLMdenoise_RR"


def copy(source: Path, target: Path) -> Path:
    shutil.copytree(source, target)
    return target


def test_missing_sessions_are_named_or_skipped(raw, tmp_path, caplog) -> None:
    root = copy(raw, tmp_path / "raw")
    (root / BETAS / "betas_session02.nii.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks 1 of 3 sessions \(2\)\. Obtain them"):
        nsd.RawNsd(root).responses(1)
    with caplog.at_level("WARNING", logger="neurodecode"):
        read = nsd.RawNsd(root, missing="skip").responses(1)
    assert set(read.session.tolist()) == {"1", "3"}
    assert "subj01: sessions 2 are missing and left out." in caplog.text


def test_another_persons_mask_is_refused(raw, tmp_path) -> None:
    root = copy(raw, tmp_path / "raw")
    region = "func1pt8mm/roi/nsdgeneral.nii.gz"
    shutil.copy(root / "nsddata/ppdata/subj02" / region, root / "nsddata/ppdata/subj01" / region)
    with pytest.raises(CorruptFileError, match=r"session01.nii.gz has the grid .* but the mask"):
        nsd.RawNsd(root).responses(1)


def test_another_persons_behaviour_is_refused(raw, tmp_path) -> None:
    root = copy(raw, tmp_path / "raw")
    behaviour = root / "nsddata/ppdata/subj01/behav/responses.tsv"
    shutil.copy(root / "nsddata/ppdata/subj02/behav/responses.tsv", behaviour)
    with pytest.raises(CorruptFileError, match=r"other pictures than nsd_expdesign.mat plans"):
        nsd.RawNsd(root).responses(1)


def test_a_session_that_is_cut_off_is_named(raw, tmp_path) -> None:
    root = copy(raw, tmp_path / "raw")
    path = root / BETAS / "betas_session03.nii.gz"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CorruptFileError, match=r"betas_session03.nii.gz can't be read as an image"):
        nsd.RawNsd(root).responses(1).array()


def test_a_session_with_other_trials_than_the_behaviour_is_refused(raw_hdf5, tmp_path) -> None:
    root = copy(raw_hdf5, tmp_path / "raw")
    with h5py.File(root / BETAS / "betas_session01.hdf5", "a") as file:
        short = file["betas"][:-1]
        del file["betas"]
        file["betas"] = short
    with pytest.raises(CorruptFileError, match="has 13 trials but the behaviour of subj01 has 14"):
        nsd.RawNsd(root).responses(1)


def write_tar(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    return path


def test_members_names_never_become_paths(tmp_path) -> None:
    tar = write_tar(tmp_path / "x.tar", {"../../outside.npy": b"1", "/etc/a.npy": b"2"})
    before = sorted(tmp_path.parent.rglob("*"))
    assert sorted(index_tar(tar)) == ["a", "outside"]
    assert sorted(tmp_path.parent.rglob("*")) == before


def test_a_pickle_in_a_tar_is_refused(tmp_path) -> None:
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    buffer = io.BytesIO()
    np.save(buffer, np.array([Evil()], dtype=object), allow_pickle=True)
    for content in (buffer.getvalue(), pickle.dumps(Evil())):
        tar = write_tar(tmp_path / "x.tar", {"a.behav.npy": content})
        with pytest.raises(CorruptFileError, match=r"can't be read as a plain .npy array"):
            index_tar(tar)["a"]["behav.npy"].array()
    assert not (tmp_path / "ran").exists()


def test_a_tar_that_is_cut_off_is_named(mindeye, tmp_path) -> None:
    root = copy(mindeye, tmp_path / "me2")
    path = root / "wds/subj01/train/0.tar"
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(CorruptFileError, match=r"0\.tar (is cut off|can't be read as a tar)"):
        nsd.MindEyeArrays(root).responses(1)


def test_mindeye_missing_sessions_and_short_betas_are_named(mindeye, tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"lacks 2 of the 5 sessions asked for \(first: 3"):
        nsd.MindEyeArrays(mindeye, n_sessions=5).responses(1)
    root = copy(mindeye, tmp_path / "me2")
    with h5py.File(root / "betas_all_subj01_fp32_renorm.hdf5", "a") as file:
        short = file["betas"][:10]
        del file["betas"]
        file["betas"] = short
    with pytest.raises(CorruptFileError, match="points to rows 0 to 41, but betas_all_subj01"):
        nsd.MindEyeArrays(root).responses(1)


def test_a_sample_with_another_mask_is_named(unpacked, tmp_path) -> None:
    root = copy(unpacked, tmp_path / "wds")
    other = root / "webdataset_avg_split/train/subj01/sample000000002.nsdgeneral.npy"
    np.save(other, np.zeros((3, 7), np.float32))
    read = nsd.WebDataset(root).responses(1)
    with pytest.raises(CorruptFileError, match=r"000002.nsdgeneral.npy of subj01 \(train\) has"):
        read.array()


def test_missing_samples_and_people_are_named(unpacked, tmp_path) -> None:
    root = copy(unpacked, tmp_path / "wds")
    folder = root / "webdataset_avg_split/train/subj01"
    for file in folder.glob("sample000000003.*"):
        file.unlink()
    with pytest.raises(CorruptFileError, match="has 6 samples of subj01, but metadata_subj01"):
        nsd.WebDataset(root).responses(1)
    (folder / "sample000000002.jpg").unlink()
    with pytest.raises(CorruptFileError, match=r"Sample 'sample000000002' of subj01 .* lacks"):
        nsd.WebDataset(root).responses(1)
    with pytest.raises(FileNotFoundError, match="has no samples of subj07; it has those of subj01"):
        nsd.WebDataset(root).responses(7)


def test_single_trials_can_not_be_had_from_means(arrays) -> None:
    with pytest.raises(ValueError, match="Brain-Diffuser's arrays hold means over repeats"):
        nsd.BrainDiffuserArrays(arrays).responses(1, repeats="kept")


def test_a_design_of_another_size_is_refused(arrays) -> None:
    with pytest.raises(CorruptFileError, match="plans 0 training and 14 test pictures"):
        nsd.BrainDiffuserArrays(arrays).responses(1)
