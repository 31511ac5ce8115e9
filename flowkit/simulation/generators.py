"""Generators of variables: what start forms, customers and workers put into a case.

A plain value stands for itself. Otherwise one of ``{choice: {yes: 0.7, no: 0.3}}``,
``{choice: {values: [...], weights: [...]}}``, ``{bernoulli: 0.3}``, ``{integer: {min: 1, max: 6}}``,
``{sequence: WO-}`` (WO-0, WO-1 … one per case), ``{value: …}`` (any JSON), or a distribution of
:mod:`flowkit.simulation.distributions`, with ``round`` for its decimals.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowkit.simulation.distributions import parse_distribution
from flowkit.simulation.streams import Transform

__all__ = ["Generator", "parse_generator", "weighted_choice"]


@dataclass(frozen=True)
class Generator:
    """``finite`` is the number of different values, 0 when there is no bound.

    ``values`` is None for a running number, which is made from the case's index with ``prefix``.
    """

    values: Transform | None
    finite: int
    prefix: str = ""


def parse_generator(spec: Any) -> Generator:
    """The generator that a scenario describes; raises ValueError that says what is wrong."""
    if not isinstance(spec, Mapping):
        return _constant(spec)
    places = spec.get("round")
    plain = {key: value for key, value in spec.items() if key != "round"}
    if len(plain) != 1:
        raise ValueError(
            f"a generator has one name, found {list(spec)}; write a plain value, {{choice: …}}, {{value: …}}"
            " or a distribution"
        )
    ((name, given),) = plain.items()
    match name:
        case "value":
            return _constant(given)
        case "sequence":
            return Generator(None, 0, str(given))
        case "bernoulli":
            return _bernoulli(given)
        case "choice":
            return _choice(given)
        case "integer":
            return _integer(given)
    return _continuous(plain, places)


def _constant(value: Any) -> Generator:
    return Generator(lambda u: [value] * len(u), 1)


def _bernoulli(given: Any) -> Generator:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= 1:
        raise ValueError(f"'bernoulli' needs a probability from 0 to 1, found {given!r}")
    probability = float(given)
    return Generator(lambda u: (u < probability).tolist(), 2)


def _integer(given: Any) -> Generator:
    if not isinstance(given, Mapping) or set(given) != {"min", "max"}:
        raise ValueError("'integer' needs min and max")
    low, high = int(given["min"]), int(given["max"])
    if low > high:
        raise ValueError(f"'integer' needs min <= max, found {low} and {high}")
    count = high - low + 1
    return Generator(lambda u: (low + np.floor(u * count)).astype(np.int64).tolist(), count)


def _choice(given: Any) -> Generator:
    if isinstance(given, Mapping) and "values" in given and isinstance(given["values"], list):
        values, weights = list(given["values"]), list(given.get("weights") or [1] * len(given["values"]))
    elif isinstance(given, Mapping):
        values, weights = list(given), list(given.values())
    elif isinstance(given, list):
        values, weights = list(given), [1] * len(given)
    else:
        raise ValueError("'choice' needs a list of values, or values with weights")
    pick = weighted_choice(weights)
    return Generator(lambda u: [values[i] for i in pick(u)], len(values))


def weighted_choice(weights: list[Any]) -> Transform:
    """Indexes drawn in proportion to ``weights``; raises ValueError for weights that can't be used."""
    try:
        found = np.asarray([float(weight) for weight in weights], dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"weights must be numbers, found {weights!r}") from None
    if not len(found) or bool((found < 0).any()) or not 0 < found.sum() < np.inf:
        raise ValueError(f"weights must be numbers >= 0 and not all 0, found {weights!r}")
    cumulative = np.cumsum(found) / found.sum()
    last = max(itertools.chain((i for i, weight in enumerate(found) if weight > 0)))

    def pick(u: NDArray[np.float64]) -> list[Any]:
        indexes: list[Any] = np.minimum(np.searchsorted(cumulative, u, side="right"), last).tolist()
        return indexes

    return pick


def _continuous(spec: Mapping[str, Any], places: Any) -> Generator:
    distribution = parse_distribution(spec)
    if places is None:
        return Generator(distribution.values, 0)
    decimals = int(places)

    def rounded(u: NDArray[np.float64]) -> list[Any]:
        values = np.round(np.asarray(distribution.quantiles(u), dtype=np.float64), decimals)
        found: list[Any] = (values.astype(np.int64) if decimals <= 0 else values).tolist()
        return found

    return Generator(rounded, 0)
