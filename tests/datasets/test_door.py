"""Whatever goes wrong while a file is read is one sentence that names it."""

from __future__ import annotations

import struct
import zlib

import pytest

from neurodecode.datasets._door import reading
from neurodecode.errors import CorruptFileError, UnsafeFileError

RAW = [
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    IndexError("list index out of range"),
    KeyError("onset"),
    zlib.error("Error -3 while decompressing data"),
    struct.error("unpack requires a buffer of 4 bytes"),
    OverflowError("Python int too large to convert to C long"),
    MemoryError(),
    OSError("unable to open file"),
    RuntimeError("PytorchStreamReader failed.\nand pages of what was on the stack"),
]


@pytest.mark.parametrize("raw", RAW, ids=lambda one: type(one).__name__)
def test_raw_errors_become_one_sentence(tmp_path, raw):
    file = tmp_path / "labels.txt"
    file.write_bytes(b"12345")
    with pytest.raises(CorruptFileError) as error, reading(file, "a table of labels") as place:
        place.name = "line 3"
        raise raw
    said = str(raw).splitlines()
    reason = type(raw).__name__ + (f": {said[0].rstrip('.')}" if said else "")
    assert str(error.value) == (
        f"{file} can't be read as a table of labels, at line 3: {reason} (5 bytes). It is "
        f"truncated, damaged or not of this kind; obtain it again."
    )
    assert error.value.__cause__ is raw


def test_our_own_errors_keep_their_words_and_get_the_file_s_name(tmp_path):
    file = tmp_path / "x.pkl"
    with pytest.raises(UnsafeFileError) as error, reading(file, "a pickle"):
        raise UnsafeFileError("It asks for os.system.")
    assert str(error.value) == f"{file}: It asks for os.system."
    with pytest.raises(CorruptFileError) as error, reading(file, "a pickle"):
        raise CorruptFileError("x.pkl is empty.")
    assert str(error.value) == "x.pkl is empty."


def test_the_inner_door_names_the_file(tmp_path):
    outer, inner = reading(tmp_path, "a folder"), reading("elsewhere.csv", "a table")
    with pytest.raises(CorruptFileError) as error, outer, inner:
        raise KeyError("x")
    assert str(error.value).startswith("elsewhere.csv can't be read as a table: KeyError: 'x'. It")


@pytest.mark.parametrize("clear", [FileNotFoundError("x"), PermissionError("y"), ImportError("z")])
def test_what_says_by_itself_what_to_do_passes(clear):
    with pytest.raises(type(clear)) as error, reading("a.csv", "a table"):
        raise clear
    assert error.value is clear


def test_an_interruption_passes():
    with pytest.raises(KeyboardInterrupt), reading("a.csv", "a table"):
        raise KeyboardInterrupt
