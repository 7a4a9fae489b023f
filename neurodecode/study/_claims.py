"""Claims: comparisons that are named before the run, and decided by a paired interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["better", "not_worse", "ratio_at_least"]


@dataclass(frozen=True)
class Claim:
    """Contender ``a`` against contender ``b``, on the same items of a protocol.

    Make one with `better`, `not_worse` or `ratio_at_least`.

    Parameters
    ----------
    kind : {'better', 'not_worse', 'ratio_at_least'}
    a, b : str
        Names of contenders.
    metric : str
    protocol : str
        Of ``a``, and of ``b`` unless ``protocol_b`` names another.
    bound : float
        Margin (not worse) or ratio.
    protocol_b : str, optional
    """

    kind: Kind
    a: str
    b: str
    metric: str
    protocol: str
    bound: float = 0.0
    protocol_b: str | None = None

    @property
    def sentence(self) -> str:
        """The claim in words.

        Examples
        --------
        >>> not_worse("deep", "ridge", "two_way", "pooled", margin=0.02).sentence
        'deep is not worse than ridge by more than 0.02 (two_way, pooled)'
        """
        other = f"{self.b} ({self.protocol_b})" if self.protocol_b else self.b
        words = {
            "better": f"{self.a} is better than {other}",
            "not_worse": f"{self.a} is not worse than {other} by more than {self.bound:g}",
            "ratio_at_least": f"{self.a} is at least {self.bound:g} times as good as {other}",
        }
        return f"{words[self.kind]} ({self.metric}, {self.protocol})"


def better(a: str, b: str, metric: str, protocol: str, *, protocol_b: str | None = None) -> Claim:
    """``a - b > 0``: the lower end of the paired interval is above zero.

    Examples
    --------
    >>> better("deep", "ridge", "two_way", "pooled").sentence
    'deep is better than ridge (two_way, pooled)'
    """
    return Claim("better", a, b, metric, protocol, 0.0, protocol_b)


def not_worse(
    a: str, b: str, metric: str, protocol: str, *, margin: float, protocol_b: str | None = None
) -> Claim:
    """``a - b > -margin``: the lower end of the paired interval is above minus the margin.

    Raises
    ------
    ValueError
        If the margin is not positive.

    Examples
    --------
    >>> not_worse("deep", "ridge", "two_way", "pooled", margin=0.02).bound
    0.02
    """
    if not margin > 0:
        raise ValueError(f"margin must be above 0; got {margin}.")
    return Claim("not_worse", a, b, metric, protocol, margin, protocol_b)


def ratio_at_least(
    a: str, b: str, metric: str, protocol: str, *, ratio: float, protocol_b: str | None = None
) -> Claim:
    """``a - ratio * b > 0``: the lower end of its paired interval is above zero.

    Raises
    ------
    ValueError
        If the ratio is not positive.

    Examples
    --------
    >>> ratio_at_least("adapted", "scratch", "top1", "new", ratio=1.5).bound
    1.5
    """
    if not ratio > 0:
        raise ValueError(f"ratio must be above 0; got {ratio}.")
    return Claim("ratio_at_least", a, b, metric, protocol, ratio, protocol_b)
