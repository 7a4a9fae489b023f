"""Preparing goes on after a kill, and what it wrote is what was there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neurodecode import store
from neurodecode.datasets import nsd
from neurodecode.datasets.nsd import _prepare
from neurodecode.errors import CorruptFileError


def test_it_writes_people_split_and_fingerprints(raw, tmp_path) -> None:
    layout = nsd.RawNsd(raw)
    written = nsd.prepare(layout, tmp_path, part_rows=10)
    assert sorted(written) == ["subj01", "subj02"]
    for subject, path in enumerate(written.values(), start=1):
        stored = store.load(path)
        source = layout.responses(subject)
        np.testing.assert_array_equal(stored.array(), source.array())
        np.testing.assert_array_equal(stored.positions, source.positions)
        assert stored.run.tolist() == source.run.tolist()
    notes = json.loads((tmp_path / "prepared.json").read_text())
    assert notes["people"]["subj02"]["fingerprint"] == store.fingerprint_of(written["subj02"])
    split = json.loads((tmp_path / "split.json").read_text())
    assert len(split["test"]) == 5
    assert not list(tmp_path.glob(".*parts"))


def test_a_killed_run_goes_on_after_its_whole_parts(raw, tmp_path) -> None:
    code = f"""
import os
from neurodecode import store
from neurodecode.datasets import nsd
save, n = store.save, 0
def dying(*a, **k):
    global n
    n += 1
    if n == 3: os._exit(9)
    return save(*a, **k)
store.save = dying
nsd.prepare(nsd.RawNsd({str(raw)!r}), {str(tmp_path)!r}, subjects=[1], part_rows=10)
"""
    killed = subprocess.run([sys.executable, "-c", code], check=False, cwd=Path.cwd())
    assert killed.returncode == 9
    assert not (tmp_path / "subj01.h5").exists()
    parts = sorted(tmp_path.glob(".subj01-*.parts/*.h5"))
    assert len(parts) == 2
    times = [one.stat().st_mtime_ns for one in parts]
    seen = []
    save = store.save

    def watched(path: Path, *args: object, **kwargs: object) -> Path:
        seen.append(Path(path).name)
        if Path(path).name == "subj01.h5":
            assert [one.stat().st_mtime_ns for one in parts] == times
        return save(path, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_prepare.store, "save", watched)
        [path] = nsd.prepare(nsd.RawNsd(raw), tmp_path, subjects=[1], part_rows=10).values()
    assert seen == ["0002.h5", "0003.h5", "0004.h5", "subj01.h5"]
    np.testing.assert_array_equal(store.load(path).array(), nsd.RawNsd(raw).responses(1).array())


def test_what_is_whole_is_not_written_again_unless_the_options_changed(tars, tmp_path) -> None:
    first = nsd.prepare(nsd.WebDataset(tars), tmp_path)["subj01"]
    stamp = first.stat().st_mtime_ns
    assert nsd.prepare(nsd.WebDataset(tars), tmp_path)["subj01"].stat().st_mtime_ns == stamp
    again = nsd.prepare(nsd.WebDataset(tars), tmp_path, repeats="averaged")["subj01"]
    assert len(store.load(again)) == 14 and again.stat().st_mtime_ns != stamp


def test_a_damaged_file_is_written_again(tars, tmp_path) -> None:
    path = nsd.prepare(nsd.WebDataset(tars), tmp_path, subjects=[1])["subj01"]
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    nsd.prepare(nsd.WebDataset(tars), tmp_path, subjects=[1])
    assert len(store.load(path)) == 42


def test_a_source_that_changes_is_noticed(tars, tmp_path, monkeypatch) -> None:
    save = store.save

    def spoil(path: Path, content: object, **kwargs: object) -> Path:
        if Path(path).name == "subj01.h5":
            content = content.with_values(content.array() + 1)
        return save(path, content, **kwargs)

    monkeypatch.setattr(_prepare.store, "save", spoil)
    with pytest.raises(CorruptFileError, match=r"subj01.h5 differs from its source in row 0"):
        nsd.prepare(nsd.WebDataset(tars), tmp_path, subjects=[1])
    assert not (tmp_path / "subj01.json").exists()


@pytest.mark.slow
def test_memory_stays_bounded(tmp_path) -> None:
    """A source of 300 MB is prepared in blocks of at most 64 MB."""
    import tracemalloc

    from neurodecode.data import Responses
    from neurodecode.datasets.nsd._lazy import Pieces

    n_trials, n_voxels = 7500, 10000

    class Big:
        def subjects(self) -> list[int]:
            return [1]

        def responses(self, subject: int, *, repeats: str = "kept") -> Responses:
            rng = np.random.default_rng(0)
            row = rng.normal(size=n_voxels).astype(np.float32)
            values = Pieces(
                [n_trials], (n_voxels,), np.float32, lambda _, rows: row + np.float32(rows)[:, None]
            )
            part = np.where(np.arange(n_trials) < 100, "test", "train")
            return Responses(values, range(n_trials), "subj01", "fmri", metadata={"part": part})

    tracemalloc.start()
    nsd.prepare(Big(), tmp_path, part_rows=500)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.75 * n_trials * n_voxels * 4
