"""Read ZuCo's files: MB of stored EEG a second, and peak memory, for both formats.

    python -m benchmarks.zuco --out benchmarks/results/zuco.json

A simulated person's task of 40 sentences (104 channels, 500 Hz, 2 to 6 s, 8-byte numbers as in the
files) is written in either format and read again, sentence by sentence, without the words and with
them. "Stored" counts the EEG alone. The files were just written, so that the disk is not measured.

Cost: about a minute and 150 MB of disk. Measured on two busy cores (``results/zuco.json``):
MATLAB 5 144 MB/s, the file in memory (74 MB more for 67 MB of EEG); MATLAB 7.3 361 MB/s, 9 MB more.
With the words of each sentence: 92 and 18 MB/s; in 7.3 each measure of each word is a data set of
its own, found by a reference. `read_subject` reads without the words. Target: 100 MB/s or more.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from jsonargparse import auto_cli

from benchmarks._record import write_record
from neurodecode.datasets import zuco
from neurodecode.evidence import peak_rss_mb
from neurodecode.twin.layouts.zuco import ReadSentence, ReadWord, write_zuco

N_SENTENCES, N_CHANNELS, N_WORDS = 40, 104, 20
SUBJECTS = {1: "ZAB", 2: "YAB"}


def write(folder: Path, version: int) -> Path:
    """One person's task of simulated EEG."""
    rng = np.random.default_rng(0)
    words = tuple(ReadWord(f"word{i}", 1, {"GD": 200.0}) for i in range(N_WORDS))
    sentences = [
        ReadSentence(
            " ".join(word.content for word in words) + f" {row}",
            rng.standard_normal((N_CHANNELS, int(rng.integers(1000, 3000))), dtype=np.float32),
            words,
        )
        for row in range(N_SENTENCES)
    ]
    return write_zuco(folder, SUBJECTS[version], "NR", sentences, 1 if version == 1 else 2)


def read(path: Path, words: bool) -> dict[str, float]:
    """Read all sentences once, in this process."""
    before = peak_rss_mb() or 0.0
    start = time.perf_counter()
    n_values = largest = 0
    for sentence in zuco.read_sentences(path, words=words):
        if sentence.eeg is not None:
            # the files hold one channel more, all zeros
            size = (len(sentence.eeg) + 1) * sentence.eeg.shape[1]
            n_values, largest = n_values + size, max(largest, size)
    seconds = time.perf_counter() - start
    return {
        "stored_eeg_mb": round(n_values * 8 / 1e6, 1),
        "largest_sentence_mb": round(largest * 8 / 1e6, 1),
        "mb_per_s": round(n_values * 8 / 1e6 / seconds, 1),
        "peak_mb_above_start": round((peak_rss_mb() or 0.0) - before, 1),
    }


def main(out: Path | None = None, path: Path | None = None, words: bool = False) -> None:
    """Measure both formats, or one file (how this script calls itself).

    Args:
        out: where to write the JSON; printed as well
        path: read this file alone and print its figures
        words: with the words and their measures
    """
    if path is not None:
        print(json.dumps(read(path, words)))
        return
    report: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for version, name in ((1, "MATLAB 5"), (2, "MATLAB 7.3")):
            file = write(Path(folder), version)
            for kind in ("false", "true"):
                command = [
                    sys.executable,
                    "-m",
                    "benchmarks.zuco",
                    "--path",
                    str(file),
                    "--words",
                    kind,
                ]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                key = name + (" with words" if kind == "true" else "")
                report[key] = json.loads(done.stdout.splitlines()[-1])
                print(key, report[key], flush=True)
    if out is not None:
        write_record(__file__, out, report)


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
