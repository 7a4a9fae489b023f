"""Train all small models that ship with the package, in one go on one GPU.

Cost: about 7 minutes of an H100 with 16 cores: drawing 120,000 scenes (20 s), the open_clip model
(beside the autoencoder, where there is none yet), the caption model, the picture generator, each
as long as ``--seconds`` says. Expect what `evaluate.py` prints, and what stands in the model cards
beside the weights.

    python -m experiments.train_small.train --work WORK --out OUT

``--start FOLDER`` goes on from models shipped before; their autoencoder stays as it is.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from multiprocessing import cpu_count
from pathlib import Path

from experiments.train_small import data

STAGES = (("clip", "autoencoder"), ("captioner",), ("generator",))


def run_together(modules: tuple[str, ...], more: list[str], out: Path) -> None:
    """Run scripts of this folder side by side; stop if one fails."""
    logs = [out / f"{name}.log" for name in modules]
    running = []
    for name, log in zip(modules, logs, strict=True):
        command = [sys.executable, "-u", "-m", f"experiments.train_small.{name}", *more]
        with log.open("w") as file:
            running.append(subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT))
    codes = [one.wait() for one in running]
    for log, code in zip(logs, codes, strict=True):
        text = log.read_text()
        print(f"--- {log.name} (exit code {code})\n{text[-1500:]}", flush=True)
    if any(codes):
        raise SystemExit(f"{modules} ended with {codes}; see the logs in {out}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=120_000)
    parser.add_argument("--seconds", type=float, nargs=3, default=(90.0, 50.0, 250.0))
    parser.add_argument("--batch", type=int)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--start", type=Path, help="go on from the models in this folder")
    given = parser.parse_args()
    start = time.monotonic()
    given.out.mkdir(parents=True, exist_ok=True)
    os.environ |= {"TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
    if given.start:
        (given.work / "tokenizer").mkdir(parents=True, exist_ok=True)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(given.start / "clip" / name, given.work / "tokenizer" / name)
    else:
        data.make_tokenizer(min(5000, given.scenes), given.work / "tokenizer")
    data.render(given.work, "train", data.TRAIN, given.scenes, cpu_count())
    data.render(given.work, "validation", data.VALIDATION, 1000, cpu_count())
    print(f"{given.scenes} scenes drawn in {time.monotonic() - start:.0f} s", flush=True)
    more = []
    stages = STAGES
    if given.start:
        more = ["--start", str(given.start)]
        stages = (("clip",), *STAGES[1:])
        shutil.copytree(given.start / "generator" / "vae", given.out / "generator" / "vae")
    for modules, seconds in zip(stages, given.seconds, strict=True):
        options = [
            *more,
            "--work",
            str(given.work),
            "--out",
            str(given.out),
            "--device",
            given.device,
        ]
        options += ["--seconds", str(seconds)] + (
            ["--batch", str(given.batch)] if given.batch else []
        )
        run_together(modules, options, given.out)
        print(f"{modules} done after {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
