"""Streaming measures: nothing here grows with the number of cases.

A :class:`Tally` takes observations into a small buffer and folds it, a few thousand at a time, into
count, mean, variance, extremes and a quantile sketch with logarithmic bins: each percentile is within
0.5 % of its true value. Source of the sketch: Masson, Rim, Lee, *DDSketch* (VLDB 2019); of the merged
variance: Chan, Golub, LeVeque (1983).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

__all__ = ["Level", "Tally"]

_ACCURACY = 0.005
_GAMMA = (1 + _ACCURACY) / (1 - _ACCURACY)
_LOG_GAMMA = math.log(_GAMMA)
_SMALLEST = 1e-6
"""Anything below a microsecond counts as 0."""


class Tally:
    """Observations of one quantity. ``add`` is the buffer's own ``append``: the cheapest call there is."""

    __slots__ = ("_bins", "_buffer", "_m2", "add", "count", "high", "low", "mean", "zeros")

    def __init__(self) -> None:
        self._buffer: list[float] = []
        self.add = self._buffer.append
        self.count = 0
        self.mean = 0.0
        self._m2 = 0.0
        self.low = math.inf
        self.high = -math.inf
        self.zeros = 0
        self._bins: dict[int, int] = {}

    def fold(self) -> None:
        """Take the buffer into the totals."""
        buffer = self._buffer
        if not buffer:
            return
        values = np.asarray(buffer, dtype=np.float64)
        buffer.clear()
        count, mean = len(values), float(values.mean())
        self._merge(count, mean, float(((values - mean) ** 2).sum()))
        self.low = min(self.low, float(values.min()))
        self.high = max(self.high, float(values.max()))
        positive = values[values > _SMALLEST]
        self.zeros += count - len(positive)
        if len(positive):
            keys, counts = np.unique(
                np.ceil(np.log(positive) / _LOG_GAMMA).astype(np.int64), return_counts=True
            )
            bins = self._bins
            for key, number in zip(keys.tolist(), counts.tolist(), strict=True):
                bins[key] = bins.get(key, 0) + number

    def _merge(self, count: int, mean: float, m2: float) -> None:
        total = self.count + count
        delta = mean - self.mean
        self._m2 += m2 + delta * delta * self.count * count / total
        self.mean += delta * count / total
        self.count = total

    @property
    def pending(self) -> int:
        """Observations in the buffer."""
        return len(self._buffer)

    @property
    def total(self) -> float:
        self.fold()
        return self.mean * self.count

    @property
    def sd(self) -> float:
        """The sample standard deviation; nan below two observations."""
        self.fold()
        return math.sqrt(self._m2 / (self.count - 1)) if self.count > 1 else math.nan

    def percentile(self, percent: float) -> float:
        """The value that ``percent`` % of the observations do not exceed; nan without observations."""
        self.fold()
        if not self.count:
            return math.nan
        rank = percent / 100 * (self.count - 1)
        if rank < self.zeros:
            return max(0.0, min(self.low, 0.0))
        seen = self.zeros
        for key in sorted(self._bins):
            seen += self._bins[key]
            if seen > rank:
                middle = 2 * _GAMMA**key / (_GAMMA + 1)
                return min(max(middle, self.low), self.high)
        return self.high

    def merge(self, other: Tally) -> None:
        """Add all observations of ``other``."""
        self.fold()
        other.fold()
        if not other.count:
            return
        self._merge(other.count, other.mean, other._m2)
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.zeros += other.zeros
        for key, number in other._bins.items():
            self._bins[key] = self._bins.get(key, 0) + number

    def histogram(self, bins: int = 30, cut: float = 99.5) -> list[tuple[float, float, float]]:
        """``(from, to, share)`` of equally wide bins up to the ``cut`` percentile."""
        top = self.percentile(cut)
        if not self.count or not top > 0:
            return []
        width = top / bins
        counts = [0.0] * bins
        counts[0] += self.zeros
        for key, number in self._bins.items():
            place = int(2 * _GAMMA**key / (_GAMMA + 1) / width)
            if place < bins:
                counts[place] += number
        return [(i * width, (i + 1) * width, counts[i] / self.count) for i in range(bins)]

    def __getstate__(self) -> tuple[object, ...]:
        self.fold()
        return (self.count, self.mean, self._m2, self.low, self.high, self.zeros, self._bins)

    def __setstate__(self, state: tuple[int, float, float, float, float, int, dict[int, int]]) -> None:
        self._buffer = []
        self.add = self._buffer.append
        self.count, self.mean, self._m2, self.low, self.high, self.zeros, self._bins = state


class Level:
    """A quantity that holds for a time, such as a number in a queue: its time-weighted average.

    ``series`` keeps the average of every interval of ``step`` seconds for charts; when there are more than
    400 intervals, neighbours are merged and the step doubles, so memory stays flat.
    """

    __slots__ = (
        "_from",
        "_since",
        "_step_area",
        "_step_end",
        "area",
        "counted_area",
        "high",
        "series",
        "step",
        "value",
    )

    _LONGEST = 400

    def __init__(self, step: float = 0.0) -> None:
        self.value = 0.0
        self.high = 0.0
        self.area = 0.0
        self.counted_area = 0.0
        self._since = 0.0
        self._from = 0.0
        self.step = step
        self._step_area = 0.0
        self._step_end = step or math.inf
        self.series: list[float] = []

    def change(self, by: float, now: float) -> None:
        """Change the level at time ``now``."""
        value = self.value
        since = self._since
        if now != since:
            if now >= self._step_end:
                self._record(now)
            self.area += value * (now - since)
            self._since = now
        value += by
        self.value = value
        if value > self.high:  # noqa: PLR1730 - max() costs a call in the hot path
            self.high = value

    def _record(self, now: float) -> None:
        """Chart the steps that have ended by ``now``; ``area`` is that of the time before."""
        while now >= self._step_end:
            end = self._step_end
            area = self.area + self.value * (end - self._since)
            self.series.append((area - self._step_area) / self.step)
            self._step_area = area
            if len(self.series) >= self._LONGEST:
                self.series = [(a + b) / 2 for a, b in zip(self.series[::2], self.series[1::2], strict=False)]
                self.step *= 2
            self._step_end = end + self.step

    def restart(self, now: float) -> None:
        """Begin the counted period here: the end of the warm-up."""
        self.change(0.0, now)
        self.counted_area = self.area
        self._from = now
        self.high = self.value

    def mean(self, now: float) -> float:
        """The time-weighted average since the counted period began; nan for no time."""
        self.change(0.0, now)
        length = now - self._from
        return (self.area - self.counted_area) / length if length > 0 else math.nan


def merge_all(tallies: Iterable[Tally]) -> Tally:
    """One tally of all observations."""
    merged = Tally()
    for tally in tallies:
        merged.merge(tally)
    return merged
