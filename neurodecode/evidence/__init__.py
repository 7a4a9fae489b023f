"""No picture without its evidence: scores with interval, chance, null and controls, and records."""

from neurodecode.evidence._controls import (
    ceiling,
    constant_best,
    majority,
    mean_embedding,
    mean_picture,
    nearest_training,
    noise_responses,
    shuffled_order,
)
from neurodecode.evidence._fingerprint import data_fingerprint
from neurodecode.evidence._gain import Gain, gain_over_controls
from neurodecode.evidence._items import Items
from neurodecode.evidence._looks import TestLooks, look_key
from neurodecode.evidence._report import (
    controls_table,
    methods_paragraph,
    scores_table,
    scores_text,
    simulated_sentence,
    verdict_lines,
    verdicts_table,
)
from neurodecode.evidence._results import check_results, read_results, write_results
from neurodecode.evidence._run import Run, git_commit, peak_rss_mb, versions
from neurodecode.evidence._scores import ProtocolResult, Score, is_share, over_folds, score_table
from neurodecode.evidence._verdict import (
    KNOWS_NO_BRAIN,
    Comparison,
    Suspicion,
    Verdict,
    compare,
    many_looks,
    suspicious_controls,
    verdict_of,
)

__all__ = [
    "Comparison",
    "Gain",
    "gain_over_controls",
    "Items",
    "KNOWS_NO_BRAIN",
    "ProtocolResult",
    "Run",
    "Score",
    "Suspicion",
    "TestLooks",
    "Verdict",
    "ceiling",
    "check_results",
    "compare",
    "constant_best",
    "controls_table",
    "data_fingerprint",
    "git_commit",
    "look_key",
    "majority",
    "many_looks",
    "mean_embedding",
    "mean_picture",
    "methods_paragraph",
    "nearest_training",
    "noise_responses",
    "peak_rss_mb",
    "read_results",
    "is_share",
    "over_folds",
    "score_table",
    "scores_table",
    "scores_text",
    "simulated_sentence",
    "shuffled_order",
    "suspicious_controls",
    "verdict_lines",
    "verdict_of",
    "verdicts_table",
    "versions",
    "write_results",
]
