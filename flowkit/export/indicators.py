"""Indicators of a process: written into its diagram, measured over the cases that have ended.

A property of the process names the indicator and how it is summed up; its value is a FEEL formula over one
case's last variables:

- ``flowkit.kpi.share.NAME``: in which part of the cases the formula is true
- ``flowkit.kpi.mean.NAME``: the mean of the formula's numbers or durations
- ``flowkit.kpi.sum.NAME``: the sum of its numbers
- ``flowkit.kpi.target.NAME``: what the indicator should be, as unary tests such as ``> 0.8``

A case whose formula is null does not count. Beside the variables, ``case`` has ``started``, ``ended``,
``duration``, ``outcome`` and ``business_key``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flowkit.bpmn import model as m
from flowkit.errors import InvalidExpression, InvalidModel
from flowkit.feel import Expression, UnaryTests, compile_expression, compile_unary_tests, normalize, to_json
from flowkit.findings import Finding, Location, Severity

__all__ = ["EndedCase", "Indicator", "Measured", "indicators", "measure"]

PREFIX = "flowkit.kpi."
_KINDS = ("share", "mean", "sum")


@dataclass(frozen=True, slots=True)
class Indicator:
    """``kind`` is share, mean or sum; ``target`` is None where the diagram names none."""

    name: str
    kind: str
    formula: Expression
    target: UnaryTests | None = None


@dataclass(frozen=True, slots=True)
class EndedCase:
    """What an indicator can look at."""

    variables: Mapping[str, Any]
    started: datetime
    ended: datetime
    outcome: str = "completed"
    business_key: str | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """An indicator over ``cases`` cases, those with a value. ``value`` is a part (0 to 1), a number, a
    duration in ISO 8601 where ``unit`` is ``duration``, or None without any case. ``met`` is None without
    a target. ``unusable`` counts the cases whose value was of a wrong kind."""

    name: str
    kind: str
    value: float | str | None
    unit: str
    cases: int
    target: str
    met: bool | None
    unusable: int


def indicators(process: m.Process) -> tuple[Indicator, ...]:
    """The indicators that the process names, in order.

    Raises InvalidModel for an unknown kind, a formula or target that is no FEEL, a target of nothing.
    """
    found: list[Indicator] = []
    targets: dict[str, UnaryTests] = {}
    faults: list[Finding] = []
    for key, value in process.extensions.properties:
        if not key.startswith(PREFIX):
            continue
        kind, _, name = key.removeprefix(PREFIX).partition(".")
        try:
            if kind == "target" and name:
                targets[name] = compile_unary_tests(value)
            elif kind in _KINDS and name and value.startswith("="):
                found.append(Indicator(name, kind, compile_expression(value[1:], names=("case",))))
            else:
                wanted = ", ".join(f"{PREFIX}{one}.NAME" for one in (*_KINDS, "target"))
                faults.append(_fault(process, f"'{key}': expected {wanted} with a formula after '='."))
        except InvalidExpression as error:
            faults.append(_fault(process, f"'{key}': {error}"))
    for name in sorted(targets.keys() - {one.name for one in found}):
        faults.append(_fault(process, f"'{PREFIX}target.{name}' is the target of no indicator."))
    if faults:
        raise InvalidModel(faults)
    return tuple(Indicator(one.name, one.kind, one.formula, targets.get(one.name)) for one in found)


def _fault(process: m.Process, message: str) -> Finding:
    where = process.location or Location()
    hint = "Correct the property of the process."
    return Finding("invalid-indicator", Severity.ERROR, where, message, hint, process.id, process.name)


def measure(wanted: Iterable[Indicator], cases: Iterable[EndedCase]) -> list[Measured]:
    """Each indicator over the cases, which are read once."""
    totals = [_Total(one) for one in wanted]
    for case in cases:
        scope = dict(case.variables) | {
            "case": {
                "started": case.started,
                "ended": case.ended,
                "duration": case.ended - case.started,
                "outcome": case.outcome,
                "business_key": case.business_key,
            }
        }
        for total in totals:
            total.add(total.indicator.formula.evaluate(scope, now=case.ended))
    return [total.result() for total in totals]


class _Total:
    """Adds up the values of one indicator. The first value decides whether they are durations."""

    def __init__(self, indicator: Indicator) -> None:
        self.indicator = indicator
        self._count = self._unusable = 0
        self._sum = 0.0
        self._durations: bool | None = None

    def add(self, value: Any) -> None:
        if value is None:
            return
        number = self._number(value)
        if number is None:
            self._unusable += 1
            return
        self._count += 1
        self._sum += number

    def _number(self, value: Any) -> float | None:
        if self.indicator.kind == "share":
            return float(value) if isinstance(value, bool) else None
        plain = to_json(value)
        number: float | None = None
        if isinstance(plain, int | float) and not isinstance(plain, bool):
            number = float(plain)
        elif isinstance(plain, str):
            seconds = _SECONDS.evaluate({"value": value})
            number = None if seconds is None else float(seconds)
        durations = isinstance(plain, str)
        if number is None or self._durations not in (None, durations):
            return None
        self._durations = durations
        return number

    def result(self) -> Measured:
        indicator, target = self.indicator, self.indicator.target
        value: float | None = None
        if self._count:
            value = self._sum if indicator.kind == "sum" else self._sum / self._count
        met: bool | None = None
        shown: float | str | None = value
        unit = "share" if indicator.kind == "share" else ""
        if value is not None and self._durations:
            length = normalize(timedelta(seconds=round(value)))
            shown, unit = str(to_json(length)), "duration"
            met = target.matches(length, {}) if target is not None else None
        elif value is not None and target is not None:
            met = target.matches(value, {})
        text = target.text if target is not None else ""
        return Measured(indicator.name, indicator.kind, shown, unit, self._count, text, met, self._unusable)


_SECONDS = compile_expression('value / duration("PT1S")')
