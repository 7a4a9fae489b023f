from __future__ import annotations

import h5py
import numpy as np
import pytest

from neurodecode.errors import CorruptFileError
from neurodecode.files import check_heaps, open_hdf5, read_texts, spans_of, walk_datasets

TEXTS = [f"picture-{place}é" for place in range(300)]


def _check(file):
    with open_hdf5(file) as opened:
        spans = [span for _, data in walk_datasets(opened) for span in spans_of(data)]
    check_heaps(file, spans)


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "x.h5"
    with h5py.File(file, "w", libver=("v110", "v110")) as new:
        new.create_dataset("texts", data=np.array(TEXTS, dtype=object), dtype=h5py.string_dtype())
        new["values"] = np.frombuffer(b"GCOL" * 64, np.uint8)  # looks like heaps and is none
        new.attrs["header"] = "a text of variable length"
    return file


def test_whole_heaps_pass_and_texts_come_back(file):
    _check(file)
    with open_hdf5(file) as opened:
        assert read_texts(opened["texts"]).tolist() == TEXTS


@pytest.mark.parametrize("size", [0, 8, 2**40, 2**64 - 16])
def test_a_heap_that_would_be_walked_for_ever_is_damaged(file, size):
    """An object without a size: libhdf5 came back to it again and again."""
    content = bytearray(file.read_bytes())
    start = content.index(b"GCOL")
    content[start + 16 : start + 18] = bytes(2)
    content[start + 24 : start + 32] = size.to_bytes(8, "little")
    file.write_bytes(bytes(content))
    with pytest.raises(CorruptFileError, match=rf"x\.h5.*the heap of texts at byte {start} is dam"):
        _check(file)


def test_one_long_text_a_thousand_times_is_refused(tmp_path):
    file = tmp_path / "x.h5"
    with h5py.File(file, "w") as new:
        data = new.create_dataset("texts", (2000,), dtype=h5py.string_dtype())
        data[0] = "x" * 10**6
        start = data.id.get_offset()
    content = bytearray(file.read_bytes())
    content[start : start + 16 * 2000] = content[start : start + 16] * 2000
    file.write_bytes(bytes(content))
    with open_hdf5(file) as opened, pytest.raises(CorruptFileError, match="far longer than the fi"):
        read_texts(opened["texts"])


def test_one_long_text_among_short_ones_is_refused(tmp_path):
    file = tmp_path / "x.h5"
    with h5py.File(file, "w") as new:
        texts = np.array(["x" * 10**5, *"a" * 5000], dtype=object)
        new.create_dataset("texts", data=texts, dtype=h5py.string_dtype())
    with open_hdf5(file) as opened, pytest.raises(CorruptFileError, match="is declared as"):
        read_texts(opened["texts"])
