"""JSON Schema validation that a hostile schema or payload can't stretch.

jsonschema does the work. Five keywords are replaced: patterns get a time limit (a regular expression
can otherwise run for years), references a budget (ten of them can otherwise unfold to billions of
checks), ``uniqueItems`` runs in linear time, ``multipleOf`` counts in decimals (0.29 is 29 times 0.01,
which binary fractions deny), and ``required`` reports the path of the missing field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from datetime import date, datetime, time
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from time import monotonic
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import regex
from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable

from flowkit.errors import InvalidPayload

__all__ = ["FORMATS", "faults", "schema_fault"]

PATTERN_SECONDS = 0.2
ALL_PATTERNS_SECONDS = 2.0
MAX_REFERENCES = 20_000
MAX_VALUES = 100_000

_DURATION = re.compile(
    r"-?P(?=\d|T\d)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?", re.ASCII
)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)*")
_LABEL = r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")


class _Budget(Exception):
    """A check was given up."""


_references: ContextVar[list[int]] = ContextVar("references")
_seconds: ContextVar[list[float]] = ContextVar("seconds")
"""What the patterns of one check have taken."""


# ---- formats --------------------------------------------------------------------------------


def _is_date(text: str) -> object:
    return len(text) == 10 and date.fromisoformat(text)


def _is_date_time(text: str) -> object:
    return "T" in text.upper() and datetime.fromisoformat(text)


def _is_time(text: str) -> object:
    return ":" in text and time.fromisoformat(text)


def _is_uri(text: str) -> bool:
    parts = urlsplit(text)
    return bool(parts.scheme) and bool(parts.netloc or parts.path) and not re.search(r"\s", text)


FORMATS: Mapping[str, Callable[[str], object]] = {
    "date": _is_date,
    "date-time": _is_date_time,
    "time": _is_time,
    "duration": _DURATION.fullmatch,
    "email": _EMAIL.fullmatch,
    "hostname": _HOST.fullmatch,
    "ipv4": IPv4Address,
    "ipv6": IPv6Address,
    "uri": _is_uri,
    "uuid": UUID,
    "regex": regex.compile,
}
"""The formats that are checked. A date-time may lack an offset: browsers' date fields send none."""


@cache
def _formats() -> FormatChecker:
    checker = FormatChecker(formats=())

    def text_check(check: Callable[[str], object]) -> Callable[[object], bool]:
        return lambda value: not isinstance(value, str) or bool(check(value))

    for name, check in FORMATS.items():
        checker.checkers[name] = (text_check(check), (ValueError, regex.error))
    return checker


# ---- keywords -------------------------------------------------------------------------------


@cache
def _compiled(pattern: str) -> regex.Pattern[str]:
    try:
        return regex.compile(pattern)
    except regex.error as error:
        raise _Budget(f"the pattern {pattern!r} is no regular expression: {error}") from None


def _matches(pattern: str, text: str) -> bool:
    begun = monotonic()
    try:
        return _compiled(pattern).search(text, timeout=PATTERN_SECONDS) is not None
    except TimeoutError:
        raise _Budget(f"the pattern {pattern!r} takes too long; simplify it") from None
    finally:
        spent = _seconds.get()
        spent[0] += monotonic() - begun
        if spent[0] > ALL_PATTERNS_SECONDS:
            raise _Budget(f"the pattern {pattern!r} takes too long for so many texts; simplify it")


def _pattern(validator: Any, pattern: str, value: Any, schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(value, "string") and not _matches(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if not validator.is_type(value, "object"):
        return
    for pattern, subschema in patterns.items():
        for name, item in value.items():
            if _matches(pattern, name):
                yield from validator.descend(item, subschema, path=name, schema_path=pattern)


def _reference(validator: Any, target: str, value: Any, schema: Any) -> Iterator[ValidationError]:
    spent = _references.get()
    spent[0] += 1
    if spent[0] > MAX_REFERENCES:
        raise _Budget(
            f"more than {MAX_REFERENCES:,} references were followed; the schema unfolds without end"
        )
    yield from Draft202012Validator.VALIDATORS["$ref"](validator, target, value, schema) or ()


def _unique(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if not wanted or not validator.is_type(value, "array"):
        return
    canonical = {json.dumps(_normal(item), sort_keys=True) for item in value}
    if len(canonical) != len(value):
        yield ValidationError("has non-unique elements")


def _multiple_of(validator: Any, step: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(value, "number") and _remainder(value, step):
        yield ValidationError(f"{value!r} is not a multiple of {step}")


def _remainder(value: float, step: float) -> Decimal:
    exact = Context(prec=700, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
    return exact.remainder(Decimal(repr(value)), Decimal(repr(step)))


def _normal(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_normal(item) for item in value]
    if isinstance(value, dict):
        return {name: _normal(item) for name, item in value.items()}
    return value


def _required(validator: Any, names: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(value, "object"):
        for name in names:
            if name not in value:
                yield ValidationError(f"{name!r} is a required property", path=(name,))


@cache
def _validator_class() -> Any:
    replaced = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "$ref": _reference,
        "uniqueItems": _unique,
        "multipleOf": _multiple_of,
        "required": _required,
    }
    return validators.extend(Draft202012Validator, replaced)  # type: ignore[no-untyped-call]  # stub


# ---- use ------------------------------------------------------------------------------------


def schema_fault(schema: Mapping[str, Any]) -> str:
    """Why ``schema`` is no valid schema, or ""."""
    try:
        Draft202012Validator.check_schema(schema)
        for pattern in _patterns(schema):
            _compiled(pattern)
    except SchemaError as error:
        place = "/".join(("#", *(str(part) for part in error.absolute_path)))
        return f"{place}: {error.message[:300]}"
    except _Budget as error:
        return str(error)
    return _unfollowed(schema)


def _walk(node: Any) -> Iterator[Mapping[str, Any]]:
    todo = [node]
    while todo:
        part = todo.pop()
        if isinstance(part, Mapping):
            yield part
            todo += part.values()
        elif isinstance(part, list):
            todo += part


def _patterns(schema: Mapping[str, Any]) -> Iterator[str]:
    for part in _walk(schema):
        if isinstance(part.get("pattern"), str):
            yield part["pattern"]
        if isinstance(part.get("patternProperties"), Mapping):
            yield from part["patternProperties"]


def _unfollowed(schema: Mapping[str, Any]) -> str:
    """The first local reference without a target, or ""."""
    for part in _walk(schema):
        reference = part.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            continue
        target: Any = schema
        for step in reference[2:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            target = target.get(name) if isinstance(target, Mapping) else None
        if target is None:
            return f"$ref {reference!r} leads nowhere"
    return ""


def _count(value: Any) -> int:
    total, todo = 0, [value]
    while todo:
        item = todo.pop()
        total += 1
        if isinstance(item, dict):
            todo += item.values()
        elif isinstance(item, list):
            todo += item
    return total


def faults(schema: Mapping[str, Any], value: Any, form: str) -> Iterator[ValidationError]:
    """What is wrong with ``value``, first the outer faults; bounded in time whatever the schema says."""
    values = _count(value)
    if values > MAX_VALUES:
        text = f"form {form}: {values:,} values were given, at most {MAX_VALUES:,} are read"
        raise InvalidPayload(text, [("", text)])
    validator = _validator_class()(schema, format_checker=_formats(), registry=Registry())
    token, clock = _references.set([0]), _seconds.set([0.0])
    try:
        yield from validator.iter_errors(value)
    except (_Budget, RecursionError, Unresolvable) as error:
        reason = (
            "its schema refers to itself without end" if isinstance(error, RecursionError) else str(error)
        )
        text = f"form {form} can't be checked: {reason}"
        raise InvalidPayload(text, [("", text)]) from None
    finally:
        _references.reset(token)
        _seconds.reset(clock)
