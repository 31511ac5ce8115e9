"""Fitting one quantity: the simplest distribution that a sample does not contradict.

Families are tried by moments, so that the mean of the fit is the sample's; a family is taken when its
Kolmogorov-Smirnov distance is no larger than chance explains. Otherwise the sample itself is used, as
a histogram of its quantiles, with the sample's mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowkit.simulation.distributions import parse_distribution

__all__ = ["fit_distribution"]

_BINS = 60
_MINIMUM = 20
"""Observations below which nothing but their values is known."""


def fit_distribution(sample: Sequence[float]) -> Any:
    """A scenario's text for the distribution of ``sample`` (seconds); raises ValueError for an empty one."""
    values = np.sort(np.maximum(np.asarray(sample, dtype=np.float64), 0.0))
    if not len(values):
        raise ValueError("a distribution can't be fitted to no observations")
    mean, sd = float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0
    if sd <= 1e-9 * max(mean, 1.0):
        return round(mean, 6)
    if len(values) < _MINIMUM:
        return {"empirical": [round(value, 3) for value in values.tolist()]}
    allowed = 1.36 / math.sqrt(len(values))
    for spec in _candidates(mean, sd, values):
        if _distance(spec, values) <= allowed:
            return spec
    return _histogram(values, mean)


def _candidates(mean: float, sd: float, values: NDArray[np.float64]) -> list[dict[str, dict[str, float]]]:
    low, high = float(values[0]), float(values[-1])
    half = sd * math.sqrt(3)
    found: list[dict[str, dict[str, float]]] = [{"exponential": {"mean": round(mean, 6)}}]
    if mean - half > -1e-9 and low >= mean - 1.1 * half and high <= mean + 1.1 * half:
        found.append({"uniform": {"min": round(max(mean - half, 0.0), 6), "max": round(mean + half, 6)}})
    mode = 3 * mean - low - high
    if low <= mode <= high:
        found.append({"triangular": {"min": low, "mode": round(mode, 6), "max": high}})
    if mean > 3 * sd:
        found.append({"normal": {"mean": round(mean, 6), "sd": round(sd, 6)}})
    cv = round(sd / mean, 9)
    return [
        *found,
        {"gamma": {"mean": round(mean, 6), "cv": cv}},
        {"lognormal": {"mean": round(mean, 6), "cv": cv}},
    ]


def _distance(spec: Any, values: NDArray[np.float64]) -> float:
    """The Kolmogorov-Smirnov distance, from the quantile function."""
    grid = (np.arange(2_000) + 0.5) / 2_000
    quantiles = np.asarray(parse_distribution(spec).quantiles(grid), dtype=np.float64)
    share = np.searchsorted(values, quantiles, side="right") / len(values)
    return float(np.max(np.abs(share - grid)))


def _histogram(values: NDArray[np.float64], mean: float) -> Any:
    edges = np.quantile(values, np.linspace(0, 1, min(_BINS, len(values)) + 1))
    middle = float(((edges[1:] + edges[:-1]) / 2).mean())
    if middle > 0:
        # bins are uniform inside, which moves the mean a little: put it back
        edges = edges * (mean / middle)
    return {
        "histogram": {"edges": [round(edge, 3) for edge in edges.tolist()], "weights": [1] * (len(edges) - 1)}
    }
