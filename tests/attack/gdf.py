"""A small GDF file, written by the places that the paper of the format gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np

N_CHANNELS, N_TIMES, SFREQ = 3, 400, 100.0
VALUES = np.random.default_rng(0).normal(size=(N_CHANNELS, N_TIMES)) * 1e-5
NAMES = (b"Oz", b"O1", b"O2")


def write_gdf(file: Path, codes: tuple[int, ...] = (769, 770), version: str = "2.20") -> Path:
    """Four records of a second, float32, and these events, evenly spread.

    Sources
    -------
    Schloegl, GDF: a general data format for biosignals, tables 1 to 3 (versions 1.25 to 2.51).
    """
    newer = version > "1.9"
    n_header = 256 * (1 + N_CHANNELS)
    head = bytearray(n_header)
    head[:8] = f"GDF {version}".encode()
    head[168:184] = bytes(16) if newer else b"2020010100000000"
    size = np.array([n_header // 256], "<u2") if newer else np.array([n_header], "<i8")
    head[184 : 184 + size.nbytes] = size.tobytes()
    head[236:244] = np.array([4], "<i8").tobytes()
    head[244:256] = np.array([1, 1, N_CHANNELS], "<u4").tobytes()
    for place, name in enumerate(NAMES):
        head[256 + 16 * place : 272 + 16 * place] = name.ljust(16)
    digital = "<f8" if newer else "<i8"
    limits = [(-1.0, "<f8"), (1.0, "<f8"), (-1, digital), (1, digital)]
    at = 256 + (16 + 80 + 8) * N_CHANNELS
    for limit, kind in limits:
        head[at : at + 8 * N_CHANNELS] = np.full(N_CHANNELS, limit, kind).tobytes()
        at += 8 * N_CHANNELS
    at = 256 + 216 * N_CHANNELS
    head[at : at + 8 * N_CHANNELS] = np.repeat([100, 16], N_CHANNELS).astype("<i4").tobytes()
    records = VALUES.reshape(N_CHANNELS, 4, 100).transpose(1, 0, 2).astype("<f4").tobytes()
    file.write_bytes(bytes(head) + records + _events(codes, newer))
    return file


def _events(codes: tuple[int, ...], newer: bool) -> bytes:
    count = np.array([len(codes)], "<u4").tobytes()
    rate = np.array([SFREQ], "<f4").tobytes()
    places = np.linspace(11, 361, len(codes)).astype("<u4")
    head = b"\1" + (count[:3] + rate if newer else rate[:3] + count)
    return head + places.tobytes() + np.array(codes, "<u2").tobytes()
