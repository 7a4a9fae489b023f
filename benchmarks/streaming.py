"""Streaming: from the last sample of a window to its embedding, and whether that stays so.

272 sensors at 1200 Hz, band-pass, decimation to 120 Hz, running scale, SensorConv at the published
size on windows of 181 samples, one every 50 ms; the signal (simulated 1/f noise) is handed over
10 ms at a time, faster than real time. The weights are random: only time and memory are measured.

Printed: median and 99th percentile of the latency (of the processor time too, which other
programs on the machine disturb less), growth of memory and drift of the median between the first
and last quarter, and the latency of the whole network on every window, without what the last
window had worked out.

Cost: about 3 minutes on 2 CPU cores for 10 minutes of signal. Expect: median under 10 ms and 99th
percentile under 25 ms on 2 otherwise idle cores.

Run: ``python benchmarks/streaming.py``; ``--minutes 0.2`` rehearses.
"""

from __future__ import annotations

import argparse
import gc
import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch

from neurodecode.data import Embeddings, Responses
from neurodecode.encoders._sensor_conv_model import HEADS, SensorConvModel, layout_of
from neurodecode.encoders._sensor_conv_network import SensorConvNetwork
from neurodecode.encoders._sensor_conv_stream import SensorConvStream
from neurodecode.store import write_json
from neurodecode.streaming import CausalCleaning, StreamDecoder

N_SENSORS, SFREQ, N_TIMES, N_DIMS = 272, 1200.0, 181, 768
CHUNK = 12
log = logging.getLogger("neurodecode")


class Published:
    """SensorConv at the published size, with random weights."""

    def __init__(self, model: SensorConvModel) -> None:
        self.model = model

    def stream(self, layout: Responses, head: str | None) -> SensorConvStream:
        """As `SensorConv.stream` gives it."""
        return SensorConvStream(self.model, layout_of(layout), 0, head or "retrieval")

    def predict(self, responses: Responses, head: str | None = None) -> Embeddings:
        """The whole network at once."""
        with torch.inference_mode():
            values = torch.from_numpy(responses.array())
            found = self.model.embed(values, layout_of(responses), 0)[head or "retrieval"]
        return Embeddings(found.numpy(), responses.stimulus, "random")


def make_decoder() -> StreamDecoder:
    """Everything at the published size."""
    torch.manual_seed(0)
    network = SensorConvNetwork(N_TIMES, N_DIMS, 4, HEADS)
    flat = np.zeros(N_DIMS, np.float32)
    model = SensorConvModel(network, flat, flat + 1).eval()
    places = np.random.default_rng(0).normal(size=(N_SENSORS, 3))
    places[:, 2] = np.abs(places[:, 2])
    layout = Responses(
        np.zeros((1, N_SENSORS, N_TIMES), np.float32),
        np.array(["window"]),
        "sub-01",
        "meg",
        dims=("trial", "channel", "time"),
        sfreq=120.0,
        positions=100 * places / np.linalg.norm(places, axis=1, keepdims=True),
    )
    cleaning = CausalCleaning(band_hz=(0.5, 40.0), resample_hz=120.0)
    return StreamDecoder(Published(model), cleaning, layout, SFREQ)


def run(minutes: float) -> dict[str, Any]:
    """Play the signal; measure every window."""
    decoder, process = make_decoder(), psutil.Process()
    rng = np.random.default_rng(1)
    # ten seconds of noise, again and again: drawing numbers is not what is measured
    noise = rng.normal(size=(N_SENSORS, round(10 * SFREQ))).cumsum(axis=1) * 1e-14
    n_chunks = round(minutes * 60 * SFREQ / CHUNK)
    wall, busy, memory = [], [], []
    began = time.perf_counter()
    for number in range(n_chunks):
        start = number * CHUNK % noise.shape[1]
        values = noise[:, start : start + CHUNK]
        before = time.process_time()
        found = decoder.push(values)
        if found:
            wall.append(found[-1].latency_ms)
            busy.append(1e3 * (time.process_time() - before))
        if number % 500 == 0:
            gc.collect()
            memory.append(process.memory_info().rss / 1e6)
    return _told(np.array(wall), np.array(busy), np.array(memory), minutes) | {
        "seconds_played": round(time.perf_counter() - began, 1)
    }


def _told(wall: Any, busy: Any, memory: Any, minutes: float) -> dict[str, Any]:
    quarter, warm = max(1, len(wall) // 4), min(20, len(wall) // 10)
    wall, busy = wall[warm:], busy[warm:]
    settled = memory[len(memory) // 10 :]
    return {
        "minutes": minutes,
        "n_windows": len(wall),
        "n_threads": torch.get_num_threads(),
        "load_average": round(psutil.getloadavg()[0], 1),
        "median_ms": round(float(np.median(wall)), 2),
        "p99_ms": round(float(np.percentile(wall, 99)), 2),
        "processor_median_ms": round(float(np.median(busy)), 2),
        "processor_p99_ms": round(float(np.percentile(busy, 99)), 2),
        "drift_ms": round(float(np.median(wall[-quarter:]) - np.median(wall[:quarter])), 2),
        "memory_mb": round(float(memory[-1]), 1),
        "memory_growth_mb": round(float(settled[-1] - settled[0]), 1),
    }


def whole_network(n_windows: int = 50) -> dict[str, float]:
    """The same windows through `predict`, one by one."""
    decoder = make_decoder()
    trial = decoder.layout.with_values(
        np.random.default_rng(2).normal(size=(1, N_SENSORS, N_TIMES)).astype(np.float32)
    )
    wall = []
    for _ in range(n_windows):
        start = time.perf_counter()
        decoder.encoder.predict(trial)
        wall.append(1e3 * (time.perf_counter() - start))
    return {"median_ms": round(float(np.median(wall)), 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="of signal")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, help="JSON file to write")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(options.threads)
    result = {"stream": run(options.minutes), "whole network": whole_network()}
    for name, one in result.items():
        log.info("%s: %s", name, one)
    if options.out:
        write_json(options.out, result)


if __name__ == "__main__":
    main()
