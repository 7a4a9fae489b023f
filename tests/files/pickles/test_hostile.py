"""Pickles made to run code, to crash or to fill the memory; each would leave a trace if it did."""

from __future__ import annotations

import io
import os
import pickle
import struct
import subprocess
import tracemalloc

import numpy as np
import pytest

from neurodecode.errors import CorruptFileError, UnsafeFileError
from neurodecode.files import read_npy, read_pickle
from neurodecode.files.pickles import DamageError, Machine, RefusalError

RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85C\x01btR"
MINUS = b"J\xff\xff\xff\xff"


def run(content: bytes):
    return Machine(io.BytesIO(content), len(content)).run()


def dtype_with(kind: bytes, flags: int, size: int = -1) -> bytes:
    """A dtype whose state sets its flags, which NumPy takes over as they are."""
    number = b"J" + struct.pack("<i", size)
    return (
        b"cnumpy\ndtype\n(U" + bytes([len(kind)]) + kind + b"\x89\x88tR(K\x03U\x01|NNN"
        + number + number + b"K" + bytes([flags]) + b"tb"
    )  # fmt: skip


class Calls:
    """Pickled as a call."""

    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


def hostile_calls(trace):
    """Ways to leave a file behind, by functions that anyone has installed."""
    command = f"touch {trace}"
    yield Calls(os.system, command)
    yield Calls(eval, f"open({str(trace)!r}, 'w')")
    yield Calls(exec, f"open({str(trace)!r}, 'w')")
    yield Calls(open, str(trace), "w")
    yield Calls(subprocess.check_call, ["touch", str(trace)])
    yield Calls(getattr, os, "system")
    yield Calls(np.save, str(trace), np.zeros(1))
    yield Calls(np.fromfile, str(trace))
    yield Calls(np.memmap, str(trace), "f4", "w+", 0, (1,))


def test_the_samples_leave_a_trace_where_they_are_run(tmp_path):
    """Else the tests below would show nothing."""
    trace = tmp_path / "trace"
    pickle.loads(pickle.dumps(Calls(os.system, f"touch {trace}")))
    assert trace.exists()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("reader", ["pickle", "npy"])
def test_nothing_is_run(tmp_path, protocol, reader):
    trace = tmp_path / "trace"
    for number, call in enumerate(hostile_calls(trace)):
        try:
            content = pickle.dumps({"betas": np.zeros(2), "x": call}, protocol)
        except (TypeError, pickle.PicklingError):  # a module is no value
            continue
        file = tmp_path / f"{number}.{reader}"
        if reader == "npy":
            np.save(file, np.zeros(1, object), allow_pickle=True)
            head = file.read_bytes()
            content = head[: head.index(b"\n") + 1] + content
        file.write_bytes(content)
        with pytest.raises(UnsafeFileError, match=f"{file.name} is a pickle that asks for"):
            (read_npy if reader == "npy" else read_pickle)(file)
    assert not trace.exists()


def test_flags_of_a_dtype_are_never_taken_over():
    """Set by BUILD, they made bytes into pointers: a command ran in 20 of 20 processes."""
    for flags in (0x3F, 0x01, 0xFF):
        for kind, size in ((b"V8", 8), (b"i8", -1), (b"S8", 8)):
            array = dtype_with(kind, flags, size) + b"\x89C\x08" + b"\x41" * 8 + b"tb."
            value = run(RECONSTRUCT + b"(K\x01K\x01\x85" + array)
            assert not value.dtype.hasobject
            assert value.dtype.flags == np.dtype(kind.decode()).flags
            assert value.tobytes() == b"\x41" * 8


CRASHING = {
    "objects over bytes": RECONSTRUCT
    + b"(K\x01K\x01\x85" + dtype_with(b"O8", 63) + b"\x89C\x08" + b"\x41" * 8 + b"tb.",
    "objects over a buffer": b"cnumpy.core.numeric\n_frombuffer\n(C\x08" + b"\x41" * 8
    + dtype_with(b"O8", 63) + b"K\x01\x85U\x01CtR.",
    "a scalar of objects": b"cnumpy.core.multiarray\nscalar\n(" + dtype_with(b"O8", 63)
    + b"C\x08" + b"\x41" * 8 + b"tR.",
    "objects in a field": b"cnumpy\ndtype\n(U\x02V8\x89\x88tR(K\x03U\x01|N(U\x01at}U\x01a("
    + dtype_with(b"O8", 63) + b"K\x00tsK\x08K\x01K\x10tb.",
    "a field outside": b"cnumpy\ndtype\n(U\x02V8\x89\x88tR(K\x03U\x01|N(U\x01at}U\x01a("
    + dtype_with(b"f8", 0) + b"K\x40tsK\x08K\x01K\x10tb.",
    "a field before": b"cnumpy\ndtype\n(U\x02V8\x89\x88tR(K\x03U\x01|N(U\x01at}U\x01a("
    + dtype_with(b"f8", 0) + MINUS + b"tsK\x08K\x01K\x10tb.",
    "more items than bytes": RECONSTRUCT
    + b"(K\x01J\xff\xff\xff\x7f\x85" + dtype_with(b"f8", 0) + b"\x89C\x08" + b"\x41" * 8 + b"tb.",
    "negative sizes": RECONSTRUCT
    + b"(K\x01" + MINUS + MINUS + b"\x86" + dtype_with(b"i1", 0) + b"\x89C\x01atb.",
    "items without bytes": RECONSTRUCT
    + b"(K\x01\x8a\x05\x00\x00\x00\x00\x01\x85" + dtype_with(b"V0", 0, 0) + b"\x89C\x00tb.",
    "a size of two gigabytes": b"cnumpy\ndtype\n(U\x0bU2147483647\x89\x88tR.",
    "built twice": RECONSTRUCT + b"q\x00(K\x01K\x01\x85" + dtype_with(b"i1", 0) + b"\x89C\x01atb"
    + b"(K\x01K\x63\x85" + dtype_with(b"i1", 0) + b"\x89C\x01atb.",
    "built of itself": RECONSTRUCT + b"q\x00(K\x01K\x01\x85" + dtype_with(b"O8", 63)
    + b"\x89]h\x00atb.",
    "never built": RECONSTRUCT + b".",
    "a dtype in use is changed": b"cnumpy\ndtype\n(U\x02i4\x89\x88tRq\x00]h\x00a0h\x00"
    + b"(K\x03U\x01>NNN" + MINUS * 2 + b"K\x00tb.",
    "an object of a class": b"cnumpy\nndarray\n(K\x01t\x81.",
    "an array called": b"cnumpy\nndarray\n(K\x01tR.",
    "an old object": b"(cnumpy\nndarray\nK\x01o.",
    "an extension": b"\x82\x01.",
    "a persistent id": b"U\x01aQ.",
    "a buffer from elsewhere": b"\x97.",
}  # fmt: skip


@pytest.mark.parametrize("name", CRASHING)
def test_what_would_crash_is_refused(name):
    with pytest.raises((RefusalError, DamageError)):
        run(CRASHING[name])


def _doubled(start: bytes, step: bytes, times: int) -> bytes:
    """Each thing holds the one before twice."""
    return start + b"".join(b"q" + bytes([n]) + b"h" + bytes([n]) + step for n in range(times))


BOMBS = {
    "a bytearray by its size": b"cbuiltins\nbytearray\n\x8a\x06" + (10**12).to_bytes(6, "little")
    + b"\x85R.",
    "a huge integer": b"\x8b" + struct.pack("<i", 10**6) + b"\x01" * 10**6 + b".",
    "a huge number in digits": b"I" + b"9" * 100_000 + b"\n.",
    "tuples that hash without end": b"\x8f(" + _doubled(b"K\x01\x85", b"\x86", 60) + b"\x90.",
    "tuples as keys": b"}" + _doubled(b"K\x01\x85", b"\x86", 60) + b"Ns.",
    "lists that unfold without end": b"(]q\x00" + b"".join(
        b"]q" + bytes([n]) + b"(" + (b"h" + bytes([n - 1])) * 10 + b"e" for n in range(1, 40))
    + b"1h\x27.",
    "one array a million times": RECONSTRUCT + b"(K\x01M\x00\xff\x85" + dtype_with(b"i1", 0)
    + b"\x89B\x00\xff\x00\x00" + bytes(0xFF00) + b"tbq\x000](" + b"h\x00" * 200_000 + b"e.",
    "one payload, many arrays": b"B\x00\xff\x0f\x00" + bytes(0xFFF00) + b"q\x00]("
    + (RECONSTRUCT + b"(K\x01J\x00\xff\x0f\x00\x85" + dtype_with(b"i1", 0) + b"\x89h\x00tb") * 900
    + b"e.",
    "a list that holds itself": b"]q\x00h\x00a.",
    "a dictionary that holds itself": b"}q\x00K\x01h\x00s.",
    "a tower of lists": b"]" * 100_000 + b"a" * 99_999 + b".",
    "a tower of tuples": b")" + b"\x85" * 100_000 + b".",
    "a tower of half tuples": b"cnumpy\nndarray\n" + b"\x85" * 100_000 + b".",
    "keys that collide": b"}(" + b"".join(
        b"cbuiltins\ncomplex\n(G" + struct.pack(">d", -1000003.0 * n) + b"G"
        + struct.pack(">d", n) + b"tRN" for n in range(1, 12_000)) + b"u.",
    "a range that is listed": b"](" + (b"cbuiltins\nrange\n(K\x00\x8a\x08"
    + (2**61).to_bytes(8, "little") + b"K\x01tR") + b"e.",
}  # fmt: skip


REASONS = {
    "a bytearray by its size": "a bytearray of anything but bytes",
    "a huge integer": "an integer of 1000000 bytes",
    "a huge number in digits": "an integer of 100000 digits",
    "tuples that hash without end": "its tuple keys have more than 100000 parts",
    "tuples as keys": "its tuple keys have more than 100000 parts",
    "lists that unfold without end": "unfolds beyond bounds",
    "one array a million times": "unfolds beyond bounds",
    "one payload, many arrays": "far larger than its",
    "a list that holds itself": "a container holds itself",
    "a dictionary that holds itself": "a container holds itself",
    "a tower of lists": "nested more than 64 deep",
    "a tower of tuples": "nested more than 64 deep",
    "a tower of half tuples": "nested more than 64 deep",
    "keys that collide": "keys that are no text",
    "a range that is listed": "unfolds beyond bounds",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_in_bounded_time_and_memory(name):
    tracemalloc.start()
    with pytest.raises((DamageError, RefusalError), match=REASONS[name]):
        run(BOMBS[name])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**29


def test_errors_name_the_file(tmp_path):
    file = tmp_path / "x.pkl"
    for content in (*CRASHING.values(), *BOMBS.values()):
        file.write_bytes(content)
        with pytest.raises(CorruptFileError, match=r"x\.pkl"):
            read_pickle(file)
