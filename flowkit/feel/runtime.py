"""What compiled expressions call: reading variables, paths, filters, iterations and function calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from flowkit.feel.numbers import to_int
from flowkit.feel.operators import matches_test
from flowkit.feel.properties import property_of
from flowkit.feel.temporal import Date
from flowkit.feel.text import shorten
from flowkit.feel.types import FeelType, coerce
from flowkit.feel.values import Function, Null, Range, Run, type_name

__all__ = [
    "MISSING",
    "check_boolean",
    "filtered",
    "indexed",
    "invoke",
    "invoke_named",
    "iterate",
    "iterate_range",
    "make_function",
    "make_range",
    "missing",
    "path",
    "read",
    "scope_path",
    "test_outcome",
]

MISSING: Any = type("Missing", (), {"__repr__": lambda _: "MISSING"})()


def read(value: Any, name: str, run: Run, position: int) -> Any:
    """``value`` of the scope as a FEEL value; ``MISSING`` becomes null with a diagnostic."""
    return missing(name, run, position) if value is MISSING else run.fetch(value)


def missing(name: str, run: Run, position: int) -> None:
    """Null, because there is no variable ``name``."""
    run.null("missing", f"there is no variable {name!r}", position)


def scope_path(base: Any, name: str, run: Run, position: int) -> Any:
    """``base.name`` where ``base`` comes as it is from the scope, and the value may need conversion."""
    if isinstance(base, list | tuple):
        base = run.fetch(base)
    return run.fetch(path(base, name, run, position))


def path(base: Any, name: str, run: Run, position: int) -> Any:
    """``base.name``: an entry, a property, or the list of those of a list's items."""
    kind = type(base)
    if kind is dict or isinstance(base, Mapping):
        value = base.get(name, MISSING)
        if value is not MISSING:
            return value
        run.null("missing", f"the context has no entry {name!r}", position)
        return None
    if kind is list:
        run.enter()
        run.spend(len(base))
        found = [path(item, name, run, position) for item in base]
        run.calls -= 1
        return found
    if base is None:
        run.null("missing", f"null has no entry {name!r}", position)
        return None
    value = property_of(base, name)
    if value is NotImplemented:
        run.null("missing", f"a {type_name(base)} has no property {name!r}", position)
        return None
    return value


def indexed(base: Any, number: Any, run: Run, position: int) -> Any:
    """``base[number]``: 1 is the first item, -1 the last."""
    items = base if type(base) is list else [] if base is None else [base]
    index = to_int(number)
    if index is not None and 1 <= abs(index) <= len(items):
        return items[index - 1 if index > 0 else index]
    run.null("value", f"there is no item {shorten(number)} in a list of {len(items)}", position)
    return None


def filtered(base: Any, condition: Callable[[Any], Any], cost: int, run: Run, position: int) -> Any:
    """``base[condition]``: the items for which the condition is true, or one item if it is a number.

    ``cost`` is the price of one evaluation of the condition in steps.
    """
    if base is None:
        run.null("value", "null can't be filtered", position)
        return None
    items = base if type(base) is list else [base]
    run.spend(len(items) * cost)
    if not items:
        return (
            [] if type(_quietly(condition, run)) not in (int, Decimal) else indexed(items, 1, run, position)
        )
    kept = []
    for item in items:
        answer = condition(item)
        if answer is True:
            kept.append(item)
        elif answer is not False and type(answer) in (int, Decimal):
            return indexed(items, answer, run, position)
    return kept


def _quietly(condition: Callable[[Any], Any], run: Run) -> Any:
    """The filter of an empty list, asked only whether it is a number."""
    diagnostics, run.diagnostics = run.diagnostics, None
    try:
        return condition(None)
    finally:
        run.diagnostics = diagnostics


def make_range(
    low: Any, high: Any, low_included: bool, high_included: bool, run: Run, position: int
) -> Range | None:
    """The range between two values; null if they have no common order."""
    run.spend(1)
    if low is not None and high is not None and type(low) is not type(high):
        numbers = (int, Decimal)
        if not (type(low) in numbers and type(high) in numbers):
            run.null("type", f"a range can't go from {type_name(low)} to {type_name(high)}", position)
            return None
    return Range(low, high, low_included, high_included)


# -- iteration


def iterate(source: Any, run: Run, position: int) -> Sequence[Any] | None:
    """What ``for`` and the quantifiers go through: the items of a list or range, or a single value."""
    if type(source) is list:
        return source
    if type(source) is Range:
        return _range_items(source, run, position)
    if source is None:
        run.null("value", "null can't be iterated", position)
        return None
    return [source]


def _range_items(source: Range, run: Run, position: int) -> Sequence[Any] | None:
    bounds = _bounds(source.low, source.high) if source.has_low and source.has_high else None
    if bounds is None or bounds[0] > bounds[1]:
        run.null("value", f"the range {shorten(source)} can't be iterated", position)
        return None
    first = bounds[0] + (not source.low_included)
    last = bounds[1] - (not source.high_included)
    return _spread(first, last, isinstance(source.low, Date), run) if first <= last else []


def iterate_range(low: Any, high: Any, run: Run, position: int) -> Sequence[Any] | None:
    """What ``for x in low..high`` goes through, upwards or downwards."""
    bounds = _bounds(low, high)
    if bounds is None:
        run.null(
            "value",
            f"{shorten(low)}..{shorten(high)} can't be iterated: whole numbers or dates can",
            position,
        )
        return None
    return _spread(*bounds, isinstance(low, Date), run)


def _bounds(low: Any, high: Any) -> tuple[int, int] | None:
    if isinstance(low, Date) and isinstance(high, Date):
        return low.days, high.days
    if type(low) not in (int, Decimal) or type(high) not in (int, Decimal):
        return None
    first, last = to_int(low), to_int(high)
    return None if first is None or last is None else (first, last)


def _spread(first: int, last: int, dates: bool, run: Run) -> Sequence[Any]:
    numbers = range(first, last + 1) if first <= last else range(first, last - 1, -1)
    if dates:
        run.spend(abs(last - first) + 1)
        return [Date.from_days(number) for number in numbers]
    return numbers


def loop(
    sources: Sequence[Callable[..., Sequence[Any] | None]],
    cost: int,
    run: Run,
    values: tuple[Any, ...] = (),
) -> Iterator[tuple[Any, ...]]:
    """All combinations of several iterations, the last one turning fastest; each step costs ``cost``.

    Each source is called with the values of those before it. Raises Null if one can't be iterated.
    """
    items = sources[len(values)](*values)
    if items is None:
        raise Null("there is nothing to iterate")
    if len(values) + 1 == len(sources):
        run.spend(len(items) * cost)
        for item in items:
            yield (*values, item)
    else:
        for item in items:
            run.spend(cost)
            yield from loop(sources, cost, run, (*values, item))


def for_each(
    sources: Sequence[Callable[..., Any]], body: Callable[..., Any], partial: bool, cost: int, run: Run
) -> list[Any] | None:
    """``for … return body``; with ``partial`` the body also takes the list of results so far."""
    if len(sources) == 1 and not partial:
        items = sources[0]()
        if items is None:
            return None
        run.spend(len(items) * cost)
        return [body(item) for item in items]
    results: list[Any] = []
    try:
        if partial:
            for values in loop(sources, cost, run):
                run.spend(len(results) // 64)
                results.append(body(*values, list(results)))
        else:
            for values in loop(sources, cost, run):
                results.append(body(*values))
    except Null:
        return None
    return results


def quantify(
    some: bool, sources: Sequence[Callable[..., Any]], condition: Callable[..., Any], cost: int, run: Run
) -> Any:
    """``some … satisfies`` (an ``or`` of all) or ``every … satisfies`` (an ``and``), three-valued."""
    unknown = False
    try:
        for values in loop(sources, cost, run):
            answer = condition(*values)
            if answer is some:
                return some
            unknown = unknown or type(answer) is not bool
    except Null:
        return None
    return None if unknown else not some


# -- functions


def make_function(
    parameters: tuple[str, ...], types: tuple[FeelType, ...], body: Callable[..., Any], text: str, cost: int
) -> Function:
    """The value of ``function(…) …``; ``text`` is the expression that it stands in."""

    def call(run: Run, *arguments: Any) -> Any:
        caller, run.text = run.text, text
        run.spend(cost)
        try:
            return body(run, *arguments)
        finally:
            run.text = caller

    return Function("", parameters, call, types)


def _describe(function: Function) -> str:
    return f"{function.name or 'function'}({', '.join(function.parameters)})"


def invoke(function: Any, arguments: Sequence[Any], run: Run, position: int) -> Any:
    """``function(arguments)``; null with a diagnostic if that is no function or they don't fit."""
    if type(function) is not Function:
        run.null("function", f"{shorten(function)} is not a function", position)
        return None
    count, most = len(arguments), len(function.parameters)
    if not function.variadic and not most - function.optional <= count <= most:
        run.null("call", f"{_describe(function)} was called with {count} arguments", position)
        return None
    if function.types:
        fitting = _fit(function, arguments, run, position)
        if fitting is None:
            return None
        arguments = fitting
    run.enter()
    run.spend(2)
    try:
        result = function.call(run, *arguments)
    except Null as reason:
        run.null(reason.code, str(reason), position)
        return None
    finally:
        run.calls -= 1
    return result if function.result is None else _checked_result(function, result, run, position)


def _fit(function: Function, arguments: Sequence[Any], run: Run, position: int) -> list[Any] | None:
    fitting = []
    for name, kind, argument in zip(function.parameters, function.types, arguments, strict=False):
        value, fits = coerce(argument, kind)
        if not fits:
            message = f"{_describe(function)}: {name!r} must be {kind}, not {shorten(argument)}"
            run.null("type", message, position)
            return None
        fitting.append(value)
    return fitting


def _checked_result(function: Function, result: Any, run: Run, position: int) -> Any:
    assert function.result is not None
    value, fits = coerce(result, function.result)
    if not fits:
        run.null(
            "type", f"{_describe(function)} must give {function.result}, not {shorten(result)}", position
        )
    return value


def invoke_named(function: Any, arguments: Mapping[str, Any], run: Run, position: int) -> Any:
    """``function(name: argument)``."""
    if type(function) is not Function:
        run.null("function", f"{shorten(function)} is not a function", position)
        return None
    if function.call_named is not None:
        run.enter()
        try:
            return function.call_named(run, arguments)
        except Null as reason:
            run.null(reason.code, str(reason), position)
            return None
        finally:
            run.calls -= 1
    unknown = [name for name in arguments if name not in function.parameters]
    absent = [
        name
        for name in function.parameters[: len(function.parameters) - function.optional]
        if name not in arguments
    ]
    if unknown or absent:
        problem = f"has no parameter {unknown[0]!r}" if unknown else f"needs {absent[0]!r}"
        run.null("call", f"{_describe(function)} {problem}", position)
        return None
    return invoke(function, [arguments.get(name) for name in function.parameters], run, position)


# -- logic and tests


def check_boolean(value: Any, run: Run, position: int) -> bool | None:
    """An operand of ``and`` and ``or``: whatever is not a boolean counts as null."""
    if type(value) is bool:
        return value
    if value is not None:
        run.null("type", f"{shorten(value)} is not a boolean", position)
    return None


def test_outcome(value: Any, result: Any, run: Run, position: int) -> Any:
    """A unary test written as an expression: its own answer if that is a boolean, else membership."""
    if type(result) is bool and type(value) is not bool:
        return result
    return matches_test(value, result, run, position)
