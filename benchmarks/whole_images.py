"""What it costs to read a ``.nii.gz`` to the checksum at its end before its values are used.

Peer: nibabel alone, which stops at the last value and reads a damaged file as good. An image of
196 MB (81 x 104 x 83 x 140, int16, two thirds of it empty, as a session of NSD is) is read by both.

    python benchmarks/whole_images.py

Prints seconds of processor time and megabytes (unpacked) a second. Expected: 1.2 to 1.6 times as
long as nibabel, in the first read of a file only; below 20 s in all.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np

from neurodecode.datasets import haxby

SHAPE = (81, 104, 83, 140)


def main() -> None:
    """Write one recording in Haxby's layout; open it as the reader does, and with nibabel alone."""
    rng = np.random.default_rng(0)
    brain = rng.random(SHAPE[:3]) < 0.4
    values = np.zeros(SHAPE, np.int16)
    values[brain] = rng.normal(0, 300, (int(brain.sum()), SHAPE[3])).astype(np.int16)
    n_mb = values.nbytes / 1e6
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), folder / "bold.nii.gz")
        nibabel.save(nibabel.Nifti1Image(brain.astype("u1"), np.eye(4)), folder / "mask4_vt.nii.gz")
        (folder / "labels.txt").write_text("rest 0\n" * SHAPE[3])
        print(f"{n_mb:.0f} MB, packed {(folder / 'bold.nii.gz').stat().st_size / 1e6:.0f} MB")
        image = nibabel.load(folder / "bold.nii.gz")
        alone = _timed(lambda: image.slicer[..., : SHAPE[3]])
        [run] = haxby.read(folder).files
        ours = _timed(run.load)
    print(f"nibabel alone {alone:6.2f} s  {n_mb / alone:5.0f} MB/s")
    print(f"our reader    {ours:6.2f} s  {n_mb / ours:5.0f} MB/s, {ours / alone:.2f} times as long")


def _timed(read: Callable[[], object]) -> float:
    started = time.process_time()
    read()
    return time.process_time() - started


if __name__ == "__main__":
    main()
