"""How many scenes are drawn in a second: pictures of 64 px, clips, masks and flow.

python -m benchmarks.scenes [--workers 2]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from neurodecode import scenes


def rate(draw: Callable[[int], object], n_scenes: int) -> float:
    """Scenes a second, one after the other."""
    start = time.perf_counter()
    for number in range(n_scenes):
        draw(number)
    return n_scenes / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--workers", type=int, default=-1, help="processes (-1: one a core)")
    parser.add_argument("--scenes", type=int, default=4000)
    given = parser.parse_args()
    print(f"pictures, one process  {rate(scenes.render, given.scenes // 4):8.0f} scenes/s")
    start = time.perf_counter()
    scenes.render_many(range(given.scenes), workers=given.workers)
    seconds = time.perf_counter() - start
    print(f"pictures, {given.workers:2d} workers    {given.scenes / seconds:8.0f} scenes/s")
    print(f"masks                  {rate(scenes.masks, 200):8.0f} scenes/s")
    print(f"clips of 16 frames     {rate(scenes.clip, 50):8.0f} scenes/s")
    print(f"flow of 15 steps       {rate(scenes.flow, 50):8.0f} scenes/s")


if __name__ == "__main__":
    main()
