"""A damaged image is never read as good."""

from __future__ import annotations

import gzip
import zlib

import nibabel
import numpy as np
import pytest

from neurodecode.datasets import _images
from neurodecode.datasets._images import check_gzip, check_whole, open_image
from neurodecode.datasets._volumes import Volumes
from neurodecode.errors import CorruptFileError

VALUES = np.random.default_rng(0).integers(0, 999, size=(4, 5, 6, 7)).astype(np.int16)


@pytest.fixture
def packed(tmp_path):
    file = tmp_path / "bold.nii.gz"
    nibabel.save(nibabel.Nifti1Image(VALUES, np.eye(4)), file)
    return file


def test_no_flipped_bit_is_read_as_good(packed):
    """Each 13th bit of the file; what is not refused must be as if it were not there."""
    good = packed.read_bytes()
    refused = 0
    for place in range(0, len(good) * 8, 13):
        content = bytearray(good)
        content[place // 8] ^= 1 << place % 8
        packed.write_bytes(bytes(content))
        try:
            values = np.asarray(open_image(packed).dataobj)
        except CorruptFileError as error:
            assert str(packed) in str(error)
            refused += 1
        else:
            assert np.array_equal(values, VALUES), f"bit {place} changed values without a word"
    assert refused > 0.99 * len(range(80, len(good) * 8, 13))


def test_the_library_alone_does_read_it_as_good(packed):
    """What is defended against here: this test tells when it is no longer needed."""
    content = bytearray(packed.read_bytes())
    stored = gzip.compress(gzip.decompress(bytes(content)), compresslevel=0)
    place = len(stored) // 2
    packed.write_bytes(stored[:place] + bytes([stored[place] ^ 64]) + stored[place + 1 :])
    assert not np.array_equal(np.asarray(nibabel.load(packed).dataobj), VALUES)
    with pytest.raises(CorruptFileError, match=r"error: Error -3 .*incorrect data check \(\d+ byt"):
        open_image(packed)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_packed_image_that_is_cut_off_is_named(packed, share):
    content = packed.read_bytes()
    packed.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(CorruptFileError, match=r"bold\.nii\.gz"):
        open_image(packed)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_header_and_file_must_be_of_one_size(tmp_path, ending):
    file = tmp_path / f"bold{ending}"
    nibabel.save(nibabel.Nifti1Image(VALUES, np.eye(4)), file)
    whole = gzip.decompress(file.read_bytes()) if ending == ".nii.gz" else file.read_bytes()
    write = gzip.compress if ending == ".nii.gz" else bytes
    file.write_bytes(write(whole[:-1]))
    with pytest.raises(CorruptFileError) as error:
        open_image(file)
    assert str(error.value) == (
        f"{file} is cut off: it holds {len(whole) - 1} of the {len(whole)} bytes that its header "
        f"declares. Obtain it again."
    )
    file.write_bytes(write(whole + bytes(240)))
    with pytest.raises(CorruptFileError) as error:
        open_image(file)
    assert str(error.value) == (
        f"{file} holds more than the {len(whole)} bytes that its header declares, at least one "
        f"volume more. Its header is damaged or of another file; obtain it again."
    )


def test_a_bomb_is_not_unpacked(packed, monkeypatch):
    """A gigabyte of zeros behind the image: reading stops one volume behind what is declared."""
    whole = gzip.decompress(packed.read_bytes())
    packed.write_bytes(gzip.compress(whole + bytes(2**28), compresslevel=9))
    unpacked = []
    real = zlib.decompressobj

    class Counted:
        def __init__(self, **kwargs):
            self._real = real(**kwargs)

        def decompress(self, *args):
            content = self._real.decompress(*args)
            unpacked.append(len(content))
            return content

        def __getattr__(self, name):
            return getattr(self._real, name)

    monkeypatch.setattr(zlib, "decompressobj", Counted)
    with pytest.raises(CorruptFileError, match="at least one volume more"):
        open_image(packed)
    assert sum(unpacked) <= 2**21


def test_an_absurd_header_is_refused_before_anything_is_allocated(tmp_path):
    file = tmp_path / "bold.nii"
    nibabel.save(nibabel.Nifti1Image(VALUES, np.eye(4)), file)
    content = bytearray(file.read_bytes())
    content[42:50] = np.array([32767, 32767, 32767, 32767], "<i2").tobytes()
    file.write_bytes(bytes(content))
    with pytest.raises(
        CorruptFileError, match=r"bold\.nii is cut off: it holds 2032 of the \d{18,}"
    ):
        open_image(file)


def test_members_one_behind_the_other_are_one_file(packed):
    whole = gzip.decompress(packed.read_bytes())
    packed.write_bytes(gzip.compress(whole[:500]) + gzip.compress(whole[500:]) + bytes(16))
    assert np.array_equal(np.asarray(open_image(packed).dataobj), VALUES)


def test_a_file_is_looked_at_once_until_it_changes(packed, monkeypatch):
    looks = []
    real = _images._unpacked_size
    monkeypatch.setattr(_images, "_unpacked_size", lambda *a: looks.append(a) or real(*a))
    for _ in range(3):
        check_whole(open_image(packed))
    assert len(looks) == 1
    packed.write_bytes(packed.read_bytes() + b"x")
    with pytest.raises(
        CorruptFileError, match=r"bold\.nii\.gz can't be read as an image: EOFError"
    ):
        open_image(packed)
    assert len(looks) == 2


def test_runs_inside_a_long_image_are_of_a_whole_file(packed):
    content = bytearray(packed.read_bytes())
    content[-6] ^= 1  # the checksum itself
    packed.write_bytes(bytes(content))
    with pytest.raises(CorruptFileError, match=r"bold\.nii\.gz .*incorrect data check"):
        Volumes(packed, 0, 2).load()


def test_a_bomb_that_fits_its_header_is_refused(tmp_path):
    """Two gigabytes of zeros pack to two megabytes, with an honest header."""
    file = tmp_path / "bold.nii.gz"
    head = nibabel.Nifti1Header()
    head.set_data_shape((512, 512, 512, 8))
    head.set_data_dtype(np.int16)
    head["vox_offset"], head["magic"] = 352, b"n+1"
    with gzip.open(file, "wb", 1) as stream:
        stream.write(head.binaryblock + bytes(4))
        for _ in range(16):
            stream.write(bytes(2**20))
    with pytest.raises(CorruptFileError, match=r"bold\.nii\.gz: the file is declared as 21474840"):
        open_image(file)


def test_a_packed_file_without_end_is_refused_before_its_end(tmp_path):
    file = tmp_path / "raw.fif.gz"
    with gzip.open(file, "wb", 9) as stream:
        for _ in range(300):
            stream.write(bytes(2**20))
    with pytest.raises(CorruptFileError, match=r"raw\.fif\.gz: the file is declared as .* at most"):
        check_gzip(file)
