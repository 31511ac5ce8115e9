"""The values of FEEL that are neither JSON nor temporal, and the way from and to JSON.

==================  =========================================
FEEL                Python
==================  =========================================
number              ``int``, :class:`decimal.Decimal`
string, boolean     ``str``, ``bool``
date, time, …       :mod:`flowkit.feel.temporal`
list, context       ``list``, ``dict``
range               :class:`Range`
function            :class:`Function`
null                ``None``
==================  =========================================

A scope may also hold ``float``, ``tuple`` and the standard library's dates; they become FEEL values when an
expression reads them.
"""

from __future__ import annotations

import datetime as std
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flowkit.errors import EvaluationLimit
from flowkit.feel.limits import MAX_CALLS, MAX_DEPTH, MAX_DIAGNOSTICS, MAX_RESULT, MAX_STEPS, MAX_STRING
from flowkit.feel.numbers import BIG, from_float, settle, to_int
from flowkit.feel.temporal import (
    Date,
    DateTime,
    DaysTimeDuration,
    Time,
    YearsMonthsDuration,
    from_stdlib,
)
from flowkit.values import Json

if TYPE_CHECKING:
    from flowkit.feel.types import FeelType

__all__ = [
    "PLAIN",
    "Diagnostic",
    "Externals",
    "Function",
    "HostFunction",
    "Null",
    "Range",
    "Run",
    "host_function",
    "normalize",
    "to_json",
    "type_name",
]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Why an evaluation gave null: ``message`` says what went wrong at ``position`` of ``text``.

    ``code`` groups the causes: ``missing``, ``type``, ``value``, ``call``, ``function``, ``now``.
    """

    code: str
    message: str
    text: str
    position: int

    def __str__(self) -> str:
        return f"{self.message} (at {self.position + 1} of {self.text!r})"


class Run:
    """One evaluation: its clock, its diagnostics, and how much of the limits is used up."""

    __slots__ = ("calls", "diagnostics", "fetched", "now", "steps", "text")

    def __init__(self, text: str, now: std.datetime | None, diagnostics: list[Diagnostic] | None) -> None:
        self.text = text
        self.now = now
        self.diagnostics = diagnostics
        self.steps = 0
        self.calls = 0
        self.fetched: dict[int, tuple[Any, Any]] | None = None

    def null(self, code: str, message: str, position: int) -> None:
        """Note why the value at ``position`` is null; a thousand notes are enough for anybody."""
        if self.diagnostics is not None:
            self.diagnostics.append(Diagnostic(code, message, self.text, position))
            if len(self.diagnostics) >= MAX_DIAGNOSTICS:
                self.diagnostics = None

    def fetch(self, value: Any) -> Any:
        """``value`` of the scope as a FEEL value; lists and contexts are converted once an evaluation."""
        kind = type(value)
        if kind is not list and kind is not dict:
            return normalize(value, run=self)
        if self.fetched is None:
            self.fetched = {}
        known = self.fetched.get(id(value))
        if known is None:
            result = normalize(value, run=self)
            # Holding on to the value keeps its id from being given to another.
            self.fetched[id(value)] = self.fetched[id(result)] = (value, result)
            return result
        return known[1]

    def spend(self, steps: int) -> None:
        """Count ``steps`` of work. Raises EvaluationLimit when the evaluation takes too long."""
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise EvaluationLimit(f"the expression needs more than {MAX_STEPS} steps: {self.text[:200]!r}")

    def enter(self) -> None:
        """Count a call that is inside other calls. Raises EvaluationLimit when they nest too deep."""
        self.calls += 1
        self.spend(1)
        if self.calls > MAX_CALLS:
            raise EvaluationLimit(
                f"functions call one another more than {MAX_CALLS} deep: {self.text[:200]!r}"
            )

    def check_string(self, length: int) -> None:
        """Raises EvaluationLimit for a string that would have ``length`` characters, if that is too long."""
        if length > MAX_STRING:
            raise EvaluationLimit(
                f"a string would be longer than {MAX_STRING} characters: {self.text[:200]!r}"
            )


@dataclass(frozen=True, slots=True)
class Range:
    """All values between two ends; an absent end (``(< 10)``) is unbounded, a null end is unknown.

    ``is_point`` marks ``(= 10)``, which is not the same value as ``[10..10]``.
    """

    low: Any
    high: Any
    low_included: bool
    high_included: bool
    has_low: bool = True
    has_high: bool = True
    is_point: bool = False

    def __str__(self) -> str:
        from flowkit.feel.text import to_text  # noqa: PLC0415  # text needs Range

        if self.is_point:
            return f"(= {to_text(self.low, quoted=True)})"
        if not self.has_low:
            return f"({'<=' if self.high_included else '<'} {to_text(self.high, quoted=True)})"
        if not self.has_high:
            return f"({'>=' if self.low_included else '>'} {to_text(self.low, quoted=True)})"
        low, high = to_text(self.low, quoted=True), to_text(self.high, quoted=True)
        return f"{'[' if self.low_included else '('}{low}..{high}{']' if self.high_included else ')'}"


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function as a value: ``call`` takes the run and the arguments in the order of ``parameters``.

    ``types`` holds a type a parameter or is empty; ``variadic`` functions take any number of arguments;
    the last ``optional`` parameters may be left out. ``call_named`` takes the run and a mapping, where
    matching names to ``parameters`` is not enough (overloaded built-in functions).
    """

    name: str
    parameters: tuple[str, ...]
    call: Callable[..., Any]
    types: tuple[FeelType, ...] = ()
    result: FeelType | None = None
    optional: int = 0
    variadic: bool = False
    call_named: Callable[[Run, Mapping[str, Any]], Any] | None = None


class Null(Exception):  # the way to say that a call has no value, not an error
    """Raised inside functions: the result is null, and why."""

    def __init__(self, message: str, code: str = "call") -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class HostFunction:
    """A pure function that the host adds to FEEL's own.

    ``name`` may contain spaces; ``call`` takes FEEL values in the order of ``parameters`` and returns a FEEL
    or JSON value. A ValueError or TypeError that it raises becomes null with a diagnostic.
    """

    name: str
    parameters: tuple[str, ...]
    call: Callable[..., Any]


Externals = Callable[[Mapping[str, Any]], Function | None]
"""What a host offers for ``function(…) external {java: {…}}``: a function for the mapping, or None."""

PLAIN = frozenset(
    {int, str, bool, Decimal, Date, Time, DateTime, DaysTimeDuration, YearsMonthsDuration, Range, Function}
)
"""Types of non-null values that need no conversion when an expression reads them."""

_SETTLED = (PLAIN - {int}) | {type(None)}

_STDLIB = (std.datetime, std.date, std.time, std.timedelta)

_TYPE_NAMES: dict[type, str] = {
    int: "number",
    Decimal: "number",
    float: "number",
    str: "string",
    bool: "boolean",
    list: "list",
    tuple: "list",
    dict: "context",
    Date: "date",
    Time: "time",
    DateTime: "date and time",
    DaysTimeDuration: "days and time duration",
    YearsMonthsDuration: "years and months duration",
    Range: "range",
    Function: "function",
    type(None): "null",
}


def type_name(value: object) -> str:
    """FEEL's name of the value's type, for messages."""
    return _TYPE_NAMES.get(type(value), type(value).__name__)


def normalize(value: Any, depth: int = 0, run: Run | None = None) -> Any:
    """``value`` of a scope as a FEEL value; a list or dict that needs no change is returned itself.

    What FEEL can't hold becomes null. Raises EvaluationLimit for data nested deeper than ``MAX_DEPTH``, or
    too large for ``run``.
    """
    kind = type(value)
    if kind in PLAIN:
        return value if kind is not int else settle(value)
    if value is None:
        return None
    if kind is float:
        return from_float(value)
    if depth > MAX_DEPTH:
        raise EvaluationLimit(f"the data is nested more than {MAX_DEPTH} deep; flatten it")
    if isinstance(value, list | tuple):
        return _normal_list(value, depth, run)
    if isinstance(value, Mapping):
        return _normal_context(value, depth, run)
    if isinstance(value, _STDLIB):
        return from_stdlib(value)
    if isinstance(value, HostFunction):
        return host_function(value)
    return _unusual(value)


def _normal_list(items: list[Any] | tuple[Any, ...], depth: int, run: Run | None) -> list[Any]:
    """The items, each converted; copied only if one changes. Most are plain and need no call."""
    if run is not None:
        run.spend(len(items) // 8)
    changed = None if type(items) is list else list(items)
    for index, item in enumerate(items):
        kind = type(item)
        if kind in _SETTLED or (kind is int and -BIG < item < BIG):
            continue
        new = normalize(item, depth + 1, run)
        if new is not item:
            changed = list(items) if changed is None else changed
            changed[index] = new
    return items if changed is None else changed  # type: ignore[return-value]  # then it is a list


def _normal_context(entries: Mapping[Any, Any], depth: int, run: Run | None) -> dict[str, Any]:
    """The entries, each converted; copied only if one changes or a key is no string."""
    if run is not None:
        run.spend(len(entries) // 8)
    plain = type(entries) is dict and all(type(key) is str for key in entries)
    changed = None if plain else {str(key): item for key, item in entries.items()}
    for key, item in (entries if changed is None else dict(changed)).items():
        kind = type(item)
        if kind in _SETTLED or (kind is int and -BIG < item < BIG):
            continue
        new = normalize(item, depth + 1, run)
        if new is not item:
            changed = dict(entries) if changed is None else changed
            changed[key] = new
    return entries if changed is None else changed  # type: ignore[return-value]  # then it is a dict


def _unusual(value: object) -> Any:
    """Subclasses of plain types, such as ``StrEnum`` members, as the plain type; None for the rest."""
    for base in (bool, int, str):
        if isinstance(value, base):
            return base(value)
    return None


def host_function(function: HostFunction) -> Function:
    """``function`` as a FEEL value."""

    def call(_run: Run, *arguments: Any) -> Any:
        try:
            return normalize(function.call(*arguments))
        except (ValueError, TypeError, ArithmeticError, LookupError) as reason:
            raise Null(f"{function.name}: {reason}") from reason

    return Function(function.name, function.parameters, call)


def to_json(value: Any) -> Json:
    """A FEEL value as JSON: whole numbers as int, others as float, temporals and ranges as strings.

    Raises EvaluationLimit for functions, which have no JSON, and for results larger than ``MAX_RESULT``.
    """
    return _to_json(value, [MAX_RESULT], 0)


def _to_float(number: Decimal) -> float:
    nearest = float(number)
    if nearest - nearest != 0:
        raise EvaluationLimit(f"the number {number:.6E} is too large for JSON")
    return nearest


def _to_json(value: Any, budget: list[int], depth: int) -> Json:
    budget[0] -= 1
    if budget[0] < 0 or depth > MAX_DEPTH:
        raise EvaluationLimit(
            f"the result holds more than {MAX_RESULT} values or is nested more than {MAX_DEPTH} deep"
        )
    kind = type(value)
    if value is None or kind is bool or kind is int or kind is str:
        return value  # type: ignore[no-any-return]  # narrowed by type(), which mypy does not follow
    if kind is Decimal:
        whole = to_int(value)
        return _to_float(value) if whole is None else whole
    if kind is list:
        return [_to_json(item, budget, depth + 1) for item in value]
    if kind is dict:
        return {key: _to_json(item, budget, depth + 1) for key, item in value.items()}
    if kind is Function:
        raise EvaluationLimit("a function can't become JSON: call it, or return its result")
    return str(value) if kind in PLAIN else _to_json(normalize(value), budget, depth + 1)
