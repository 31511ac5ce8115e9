"""flowkit as an engine under the DMN TCK's runner; the runner's docstring defines the protocol.

cd ../shared/tck && PYTHONPATH=<repository> python runner.py tests.conformance.tck_adapter
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flowkit.dmn import DecisionModel, parse
from flowkit.dmn.model import Import
from flowkit.dmn.read import read_definitions
from flowkit.feel.temporal import Date, DateTime, DaysTimeDuration, Time, YearsMonthsDuration


@dataclass(frozen=True)
class Canonical:
    """A temporal value in the runner's canonical form."""

    canon: tuple[Any, ...]

    def __tck__(self) -> tuple[Any, ...]:
        return self.canon


def _time(hour: int, minute: int, second: int, nanos: int, offset: int | None) -> Time:
    return Time(hour, minute, second, nanos, offset)


def to_feel(value: Any) -> Any:
    """A value of the runner as flowkit takes it; what is not temporal stays as it is."""
    if isinstance(value, list):
        return [to_feel(item) for item in value]
    if isinstance(value, dict):
        return {name: to_feel(item) for name, item in value.items()}
    canonical = getattr(value, "__tck__", None)
    if canonical is None:
        return value
    kind, *parts = canonical()
    match kind:
        case "ym":
            return YearsMonthsDuration(*parts)
        case "dt":
            return DaysTimeDuration(*parts)
        case "date":
            return Date(*parts)
        case "time":
            return _time(*parts)
    return DateTime(Date(*parts[:3]), _time(*parts[3:]))


def from_feel(value: Any) -> Any:
    """A FEEL value as the runner compares it."""
    match value:
        case list():
            return [from_feel(item) for item in value]
        case dict():
            return {name: from_feel(item) for name, item in value.items()}
        case Date():
            return Canonical(("date", value.year, value.month, value.day))
        case Time():
            return Canonical(("time", value.hour, value.minute, value.second, value.nanosecond, value.offset))
        case DateTime(date, time):
            clock = (time.hour, time.minute, time.second, time.nanosecond, value.offset)
            return Canonical(("datetime", date.year, date.month, date.day, *clock))
        case DaysTimeDuration():
            return Canonical(("dt", value.nanos))
        case YearsMonthsDuration():
            return Canonical(("ym", value.months))
    return value


@cache
def namespace_of(path: Path) -> str:
    """The namespace of the model in a file."""
    return read_definitions(path.read_bytes(), path.name)[0].namespace


@cache
def load(path: Path, others: tuple[Path, ...]) -> DecisionModel:
    """The model in a file, its imports taken from the ``others``."""

    def find(wanted: Import) -> DecisionModel | None:
        for other in others:
            if namespace_of(other) == wanted.namespace:
                return load(other, tuple(one for one in others if one != other))
        return None

    return parse(path.read_bytes(), file=path.name, imports=find)


def begin(model_path: Path, directory: Path, models: list[Path]) -> None:
    """Compile before the first case."""
    load(model_path, tuple(models))


def evaluate(
    model_path: Path,
    kind: str,
    name: str,
    inputs: dict[str, Any],
    *,
    models: list[Path],
    input_namespaces: dict[str, str],
) -> Any:
    """The protocol's one function."""
    from datetime import UTC, datetime  # noqa: PLC0415  # the only clock of the suite

    model = load(model_path, tuple(models))
    variables = {}
    for key, value in inputs.items():
        qualified = f"{input_namespaces[key]}#{key}" if key in input_namespaces else key
        variables[qualified] = to_feel(value)
    return from_feel(model.evaluate(name, variables, now=datetime.now(UTC)).value)
