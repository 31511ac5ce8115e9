"""What an input entry accepts, as data: points and intervals instead of code.

Most cells of real tables compare with literals. Those are read here into a :class:`Domain`, from
which the index and the static checks are built; a cell that says more (a variable, ``not``, a
function) is *opaque*: it is evaluated as FEEL, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from flowkit.feel.temporal import (
    Date,
    DateTime,
    DaysTimeDuration,
    Time,
    YearsMonthsDuration,
    parse_date,
    parse_date_time,
    parse_duration,
    parse_temporal,
    parse_time,
)

__all__ = [
    "ANYTHING",
    "ORDERED",
    "Domain",
    "Interval",
    "constant",
    "domain_of",
    "ordinal",
    "show",
    "split_tests",
]

NUMBER = re.compile(r"[-+]?(?:\d{1,30}(?:\.\d{1,30})?|\.\d{1,30})\Z")
STRING = re.compile(r'"[^"\\]*"\Z')
TEMPORAL = re.compile(r'(?:@|(?:date|time|date and time|duration)\s*\(\s*)"[^"\\]*"\s*\)?\Z')
WORDS = {"true": True, "false": False, "null": None}
COMPARISON = re.compile(r"(<=|>=|<|>|=)")
OPENING, CLOSING = "([{", ")]}"
ORDERED = frozenset(
    {"number", "string", "date", "time", "date and time"}
    | {"days and time duration", "years and months duration"}
)
MAX_NUMBER_LENGTH = 34
READERS = {
    "@": parse_temporal,
    "date": parse_date,
    "time": parse_time,
    "date and time": parse_date_time,
    "duration": parse_duration,
}


@dataclass(frozen=True, slots=True)
class Interval:
    """Values of one ``kind`` between two keys; an open side is ``None``."""

    kind: str
    low: Any
    low_closed: bool
    high: Any
    high_closed: bool


@dataclass(frozen=True, slots=True)
class Domain:
    """The values that a cell accepts: anything, or these points and intervals."""

    anything: bool = False
    points: tuple[tuple[str, Any], ...] = ()
    intervals: tuple[Interval, ...] = ()


ANYTHING = Domain(anything=True)


def split_tests(text: str, separator: str = ",") -> Iterator[str]:
    """The parts of ``text`` between separators that stand outside strings and brackets."""
    depth = start = position = 0
    while position < len(text):
        character = text[position]
        if character == '"':
            position += 1
            while position < len(text) and text[position] != '"':
                position += 2 if text[position] == "\\" else 1
        elif character in OPENING:
            depth += 1
        elif character in CLOSING:
            depth -= 1
        elif depth <= 0 and text.startswith(separator, position):
            yield text[start:position].strip()
            start = position + len(separator)
            position = start - 1
        position += 1
    yield text[start:].strip()


def constant(text: str) -> tuple[str, Any] | None:
    """Kind and value of a literal, or ``None`` if ``text`` is none."""
    text = text.strip()
    if NUMBER.match(text):
        if len(text) > MAX_NUMBER_LENGTH:
            return None
        return "number", Decimal(text)
    if STRING.match(text):
        return "string", text[1:-1]
    if text in WORDS:
        value = WORDS[text]
        return ("null" if value is None else "boolean"), value
    if TEMPORAL.match(text) and (text[0] == "@") != text.endswith(")"):
        return _temporal(text)
    return None


@lru_cache(maxsize=4096)
def _temporal(text: str) -> tuple[str, Any] | None:
    function, _, rest = text.partition('"')
    lexical = rest.partition('"')[0]
    try:
        return ordinal(READERS[function.rstrip("( \t\n")](lexical))
    except ValueError:
        return None


def ordinal(value: Any) -> tuple[str, Any] | None:
    """Kind and sort key of a temporal value; ``None`` for others and for times in a zone.

    Zoned values are left out because they do not compare with local ones.
    """
    match value:
        case Date():
            return "date", value.days
        case Time(zone=None):
            return "time", value.nanos
        case DateTime() if value.time.zone is None:
            return "date and time", value.local_nanos
        case DaysTimeDuration():
            return "days and time duration", value.nanos
        case YearsMonthsDuration():
            return "years and months duration", value.months
    return None


def show(kind: str, key: Any) -> str:
    """The FEEL literal of a point."""
    match kind:
        case "string":
            return f'"{key}"'
        case "date":
            return f'date("{Date.from_days(key)}")'
        case "time":
            return f'time("{Time.from_nanos(key)}")'
        case "date and time":
            return f'date and time("{DateTime.from_local(key)}")'
        case "days and time duration":
            return f'duration("{DaysTimeDuration(key)}")'
        case "years and months duration":
            return f'duration("{YearsMonthsDuration(key)}")'
        case "boolean":
            return "true" if key else "false"
        case "null":
            return "null"
    return f"{key:f}" if isinstance(key, Decimal) else str(key)


def domain_of(text: str) -> Domain | None:
    """The domain of an input entry, or ``None`` if it is opaque."""
    text = text.strip()
    if text in ("", "-"):
        return ANYTHING
    points: list[tuple[str, Any]] = []
    intervals: list[Interval] = []
    for part in split_tests(text):
        test = _test(part)
        if test is None:
            return None
        if isinstance(test, Interval):
            intervals.append(test)
        else:
            points.append(test)
    return Domain(points=tuple(points), intervals=tuple(intervals))


def _test(text: str) -> Interval | tuple[str, Any] | None:
    point = constant(text)
    if point is not None:
        return point
    match = COMPARISON.match(text)
    if match is not None:
        return _comparison(match.group(1), text[match.end() :])
    return _range(text)


def _comparison(operator: str, operand: str) -> Interval | tuple[str, Any] | None:
    end = constant(operand)
    if end is None or operator == "=":
        return end
    kind, value = end
    if kind not in ORDERED:
        return None
    closed = operator.endswith("=")
    if operator.startswith("<"):
        return Interval(kind, None, False, value, closed)
    return Interval(kind, value, closed, None, False)


def _range(text: str) -> Interval | None:
    if len(text) < 5 or text[0] not in "[(]" or text[-1] not in "])[":
        return None
    ends = [constant(part) for part in split_tests(text[1:-1], "..")]
    if len(ends) != 2 or ends[0] is None or ends[1] is None or ends[0][0] != ends[1][0]:
        return None
    kind, low = ends[0]
    high = ends[1][1]
    if kind not in ORDERED or low > high:
        return None
    return Interval(kind, low, text[0] == "[", high, text[-1] == "]")
