"""Stores are whole, lazy and checked."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
from dataclasses import replace

import h5py
import numpy as np
import pytest

from neurodecode import store
from neurodecode.data import Embeddings, Provenance, Responses
from neurodecode.errors import CorruptFileError, UnsafeFileError


def responses(n_trials=40, n_voxels=30, seed=0):
    rng = np.random.default_rng(seed)
    return Responses(
        rng.normal(size=(n_trials, n_voxels)).astype(np.float32),
        [f"s{i}" for i in range(n_trials)],
        "sub-01",
        "fmri",
        run=np.arange(n_trials) // 10,
        positions=rng.normal(size=(n_voxels, 3)),
        units=[f"V{i}" for i in range(n_voxels)],
        metadata={"concept": ["ä", "b"] * (n_trials // 2), "rt_s": rng.uniform(size=n_trials)},
    )


def test_responses_come_back_as_they_were(tmp_path):
    before = responses()
    after = store.load(store.save(tmp_path / "r.h5", before))
    assert isinstance(after.values, store.StoredArray)
    assert np.array_equal(after.array(), before.array())
    for name in ("stimulus", "run", "units", "positions"):
        assert np.array_equal(getattr(after, name), getattr(before, name))
    assert after.session is None
    assert (after.subject, after.modality, after.dims) == ("sub-01", "fmri", ("trial", "voxel"))
    assert after.metadata["concept"].tolist() == before.metadata["concept"].tolist()
    assert np.array_equal(after.metadata["rt_s"], before.metadata["rt_s"])


def test_channels_by_time_come_back_as_they_were(tmp_path):
    values = np.random.default_rng(0).normal(size=(5, 3, 400)).astype(np.float32)
    before = Responses(
        values,
        list("abcde"),
        "s",
        "eeg",
        dims=("trial", "channel", "time"),
        sfreq=200.0,
        times=np.arange(400) / 200,
        valid=np.ones((5, 400), bool),
    )
    after = store.load(store.save(tmp_path / "r.h5", before))
    assert np.array_equal(after.array(), values) and after.sfreq == 200.0
    assert np.array_equal(after.times, before.times) and after.valid.dtype == bool


def test_where_trials_come_from_comes_back(tmp_path):
    told = Provenance("simulated", "twin/sub-01")
    before = replace(responses(), provenance=told).average_repeats().take([3, 1])
    after = store.load(store.save(tmp_path / "r.h5", before)).provenance
    assert (after.source, after.recording) == ("simulated", "twin/sub-01")
    assert all(
        np.array_equal(a, b) for a, b in zip(after.named(), before.provenance.named(), strict=True)
    )
    scenes = Embeddings(np.eye(2), ["a", "b"], "toy", "simulated")
    assert store.load(store.save(tmp_path / "e.h5", scenes)).source == "simulated"


def test_a_file_of_an_older_version_is_of_unknown_source(tmp_path):
    path = store.save(tmp_path / "r.h5", responses())
    with h5py.File(path, "r+") as file:
        header = json.loads(file.attrs["header"])
        del header["source"], header["recording"], file["columns/provenance"]
        file.attrs["header"] = json.dumps(header)
    old = store.load(path, verify=False)
    fingerprint = store.fingerprint_of(path)
    assert (old.provenance.source, old.provenance.recording) == ("unknown", f"store-{fingerprint}")
    assert np.array_equal(old.provenance.holds(old.take([2]).provenance.keys), np.arange(40) == 2)


def test_embeddings_come_back_as_they_were(tmp_path):
    before = Embeddings(np.arange(12.0).reshape(2, 3, 2), ["a", "ö"], "model-1")
    after = store.load(store.save(tmp_path / "e.h5", before))
    assert np.array_equal(after.array(np.float64), before.array(np.float64))
    assert after.stimulus.tolist() == ["a", "ö"] and after.space == "model-1"


@pytest.mark.parametrize(
    "index",
    [
        3,
        -1,
        slice(2, 9),
        slice(None, None, 3),
        [5, 1, 1],
        np.array([], int),
        np.arange(40) % 3 == 0,
    ],
)
def test_indices_mean_what_they_mean_to_numpy(tmp_path, index):
    memory = responses().array()
    lazy = store.load(store.save(tmp_path / "r.h5", responses())).values
    assert np.array_equal(lazy[index], memory[index])
    assert np.array_equal(lazy[index, 3:7], memory[index][..., 3:7])


def test_float16_halves_the_file(tmp_path):
    big = responses(200, 400)
    full, half = tmp_path / "f.h5", tmp_path / "h.h5"
    store.save(full, big)
    store.save(half, big, dtype="float16")
    assert half.stat().st_size < 0.6 * full.stat().st_size
    assert store.load(half).values.dtype == np.float16
    assert np.allclose(store.load(half).array(), big.array(), atol=5e-3)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["f.h5", "h.h5"]


def test_not_a_number_is_kept_as_it_is(tmp_path):
    values = responses().array().copy()
    values[3, 4] = np.nan
    broken = responses().with_values(values)
    path = store.save(tmp_path / "r.h5", broken, dtype="float16")
    assert np.isnan(store.load(path).array()[3, 4])


def test_a_cut_off_file_is_refused(tmp_path):
    path = store.save(tmp_path / "r.h5", responses(400, 300))
    whole = path.read_bytes()
    for length in (0, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(CorruptFileError, match=r"r\.h5"):
            store.load(path)


def test_every_altered_part_is_noticed(tmp_path):
    """A byte of the values, an id, a header: each is refused with the file's name."""

    def alter(name, change):
        path = store.save(tmp_path / f"{name}.h5", responses())
        with h5py.File(path, "r+") as file:
            change(file)
        with pytest.raises(CorruptFileError, match=rf"{name}\.h5 was altered after it was written"):
            store.load(path)

    def value(file):
        file["values"][7, 3] += 1

    def stimulus(file):
        file["columns/stimulus"][0] = "other"

    def subject(file):
        file.attrs["header"] = file.attrs["header"].replace("sub-01", "sub-02")

    def extra(file):
        file["columns/session"] = np.arange(40)

    for name, change in (
        ("value", value),
        ("stimulus", stimulus),
        ("subject", subject),
        ("extra", extra),
    ):
        alter(name, change)


def test_altered_bytes_never_pass_for_good(tmp_path):
    """Flip a byte anywhere: the file is refused, or reads as it was (a byte that holds nothing)."""
    path = store.save(tmp_path / "r.h5", responses(20, 10))
    whole, before = path.read_bytes(), responses(20, 10)
    refused = 0
    for place in np.random.default_rng(0).choice(len(whole), 120, replace=False):
        path.unlink()  # HDF5 shares what it has cached of a file that is still open
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        try:
            after = store.load(path)
        except CorruptFileError as error:
            assert "r.h5" in str(error)
            refused += 1
        else:
            assert np.array_equal(after.array(), before.array())
            assert after.stimulus.tolist() == before.stimulus.tolist()
    assert refused >= 5


def test_values_that_the_file_has_no_room_for_are_refused(tmp_path):
    path = tmp_path / "r.h5"
    store.save(path, responses())
    with h5py.File(path, "r+") as file:
        del file["values"]
        file.create_dataset("values", (10**9, 30), np.float32, chunks=(10, 30))
    with pytest.raises(
        CorruptFileError, match=r"r\.h5: '/values' is declared as 1200+ bytes, but 0 bytes"
    ):
        store.load(path)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no store file .*gone\.h5"):
        store.load(tmp_path / "gone.h5")
    (tmp_path / "text.h5").write_text("no")
    with pytest.raises(CorruptFileError, match=r"text\.h5 can't be read as a store file"):
        store.load(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["values"] = [1]
    with pytest.raises(CorruptFileError, match=r"other\.h5 is an HDF5 file but no neurodecode"):
        store.load(tmp_path / "other.h5")
    path = store.save(tmp_path / "newer.h5", responses())
    with h5py.File(path, "r+") as file:
        file.attrs["version"] = 99
    with pytest.raises(CorruptFileError, match=r"newer\.h5 was written by a newer version"):
        store.load(path)


def test_the_fingerprint_follows_the_content(tmp_path):
    one = store.fingerprint_of(store.save(tmp_path / "1.h5", responses()))
    same = store.fingerprint_of(store.save(tmp_path / "2.h5", responses()))
    other = store.fingerprint_of(store.save(tmp_path / "3.h5", responses(seed=1)))
    assert one == same != other


def _first_row(values):
    return values[0].tolist()


def test_stored_arrays_travel_to_spawned_workers(tmp_path):
    lazy = store.load(store.save(tmp_path / "r.h5", responses())).values
    expected = lazy[0].tolist()  # opened here, before it is sent
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_first_row, (lazy,)) == expected


STREAM = """
import resource, sys
import numpy as np
from neurodecode import store
from neurodecode.data import Responses, Split
ids = [str(i) for i in range(3000)]
lazy = np.lib.format.open_memmap(sys.argv[1] + "/v.npy", "w+", np.float32, (3000, 20000))
for i in range(0, 3000, 100):
    lazy[i : i + 100] = i
lazy.flush()
def peak():
    for line in open("/proc/self/status"):
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return 0.0
before, most = peak(), 0.0
path = store.save(sys.argv[1] + "/r.h5", Responses(lazy, ids, "s", "fmri"), dtype="float16")
responses = store.load(path)
for start in range(0, 3000, 64):
    batch = responses.take(np.arange(start, min(start + 64, 3000)))
    assert batch.array()[0, 0] == start // 100 * 100
    most = max(most, peak() - before)
print(most)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/status")
def test_240_mb_are_written_and_read_in_a_fraction_of_that(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", STREAM, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 120


@pytest.mark.parametrize("name", ["values", "columns/stimulus", "columns/positions"])
def test_values_of_other_files_are_refused(tmp_path, name):
    """External storage and links would read any file of the machine as brain data."""
    path, other = tmp_path / "r.h5", tmp_path / "other.h5"
    for kind in ("storage", "link"):
        store.save(path, responses())
        store.save(other, responses())
        with h5py.File(path, "r+") as file:
            shape, dtype = file[name].shape, file[name].dtype
            del file[name]
            if kind == "link":
                file[name] = h5py.ExternalLink(str(other), name)
            else:
                number = "f4" if dtype.kind == "O" else dtype
                outside = [(str(other), 0, h5py.h5f.UNLIMITED)]
                file.create_dataset(name, shape, number, external=outside)
        with pytest.raises(UnsafeFileError, match=r"r\.h5"):
            store.load(path, verify=False)


@pytest.mark.parametrize("kind", ["group", "scalar", "type", "text", "empty", "vlen", "compound"])
@pytest.mark.parametrize("name", ["values", "columns/stimulus"])
def test_another_kind_of_item_in_place_of_an_array_is_told(tmp_path, name, kind):
    file = tmp_path / "r.h5"
    store.save(file, responses())
    with h5py.File(file, "r+") as opened:
        del opened[name]
        if kind == "group":
            opened.create_group(name)
        elif kind == "vlen":
            opened.create_dataset(name, (40,), dtype=h5py.vlen_dtype("f8"))
        else:
            opened[name] = {
                "scalar": 5, "type": np.dtype("f8"), "text": "hello", "empty": np.zeros(0),
                "compound": np.zeros(40, [("a", "f8")]),
            }[kind]  # fmt: skip
    with pytest.raises(CorruptFileError, match=r"r\.h5"):
        store.load(file).array()
