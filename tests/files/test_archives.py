from __future__ import annotations

import io
import zipfile

import numpy as np
import pandas
import pytest

from neurodecode.errors import CorruptFileError
from neurodecode.files import check_workbook, check_zip, read_npz


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_come_back(tmp_path, save):
    file = tmp_path / "x.npz"
    arrays = {
        "a": np.arange(6.0).reshape(2, 3),
        "b": np.asfortranarray(np.eye(3)),
        "c": np.array("x"),
    }
    save(file, **arrays)
    found = read_npz(file)
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
    assert list(read_npz(file, ["b"])) == ["b"]


def test_what_lacks_is_named(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.eye(2))
    with pytest.raises(CorruptFileError, match=r"x\.npz can't be read as a \.npz file: it lacks z"):
        read_npz(tmp_path / "x.npz", ["a", "z"])


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    file = tmp_path / "x.npz"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a", "w") as one:
        for _ in range(64):
            one.write(bytes(2**23))
    for read in (read_npz, check_zip):
        with pytest.raises(CorruptFileError, match="at most 100 times as much is believed"):
            read(file)


def test_a_header_is_not_believed(tmp_path):
    file = tmp_path / "x.npz"
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999,), }"
    with zipfile.ZipFile(file, "w") as archive:
        start = b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little")
        archive.writestr("a.npy", start + head + bytes(64))
    with pytest.raises(CorruptFileError, match="should have 7999999999992 bytes and have 64"):
        read_npz(file)


def test_pickles_flipped_bits_and_other_files_are_refused(tmp_path):
    file = tmp_path / "x.npz"
    np.savez(file, a=np.array([{}], dtype=object))
    with pytest.raises(CorruptFileError, match=r"'a\.npy' holds a pickle"):
        read_npz(file)
    np.savez(file, a=np.arange(1000.0))
    content = bytearray(file.read_bytes())
    content[3000] ^= 1
    file.write_bytes(bytes(content))
    with pytest.raises(CorruptFileError, match="Bad CRC-32"):
        read_npz(file)
    for size in range(0, len(content), 501):
        file.write_bytes(bytes(content[:size]))
        with pytest.raises(CorruptFileError, match=r"x\.npz"):
            read_npz(file)


def test_a_sheet_of_a_few_cells_far_apart_is_refused(tmp_path):
    file = tmp_path / "x.xlsx"
    pandas.DataFrame({"a": range(30), "b": "x"}).to_excel(file)
    check_workbook(file)
    sheet = b'<worksheet><sheetData><row r="1"><c r="A1"/></row><row r="900000"><c r="XFD900000"/>'
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
    with pytest.raises(CorruptFileError) as caught:
        check_workbook(file)
    assert str(caught.value) == (
        f"{file} can't be read as a workbook: a sheet spans 14745600000 cells. It is truncated or "
        f"not of this kind ({file.stat().st_size} bytes); obtain it again."
    )


def test_an_array_under_two_names_that_are_one_is_refused(tmp_path):
    file, buffer = tmp_path / "x.npz", io.BytesIO()
    np.save(buffer, np.arange(3))
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.npy", buffer.getvalue())
        archive.writestr("a", buffer.getvalue())
    with pytest.raises(CorruptFileError, match="it holds an array twice, with"):
        read_npz(file)
