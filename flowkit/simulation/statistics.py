"""The statistics of experiments: intervals over replications, paired differences, warm-up.

Sources: Law, *Simulation Modeling and Analysis*, chapters 9 and 10; White, *An effective truncation
heuristic for bias reduction in simulation output* (1997) for MSER-5; Holm, *A simple sequentially
rejective multiple test procedure* (1979).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from flowkit.simulation.timespans import show_span

__all__ = ["Difference", "Estimate", "estimate", "holm", "mser5", "paired_difference", "t_quantile"]


@lru_cache(maxsize=1024)
def t_quantile(probability: float, freedom: int) -> float:
    """The quantile of Student's t distribution."""
    return float(special.stdtrit(freedom, probability))


@dataclass(frozen=True, slots=True)
class Estimate:
    """The mean of a measure over replications, with its confidence interval.

    Comparisons take the interval into account: ``estimate < x`` holds only when the whole interval is
    below ``x``, that is, with the stated confidence (two-sided); ``float(estimate)`` is the mean alone.
    """

    value: float
    half_width: float
    replications: int
    confidence: float = 0.95
    sd: float = math.nan

    @property
    def low(self) -> float:
        return self.value - self.half_width

    @property
    def high(self) -> float:
        return self.value + self.half_width

    def __float__(self) -> float:
        return self.value

    def __lt__(self, other: float) -> bool:
        return self.high < float(other)

    def __le__(self, other: float) -> bool:
        return self.high <= float(other)

    def __gt__(self, other: float) -> bool:
        return self.low > float(other)

    def __ge__(self, other: float) -> bool:
        return self.low >= float(other)

    def contains(self, truth: float) -> bool:
        """Whether the interval covers ``truth``."""
        return self.low <= truth <= self.high

    def at(self, confidence: float) -> Estimate:
        """The same estimate with another confidence."""
        return _interval(self.value, self.sd, self.replications, confidence)

    def show(self, *, span: bool = False) -> str:
        """``12m 3s ± 40s`` or ``0.812 ± 0.02``."""
        if math.isnan(self.value):
            return "–"
        text = show_span if span else _number
        if math.isnan(self.half_width):
            return text(self.value)
        return f"{text(self.value)} ± {text(self.half_width)}"

    def __str__(self) -> str:
        return f"{self.show()} ({self.confidence:.0%}, {self.replications} replications)"


def _number(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1e6 else f"{value:,.0f}"


def _interval(mean: float, sd: float, count: int, confidence: float) -> Estimate:
    if count < 2 or math.isnan(sd):
        return Estimate(mean, math.nan, count, confidence, sd)
    half = t_quantile(0.5 + confidence / 2, count - 1) * sd / math.sqrt(count)
    return Estimate(mean, half, count, confidence, sd)


def estimate(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """The t-interval over one value per replication; replications without a value (nan) are left out."""
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return Estimate(math.nan, math.nan, 0, confidence)
    mean = math.fsum(known) / len(known)
    if len(known) < 2:
        return Estimate(mean, math.nan, 1, confidence)
    sd = math.sqrt(math.fsum((value - mean) ** 2 for value in known) / (len(known) - 1))
    return _interval(mean, sd, len(known), confidence)


@dataclass(frozen=True, slots=True)
class Difference:
    """Variant minus baseline, paired by replication.

    ``p`` is the two-sided p-value of the paired t-test, ``adjusted`` the one after Holm's correction for
    all measures compared; ``real`` says whether that is below 1 − confidence.
    """

    measure: str
    baseline: Estimate
    variant: Estimate
    difference: Estimate
    p: float
    adjusted: float = math.nan

    @property
    def real(self) -> bool:
        return self.adjusted < 1 - self.difference.confidence

    @property
    def relative(self) -> float:
        """The difference as a share of the baseline's mean."""
        return self.difference.value / self.baseline.value if self.baseline.value else math.nan


def paired_difference(
    measure: str, baseline: Sequence[float], variant: Sequence[float], confidence: float = 0.95
) -> Difference:
    """The paired-t comparison of one measure; pairs with a missing value are left out."""
    pairs = [(a, b) for a, b in zip(baseline, variant, strict=True) if not (math.isnan(a) or math.isnan(b))]
    # equal up to rounding is equal: the order of additions is not an effect
    change = estimate([0.0 if math.isclose(a, b, rel_tol=1e-9) else b - a for a, b in pairs], confidence)
    if change.replications < 2:
        p = math.nan
    elif change.sd == 0:
        p = 1.0 if change.value == 0 else 0.0
    else:
        t = abs(change.value) / (change.sd / math.sqrt(change.replications))
        p = 2 * float(special.stdtr(change.replications - 1, -t))
    return Difference(
        measure,
        estimate([a for a, _ in pairs], confidence),
        estimate([b for _, b in pairs], confidence),
        change,
        p,
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given; nan stays nan and does not count."""
    order = sorted((p, i) for i, p in enumerate(p_values) if not math.isnan(p))
    adjusted = [math.nan] * len(p_values)
    running = 0.0
    for rank, (p, index) in enumerate(order):
        running = max(running, min(1.0, (len(order) - rank) * p))
        adjusted[index] = running
    return adjusted


def mser5(series: Sequence[float]) -> int:
    """How many leading observations to delete, by MSER-5: a multiple of 5.

    The minimum is looked for in the first half only; a result near the middle means that the run is too
    short to tell.
    """
    batches = len(series) // 5
    if batches < 4:
        return 0
    means = np.asarray(series[: batches * 5], dtype=np.float64).reshape(batches, 5).mean(axis=1)
    kept = np.arange(batches, 0, -1)
    tail_sum = np.cumsum(means[::-1])[::-1]
    tail_squares = np.cumsum(means[::-1] ** 2)[::-1]
    spread = (tail_squares - tail_sum**2 / kept) / kept**2
    return 5 * int(np.argmin(spread[: max(1, batches // 2)]))
