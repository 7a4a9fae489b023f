from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from neurodecode.gallery import GalleryItem


def picture(seed: int, size: int = 24) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (size, size, 3), dtype=np.uint8)


@pytest.fixture
def results() -> dict[str, Any]:
    score = {
        "value": 0.41,
        "ci95": [0.36, 0.47],
        "chance": 0.05,
        "null": {"mean": 0.051, "p95": 0.09, "p": 0.001},
        "n": 12,
        "verdict": "shown",
        "verdict_reasons": [
            "Above every control; over the best, noise: +0.360 [0.310, 0.420].",
            "p = 0.001 against its null.",
            "No better than plain ridge: +0.010 [-0.010, 0.030].",
        ],
        "suspicions": [],
        "best_control": "noise",
        "over_best_control": [0.31, 0.42],
        "best_closed_form": "plain_ridge",
        "over_best_closed_form": [-0.01, 0.03],
        "beside_closed_form": "no better than plain ridge",
    }
    return {
        "experiment": "toy",
        "simulated": True,
        "protocols": {
            "within": {
                "scores": {"identification_top1": score},
                "controls": {"noise": {"identification_top1": 0.048}},
            }
        },
        "split": "random by stimulus, seed 7",
        "test_looks": 3,
        "seed": 7,
        "versions": {"numpy": "2"},
        "seconds": 12.5,
        "peak_rss_mb": 310.0,
    }


@pytest.fixture
def items() -> list[GalleryItem]:
    """Twelve pictures by two people; item 10 carries markup in all its texts."""
    evil = "<script>document.title='taken'</script><img src=x onerror=alert(1)>"
    made = []
    for i in range(12):
        text = evil if i == 10 else f"a picture of number {i}"
        made.append(
            GalleryItem(
                stimulus=f"../{evil}" if i == 10 else f"s-{i}",
                subject=f"p{i % 2 + 1}",
                truth=picture(i),
                decoded=[picture(100 + i), picture(200 + i)],
                controls={"noise": picture(300 + i), "ceiling": picture(i)},
                scores={"pixel_correlation": (i * 5 % 12) / 12},
                tags={"kind": "face" if i < 4 else "house"},
                captions={"seen": text, "decoded": "a picture"},
            )
        )
    return made
