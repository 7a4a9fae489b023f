"""Put trained models into the package: weights, the space they read, and a model card each.

Cost: seconds. Run `evaluate.py` after it, then this again with its figures for the cards:

    python -m experiments.train_small.ship --out OUT --figures FIGURES.json
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from neurodecode.targets import OpenClip

PACKAGE = Path(__file__).parents[2] / "neurodecode" / "targets" / "small_models"
LIMIT_BYTES = 25_000_000
TITLES = {
    "clip": "Small open_clip model of scenes",
    "generator": "Small picture generator of scenes (diffusers)",
    "captioner": "Small T5 caption model of scenes",
}
USE = {
    "clip": 'neurodecode.targets.OpenClip()  # or OpenClip("<this folder>")',
    "generator": "neurodecode.generators.SmallFlow().generate(embeddings)",
    "captioner": "neurodecode.generators.Captioner().generate(embeddings)",
}
SCRIPTS = {
    "clip": ["clip.py"],
    "generator": ["autoencoder.py", "generator.py"],
    "captioner": ["clip.py", "captioner.py"],
}


def card(name: str, runs: dict[str, Any], figures: dict[str, Any]) -> str:
    """A model card: data, cost, seed, final loss, figures, licence."""
    rows = [
        f"| {part}: {key} | {value} |"
        for part, facts in runs.items()
        for key, value in facts.items()
    ]
    rows += [f"| {key} | {value} |" for key, value in figures.get(name, {}).items()]
    scripts = ", ".join(f"`experiments/train_small/{one}`" for one in SCRIPTS[name])
    return (
        "---\nlicense: bsd-3-clause\nlibrary_name: neurodecode\n---\n"
        f"# {TITLES[name]}\n\n"
        "Trained by us, from random weights, on pictures and captions of `neurodecode.scenes` "
        "alone (drawn by program; no photograph, no recording, no third-party data), by "
        f"{scripts}. Training ids start at scene-10000000, far below those that demos and twins "
        "show (from scene-100000000 on). Trained in three rounds, each going on from the one "
        "before (`train.py --start`); the facts are of the last round. It knows scenes and nothing "
        "else.\n\n"
        f"    {USE[name]}\n\n| fact | value |\n| --- | --- |\n" + "\n".join(rows) + "\n"
    )


def ship(out: Path, figures: dict[str, Any]) -> None:
    for name in TITLES:
        target = PACKAGE / name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(out / name, target)
        runs = {}
        for file in sorted(target.rglob("training.json")):
            runs[file.parent.name] = json.loads(file.read_text())
            file.unlink()
        (target / "README.md").write_text(card(name, runs, figures), encoding="utf-8")
    space = OpenClip(PACKAGE / "clip").space
    for name in ("generator", "captioner"):
        text = json.dumps({"space": space}, indent=2) + "\n"
        (PACKAGE / name / "neurodecode.json").write_text(text, encoding="utf-8")
    for file in PACKAGE.rglob("*"):
        file.chmod(0o755 if file.is_dir() else 0o644)
    size = sum(file.stat().st_size for file in PACKAGE.rglob("*") if file.is_file())
    if size > LIMIT_BYTES:
        raise SystemExit(f"The models take {size} bytes; the limit is {LIMIT_BYTES}.")
    print(f"{size / 1e6:.2f} MB in {PACKAGE}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--figures", type=Path, help="JSON written by evaluate.py")
    given = parser.parse_args()
    ship(given.out, json.loads(given.figures.read_text()) if given.figures else {})


if __name__ == "__main__":
    main()
