"""Functions over lists of numbers (DMN 1.5, 10.3.4.4)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal
from typing import Any

from flowkit.feel.builtins.registry import Table
from flowkit.feel.numbers import CONTEXT, Number, settle
from flowkit.feel.operators import add, divide, multiply
from flowkit.feel.temporal import DaysTimeDuration, YearsMonthsDuration
from flowkit.feel.text import shorten
from flowkit.feel.values import Null, Run

__all__ = ["TABLE"]

TABLE = Table("Statistics")

_WIDE = Context(prec=50, Emin=-20_000, Emax=20_000)


def _numbers(name: str, items: list[Any]) -> list[Number]:
    for item in items:
        if type(item) is not int and type(item) is not Decimal:
            raise Null(f"{name}(): {shorten(item)} is not a number", "type")
    return items


def _filled(name: str, items: list[Any]) -> list[Number]:
    if not items:
        raise Null(f"{name}(): the list is empty", "value")
    return _numbers(name, items)


def _define(name: str, reduce: Callable[[Run, list[Any]], Any], text: str) -> None:
    """The standard lets these take one list, or the numbers as arguments."""

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


def _sum(run: Run, items: list[Any]) -> Any:
    if items and all(type(item) is type(items[0]) for item in items):
        if type(items[0]) is int:
            return settle(sum(items))
        if isinstance(items[0], DaysTimeDuration | YearsMonthsDuration):
            return _folded(add, run, items)
    return _folded(add, run, _filled("sum", items))


def _folded(operation: Callable[..., Any], run: Run, items: list[Any]) -> Any:
    total = items[0]
    for item in items[1:]:
        total = operation(total, item, run, 0)
    return total


def _product(run: Run, items: list[Any]) -> Any:
    return _folded(multiply, run, _filled("product", items))


def _mean(run: Run, items: list[Any]) -> Any:
    if not items:
        raise Null("mean(): the list is empty", "value")
    return divide(_sum(run, items), len(items), run, 0)


def _median(run: Run, items: list[Any]) -> Any:
    ordered = sorted(_filled("median", items))
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return divide(add(ordered[middle - 1], ordered[middle], run, 0), 2, run, 0)


def _stddev(_run: Run, items: list[Any]) -> Any:
    numbers = _filled("stddev", items)
    if len(numbers) < 2:
        raise Null("stddev(): one number has no deviation", "value")
    mean = _WIDE.divide(_wide_sum(numbers), len(numbers))
    squares = [_WIDE.power(_WIDE.subtract(Decimal(number), mean), 2) for number in numbers]
    return settle(CONTEXT.sqrt(_WIDE.divide(_wide_sum(squares), len(numbers) - 1)))


def _wide_sum(numbers: list[Any]) -> Decimal:
    total = Decimal(0)
    for number in numbers:
        total = _WIDE.add(total, number)
    return total


def _mode(_run: Run, items: list[Any]) -> list[Number]:
    counts: dict[Number, int] = {}
    for number in _numbers("mode", items):
        counts[number] = counts.get(number, 0) + 1
    most = max(counts.values(), default=0)
    return sorted(number for number, times in counts.items() if times == most)


_define("sum", _sum, "The sum of numbers, or of durations of one kind.")
_define("product", _product, "The product of numbers.")
_define("mean", _mean, "The arithmetic mean.")
_define("median", _median, "The middle number, or the mean of the two in the middle.")
_define("stddev", _stddev, "The standard deviation of a sample.")
_define("mode", _mode, "The numbers that appear most often, in ascending order.")
