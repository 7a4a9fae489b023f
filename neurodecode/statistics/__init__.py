"""How sure is a score? Intervals over items, nulls by permutation or shift, analytic chance.

Scores are means of one value an item. Every p-value here is one-sided and counts the observed
arrangement itself: (1 + number of null values at least as good) / (1 + number of null values).
"""

from neurodecode.statistics._blocks import dependent_blocks, stretches
from neurodecode.statistics._chance import TWO_WAY_CHANCE, rank_chance, top_k_chance
from neurodecode.statistics._folds import interval_inflation, linear_share, null_inflation
from neurodecode.statistics._intervals import FEW_PEOPLE, Interval, Sampling, mean_interval
from neurodecode.statistics._nulls import Alternative, Null, circular_shift_null, permutation_null

__all__ = [
    "Alternative",
    "FEW_PEOPLE",
    "Interval",
    "Null",
    "Sampling",
    "TWO_WAY_CHANCE",
    "circular_shift_null",
    "dependent_blocks",
    "interval_inflation",
    "linear_share",
    "mean_interval",
    "null_inflation",
    "permutation_null",
    "rank_chance",
    "stretches",
    "top_k_chance",
]
