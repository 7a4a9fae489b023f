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
    with pytest.raises(CorruptFileError, match=r"13 trials but responses\.tsv, the"):
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
    with pytest.raises(CorruptFileError, match=r"000002.nsdgeneral.npy of subj01 \(train\) in"):
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


def _stim_info(root: Path) -> Path:
    return root / "nsddata/experiments/nsd/nsd_stim_info_merged.csv"


@pytest.mark.parametrize(
    "content", [b"", b"<!DOCTYPE html>", b"\xff\xfea", b"cocoId\n1\n", b"\0\0"]
)
def test_a_table_of_pictures_that_is_none_loses_no_captions_without_a_word(
    raw, tmp_path, content
) -> None:
    """An empty table once meant that no picture has a caption."""
    root = copy(raw, tmp_path / "raw")
    _stim_info(root).write_bytes(content)
    with pytest.raises(CorruptFileError, match=r"nsd_stim_info_merged\.csv"):
        nsd.captions(root, ["nsd-00001"])


def test_doubled_and_dropped_rows_of_pictures_are_told(raw, tmp_path, caplog) -> None:
    root = copy(raw, tmp_path / "raw")
    file = _stim_info(root)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines[:3], *lines[2:]]))
    with pytest.raises(CorruptFileError, match=r"merged\.csv, row 3: .* stands there twice"):
        nsd.captions(root, [])
    assert caplog.text == ""


@pytest.mark.parametrize("content", [b"", b"<html>", b"{}", b'{"annotations": [{"image_id": 1}]}'])
def test_captions_that_are_none_are_named(raw, tmp_path, content) -> None:
    root = copy(raw, tmp_path / "raw")
    [file, *_] = sorted((root / "nsddata_stimuli/stimuli/nsd/annotations").glob("*.json"))
    file.write_bytes(content)
    with pytest.raises(CorruptFileError, match=file.name):
        nsd.captions(root, [])


CHANGES = {
    "empty": lambda lines: [],
    "page": lambda lines: ["<html>\n"],
    "cut": lambda lines: [*lines[:5], lines[5][:4]],
    "huge": lambda lines: [*lines[:5], lines[5].replace("\t", "\t1e300", 1), *lines[6:]],
    "swapped": lambda lines: [*lines[:2], lines[-1], *lines[3:-1], lines[2]],
    "zeros": lambda lines: [*lines[:5], "\0" * 40 + "\n", *lines[6:]],
}


@pytest.mark.parametrize("change", CHANGES)
def test_damaged_behaviour_is_named(raw, tmp_path, change) -> None:
    root = copy(raw, tmp_path / "raw")
    file = root / "nsddata/ppdata/subj01/behav/responses.tsv"
    file.write_text("".join(CHANGES[change](file.read_text().splitlines(keepends=True))))
    with pytest.raises(CorruptFileError, match=r"responses\.tsv"):
        nsd.RawNsd(root).responses(1)


def test_a_damaged_session_is_never_read_as_good(raw, tmp_path) -> None:
    root = copy(raw, tmp_path / "raw")
    file = next(root.rglob("betas_session02.nii.gz"))
    content = bytearray(file.read_bytes())
    content[-6] ^= 1  # the checksum
    file.write_bytes(bytes(content))
    responses = nsd.RawNsd(root).responses(1)  # forty sessions are opened without being read
    with pytest.raises(CorruptFileError, match=r"betas_session02\.nii\.gz .*incorrect data check"):
        responses.array()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("num_uniques.npy", np.array([0]), "says that 0 of 3 repeats differ; 1 to 3 was expected"),
        ("num_uniques.npy", np.array([9]), "says that 9 of 3 repeats differ; 1 to 3 was expected"),
        ("coco73k.npy", np.array([-1]), "Picture -1 is none of NSD's, which are numbered 0 to 72"),
        ("coco73k.npy", np.array([73000]), "Picture 73000 is none of NSD's"),
        ("coco73k.npy", np.array([]), "holds []; one whole number was expected"),
        ("coco73k.npy", np.array([1.5]), "holds [1.5]; one whole number was expected"),
    ],
)
def test_numbers_that_can_not_be_are_refused(tars, tmp_path, name, value, said) -> None:
    root = copy(tars, tmp_path / "wds")
    [tar, *_] = sorted(root.rglob("train_subj01_*.tar"))
    changed = _members(tar)
    buffer = io.BytesIO()
    np.save(buffer, value)
    changed[next(one for one in changed if one.endswith(name))] = buffer.getvalue()
    write_tar(tar, changed)
    with pytest.raises(CorruptFileError) as error:
        nsd.WebDataset(root).responses(1)
    assert str(tar) in str(error.value) and said in str(error.value)


def _members(tar: Path) -> dict[str, bytes]:
    with tarfile.open(tar) as archive:
        return {one.name: archive.extractfile(one).read() for one in archive}


def test_a_picture_twice_is_a_damaged_number(unpacked, tmp_path) -> None:
    root = copy(unpacked, tmp_path / "wds")
    one, other, *_ = sorted(root.rglob("train/subj01/*.coco73k.npy"))
    other.write_bytes(one.read_bytes())
    with pytest.raises(CorruptFileError, match=r"has several samples of subj01 for the same pictu"):
        nsd.WebDataset(root).responses(1)


def test_a_tar_cut_between_two_members_is_no_shorter_tar(mindeye, tmp_path) -> None:
    """Python's own reader takes it for whole, with fewer members."""
    root = copy(mindeye, tmp_path / "me2")
    tar = root / "wds/subj01/train/0.tar"
    with tarfile.open(tar) as archive:
        second = archive.getmembers()[1].offset
    content = tar.read_bytes()
    tar.write_bytes(content[:second])
    with pytest.raises(CorruptFileError) as error:
        nsd.MindEyeArrays(root).responses(1)
    assert str(error.value) == (
        f"{tar} breaks off at byte {second}: two empty blocks should end a tar file. It is cut off "
        f"or damaged; obtain it again."
    )
    damaged = bytearray(content)
    damaged[second] ^= 1  # the head of the second member: the list ended there without a word
    tar.write_bytes(bytes(damaged))
    with pytest.raises(CorruptFileError, match=rf"0\.tar breaks off at byte {second}"):
        nsd.MindEyeArrays(root).responses(1)


def test_one_row_of_betas_is_one_picture(mindeye, tmp_path) -> None:
    root = copy(mindeye, tmp_path / "me2")
    tar = root / "wds/subj01/train/0.tar"
    members = _members(tar)
    first, second, *_ = [one for one in members if one.endswith(".behav.npy")]
    row = np.load(io.BytesIO(members[first]))
    row[0, 0] += 1
    buffer = io.BytesIO()
    np.save(buffer, row)
    write_tar(tar, members | {second: buffer.getvalue()})
    with pytest.raises(CorruptFileError, match="names several pictures for the same row of"):
        nsd.MindEyeArrays(root).responses(1)


@pytest.mark.parametrize("kind", ["fmriavg_nsdgeneral", "cap", "stim"])
def test_arrays_of_another_kind_are_refused(arrays, tmp_path, kind) -> None:
    root = copy(arrays, tmp_path / "bd")
    [file] = root.rglob(f"nsd_train_{kind}_sub1.npy")
    np.save(file, np.zeros(3))
    layout = nsd.BrainDiffuserArrays(root, n_shared=5)
    with pytest.raises(CorruptFileError) as error:
        layout.responses(1) if kind.startswith("fmri") else layout.stimuli()
    axes, what = (4, "numbers") if kind == "stim" else (2, "text" if kind == "cap" else "numbers")
    assert str(error.value) == (
        f"{file} holds float64 of shape (3,); {axes} axes of {what} were expected. It is another "
        f"file, or damaged; obtain it again."
    )


@pytest.mark.parametrize("other", ["a.npy", "x/a.npy", "../../a.npy"])
def test_two_members_of_one_sample_are_told(tmp_path, other) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        for name in ("a.npy", other):
            about = tarfile.TarInfo(name)
            about.size = 3
            archive.addfile(about, io.BytesIO(b"abc"))
    with pytest.raises(CorruptFileError) as told:
        index_tar(path)
    assert str(told.value) == (
        f"{path} holds two members called 'a.npy' (names of folders are not looked at), so one "
        f"trial would take the place of another. Obtain it again."
    )


def test_a_picture_of_no_numbers_names_its_file(mindeye, tmp_path) -> None:
    root = copy(mindeye, tmp_path / "me2")
    with h5py.File(root / "coco_images_224_float16.hdf5", "a") as file:
        file["images"][...] = np.nan
    stimuli = nsd.MindEyeArrays(root).stimuli()
    with pytest.raises(
        CorruptFileError, match=r"coco_images_224_float16\.hdf5 can't be read as pi"
    ):
        stimuli.load(stimuli.ids[0])
