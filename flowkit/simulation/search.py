"""Looking for better scenarios: grids of parameters, and an optimiser."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowkit.errors import InvalidPayload
from flowkit.simulation.experiment import Progress, Source, simulate
from flowkit.simulation.results import Result
from flowkit.simulation.study import open_study

__all__ = ["Goal", "Optimum", "Sweep", "optimise", "sweep"]

MAX_POINTS = 10_000


@dataclass(frozen=True)
class Sweep:
    """``points`` are the parameters by scenario path, each with its result, in the grid's order."""

    points: tuple[tuple[dict[str, Any], Result], ...]

    def __iter__(self) -> Iterator[tuple[dict[str, Any], Result]]:
        return iter(self.points)

    def rows(self, measures: Sequence[str]) -> list[dict[str, Any]]:
        """One row a point: its parameters, and mean and half-width of each measure."""
        found = []
        for parameters, result in self.points:
            row: dict[str, Any] = dict(parameters)
            for name in measures:
                row[name] = result[name].value
                row[f"{name} ±"] = result[name].half_width
            found.append(row)
        return found


def sweep(
    source: Source,
    grid: Mapping[str, Sequence[Any]],
    *,
    replications: int | None = None,
    cases: int | None = None,
    seed: int | None = None,
    processes: int = 1,
    progress: Progress | None = None,
) -> Sweep:
    """Simulate every combination: ``{"pools.clerks.size": [4, 5, 6]}``; all points with the same seed.

    Raises InvalidPayload for a path that does not fit, or a grid of more than 10,000 points.
    """
    names = list(grid)
    count = math.prod(len(grid[name]) for name in names)
    if not names or not 0 < count <= MAX_POINTS:
        raise InvalidPayload(f"a sweep has 1 to {MAX_POINTS:,} points, found {count if names else 0}")
    study = open_study(source)
    points = []
    for values in itertools.product(*(grid[name] for name in names)):
        parameters = dict(zip(names, values, strict=True))
        result = simulate(
            study.with_changes(parameters),
            replications=replications, cases=cases, seed=seed, processes=processes,
        )  # fmt: skip
        points.append((parameters, result))
        if progress is not None:
            progress(len(points), count)
    return Sweep(tuple(points))


@dataclass(frozen=True)
class Goal:
    """A promise to keep: ``Goal("service_level.3h.share", at_least=0.95)``; the interval has to keep it."""

    measure: str
    at_least: float | None = None
    at_most: float | None = None

    def miss(self, result: Result) -> float:
        """How far the result is from the goal, relative to the goal; 0 when it is met with confidence."""
        found = result[self.measure]
        half = 0.0 if math.isnan(found.half_width) else found.half_width
        if math.isnan(found.value):
            return 1e6
        short = 0.0
        if self.at_least is not None:
            short = max(short, (self.at_least - (found.value - half)) / (abs(self.at_least) or 1.0))
        if self.at_most is not None:
            short = max(short, (found.value + half - self.at_most) / (abs(self.at_most) or 1.0))
        return short


@dataclass(frozen=True)
class Optimum:
    """The cheapest parameters that meet all goals; ``met`` is False when none were found."""

    parameters: dict[str, int]
    result: Result
    cost: float
    met: bool
    evaluations: int


def optimise(  # noqa: PLR0913 - options, by keyword only
    source: Source,
    parameters: Mapping[str, tuple[int, int]],
    *,
    goals: Sequence[Goal],
    cost: Mapping[str, float] | Callable[[Mapping[str, int], Result], float] | None = None,
    replications: int | None = None,
    cases: int | None = None,
    seed: int | None = None,
    processes: int = 1,
    progress: Progress | None = None,
    effort: int = 15,
) -> Optimum:
    """The fewest resources that keep the promises: whole numbers within bounds, least cost first.

    ``cost`` weighs the parameters (default: their sum) or is a function of parameters and result. The
    search is scipy's differential evolution over whole numbers; each point is simulated once, all with
    the same random numbers, so equal seeds give equal answers. ``effort`` is the number of generations.
    """
    from scipy.optimize import differential_evolution  # noqa: PLC0415 - slow to import, used here only

    names = list(parameters)
    if not names or not goals:
        raise InvalidPayload("optimise needs parameters with bounds and at least one goal")
    for name, (low, high) in parameters.items():
        if low > high:
            raise InvalidPayload(f"the bounds of '{name}' are {low} to {high}; the first must not be greater")
    study = open_study(source)
    known: dict[tuple[int, ...], tuple[float, float, Result]] = {}
    points = math.prod(high - low + 1 for low, high in parameters.values())

    def evaluate(vector: Sequence[float]) -> float:
        place = tuple(round(value) for value in vector)
        if place not in known:
            chosen = dict(zip(names, place, strict=True))
            result = simulate(
                study.with_changes(chosen),
                replications=replications, cases=cases, seed=seed, processes=processes,
            )  # fmt: skip
            price = _price(cost, chosen, result)
            known[place] = (price, sum(goal.miss(result) for goal in goals), result)
            if progress is not None:
                progress(len(known), points)
        price, miss, _ = known[place]
        # a broken promise weighs more than any staffing: the search first finds what is allowed
        return price if miss <= 0 else 1e9 + 1e6 * miss

    if points <= 40:
        for place in itertools.product(*(range(low, high + 1) for low, high in parameters.values())):
            evaluate(place)
    else:
        differential_evolution(
            evaluate, list(parameters.values()), integrality=[True] * len(names), rng=study.scenario.run.seed,
            maxiter=effort, popsize=8, tol=0, polish=False,
        )  # fmt: skip
    best = min(known, key=lambda place: (evaluate(place), place))
    price, miss, result = known[best]
    return Optimum(dict(zip(names, best, strict=True)), result, price, miss <= 0, len(known))


def _price(
    cost: Mapping[str, float] | Callable[[Mapping[str, int], Result], float] | None,
    chosen: Mapping[str, int],
    result: Result,
) -> float:
    if callable(cost):
        return float(cost(chosen, result))
    return float(
        sum(value * (1.0 if cost is None else cost.get(name, 1.0)) for name, value in chosen.items())
    )
