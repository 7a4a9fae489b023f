"""How sure is a score? Intervals over items, nulls by permutation or shift, analytic chance.

Scores are means of one value an item. Every p-value here is one-sided and counts the observed
arrangement itself: (1 + number of null values at least as good) / (1 + number of null values).
"""

from neurodecode.statistics._chance import TWO_WAY_CHANCE, rank_chance, top_k_chance
from neurodecode.statistics._intervals import Interval, bootstrap_interval
from neurodecode.statistics._nulls import Alternative, Null, circular_shift_null, permutation_null

__all__ = [
    "Alternative",
    "Interval",
    "Null",
    "TWO_WAY_CHANCE",
    "bootstrap_interval",
    "circular_shift_null",
    "permutation_null",
    "rank_chance",
    "top_k_chance",
]
