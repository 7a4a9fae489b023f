from __future__ import annotations

import pytest

from neurodecode.statistics import rank_chance, top_k_chance


def test_chance_levels():
    assert top_k_chance(20) == 0.05
    assert rank_chance(5) == 2.0
    with pytest.raises(ValueError, match="k must be 1 to 4 with 4 candidates; got 5"):
        top_k_chance(4, 5)
