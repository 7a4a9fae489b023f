"""From a claim to its verdict: the paired interval decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from neurodecode.statistics import Interval
from neurodecode.study._claims import Claim
from neurodecode.study._pooled import Pool, Pooled, paired


@dataclass(frozen=True)
class Decision:
    """A claim with what was found.

    Parameters
    ----------
    claim : Claim
    verdict : {'holds', 'not shown', 'not computed'}
    a, b : float
        Means on the items that both have.
    interval : Interval or None
        Of the paired difference that decides (``a - b``, or ``a - ratio * b``).
    """

    claim: Claim
    verdict: Literal["holds", "not shown", "not computed"]
    a: float | None = None
    b: float | None = None
    interval: Interval | None = None

    @property
    def told(self) -> str:
        """The figures in words."""
        if self.interval is None or self.a is None or self.b is None:
            return "its cells are not done"
        ratio = self.claim.bound if self.claim.kind == "ratio_at_least" else 1.0
        what = "a - b" if ratio == 1.0 else f"a - {ratio:g} b"
        gap = self.a - ratio * self.b
        return (
            f"{self.a:.3f} and {self.b:.3f}; {what} = {gap:.3f} "
            f"[{self.interval.low:.3f}, {self.interval.high:.3f}]"
        )

    def as_json(self) -> dict[str, Any]:
        """As in ``results.json``."""
        ends = None if self.interval is None else [self.interval.low, self.interval.high]
        return {
            "claim": self.claim.sentence,
            "kind": self.claim.kind,
            "bound": self.claim.bound,
            "verdict": self.verdict,
            "a": self.a,
            "b": self.b,
            "ci95": ends,
            "told": self.told,
        }


def decide(claim: Claim, pools: Mapping[Pooled, Pool]) -> Decision:
    """The verdict on a claim."""
    keys = [
        Pooled(claim.protocol, claim.a),
        Pooled(claim.protocol_b or claim.protocol, claim.b),
    ]
    if any(key not in pools or claim.metric not in pools[key].metrics for key in keys):
        return Decision(claim, "not computed")
    own, other, items = paired(pools[keys[0]], pools[keys[1]], claim.metric)
    ratio = claim.bound if claim.kind == "ratio_at_least" else 1.0
    sign = 1.0 if pools[keys[0]].higher_is_better(claim.metric) else -1.0
    interval = items.interval(sign * (own - ratio * other))
    margin = claim.bound if claim.kind == "not_worse" else 0.0
    verdict: Literal["holds", "not shown"] = "holds" if interval.low > -margin else "not shown"
    return Decision(claim, verdict, float(own.mean()), float(other.mean()), interval)
