"""Probability distributions: from a scenario's text to a quantile function.

Every variate is the quantile of one uniform number. That costs a little more than the fastest
sampler of some families, and gives what experiments need: the same uniform stream drives two
scenarios, so a longer service time in one is a longer service time in the other (common random
numbers), whatever the families and parameters.

Forms in a scenario: a number or a span (constant), ``{exponential: {mean: 10m}}`` and the other short
names below, ``{empirical: [...]}``, ``{histogram: {edges: [...], weights: [...]}}``, or any continuous or
discrete distribution of scipy.stats by its name with its own parameters: ``{lognorm: {s: 1, scale: 300}}``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from flowkit.simulation.timespans import parse_span

__all__ = ["SHORT_NAMES", "Distribution", "parse_distribution"]

Floats = NDArray[np.float64]
Quantiles = Callable[[Floats], Any]


@dataclass(frozen=True)
class Distribution:
    """``quantiles`` maps uniform numbers in (0, 1) to values; ``mean`` is in the same unit."""

    name: str
    quantiles: Quantiles
    mean: float
    spec: Any

    @property
    def constant(self) -> bool:
        return self.name == "constant"

    def values(self, uniforms: Floats) -> list[Any]:
        """One value per uniform number, as plain Python objects."""
        found: list[Any] = np.asarray(self.quantiles(uniforms)).tolist()
        return found

    def durations(self) -> Distribution:
        """The same distribution cut off at 0: no work takes less than no time."""
        inner = self.quantiles
        low = np.asarray(inner(np.array([1e-12])), dtype=np.float64)
        if float(low[0]) >= 0:
            return self

        def clipped(uniforms: Floats) -> Floats:
            return np.maximum(np.asarray(inner(uniforms), dtype=np.float64), 0.0)

        return Distribution(self.name, clipped, _numeric_mean(clipped), self.spec)


def _numeric_mean(quantiles: Quantiles) -> float:
    grid = (np.arange(20_000) + 0.5) / 20_000
    return float(np.mean(np.asarray(quantiles(grid), dtype=np.float64)))


Parameters = dict[str, float]


def _need(name: str, given: Parameters, *required: str, optional: tuple[str, ...] = ()) -> None:
    missing = [key for key in required if key not in given]
    unknown = [key for key in given if key not in required and key not in optional]
    if missing or unknown:
        raise ValueError(
            f"'{name}' needs {', '.join(required)}"
            + (f" (optional: {', '.join(optional)})" if optional else "")
            + (f"; missing: {', '.join(missing)}" if missing else "")
            + (f"; unknown: {', '.join(unknown)}" if unknown else "")
        )


def _positive(name: str, **values: float) -> None:
    for key, value in values.items():
        if not value > 0 or math.isinf(value):
            raise ValueError(f"'{name}' needs a positive {key}, found {value:g}")


def _constant(p: Parameters) -> tuple[Quantiles, float]:
    _need("constant", p, "value")
    value = p["value"]
    return lambda u: np.full(len(u), value), value


def _exponential(p: Parameters) -> tuple[Quantiles, float]:
    if "rate" in p and "mean" not in p:
        _need("exponential", p, "rate")
        _positive("exponential", rate=p["rate"])
        mean = 1.0 / p["rate"]
    else:
        _need("exponential", p, "mean")
        mean = p["mean"]
    _positive("exponential", mean=mean)
    return lambda u: -mean * np.log1p(-u), mean


def _uniform(p: Parameters) -> tuple[Quantiles, float]:
    _need("uniform", p, "min", "max")
    low, high = p["min"], p["max"]
    if not low <= high:
        raise ValueError(f"'uniform' needs min <= max, found {low:g} and {high:g}")
    return lambda u: low + (high - low) * u, (low + high) / 2


def _triangular(p: Parameters) -> tuple[Quantiles, float]:
    _need("triangular", p, "min", "mode", "max")
    low, mode, high = p["min"], p["mode"], p["max"]
    if not low <= mode <= high or low == high:
        raise ValueError(f"'triangular' needs min <= mode <= max, found {low:g}, {mode:g}, {high:g}")
    width, left = high - low, mode - low
    split = left / width

    def quantiles(u: Floats) -> Floats:
        rising = low + np.sqrt(u * width * left)
        falling = high - np.sqrt((1 - u) * width * (high - mode))
        return np.where(u < split, rising, falling)

    return quantiles, (low + mode + high) / 3


def _normal(p: Parameters) -> tuple[Quantiles, float]:
    _need("normal", p, "mean", "sd")
    mean, sd = p["mean"], p["sd"]
    _positive("normal", sd=sd)
    return lambda u: mean + sd * special.ndtri(u), mean


def _cv(name: str, p: Parameters) -> float:
    """The coefficient of variation, given as ``cv`` or through ``sd``."""
    if "sd" in p and "cv" not in p:
        _need(name, p, "mean", "sd")
        _positive(name, mean=p["mean"], sd=p["sd"])
        return p["sd"] / p["mean"]
    _need(name, p, "mean", "cv")
    _positive(name, mean=p["mean"], cv=p["cv"])
    return p["cv"]


def _lognormal(p: Parameters) -> tuple[Quantiles, float]:
    variance = math.log1p(_cv("lognormal", p) ** 2)
    location, sigma = math.log(p["mean"]) - variance / 2, math.sqrt(variance)
    return lambda u: np.exp(location + sigma * special.ndtri(u)), p["mean"]


def _gamma(p: Parameters) -> tuple[Quantiles, float]:
    if "shape" in p:
        _need("gamma", p, "shape", "mean")
        shape = p["shape"]
        _positive("gamma", mean=p["mean"])
    else:
        shape = _cv("gamma", p) ** -2
    _positive("gamma", shape=shape)
    scale = p["mean"] / shape
    return lambda u: special.gammaincinv(shape, u) * scale, p["mean"]


def _erlang(p: Parameters) -> tuple[Quantiles, float]:
    _need("erlang", p, "k", "mean")
    if p["k"] < 1 or p["k"] != int(p["k"]):
        raise ValueError(f"'erlang' needs a whole k >= 1, found {p['k']:g}")
    return _gamma({"shape": p["k"], "mean": p["mean"]})


def _weibull(p: Parameters) -> tuple[Quantiles, float]:
    _need("weibull", p, "shape", optional=("scale", "mean"))
    shape = p["shape"]
    _positive("weibull", shape=shape)
    factor = math.gamma(1 + 1 / shape)
    if ("scale" in p) == ("mean" in p):
        raise ValueError("'weibull' needs either scale or mean")
    scale = p["scale"] if "scale" in p else p["mean"] / factor
    _positive("weibull", scale=scale)
    return lambda u: scale * (-np.log1p(-u)) ** (1 / shape), scale * factor


def _pert(p: Parameters) -> tuple[Quantiles, float]:
    _need("pert", p, "min", "mode", "max")
    low, mode, high = p["min"], p["mode"], p["max"]
    if not low <= mode <= high or low == high:
        raise ValueError(f"'pert' needs min <= mode <= max, found {low:g}, {mode:g}, {high:g}")
    a, b = 1 + 4 * (mode - low) / (high - low), 1 + 4 * (high - mode) / (high - low)
    return lambda u: low + (high - low) * special.betaincinv(a, b, u), (low + 4 * mode + high) / 6


SHORT_NAMES: Mapping[str, Callable[[Parameters], tuple[Quantiles, float]]] = {
    "constant": _constant,
    "fixed": _constant,
    "exponential": _exponential,
    "uniform": _uniform,
    "triangular": _triangular,
    "normal": _normal,
    "lognormal": _lognormal,
    "gamma": _gamma,
    "erlang": _erlang,
    "weibull": _weibull,
    "pert": _pert,
}
"""Families by the names of the simulation field. A name that scipy.stats also has (``uniform``, ``gamma``)
is read as scipy's when its parameters are scipy's (``loc``, ``scale``, ``a``)."""


def parse_distribution(spec: Any) -> Distribution:
    """The distribution that a scenario describes; raises ValueError that says what is wrong."""
    if isinstance(spec, int | float | str) and not isinstance(spec, bool):
        value = parse_span(spec)
        return Distribution("constant", *_constant({"value": value}), spec)
    if not isinstance(spec, Mapping) or len(spec) != 1:
        raise ValueError(
            f"a distribution was expected, found {str(spec)[:80]!r};"
            " write 10m, or {exponential: {mean: 10m}}"
        )
    ((name, given),) = spec.items()
    if name == "empirical":
        return _empirical(given, spec)
    if name == "histogram":
        return _histogram(given, spec)
    if not isinstance(given, Mapping):
        if name in {"constant", "fixed"}:
            given = {"value": given}
        elif name == "exponential":
            given = {"mean": given}
        else:
            raise ValueError(f"'{name}' needs its parameters by name, found {str(given)[:80]!r}")
    parameters = {str(key): parse_span(value) for key, value in given.items()}
    if name in SHORT_NAMES and not _scipy_parameters(name, parameters):
        return Distribution("constant" if name == "fixed" else name, *SHORT_NAMES[name](parameters), spec)
    return _from_scipy(name, parameters, spec)


def _scipy_parameters(name: str, parameters: Parameters) -> bool:
    return name in {"uniform", "gamma"} and bool({"loc", "scale", "a"} & parameters.keys())


def _from_scipy(name: str, parameters: Parameters, spec: Any) -> Distribution:
    from scipy import stats  # noqa: PLC0415 - half a second of import, only for the rarer families

    family = getattr(stats, name, None) if name.isidentifier() and not name.startswith("_") else None
    if not isinstance(family, stats.rv_continuous | stats.rv_discrete):
        raise ValueError(
            f"unknown distribution '{name}'; use {', '.join(SHORT_NAMES)}, empirical, histogram,"
            " or a distribution's name in scipy.stats"
        )
    try:
        frozen = family(**parameters)
        middle = float(frozen.ppf(0.5))
    except (TypeError, ValueError) as error:
        raise ValueError(f"scipy.stats.{name}: {error}") from None
    if math.isnan(middle):
        raise ValueError(f"scipy.stats.{name} does not take these parameters: {parameters}")
    return Distribution(name, frozen.ppf, float(frozen.mean()), spec)


def _weights(name: str, weights: Any, count: int) -> Floats:
    found = np.asarray([float(weight) for weight in weights], dtype=np.float64)
    if len(found) != count or bool((found < 0).any()) or not found.sum() > 0:
        raise ValueError(f"'{name}' needs {count} weights that are not negative and not all 0")
    cumulative: Floats = np.cumsum(found) / found.sum()
    return cumulative


def _empirical(given: Any, spec: Any) -> Distribution:
    """The sample itself: each value with its weight (default: all alike)."""
    listed = given.get("values") if isinstance(given, Mapping) else given
    if not isinstance(listed, list | tuple) or not listed:
        raise ValueError("'empirical' needs a list of values")
    values = np.asarray([parse_span(value) for value in listed], dtype=np.float64)
    weights = given.get("weights") if isinstance(given, Mapping) else None
    if weights is None:
        values = np.sort(values)
        cumulative: Floats = np.arange(1, len(values) + 1) / len(values)
    else:
        order = np.argsort(values, kind="stable")
        cumulative = _weights("empirical", [weights[i] for i in order], len(values))
        values = values[order]

    def quantiles(u: Floats) -> Floats:
        return values[np.minimum(np.searchsorted(cumulative, u, side="right"), len(values) - 1)]

    return Distribution("empirical", quantiles, float(np.diff(cumulative, prepend=0.0) @ values), spec)


def _histogram(given: Any, spec: Any) -> Distribution:
    """Uniform inside each bin; ``edges`` has one number more than ``weights``."""
    if not isinstance(given, Mapping) or {"edges", "weights"} != set(given):
        raise ValueError("'histogram' needs edges and weights")
    edges = np.asarray([parse_span(edge) for edge in given["edges"]], dtype=np.float64)
    if len(edges) < 2 or bool((np.diff(edges) < 0).any()):
        raise ValueError("'histogram' needs at least two edges in rising order")
    cumulative = np.concatenate(([0.0], _weights("histogram", given["weights"], len(edges) - 1)))
    mean = float(np.diff(cumulative) @ ((edges[1:] + edges[:-1]) / 2))
    return Distribution("histogram", lambda u: np.interp(u, cumulative, edges), mean, spec)
