"""Ctrl-C while a store is written ends the writer, with what was there before untouched."""

from __future__ import annotations

import signal
import threading

import numpy as np
import pytest

from neurodecode import store
from neurodecode.data import Responses
from neurodecode.store._interrupts import held_interrupts


def test_it_waits_for_the_end_of_a_block():
    reached = []
    with pytest.raises(KeyboardInterrupt), held_interrupts():
        signal.raise_signal(signal.SIGINT)
        reached.append(True)
    assert reached and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_it_comes_where_it_is_let_through():
    with pytest.raises(KeyboardInterrupt), held_interrupts() as let_through:
        signal.raise_signal(signal.SIGINT)
        let_through()
        pytest.fail("went on")


def test_other_threads_are_left_alone():
    before, held = signal.getsignal(signal.SIGINT), []

    def work():
        with held_interrupts():
            held.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert held == [before]


def test_a_store_is_the_old_one_afterwards(tmp_path):
    class Interrupted:
        shape, dtype = (400, 50_000), np.dtype(np.float32)

        def __getitem__(self, index):
            if index.start > 0:
                signal.raise_signal(signal.SIGINT)
            return np.zeros((index.stop - index.start, 50_000), np.float32)

    old = Responses(np.ones((2, 3), np.float32), ["a", "b"], "s", "fmri")
    path = store.save(tmp_path / "r.h5", old)
    with pytest.raises(KeyboardInterrupt):
        store.save(path, Responses(Interrupted(), range(400), "s", "fmri"))
    assert np.array_equal(store.load(path).array(), old.array())
    assert [one.name for one in tmp_path.iterdir()] == ["r.h5"]
