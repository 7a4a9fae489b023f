from __future__ import annotations

import gzip
import os
import time

import numpy as np
import pytest

from tests.attack.campaign import Bench, Case, attack, counts, failures, table
from tests.attack.damage import ANYWHERE, IN_TABLES, packed_flip
from tests.attack.judge import Outcome, digest, judge

WHOLE = {"values": np.arange(3.0), "stimulus": np.array(["a", "b", "c"])}


def _judged(read, tmp_path, seconds=20.0):
    return judge(read, digest(WHOLE), tmp_path / "trace", seconds=seconds)


def test_the_judge_tells_what_came_of_a_read(tmp_path):
    def hang():
        time.sleep(60)

    def crash():
        os.abort()

    def bare():
        return {}["x"]

    def clear():
        raise ValueError("x.npy is cut off.")

    def run_code():
        (tmp_path / "trace").mkdir()
        return WHOLE

    def grow():
        return WHOLE | {"big": len(np.ones(2**25))}

    assert _judged(lambda: WHOLE, tmp_path).kind == "same"
    assert _judged(lambda: WHOLE | {"values": np.zeros(3)}, tmp_path).changed == ("values",)
    assert _judged(hang, tmp_path, seconds=0.2).kind == "hang"
    assert _judged(crash, tmp_path).error == "signal 6"
    assert _judged(bare, tmp_path).marks == {"bare"}
    assert _judged(clear, tmp_path).marks == set()
    assert _judged(grow, tmp_path).n_bytes > 2**27
    assert _judged(run_code, tmp_path).ran_code


@pytest.mark.parametrize("name", [*ANYWHERE, *IN_TABLES])
def test_damage_changes_a_file_and_is_the_same_for_the_same_seed(name):
    damage = {**ANYWHERE, **IN_TABLES}[name]
    content = b"onset\tduration\n" + b"".join(b"%d\t1.5\n" % n for n in range(200))
    made = [damage(np.random.default_rng(seed), content) for seed in (0, 0, 1, 2, 3)]
    assert made[0] == made[1]
    assert any(one != content for one in made)
    assert isinstance(damage(np.random.default_rng(0), b""), bytes)


def test_what_is_packed_again_has_a_right_checksum():
    made = packed_flip(np.random.default_rng(0), gzip.compress(bytes(5000)))
    assert gzip.decompress(made) != bytes(5000)


def test_columns_and_failures():
    def case(kind, reason="", **facts):
        return Case("store", "x.h5", "flip", 0, Outcome(kind, **facts), reason)

    cases = [
        case("same"), case("error"), case("error", marks={"bare", "unnamed"}), case("hang"),
        case("changed", "no checksum in .npy: values"), case("changed", warned=True),
        case("changed", "hostile: virtual: READ AS DATA"), case("same", ran_code=True),
    ]  # fmt: skip
    found = counts(cases)
    assert (found["files"], found["clear errors"], found["silent"]) == (8, 1, 2)
    assert (found["hangs"], found["bare"], found["code run"], found["warnings"]) == (1, 1, 1, 1)
    assert failures(cases) == [cases[2], cases[3], cases[6], cases[7]]
    assert "no checksum in .npy: values" in table(cases)


@pytest.mark.parametrize("name", ["store", "miyawaki", "haxby openfmri"])
def test_a_bench_breaks_one_file_and_leaves_the_whole_ones_alone(tmp_path, name):
    bench = Bench(name, tmp_path)
    before = {one: (bench.whole / one).read_bytes() for one in bench.files}
    first, again = bench.run(3), bench.run(3)
    bench.run(4)
    assert (first.file, first.change) == (again.file, again.change)
    assert first.outcome.changed == again.outcome.changed
    assert {one: (bench.whole / one).read_bytes() for one in bench.files} == before


FAST = ("nsd raw hdf5", "mindeye2", "eeg2 ubp", "meg atm", "haxby", "miyawaki", "sherlock", "store")


def test_eighty_broken_files_of_the_fastest_readers():
    cases = attack(80, FAST, seed=2, n_jobs=1)
    wrong = [(case.reader, case.seed, case.change, case.outcome) for case in failures(cases)]
    assert not wrong, wrong


@pytest.mark.attack
def test_two_thousand_broken_files():
    cases = attack(2000, seed=1)
    assert not failures(cases), table(cases)
