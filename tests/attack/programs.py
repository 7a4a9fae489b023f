"""Random programs of pickle instructions, near enough to real ones to get somewhere."""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable

import numpy as np

NAMES = (
    ("numpy", "dtype"), ("numpy", "ndarray"), ("numpy", "memmap"),
    ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"), ("numpy._core.numeric", "_frombuffer"),
    ("collections", "OrderedDict"), ("_codecs", "encode"),
    ("builtins", "set"), ("builtins", "frozenset"), ("builtins", "complex"),
    ("builtins", "bytearray"), ("builtins", "bytes"), ("builtins", "slice"),
    ("builtins", "range"), ("__builtin__", "set"), ("__builtin__", "xrange"),
    ("torch._utils", "_rebuild_tensor_v2"), ("torch", "FloatStorage"), ("torch", "Size"),
    ("os", "system"), ("builtins", "eval"), ("numpy", "load"),
)  # fmt: skip
TEXTS = (
    b"", b"a", b"b", b"f8", b"<f4", b"O", b"O8", b"U3", b"V8", b"S2", b"M8", b"b1", b"i1", b"c16",
    b"latin1", b"C", b"F", b"<", b">", b"|", b"=", b"storage", b"cpu", b"0", b"numpy", b"dtype",
    b"\xe9", b"0123456789abcdef", b"\x00" * 8,
)  # fmt: skip
BARE = b"(012N\x88\x89)\x85\x86\x87t]lae}dsu\x8f\x90\x91\x94\x93Rb\x81\x92oQ"
REAL = (
    np.arange(6.0).reshape(2, 3), np.array(["a", "bc"]), np.array([1, "a", None], object),
    np.zeros(2, [("a", "f4"), ("b", "U3")]), np.array(["2020-01-01"], "M8[D]"), np.float32(1.5),
    {"a": [1, 2.5, 10**20, "x", b"y"], 3: (None, True)}, {1, "b"}, frozenset([2]), 1j,
    OrderedDict(a=1), bytearray(b"abc"), slice(1, 2), range(3), np.asfortranarray(np.eye(2)),
    np.dtype(">i4"), np.dtype([("a", "f4", (2,))]),
)  # fmt: skip


def random_program(rng: np.random.Generator) -> bytes:
    """Instructions in any order, or a real pickle with some exchanged, doubled or cut."""
    if rng.random() < 0.5:
        return _instructions(rng, int(rng.integers(1, 40))) + b"."
    content = REAL[int(rng.integers(len(REAL)))]
    program = bytearray(pickle.dumps(content, int(rng.integers(0, 6))))
    for _ in range(int(rng.integers(0, 6))):
        CHANGES[int(rng.integers(len(CHANGES)))](rng, program)
    return bytes(program)


def _instructions(rng: np.random.Generator, n_items: int) -> bytes:
    return b"".join(MAKERS[int(rng.integers(len(MAKERS)))](rng) for _ in range(n_items))


def _bare(rng: np.random.Generator) -> bytes:
    place = int(rng.integers(len(BARE)))
    return BARE[place : place + 1]


def _name(rng: np.random.Generator) -> bytes:
    module, name = NAMES[int(rng.integers(len(NAMES)))]
    return f"c{module}\n{name}\n".encode()


def _text(rng: np.random.Generator) -> bytes:
    text = TEXTS[int(rng.integers(len(TEXTS)))]
    form = int(rng.integers(5))
    if form == 0:
        return b"\x96" + struct.pack("<Q", len(text)) + text
    if form == 1:
        return b"B" + struct.pack("<I", len(text)) + text
    return (b"U", b"\x8c", b"C")[form - 2] + bytes([len(text)]) + text


def _integer(rng: np.random.Generator) -> bytes:
    if rng.random() < 0.7:
        return b"K" + bytes([int(rng.integers(0, 9))])
    kind = int(rng.integers(5))
    if kind == 0:
        return b"J" + struct.pack("<i", int(rng.integers(-(2**31), 2**31)))
    if kind == 1:
        return b"\x8a\x09" + rng.bytes(9)
    if kind == 2:
        return b"\x8b" + struct.pack("<i", int(rng.integers(-3, 2**31))) + rng.bytes(4)
    if kind == 3:
        return b"I" + str(int(rng.integers(-99, 10**12))).encode() + b"\n"
    return b"G" + rng.bytes(8)


def _memo(rng: np.random.Generator) -> bytes:
    return (b"q", b"h")[int(rng.integers(2))] + bytes([int(rng.integers(6))])


def _array(rng: np.random.Generator) -> bytes:
    """A whole array, whose parts may not fit."""
    kind = TEXTS[int(rng.integers(3, 14))]
    state = _text(rng) if rng.random() < 0.8 else b"]"
    flags = int(rng.choice([0, 16, 63, 255]))
    return (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85C\x01btR"
        b"(K\x01K" + bytes([int(rng.integers(4))]) + b"\x85cnumpy\ndtype\n(U" + bytes([len(kind)])
        + kind + b"I00\nI01\ntR(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK" + bytes([flags])
        + b"tb\x89" + state + b"tb"
    )  # fmt: skip


MAKERS: tuple[Callable[[np.random.Generator], bytes], ...] = (
    _bare, _bare, _bare, _name, _text, _integer, _memo, _array,
)  # fmt: skip


def _flip(rng: np.random.Generator, program: bytearray) -> None:
    if program:
        program[int(rng.integers(len(program)))] ^= 1 << int(rng.integers(8))


def _exchange(rng: np.random.Generator, program: bytearray) -> None:
    if program:
        program[int(rng.integers(len(program)))] = int(rng.choice(list(BARE)))


def _insert(rng: np.random.Generator, program: bytearray) -> None:
    place = int(rng.integers(len(program) + 1))
    program[place:place] = _instructions(rng, int(rng.integers(1, 4)))


def _cut(rng: np.random.Generator, program: bytearray) -> None:
    del program[int(rng.integers(len(program) + 1)) :]


def _double(rng: np.random.Generator, program: bytearray) -> None:
    start, stop = sorted(int(one) for one in rng.integers(len(program) + 1, size=2))
    program[start:start] = program[start:stop]


CHANGES: tuple[Callable[[np.random.Generator, bytearray], None], ...] = (
    _flip, _flip, _exchange, _insert, _cut, _double,
)  # fmt: skip
