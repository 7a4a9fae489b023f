from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch

from neurodecode.errors import CorruptFileError, UnsafeFileError
from neurodecode.files import read_torch

KINDS = (
    torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32,
    torch.int16, torch.int8, torch.uint8, torch.bool, torch.complex64, torch.complex128,
)  # fmt: skip


def _content():
    base = torch.arange(24.0).reshape(2, 3, 4)
    return {
        "eeg": base, "turned": base.permute(2, 0, 1), "part": base[1, 1:, ::2],
        "empty": torch.zeros(0, 3), "scalar": torch.tensor(2.5), "names": ["Oz", "O1"],
        "times": np.arange(3) / 250, "text": np.array(["a", "bc"]), "n": 3,
        "weights": torch.nn.Parameter(torch.ones(2)), "shape": torch.Size([2, 3]),
        "ordered": OrderedDict(a=1), "objects": np.array(["a/b.jpg", None], dtype=object),
    }  # fmt: skip


@pytest.mark.parametrize("is_new", [True, False])
def test_what_torch_saved_is_what_torch_loads(tmp_path, is_new):
    file = tmp_path / "x.pt"
    torch.save(_content(), file, _use_new_zipfile_serialization=is_new)
    found = read_torch(file)
    expected = torch.load(file, weights_only=False)
    assert list(found) == list(expected)
    for name, value in expected.items():
        if isinstance(value, (torch.Tensor, np.ndarray)):
            array = value.detach().numpy() if isinstance(value, torch.Tensor) else value
            assert type(found[name]) is np.ndarray and found[name].dtype == array.dtype
            np.testing.assert_array_equal(found[name], array)
        else:
            assert found[name] == value


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_kind_of_number(tmp_path, kind):
    file = tmp_path / "x.pt"
    values = torch.tensor([0.0, 1.0, 1.5, 2.0]).to(kind)
    torch.save(values, file)
    expected = values.float() if kind is torch.bfloat16 else values
    np.testing.assert_array_equal(read_torch(file), expected.numpy())


def test_tensors_of_one_storage_share_it(tmp_path):
    base = torch.arange(6.0)
    torch.save([base, base[2:]], tmp_path / "x.pt")
    whole, part = read_torch(tmp_path / "x.pt")
    assert np.shares_memory(whole, part)


def _records(file):
    with zipfile.ZipFile(file) as archive:
        return {one.filename: archive.read(one) for one in archive.infolist()}


def _write(file, records):
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in records.items():
            archive.writestr(name, content)


@pytest.mark.parametrize("is_new", [True, False])
def test_a_flipped_bit_is_found_by_the_checksum(tmp_path, is_new):
    file = tmp_path / "x.pt"
    torch.save({"eeg": torch.arange(1000.0)}, file)
    content = bytearray(file.read_bytes())
    place = content.index(np.arange(1000, dtype="f4").tobytes()) + 1234
    content[place] ^= 4
    file.write_bytes(bytes(content))
    with pytest.raises(CorruptFileError, match=r"x\.pt can't be read as a torch file: Bad CRC-32"):
        read_torch(file)


@pytest.mark.parametrize("is_new", [True, False])
def test_cut_off_files_are_named(tmp_path, is_new):
    file = tmp_path / "x.pt"
    torch.save(_content(), file, _use_new_zipfile_serialization=is_new)
    whole = file.read_bytes()
    for size in range(0, len(whole), 97):
        file.write_bytes(whole[:size])
        with pytest.raises(CorruptFileError, match=r"x\.pt"):
            read_torch(file)


class Evil:
    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


@pytest.mark.parametrize("is_new", [True, False])
def test_nothing_is_run(tmp_path, is_new):
    file, trace = tmp_path / "x.pt", tmp_path / "trace"
    torch.save({"eeg": Evil(trace)}, file, _use_new_zipfile_serialization=is_new)
    with pytest.raises(UnsafeFileError, match=r"x\.pt is a torch file that asks for posix\.mkdir"):
        read_torch(file)
    assert not trace.exists()
    torch.save(torch.nn.Linear(2, 2), file, _use_new_zipfile_serialization=is_new)
    with pytest.raises(UnsafeFileError, match="Linear"):
        read_torch(file)


def test_flags_of_a_dtype_in_a_tensor_file_are_never_taken_over(tmp_path):
    """A chosen pointer came out of `torch.load` with weights_only."""
    file = tmp_path / "x.pt"
    torch.save({"eeg": np.arange(3)}, file)
    records = _records(file)
    main = next(name for name in records if name.endswith("data.pkl"))
    plain = b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq"
    assert plain in records[main]
    records[main] = records[main].replace(plain, plain.replace(b"K\x00", b"K\x3f"))
    _write(file, records)
    found = read_torch(file)["eeg"]
    assert found.tolist() == [0, 1, 2] and not found.dtype.hasobject and found.dtype.flags == 0


def _tensor_file(file, *, n_items, offset, shape, stride, key="0", n_bytes=40):
    """One tensor with these claims over a storage of ten float32."""

    def numbers(values):
        return b"(" + b"".join(b"\x8a\x08" + struct.pack("<q", one) for one in values) + b"t"

    program = (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x01"
        + key.encode() + b"U\x03cpu\x8a\x08" + struct.pack("<q", n_items) + b"tQ\x8a\x08"
        + struct.pack("<q", offset) + numbers(shape) + numbers(stride)
        + b"\x89ccollections\nOrderedDict\n)RtR."
    )  # fmt: skip
    _write(file, {"x/data.pkl": program, "x/data/0": bytes(n_bytes), "x/version": b"3\n"})


def test_a_tensor_lies_inside_its_storage(tmp_path):
    file = tmp_path / "x.pt"
    _tensor_file(file, n_items=10, offset=0, shape=(2, 5), stride=(5, 1))
    assert read_torch(file).shape == (2, 5)
    for claims in (
        {"n_items": 10, "offset": 1, "shape": (2, 5), "stride": (5, 1)},
        {"n_items": 10, "offset": 0, "shape": (2, 5), "stride": (6, 1)},
        {"n_items": 10, "offset": 0, "shape": (11,), "stride": (0,)},
        {"n_items": 10, "offset": 0, "shape": (10**12,), "stride": (0,)},
        {"n_items": 10, "offset": -1, "shape": (2,), "stride": (1,)},
        {"n_items": 10, "offset": 9, "shape": (2,), "stride": (-1,)},
        {"n_items": 10, "offset": 0, "shape": (2,), "stride": (1, 1)},
        {"n_items": 11, "offset": 0, "shape": (2,), "stride": (1,)},
        {"n_items": 2**60, "offset": 0, "shape": (2,), "stride": (1,)},
        {"n_items": -1, "offset": 0, "shape": (2,), "stride": (1,)},
        {"n_items": 10, "offset": 0, "shape": (2,), "stride": (1,), "key": "9"},
        {"n_items": 10, "offset": 0, "shape": (2,), "stride": (1,), "n_bytes": 39},
    ):
        _tensor_file(file, **claims)
        with pytest.raises(CorruptFileError, match=r"x\.pt"):
            read_torch(file)


def test_records_are_neither_compressed_nor_doubled(tmp_path):
    file = tmp_path / "x.pt"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", pickle.dumps(1, 2))
    with pytest.raises(CorruptFileError, match="compressed, which torch does not do"):
        read_torch(file)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x/data.pkl", pickle.dumps(1, 2))
        archive.writestr("x/data.pkl", pickle.dumps(2, 2))
    with pytest.raises(CorruptFileError, match="holds a member twice"):
        read_torch(file)
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    file.write_bytes(stream.getvalue())
    with pytest.raises(CorruptFileError, match=r"x\.pt can't be read as a torch file"):
        read_torch(file)
