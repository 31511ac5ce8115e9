"""List functions (DMN 1.5, 10.3.4.4). Positions count from 1, negative ones from the end."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import cmp_to_key
from typing import Any

from flowkit.feel.builtins.registry import Table
from flowkit.feel.numbers import Number, to_int
from flowkit.feel.operators import compare
from flowkit.feel.operators import equal as feel_equal
from flowkit.feel.runtime import invoke
from flowkit.feel.temporal import Date, DateTime, DaysTimeDuration, Time, YearsMonthsDuration
from flowkit.feel.temporal.values import SECOND
from flowkit.feel.text import shorten
from flowkit.feel.values import Function, Null, Range, Run

__all__ = ["TABLE"]

TABLE = Table("List")


def _equal(run: Run, left: Any, right: Any) -> bool:
    """Equality of list items, where a value of another type is simply different."""
    diagnostics, run.diagnostics = run.diagnostics, None
    try:
        return feel_equal(left, right, run, 0) is True
    finally:
        run.diagnostics = diagnostics


def _place(function: str, position: Number, length: int, *, beyond: int = 0) -> int:
    """The 0-based index of ``position`` in a list of ``length``. Raises Null if there is no such place."""
    index = to_int(position) if to_int(position) is not None else int(position)
    if index is None or not 1 <= abs(index) <= length + beyond:
        raise Null(f"{function}(): there is no position {position} in a list of {length}", "value")
    return index - 1 if index > 0 else length + index


@TABLE.define("list contains", "list: list, element: any")
def list_contains(run: Run, items: list[Any], element: Any) -> bool:
    """Whether the list has an item that equals the element; null may be one."""
    run.spend(len(items))
    return any(_equal(run, item, element) for item in items)


@TABLE.define("count", "list: list")
def count(_run: Run, items: list[Any]) -> int:
    """The number of items."""
    return len(items)


@TABLE.define("is empty", "list: list")
def is_empty(_run: Run, items: list[Any]) -> bool:
    """Whether there are no items."""
    return not items


@TABLE.define("sublist", "list: list, start position: number, length?: number|null")
def sublist(_run: Run, items: list[Any], start: Number, length: Number | None = None) -> list[Any]:
    """``length`` items from a position on, or all the rest."""
    begin = _place("sublist", start, len(items))
    if length is None:
        return items[begin:]
    wanted = to_int(length)
    if wanted is None or wanted < 0 or begin + wanted > len(items):
        raise Null(f"sublist(): there are no {length} items from position {start} on", "value")
    return items[begin : begin + wanted]


@TABLE.define("append", "list: list, items...: any")
def append(run: Run, items: list[Any], *more: Any) -> list[Any]:
    """The list with more items at its end."""
    run.spend(len(items))
    return [*items, *more]


@TABLE.define("concatenate", "lists...: list")
def concatenate(run: Run, *lists: list[Any]) -> list[Any]:
    """The lists, one after the other."""
    run.spend(sum(map(len, lists)))
    return [item for items in lists for item in items]


@TABLE.define("insert before", "list: list, position: number, newItem: any")
def insert_before(run: Run, items: list[Any], position: Number, new: Any) -> list[Any]:
    """The list with a new item before a position."""
    index = _place("insert before", position, len(items), beyond=int(position > 0))
    run.spend(len(items))
    return [*items[:index], new, *items[index:]]


@TABLE.define("remove", "list: list, position: number")
def remove(run: Run, items: list[Any], position: Number) -> list[Any]:
    """The list without the item at a position."""
    index = _place("remove", position, len(items))
    run.spend(len(items))
    return [*items[:index], *items[index + 1 :]]


@TABLE.define("list replace", "list: list, position: number, newItem: any")
def list_replace(run: Run, items: list[Any], position: Number, new: Any) -> list[Any]:
    """The list with the item at a position replaced."""
    index = _place("list replace", position, len(items))
    run.spend(len(items))
    return [*items[:index], new, *items[index + 1 :]]


@TABLE.define("list replace", "list: list, match: function, newItem: any")
def list_replace_matching(run: Run, items: list[Any], match: Function, new: Any) -> list[Any]:
    """The list with all items replaced for which ``match(item, newItem)`` is true."""
    if not match.variadic and len(match.parameters) != 2:
        raise Null("list replace(): the match function must take an item and the new item")
    result = []
    for item in items:
        answer = invoke(match, (item, new), run, 0)
        if type(answer) is not bool:
            raise Null("list replace(): the match function must give a boolean", "type")
        result.append(new if answer else item)
    return result


@TABLE.define("reverse", "list: list")
def reverse(run: Run, items: list[Any]) -> list[Any]:
    """The list backwards."""
    run.spend(len(items))
    return items[::-1]


@TABLE.define("index of", "list: list, match: any")
def index_of(run: Run, items: list[Any], match: Any) -> list[int]:
    """The positions of all items that equal the match, in ascending order."""
    run.spend(len(items))
    return [place for place, item in enumerate(items, 1) if _equal(run, item, match)]


def _key(run: Run, value: Any) -> Hashable:
    """A key that two values share exactly if they are equal."""
    if value is None or isinstance(value, str | DaysTimeDuration | YearsMonthsDuration | Date):
        return value
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, Time):
        offset = value.offset
        return ("time", offset is None, value.nanos // SECOND - (offset or 0))
    if isinstance(value, DateTime):
        return ("date and time", value.offset is None, value.instant // SECOND)
    run.spend(1)
    if isinstance(value, list):
        run.spend(len(value))
        return ("list", *(_key(run, item) for item in value))
    if isinstance(value, dict):
        run.spend(len(value))
        return ("context", frozenset((name, _key(run, item)) for name, item in value.items()))
    if isinstance(value, Range):
        shape = (value.low_included, value.high_included, value.has_low, value.has_high, value.is_point)
        return ("range", _key(run, value.low), _key(run, value.high), *shape)
    return ("function", id(value)) if isinstance(value, Function) else ("number", value)


def _distinct(run: Run, items: Iterable[Any]) -> list[Any]:
    kept: dict[Hashable, Any] = {}
    for item in items:
        run.spend(1)
        kept.setdefault(_key(run, item), item)
    return list(kept.values())


@TABLE.define("union", "lists...: list")
def union(run: Run, *lists: list[Any]) -> list[Any]:
    """The items of all lists without duplicates."""
    return _distinct(run, (item for items in lists for item in items))


@TABLE.define("distinct values", "list: list")
def distinct_values(run: Run, items: list[Any]) -> list[Any]:
    """The list without duplicates."""
    return _distinct(run, items)


@TABLE.define("duplicate values", "list: list")
def duplicate_values(run: Run, items: list[Any]) -> list[Any]:
    """The values that appear more than once, each one time."""
    counts: dict[Hashable, int] = {}
    keys = [_key(run, item) for item in items]
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    return _distinct(run, (item for key, item in zip(keys, items, strict=True) if counts[key] > 1))


@TABLE.define("flatten", "list: list")
def flatten(run: Run, items: list[Any]) -> list[Any]:
    """The items of the list and of all lists inside it."""
    flat: list[Any] = []
    stack = [iter(items)]
    while stack:
        run.spend(1)
        for item in stack[-1]:
            if type(item) is list:
                stack.append(iter(item))
                break
            run.spend(1)
            flat.append(item)
        else:
            stack.pop()
    return flat


@TABLE.define("partition", "list: list, size: number")
def partition(run: Run, items: list[Any], size: Number) -> list[list[Any]]:
    """The list cut into lists of ``size`` items; the last may be shorter."""
    width = to_int(size)
    if width is None or width < 1:
        raise Null("partition(): the size must be a whole number above zero", "value")
    run.spend(len(items))
    return [items[start : start + width] for start in range(0, len(items), width)]


@TABLE.define("sort", "list: list, precedes: function")
def sort(run: Run, items: list[Any], precedes: Function) -> list[Any]:
    """The list in the order that ``precedes(x, y)`` defines; equal items keep their order."""

    def order(left: Any, right: Any) -> int:
        answer = invoke(precedes, (left, right), run, 0)
        if type(answer) is not bool:
            raise Null("sort(): the function must give a boolean for any two items", "type")
        return -1 if answer else int(invoke(precedes, (right, left), run, 0) is True)

    return sorted(items, key=cmp_to_key(order))


@TABLE.define("sort", "list: list")
def sort_naturally(run: Run, items: list[Any]) -> list[Any]:
    """The list in ascending order."""

    def order(left: Any, right: Any) -> int:
        answer = compare(left, right)
        if answer is None:
            raise Null(f"sort(): {shorten(left)} and {shorten(right)} have no order", "type")
        return int(answer)

    run.spend(len(items) * 4)
    return sorted(items, key=cmp_to_key(order))


def _define_for_list_or_items(name: str, reduce: Callable[[Run, list[Any]], Any], text: str) -> None:
    """The standard lets these take one list, or the items as arguments."""

    @TABLE.define(name, "list: list")
    def of_list(run: Run, items: list[Any]) -> Any:
        run.spend(len(items))
        return reduce(run, items)

    @TABLE.define(name, "n...: any")
    def of_items(run: Run, *items: Any) -> Any:
        if len(items) == 1:
            raise Null(f"{name}(): null is not a list", "type")
        return reduce(run, list(items))

    of_list.__doc__ = text
    of_items.__doc__ = text


def _extreme(name: str, wanted: int) -> Callable[[Run, list[Any]], Any]:
    def reduce(_run: Run, items: list[Any]) -> Any:
        if not items:
            raise Null(f"{name}(): the list is empty", "value")
        best = items[0]
        if compare(best, best) is None:
            raise Null(f"{name}(): {shorten(best)} has no order", "type")
        for item in items[1:]:
            order = compare(item, best)
            if order is None:
                raise Null(f"{name}(): {shorten(item)} and {shorten(best)} have no order", "type")
            if order == wanted:
                best = item
        return best

    return reduce


def _decide(name: str, decisive: bool) -> Callable[[Run, list[Any]], Any]:
    def reduce(_run: Run, items: list[Any]) -> bool:
        if decisive in [item for item in items if type(item) is bool]:
            return decisive
        strange = [item for item in items if type(item) is not bool]
        if strange:
            raise Null(f"{name}(): {shorten(strange[0])} is not a boolean", "type")
        return not decisive

    return reduce


for _name, _reduce, _text in (
    ("min", _extreme("min", -1), "The least item."),
    ("max", _extreme("max", 1), "The greatest item."),
    ("all", _decide("all", decisive=False), "Whether all items are true (three-valued)."),
    ("any", _decide("any", decisive=True), "Whether some item is true (three-valued)."),
):
    _define_for_list_or_items(_name, _reduce, _text)
