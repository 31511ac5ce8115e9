"""Failed assertions on simulated measures, told with their confidence."""

from __future__ import annotations

import math
from typing import Any

from flowkit.simulation.statistics import Estimate
from flowkit.simulation.timespans import show_span

__all__ = ["explained"]

_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def explained(op: str, left: Any, right: Any) -> list[str] | None:
    """What was found, what was asked, and whether more replications could help; None for other values."""
    if isinstance(right, Estimate) and not isinstance(left, Estimate):
        left, right, op = right, left, _MIRRORED.get(op, op)
    if not isinstance(left, Estimate) or isinstance(right, Estimate) or op not in _MIRRORED:
        return None
    bound = float(right)
    told = [
        f"simulated {left.value:,.6g} ± {left.half_width:,.6g} {op} {bound:,.6g}",
        f"as a time: {left.show(span=True)} {op} {show_span(bound)}",
    ]
    if math.isnan(left.half_width):
        return [*told, f"{left.replications} replications give no confidence interval: simulate at least 2"]
    interval = (
        f"from {left.low:,.6g} to {left.high:,.6g} ({left.confidence:.0%}, {left.replications} replications)"
    )
    below = op in ("<", "<=")
    wrong = left.low > bound if below else left.high < bound
    if wrong:
        verdict = f"with {left.confidence:.0%} confidence it is {'above' if below else 'below'} the bound"
    else:
        verdict = "the bound lies within the interval: undecided, more replications make it narrower"
    return [*told, f"the interval goes {interval}", verdict]
