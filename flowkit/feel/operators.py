"""What FEEL's operators mean for every pair of types (DMN 1.5, 10.3.2.4 to 10.3.2.15).

Compiled expressions handle whole numbers and equal types in place and call these for the rest. Each takes
the run and the operator's position, and gives null with a diagnostic where the standard gives null.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal, DecimalException
from typing import Any

from flowkit.feel.numbers import CONTEXT, Number
from flowkit.feel.temporal import (
    Date,
    DateTime,
    DaysTimeDuration,
    Time,
    YearsMonthsDuration,
    add_duration,
    nanos_between,
)
from flowkit.feel.text import shorten
from flowkit.feel.values import Range, Run, type_name

__all__ = [
    "add",
    "compare",
    "divide",
    "equal",
    "greater",
    "greater_equal",
    "in_range",
    "less",
    "less_equal",
    "matches_test",
    "multiply",
    "negate",
    "power",
    "same",
    "subtract",
    "unequal",
]

_NUMBERS = frozenset({int, Decimal})
_DURATIONS = frozenset({DaysTimeDuration, YearsMonthsDuration})
_MOMENTS = frozenset({Date, Time, DateTime})


def _mismatch(operator: str, left: Any, right: Any, run: Run, position: int) -> Any:
    if run.diagnostics is not None:
        run.null("type", f"{_shown(left)} {operator} {_shown(right)} is not defined", position)
    return None


def _shown(value: Any) -> str:
    return "null" if value is None else f"{type_name(value)} {shorten(value)}"


def _calculate(
    operation: Callable[[Any, Any], Any], sign: str, left: Number, right: Number, run: Run, position: int
) -> Number | None:
    """A number by way of the 34-digit context; null if it is not finite."""
    try:
        result: Number = operation(left, right)  # the context traps whatever is not finite
        return result
    except (DecimalException, ArithmeticError, ValueError):
        run.null("value", f"{shorten(left)} {sign} {shorten(right)} has no finite result", position)
        return None


def _moved(left: Any, right: Any, run: Run, position: int) -> Any:
    """The result of ``left()``, a temporal calculation that raises ValueError when it leaves the calendar."""
    try:
        return add_duration(left, right)
    except ValueError as reason:
        run.null("value", str(reason), position)
        return None


def _duration(kind: type, amount: int, run: Run, position: int) -> Any:
    try:
        return kind(amount)
    except ValueError as reason:
        run.null("value", str(reason), position)
        return None


def _length(duration: Any) -> int:
    return duration.nanos if type(duration) is DaysTimeDuration else duration.months


def add(left: Any, right: Any, run: Run, position: int) -> Any:
    """``left + right``."""
    a, b = type(left), type(right)
    if a in _NUMBERS and b in _NUMBERS:
        return _calculate(CONTEXT.add, "+", left, right, run, position)
    if a is str and b is str:
        run.check_string(len(left) + len(right))
        run.spend((len(left) + len(right)) // 256)
        return left + right
    if a in _MOMENTS and b in _DURATIONS and not (a is Time and b is YearsMonthsDuration):
        return _moved(left, right, run, position)
    if a in _DURATIONS and b in _MOMENTS and not (b is Time and a is YearsMonthsDuration):
        return _moved(right, left, run, position)
    if a in _DURATIONS and a is b:
        return _duration(a, _length(left) + _length(right), run, position)
    return _mismatch("+", left, right, run, position)


def subtract(left: Any, right: Any, run: Run, position: int) -> Any:
    """``left - right``."""
    a, b = type(left), type(right)
    if a in _NUMBERS and b in _NUMBERS:
        return _calculate(CONTEXT.subtract, "-", left, right, run, position)
    if a in _MOMENTS and b in _DURATIONS and not (a is Time and b is YearsMonthsDuration):
        return _moved(left, b(-_length(right)), run, position)
    if a in _DURATIONS and a is b:
        return _duration(a, _length(left) - _length(right), run, position)
    if a in _MOMENTS and b in _MOMENTS:
        nanos = nanos_between(left, right)
        if nanos is not None:
            return _duration(DaysTimeDuration, nanos, run, position)
    return _mismatch("-", left, right, run, position)


def multiply(left: Any, right: Any, run: Run, position: int) -> Any:
    """``left * right``."""
    a, b = type(left), type(right)
    if a in _NUMBERS and b in _NUMBERS:
        return _calculate(CONTEXT.multiply, "*", left, right, run, position)
    if a in _DURATIONS and b in _NUMBERS:
        return _scaled(left, CONTEXT.multiply, "*", right, run, position)
    if a in _NUMBERS and b in _DURATIONS:
        return _scaled(right, CONTEXT.multiply, "*", left, run, position)
    return _mismatch("*", left, right, run, position)


def _scaled(
    duration: Any, operation: Callable[[Any, Any], Any], sign: str, factor: Number, run: Run, position: int
) -> Any:
    amount = _calculate(operation, sign, _length(duration), factor, run, position)
    return None if amount is None else _duration(type(duration), int(amount), run, position)


def divide(left: Any, right: Any, run: Run, position: int) -> Any:
    """``left / right``; a whole quotient of whole numbers stays whole."""
    a, b = type(left), type(right)
    if a in _DURATIONS and a is b:
        left, right, a, b = _length(left), _length(right), int, int
    if a in _NUMBERS and b in _NUMBERS:
        if a is int and b is int and right and left % right == 0:
            return left // right
        return _calculate(CONTEXT.divide, "/", left, right, run, position)
    if a in _DURATIONS and b in _NUMBERS:
        return _scaled(left, CONTEXT.divide, "/", right, run, position)
    return _mismatch("/", left, right, run, position)


def power(left: Any, right: Any, run: Run, position: int) -> Any:
    """``left ** right``."""
    if type(left) in _NUMBERS and type(right) in _NUMBERS:
        if not left and not right:
            return 1
        run.spend(100)
        return _calculate(CONTEXT.power, "**", left, right, run, position)
    return _mismatch("**", left, right, run, position)


def negate(value: Any, run: Run, position: int) -> Any:
    """``-value``."""
    kind = type(value)
    if kind is int:
        return -value
    if kind is Decimal:
        return CONTEXT.minus(value)
    if kind in _DURATIONS:
        return kind(-_length(value))
    run.null("type", f"-{_shown(value)} is not defined", position)
    return None


def equal(left: Any, right: Any, run: Run, position: int) -> Any:
    """``left = right``: null for different types, unless one is null."""
    if left is None or right is None:
        return left is right
    a, b = type(left), type(right)
    if a in _NUMBERS and b in _NUMBERS:
        return bool(left == right)
    if a is not b:
        return _mismatch("=", left, right, run, position)
    if a is Time or a is DateTime:
        return _same_second(left, right)
    if a is list:
        run.spend(len(left))
        if len(left) != len(right):
            return False
        return _all_equal(zip(left, right, strict=True), run, position)
    if a is dict:
        run.spend(len(left))
        if left.keys() != right.keys():
            return False
        return _all_equal(((left[key], right[key]) for key in left), run, position)
    if a is Range:
        return _equal_ranges(left, right, run, position)
    return bool(left == right)


def _same_second(left: Time | DateTime, right: Time | DateTime) -> bool:
    """Times are equal if their fields are, and ``second`` is a whole number (10.3.2.3.5)."""
    return left == right or nanos_between(_whole_second(left), _whole_second(right)) == 0


def _whole_second(moment: Time | DateTime) -> Time | DateTime:
    if isinstance(moment, Time):
        return replace(moment, nanosecond=0)
    return replace(moment, time=replace(moment.time, nanosecond=0))


def _all_equal(pairs: Any, run: Run, position: int) -> Any:
    result: bool | None = True
    run.enter()
    for left, right in pairs:
        answer = equal(left, right, run, position)
        if answer is False:
            result = False
            break
        if answer is None:
            result = None
    run.calls -= 1
    return result


def _equal_ranges(left: Range, right: Range, run: Run, position: int) -> Any:
    shape = (left.low_included, left.high_included, left.has_low, left.has_high, left.is_point)
    if shape != (right.low_included, right.high_included, right.has_low, right.has_high, right.is_point):
        return False
    return _all_equal(((left.low, right.low), (left.high, right.high)), run, position)


def unequal(left: Any, right: Any, run: Run, position: int) -> Any:
    """``left != right``."""
    answer = equal(left, right, run, position)
    return None if answer is None else not answer


def same(left: Any, right: Any, run: Run) -> bool:
    """FEEL's ``is()``: the same value of the same type, field by field, for the parts of lists too."""
    if type(left) is not type(right) and not (type(left) in _NUMBERS and type(right) in _NUMBERS):
        return False
    if type(left) in (Time, DateTime):
        return bool(left == right)
    return equal(left, right, run, 0) is True


def compare(left: Any, right: Any) -> Any:
    """-1, 0 or 1 as ``left`` is less than, equal to or greater than ``right``; None if they have no order."""
    a, b = type(left), type(right)
    if (a in _NUMBERS and b in _NUMBERS) or (a is b and a in _ORDERED):
        return (left > right) - (left < right)
    if a in _MOMENTS and a is b:
        nanos = nanos_between(left, right)
        return None if nanos is None else (nanos > 0) - (nanos < 0)
    return None


_ORDERED = frozenset({str, DaysTimeDuration, YearsMonthsDuration})


def less(left: Any, right: Any, run: Run, position: int) -> Any:
    """``left < right``."""
    order = compare(left, right)
    return _mismatch("<", left, right, run, position) if order is None else order < 0


def less_equal(left: Any, right: Any, run: Run, position: int) -> Any:
    """``left <= right``."""
    order = compare(left, right)
    return _mismatch("<=", left, right, run, position) if order is None else order <= 0


def greater(left: Any, right: Any, run: Run, position: int) -> Any:
    """``left > right``."""
    order = compare(left, right)
    return _mismatch(">", left, right, run, position) if order is None else order > 0


def greater_equal(left: Any, right: Any, run: Run, position: int) -> Any:
    """``left >= right``."""
    order = compare(left, right)
    return _mismatch(">=", left, right, run, position) if order is None else order >= 0


def in_range(value: Any, bounds: Range, run: Run, position: int) -> Any:
    """Whether ``value`` lies in ``bounds``; null if it can't be compared with an end."""
    if bounds.has_low:
        order = compare(value, bounds.low)
        if order is None:
            return _mismatch("in", value, bounds, run, position)
        if order < 0 or (order == 0 and not bounds.low_included):
            return False
    if bounds.has_high:
        order = compare(value, bounds.high)
        if order is None:
            return _mismatch("in", value, bounds, run, position)
        if order > 0 or (order == 0 and not bounds.high_included):
            return False
    return True


def matches_test(value: Any, test: Any, run: Run, position: int) -> Any:
    """``value in test`` for the value of a test: a range, a list of values and ranges, or one value."""
    if type(test) is Range and type(value) is not Range:
        return in_range(value, test, run, position)
    if type(test) is list:
        run.spend(len(test))
        for item in test:
            found = (
                in_range(value, item, run, position)
                if type(item) is Range and type(value) is not Range
                else _quiet_equal(value, item, run)
            )
            if found is True:
                return True
        return _quiet_equal(value, test, run) if type(value) is list else False
    return equal(value, test, run, position)


def _quiet_equal(left: Any, right: Any, run: Run) -> bool:
    """Equality inside a list of tests, where a value of another type is no reason for a diagnostic."""
    diagnostics, run.diagnostics = run.diagnostics, None
    try:
        return equal(left, right, run, 0) is True
    finally:
        run.diagnostics = diagnostics
